"""`tenure init`: a config for the files of a folder, checked at once."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tenure.core.config import Config, make_config
from tenure.core.errors import ConfigError, DataError, Problem
from tenure.core.files import write_text
from tenure.core.progress import SILENT, Progress
from tenure.core.records.audit import CheckRecord
from tenure.core.records.init import FolderTable, InitRecord, ProposedTable
from tenure.engine import Engine, open_engine
from tenure.features.plan.config_checks import load_config
from tenure.run.check import run_check
from tenure.sources import origin
from tenure.sources.contract import SOURCES
from tenure.sources.layout import prepare
from tenure.sources.presets.absent import missing_parts
from tenure.sources.presets.config_text import config_text
from tenure.sources.presets.declared import Preset, presets
from tenure.sources.presets.mapped import MappedTable, map_tables
from tenure.sources.presets.raw_tables import RawTable, raw_tables
from tenure.sources.presets.recognise import Match, nearest, recognised
from tenure.sources.presets.times import Order, TimeForms

CONFIG = "tenure.yaml"
_ROWS = 5
"""Rows of a table that are shown."""


@dataclass(frozen=True)
class InitRequest:
    """What a user asks for.

    Attributes:
        folder: Where the files lie.
        out: The config to write; `tenure.yaml` in the folder by default.
        force: Whether to replace a config.
        first: Which number of a date stands first where its values leave that open.
    """

    folder: Path
    out: Path | None = None
    force: bool = False
    first: Order | None = None

    @property
    def config(self) -> Path:
        """Return the config to write."""
        return self.out or self.folder / CONFIG


def run_init(request: InitRequest, progress: Progress = SILENT) -> InitRecord:
    """Look at the files of a folder, write a config that maps them, and check it.

    Raises:
        ConfigError: If the folder does not exist, the config does, or no file is known.
    """
    _refuse(request)
    progress.stage("looking at the files")
    engine = open_engine(make_config({"data": {"path": str(request.folder)}}, base=Path()))
    try:
        files, matches = _looked_at(request.folder, engine)
        if not matches:
            raise _nothing(request.folder, files)
        progress.stage("mapping the tables")
        forms = TimeForms(engine, request.first)
        mapped, rest = map_tables(matches, forms, engine)
        questions = [_question(name, pair) for name, pair in forms.open.items()]
        _write(request, mapped, [*rest, *questions])
    finally:
        engine.close()
    config = load_config(request.config)
    tables = _previewed(config, mapped)
    check, problems = _checked(config, progress)
    provided = {table.name: table.provided for table in mapped if not table.left_out}
    return InitRecord(
        config=str(request.config),
        files=tuple(files),
        tables=tables,
        questions=(*rest, *questions),
        missing=tuple(missing_parts(provided, presets().values())),
        check=check,
        problems=problems,
    )


def _refuse(request: InitRequest) -> None:
    if not request.folder.is_dir():
        fix = "give the folder that holds the exports"
        raise ConfigError(Problem(str(request.folder), "is not a folder", fix=fix))
    if request.config.exists() and not request.force:
        fix = "use --force to replace it, or --out FILE"
        raise ConfigError(Problem(str(request.config), "exists already", fix=fix))


def _looked_at(folder: Path, engine: Engine) -> tuple[list[FolderTable], list[Match]]:
    """Return what lies in a folder, and what of it is known."""
    known = presets().values()
    words = {column.name for source in SOURCES.values() for column in source.columns}
    for preset in known:
        for item in preset.objects.values():
            words |= {spelling for names in item.columns.values() for spelling in names}
    files: list[FolderTable] = []
    matches: list[Match] = []
    for raw in raw_tables(folder, engine, words):
        if isinstance(raw, Problem):
            remark = str(Problem(raw.thing, raw.rule, raw.value, raw.fix))
            files.append(FolderTable(name=raw.thing, remark=remark))
        elif match := recognised(raw, known):
            matches.append(match)
            files.append(
                FolderTable(
                    name=raw.label,
                    vendor=match.preset.vendor,
                    object=match.object.name,
                    columns=len(match.columns),
                )
            )
        else:
            files.append(FolderTable(name=raw.label, remark=_unknown(raw, known)))
    return files, matches


def _unknown(raw: RawTable, known: Iterable[Preset]) -> str:
    near = nearest(raw, known)
    if near is None:
        return "is nothing that is known: map it by hand"
    spellings = [
        " or ".join(f"`{name}`" for name in near.object.columns[need][:3]) for need in near.missing
    ]
    return f"is nearest to {near.preset.vendor} {near.object.name}, without {', '.join(spellings)}"


def _nothing(folder: Path, files: Sequence[FolderTable]) -> ConfigError:
    if not files:
        rule = "holds no file that can be read (CSV, Parquet, JSON lines, DuckDB)"
        return ConfigError(Problem(str(folder), rule, fix="give the folder that holds the exports"))
    fix = "map the tables by hand (docs/data.md says what each column means)"
    return ConfigError(*(Problem(item.name, item.remark, fix=fix) for item in files))


def _question(name: str, pair: tuple[str, str]) -> str:
    return (
        f"which number of the dates in {name} is the month? `{pair[0]}` and `{pair[1]}` both read "
        "all of them: run again with --day-first or --month-first"
    )


def _write(request: InitRequest, mapped: Sequence[MappedTable], remarks: Sequence[str]) -> None:
    """Write the config; relative names in it lead from it to the folder."""
    used = {table.name for table in mapped if not table.left_out}
    stems = {item.name.split(".")[0].lower() for item in request.folder.iterdir()}
    text = config_text(
        re.sub(r"[^A-Za-z0-9_.-]+", "-", request.folder.resolve().name).strip("-._") or "tenure",
        mapped,
        path=os.path.relpath(request.folder, request.config.parent),
        leave_out=[name for name in SOURCES if name not in used and name in stems],
        remarks=remarks,
    )
    write_text(request.config, text)


def _previewed(config: Config, mapped: Sequence[MappedTable]) -> tuple[ProposedTable, ...]:
    """Return the tables with their first rows, as they will be read."""
    engine = open_engine(config)
    try:
        origins, _ = origin.find(config, engine)
        tables = []
        for item in mapped:
            rows = _first_rows(origins.get(item.name), config, engine)
            tables.append(
                ProposedTable(
                    name=item.name,
                    presets=tuple(f"{p.name} {p.version}" for p in item.presets),
                    columns=item.provided,
                    notes=item.notes,
                    left_out=item.left_out,
                    rows=rows,
                )
            )
        return tuple(tables)
    finally:
        engine.close()


def _first_rows(
    place: origin.TableOrigin | None, config: Config, engine: Engine
) -> tuple[dict[str, str | None], ...]:
    if place is None:
        return ()
    table, _ = prepare(place, config, engine)
    if table is None:
        return ()
    names = [name for name in table.layout.columns if table.layout.source.column(name)]
    items = ", ".join(f'CAST("{name}" AS VARCHAR) AS "{name}"' for name in names)
    try:
        rows = engine.fetch(f"SELECT {items} FROM ({table.layout.select()}) LIMIT {_ROWS}")
    except DataError:
        return ()
    return tuple(rows.to_pylist())


def _checked(config: Config, progress: Progress) -> tuple[CheckRecord | None, tuple[str, ...]]:
    try:
        return run_check(config, progress), ()
    except DataError as error:
        return None, tuple(str(problem) for problem in error.problems)
