"""Where tables come from: files, folders of parts, DuckDB databases and queries over them."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tenure.core.errors import DataError, Problem, suggestion
from tenure.core.paths import exists
from tenure.core.steps import Step
from tenure.engine import ENGINES
from tenure.engine.base import CSV_SUFFIXES, DATABASE_SUFFIXES, PARQUET_SUFFIXES
from tenure.sources.contract import SOURCES
from tenure.sources.files import Files, files_of
from tenure.sources.user_query import attach_query

if TYPE_CHECKING:
    from tenure.core.config import DataConfig
    from tenure.engine import Engine


@dataclass(frozen=True)
class TableOrigin:
    """Where a table comes from.

    Attributes:
        name: Canonical name.
        text: Its path, or `query`, for the report and for messages.
        files: Its files, where they are known one by one.
    """

    name: str
    text: str
    files: Files | None = None

    @property
    def relation(self) -> str:
        """Return the name of the view in the engine that reads its rows."""
        return f"_raw_{self.name}"


def find(data: DataConfig, engine: Engine) -> tuple[dict[str, TableOrigin], list[Problem]]:
    """Make every table that is configured or lies under `data.path` known to the engine.

    Returns:
        The tables by name, and the problems; an optional table that does not exist is neither.
    """
    origins: dict[str, TableOrigin] = {}
    problems = [unknown_table(name) for name in data.tables if name not in SOURCES]
    folder = Path(data.path)
    required = {name for name, source in SOURCES.items() if source.required}
    if not folder.exists() and not required <= data.tables.keys():
        fix = "give the folder that holds the tables"
        return {}, [*problems, Problem("data.path", "does not exist", data.path, fix)]
    for name in SOURCES:
        try:
            if name in data.tables:
                origins[name] = _configured(name, data, engine)
            elif origin := _discovered(name, folder, engine):
                origins[name] = origin
            elif name in required:
                looked = f"looked for {folder / name}.parquet, .csv and the like"
                fix = f"add the file, or say where it is: data.tables.{name}"
                problems.append(Problem(name, "is required and was not found", looked, fix))
        except DataError as error:
            problems += [
                item if isinstance(item, Problem) else Problem(name, item)
                for item in error.problems
            ]
    return origins, problems


def unknown_table(name: str) -> Problem:
    """Return the problem for a table name that the contract does not have."""
    return Problem(f"table {name}", "is not a table of the contract", fix=suggestion(name, SOURCES))


def _configured(name: str, data: DataConfig, engine: Engine) -> TableOrigin:
    table = data.tables[name]
    if table.sql is not None:
        attach_query(name, table.sql, data, engine)
        return TableOrigin(name, "query")
    if table.path is None:
        engine.attach(f"_raw_{name}", "", table.table)
        return TableOrigin(name, f"table {table.table}")
    words = {word for value in table.columns.values() for word in re.findall(r"\w+", value)}
    if "://" not in table.path and not exists(table.path):
        raise DataError(_lacking(name, Path(table.path), data))
    return attach(name, table.path, engine, table.table, columns=words)


def _lacking(name: str, place: Path, data: DataConfig) -> Problem:
    """Return the problem with a path at which there is nothing, with all places looked at."""
    places = [str(place)]
    if place.is_relative_to(data.base):
        places.append(str(Path(data.path) / place.relative_to(data.base)))
    near = [other.name for other in place.parent.iterdir()] if place.parent.is_dir() else []
    fix = suggestion(place.name, near) if near else f"the folder {place.parent} does not exist"
    looked = " and ".join(dict.fromkeys(places))
    return Problem(name, "the file does not exist", looked, fix)


def _discovered(name: str, folder: Path, engine: Engine) -> TableOrigin | None:
    if folder.is_file():
        return attach(name, str(folder), engine) if name in engine.tables(str(folder)) else None
    for suffix in (*PARQUET_SUFFIXES, *CSV_SUFFIXES, *DATABASE_SUFFIXES):
        if (path := folder / f"{name}{suffix}").is_file():
            return attach(name, str(path), engine)
    if any((folder / name).rglob("*.parquet")):
        return attach(name, str(folder / name), engine)
    return None


def attach(
    name: str,
    path: str,
    engine: Engine,
    table: str | None = None,
    *,
    columns: Collection[str] = (),
) -> TableOrigin:
    """Make one file, glob, folder of Parquet parts or database table known as `_raw_<name>`.

    Args:
        name: Canonical name.
        path: Where it lies.
        engine: Where it will be known.
        table: Name of the table in a database.
        columns: Names, beside those of the contract, that folders' values may serve as.

    Raises:
        DataError: If there is nothing of the kind.
    """
    place = Path(path)
    relation = f"_raw_{name}"
    if "://" in path:
        engine.attach(relation, path)
        return TableOrigin(name, path)
    if place.is_dir():
        path = f"{path}/**/*.parquet"
    if path.endswith(DATABASE_SUFFIXES):
        tables = engine.tables(path)
        if (table or name) not in tables:
            rule = f"no table `{table or name}` in {path}"
            raise DataError(Problem(name, rule, fix=suggestion(name, tables)))
        engine.attach(relation, path, table or name)
        return TableOrigin(name, f"{path}: {table or name}")
    if not path.endswith((*CSV_SUFFIXES, *PARQUET_SUFFIXES)):
        rule, fix = "is no kind of file that can be read", "use CSV, Parquet or DuckDB"
        raise DataError(Problem(name, rule, path, fix))
    try:
        wanted = {*columns, *(column.name for column in SOURCES[name].columns), "known_at"}
        files = files_of(path, wanted, relation, engine)
        if files:
            engine.run([Step(relation, files.select(), lazy=True)])
        else:
            engine.attach(relation, path)
    except DataError as error:
        rule = f"cannot be read from {path}"
        fix = "check that it is a whole CSV (with a header line) or Parquet file"
        raise DataError(Problem(name, rule, first_line(error.problems[0]), fix)) from error
    return TableOrigin(name, path, files)


def cannot_read(name: str, place: str, item: Problem | str) -> Problem:
    """Return the problem with a table that the engine could not read."""
    fix = "check the file, or the SQL and formats that the config gives for it"
    return Problem(name, f"cannot be read from {place}", first_line(item), fix)


def first_line(item: Problem | str) -> str:
    """Return the first line of what an engine had to say."""
    if isinstance(item, Problem):
        item = item.rule if item.thing in ENGINES or not item.value else item.value
    return item.strip().splitlines()[0][:200]
