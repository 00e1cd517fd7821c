"""`tenure init`: a config for the files of a folder or the tables of a database, checked."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tenure.core.config import Config, make_config, refuse_passwords
from tenure.core.errors import ConfigError, DataError, Problem
from tenure.core.files import write_text
from tenure.core.paths import FILE_DATABASES
from tenure.core.progress import SILENT, Progress
from tenure.core.records.audit import CheckRecord
from tenure.core.records.init import FolderTable, InitRecord, ProposedTable
from tenure.core.secrets import masked
from tenure.engine import Engine, open_engine
from tenure.features.plan.config_checks import load_config
from tenure.run.check import run_check
from tenure.sources import origin
from tenure.sources.contract import SOURCES
from tenure.sources.landing.land import land
from tenure.sources.layout import prepare
from tenure.sources.presets.absent import missing_parts
from tenure.sources.presets.config_text import config_text
from tenure.sources.presets.declared import Preset, presets
from tenure.sources.presets.mapped import MappedTable, map_tables
from tenure.sources.presets.raw_connection import connection_tables
from tenure.sources.presets.raw_tables import RawTable, raw_tables
from tenure.sources.presets.recognise import Match, nearest, recognised
from tenure.sources.presets.times import Order, TimeForms

CONFIG = "tenure.yaml"
_ROWS = 5
"""Rows of a table that are shown."""


@dataclass(frozen=True)
class InitRequest:
    """What a user asks for."""

    folder: Path
    """Where the files lie; the current folder for a database."""
    out: Path | None = None
    """The config to write; `tenure.yaml` in the folder by default."""
    force: bool = False
    """Whether to replace a config."""
    first: Order | None = None
    """Which number of a date stands first where its values leave that open."""
    url: str | None = None
    """The database, in the place of files."""

    @classmethod
    def of(cls, place: str, **wish: Any) -> InitRequest:
        """Return the request for a folder, or for a database that a URL names."""
        return cls(Path(), url=place, **wish) if "://" in place else cls(Path(place), **wish)

    @property
    def connections(self) -> dict[str, str]:
        """Return the name of the connection → its URL, with files named from the config."""
        if self.url is None:
            return {}
        folder = os.path.relpath(Path.cwd(), self.config.parent)
        scheme, _, path = self.url.partition(":///")
        here = scheme in FILE_DATABASES and not path.startswith("${") and folder != "."
        moved = path if Path(path).is_absolute() else os.path.normpath(Path(folder) / path)
        return {"database": f"{scheme}:///{moved}" if here else self.url}

    @property
    def config(self) -> Path:
        """Return the config to write."""
        return self.out or self.folder / CONFIG


def run_init(request: InitRequest, progress: Progress = SILENT) -> InitRecord:
    """Look at the files of a folder or at a database, write a config that maps them, and check it.

    Raises:
        ConfigError: If the folder does not exist, the config does, or nothing is known.
        DataError: If the database cannot be read.
    """
    _refuse(request)
    progress.stage("looking at the database" if request.url else "looking at the files")
    looking = make_config({"data": {"path": str(request.folder)}}, base=Path())
    with TemporaryDirectory() as first_rows, closing(open_engine(looking)) as engine:
        files, matches = _looked_at(_raw(request, Path(first_rows), engine))
        if not matches:
            raise _nothing(masked(request.url or str(request.folder)), files)
        progress.stage("mapping the tables")
        forms = TimeForms(engine, request.first)
        mapped, rest = map_tables(matches, forms, engine)
        questions = [_question(name, pair) for name, pair in forms.open.items()]
        _write(request, mapped, [*rest, *questions])
    config = load_config(request.config)
    land(config, progress, anew=True)
    once = config.model_copy(update={"data": config.data.model_copy(update={"land": "once"})})
    tables = _previewed(once, mapped)
    check, problems = _checked(once, progress)
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
    refuse_passwords({"connections": request.connections})
    if not request.folder.is_dir():
        fix = "give the folder that holds the exports, or the URL of a database"
        raise ConfigError(Problem(str(request.folder), "is not a folder", fix=fix))
    if request.config.exists() and not request.force:
        fix = "use --force to replace it, or --out FILE"
        raise ConfigError(Problem(str(request.config), "exists already", fix=fix))
    for folder, access in ((request.folder, os.R_OK | os.X_OK), (_lowest(request), os.W_OK)):
        if not os.access(folder, access):
            read = access != os.W_OK
            rule = "may not be read" if read else "may not be written to"
            fix = "ask for permission" if read else "give another place with --out FILE"
            raise ConfigError(Problem(str(folder), rule, fix=fix))


def _lowest(request: InitRequest) -> Path:
    """Return the folder of the config, or the lowest above it that exists."""
    return next(folder for folder in request.config.absolute().parents if folder.exists())


def _raw(request: InitRequest, first_rows: Path, engine: Engine) -> Iterable[RawTable | Problem]:
    """Return the tables of the folder or the database."""
    known = presets().values()
    if request.url is not None:
        return connection_tables("database", request.url, first_rows, engine, known)
    words = {column.name for source in SOURCES.values() for column in source.columns}
    for preset in known:
        for item in preset.objects.values():
            words |= {spelling for names in item.columns.values() for spelling in names}
    return raw_tables(request.folder, engine, words)


def _looked_at(tables: Iterable[RawTable | Problem]) -> tuple[list[FolderTable], list[Match]]:
    """Return what there is, and what of it is known."""
    known = presets().values()
    files: list[FolderTable] = []
    matches: list[Match] = []
    for raw in tables:
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
    if not near.missing:
        word = f"a word such as `{near.object.files[0]}`"
        kind = f"{near.preset.vendor} {near.object.name}"
        return f"has the columns of {kind}; if it is that, put {word} into its name"
    columns = near.object.columns
    spellings = [
        " or ".join(f"`{name}`" for name in columns[need][1:4] or (need,)) for need in near.missing
    ]
    return f"is nearest to {near.preset.vendor} {near.object.name}, without {', '.join(spellings)}"


def _nothing(place: str, files: Sequence[FolderTable]) -> ConfigError:
    if not files and "://" in place:
        fix = "check that the user may read the tables"
        return ConfigError(Problem(place, "has no table that can be read", fix=fix))
    if not files:
        rule = "holds no file that can be read (CSV, Parquet, JSON lines, DuckDB)"
        return ConfigError(Problem(place, rule, fix="give the folder that holds the exports"))
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
    files = () if request.url else request.folder.iterdir()
    stems = {item.name.split(".")[0].lower() for item in files}
    text = config_text(
        re.sub(r"[^A-Za-z0-9_.-]+", "-", request.folder.resolve().name).strip("-._") or "tenure",
        mapped,
        path=None if request.url else os.path.relpath(request.folder, request.config.parent),
        connections=request.connections,
        leave_out=[name for name in SOURCES if name not in used and name in stems],
        remarks=remarks,
    )
    write_text(request.config, text)


def _previewed(config: Config, mapped: Sequence[MappedTable]) -> tuple[ProposedTable, ...]:
    """Return the tables with their first rows, as they will be read."""
    with closing(open_engine(config)) as engine:
        origins, _ = origin.find(config, engine)
        return tuple(
            ProposedTable(
                name=item.name,
                presets=tuple(f"{p.name} {p.version}" for p in item.presets),
                columns=item.provided,
                notes=item.notes,
                left_out=item.left_out,
                rows=_first_rows(origins.get(item.name), config, engine),
            )
            for item in mapped
        )


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
