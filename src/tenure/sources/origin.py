"""Where tables come from: files, folders of parts, DuckDB databases, queries, frames."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from tenure.core.config import Config, DataConfig
from tenure.core.errors import DataError, Problem, suggestion
from tenure.core.paths import exists, matches
from tenure.core.steps import Step
from tenure.engine import ENGINES, Engine
from tenure.engine.base import CSV_SUFFIXES, DATABASE_SUFFIXES, PARQUET_SUFFIXES, has_suffix
from tenure.sources.contract import SOURCES, filling
from tenure.sources.files import Files, files_of
from tenure.sources.frames import arrow_table
from tenure.sources.landing.land import landing_tables
from tenure.sources.landing.manifest import MANIFEST, landed_files, landing_folder, origin_of
from tenure.sources.landing.snapshots import attach_copies
from tenure.sources.text_files import engine_reason
from tenure.sources.user_query import attach_query, query_files

_PARTS = (*PARQUET_SUFFIXES, *CSV_SUFFIXES)
_JSON = (".json", ".jsonl", ".ndjson")
_SHEETS = (".xlsx", ".xls", ".xlsm", ".ods", ".numbers")


@dataclass(frozen=True)
class TableOrigin:
    """Where a table comes from."""

    name: str
    """Canonical name."""
    text: str
    """Its path, or `query`, for the report and for messages."""
    files: Files | None = None
    """Its files, where its rows are all of theirs and they are known one by one."""
    reads: tuple[Files, ...] = ()
    """Files that it is read from, those of queries too."""
    history: bool = False
    """Whether its rows are daily copies, of which the history is to be made."""

    @property
    def relation(self) -> str:
        """Return the name of the view in the engine that reads its rows."""
        return f"_raw_{self.name}"


def find(config: Config, engine: Engine) -> tuple[dict[str, TableOrigin], list[Problem]]:
    """Make every table that is configured or lies under `data.path` known to the engine.

    Returns:
        The tables by name, and the problems; an optional table that does not exist is neither.
    """
    data = config.data
    origins: dict[str, TableOrigin] = {}
    named = (*data.tables, *data.leave_out)
    problems = [unknown_table(name) for name in named if name not in SOURCES]
    folder = Path(data.path)
    required = {name for name, source in SOURCES.items() if source.required}
    if data.path and not folder.exists() and not required <= data.tables.keys():
        fix = "give the folder that holds the tables"
        return {}, [*problems, Problem("data.path", "does not exist", data.path, fix)]
    for name in SOURCES:
        try:
            if name in data.tables:
                origins[name] = attach_table(name, config, engine)
            elif (
                data.path
                and name not in data.leave_out
                and (origin := _discovered(name, folder, engine))
            ):
                origins[name] = origin
            elif name in required and name in data.leave_out:
                fix = f"map data.tables.{name}, or take it out of data.leave_out"
                problems.append(
                    Problem(name, "is required and left out by data.leave_out", fix=fix)
                )
            elif name in required:
                looked = f"looked for {folder / name}.parquet, .csv and the like"
                looked = looked if data.path else f"tables: {', '.join(data.tables)}"
                fix = f"add the file, or say where it is: data.tables.{name}"
                problems.append(Problem(name, "is required and was not found", looked, fix))
        except DataError as error:
            problems += [
                item if isinstance(item, Problem) else Problem(name, item)
                for item in error.problems
            ]
    return origins, problems


def named_places(config: Config) -> frozenset[str]:
    """Return the files, folders and globs that a config names as those of its tables.

    Those of queries are among them, and what tells which copies have landed; what lies under
    `data.path` by its own name is not.
    """
    tables = config.data.tables.values()
    places = {table.path for table in tables if table.path}
    places.update(*(query_files(table.sql, config.data) for table in tables if table.sql))
    landed = landing_tables(config)
    return frozenset(places | {str(landing_folder(config, name) / MANIFEST) for name in landed})


def input_files(config: Config, named: Collection[str]) -> Iterator[Path]:
    """Yield what tables are read from at present: files of `named_places`, and under `data.path`.

    What is there may not be a file, and may come twice.
    """
    folder = Path(config.data.path)
    own = [folder] if folder.is_file() else []
    if config.data.path and folder.is_dir():
        own = [item for item in folder.iterdir() if item.name.lower().split(".")[0] in SOURCES]
    for path in (*own, *map(Path, chain.from_iterable(map(matches, named)))):
        yield from path.rglob("*") if path.is_dir() else [path]


def unknown_table(name: str) -> Problem:
    """Return the problem for a table name that the contract does not have."""
    return Problem(f"table {name}", "is not a table of the contract", fix=suggestion(name, SOURCES))


def attach_table(name: str, config: Config, engine: Engine) -> TableOrigin:
    """Make the rows of a table that a config names known as `_raw_<name>`.

    Raises:
        DataError: If there is nothing to read.
    """
    data = config.data
    table = data.tables[name]
    if table.snapshots:
        attach_copies(config, name, engine)
        return TableOrigin(name, f"snapshots of {name}", history=True)
    if table.frame is not None:
        engine.register(f"_raw_{name}", arrow_table(name, table.frame))
        return TableOrigin(name, f"frame {name}")
    words = {word for value in table.columns.values() for word in re.findall(r"\w+", value)}
    if name in landing_tables(config):
        place = attach(name, str(landed_files(config, name)), engine, columns=words)
        return replace(place, text=origin_of(config, name))
    if table.sql is not None:
        reads = attach_query(name, table.sql, config, engine)
        return TableOrigin(name, "query", reads=reads)
    if table.path is None:
        engine.attach(f"_raw_{name}", "", table.table)
        return TableOrigin(name, f"table {table.table}")
    if "://" not in table.path and not exists(table.path):
        raise DataError(_lacking(name, Path(table.path), data))
    return attach(name, table.path, engine, table.table, columns=words)


def _lacking(name: str, place: Path, data: DataConfig) -> Problem:
    """Return the problem with a path at which there is nothing, with all places looked at."""
    places = [str(place)]
    if place.is_relative_to(data.base):
        places += [str(Path(other) / place.relative_to(data.base)) for other in data.folders[1:]]
    near = [other.name for other in place.parent.iterdir()] if place.parent.is_dir() else []
    fix = suggestion(place.name, near) if near else f"the folder {place.parent} does not exist"
    looked = " and ".join(dict.fromkeys(places))
    return Problem(name, "the file does not exist", looked, fix)


def _discovered(name: str, folder: Path, engine: Engine) -> TableOrigin | None:
    if folder.is_file():
        return attach(name, str(folder), engine) if _tables_named(name, folder, engine) else None
    if not folder.is_dir():
        return None
    by_name = {item.name.lower(): item for item in sorted(folder.iterdir(), reverse=True)}
    for suffix in (*PARQUET_SUFFIXES, *CSV_SUFFIXES, *DATABASE_SUFFIXES):
        if (path := by_name.get(f"{name}{suffix}")) and path.is_file():
            return attach(name, str(path), engine)
    parts = by_name.get(name)
    if parts and parts.is_dir() and any(has_suffix(str(item), _PARTS) for item in parts.rglob("*")):
        return attach(name, str(parts), engine)
    return None


def _tables_named(name: str, database: Path, engine: Engine) -> list[str]:
    """Return the tables of a database that a name may mean, in whichever schema and case."""
    tables = engine.tables(str(database))
    exact = [table for table in tables if table == name]
    alike = [table for table in tables if table.lower() == name.lower()]
    return (
        exact
        or alike
        or [table for table in tables if table.rpartition(".")[2].lower() == name.lower()]
    )


def _in_database(name: str, path: str, engine: Engine, table: str) -> TableOrigin:
    matches = _tables_named(table, Path(path), engine)
    if not matches:
        rule = f"no table `{table}` in {path}"
        raise DataError(Problem(name, rule, fix=suggestion(table, engine.tables(path))))
    if len(matches) > 1:
        rule = f"`{table}` stands in {path} more than once"
        fix = f"say which: `data: {{tables: {{{name}: {{path: …, table: {matches[0]}}}}}}}`"
        raise DataError(Problem(name, rule, ", ".join(matches), fix))
    engine.attach(f"_raw_{name}", path, matches[0])
    return TableOrigin(name, f"{path}: {matches[0]}")


def attach(
    name: str,
    path: str,
    engine: Engine,
    table: str | None = None,
    *,
    columns: Collection[str] = (),
) -> TableOrigin:
    """Make one file, glob, folder of parts or database table known as `_raw_<name>`.

    `columns` are names, beside those of the contract, that headers and values of folders may have.

    Raises:
        DataError: If there is nothing of the kind.
    """
    relation = f"_raw_{name}"
    if "://" in path:
        engine.attach(relation, path)
        return TableOrigin(name, path)
    if has_suffix(path, DATABASE_SUFFIXES):
        return _in_database(name, path, engine, table or name)
    if not Path(path).is_dir() and not has_suffix(path, _PARTS):
        raise DataError(_unknown_kind(name, path))
    try:
        wanted = {*columns, *(column.name for column in SOURCES[name].columns), "known_at"}
        files = files_of(path, wanted, relation, engine)
        if files:
            engine.run([Step(relation, files.select(), lazy=True)])
        else:
            engine.attach(relation, f"{path}/**/*.parquet" if Path(path).is_dir() else path)
    except DataError as error:
        raise DataError(*(unread(name, path, item) for item in error.problems)) from error
    return TableOrigin(name, path, files, (files,) if files else ())


def _unknown_kind(name: str, path: str) -> Problem:
    rule, fix = "is no kind of file that can be read", "use CSV, Parquet or DuckDB"
    if any(f"{suffix}." in f"{path.lower()}." for suffix in _JSON):
        fix = f"read it by a query: `{name}: {{sql: \"SELECT * FROM read_json('{path}')\"}}`"
    elif has_suffix(path, _SHEETS):
        fix += ": save the sheet as CSV (Excel: `CSV UTF-8`)"
    elif has_suffix(path, (".zip", ".bz2", ".xz", ".7z")):
        fix += ": unpack it, or pack it with gzip (.csv.gz)"
    return Problem(name, rule, path, fix)


def unread(name: str, place: str, item: Problem | str) -> Problem:
    """Return the problem with a table whose file, or the query for it, cannot be read."""
    if isinstance(item, Problem) and item.thing == name:
        return item
    if isinstance(item, Problem) and item.thing not in ENGINES:
        return Problem(name, f"{item.thing} {item.rule}", item.value, item.fix or filling(name))
    if "state machine" in (reason := engine_reason(item)):
        fix = "write it with one kind of line end (as `dos2unix` does)"
        return Problem(name, f"the lines of {place} end in two ways", reason[:60], fix)
    fix = "check that it is a whole CSV (with a header line) or Parquet file, or the SQL for it"
    return Problem(name, f"cannot be read from {place}", reason, fix)
