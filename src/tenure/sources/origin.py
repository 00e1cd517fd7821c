"""Where tables come from: files, folders of parts, DuckDB databases and queries over them."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from tenure.core.errors import DataError, Problem, suggestion
from tenure.core.steps import Step
from tenure.sources.contract import SOURCES
from tenure.sources.files import MARKS, TEXT_FILES, Files, listed

if TYPE_CHECKING:
    from tenure.core.config import DataConfig, TableConfig
    from tenure.engine import Engine

PARQUET = (".parquet", ".pq")
DATABASES = (".duckdb", ".ddb", ".db")
_CSV_READERS = ("read_csv", "read_csv_auto")
_TYPED = ("all_varchar", "columns", "types", "dtypes", "auto_type_candidates", "dateformat")


@dataclass(frozen=True)
class Origin:
    """A table as found.

    Attributes:
        name: Canonical name.
        relation: What holds its rows.
        text: What to call its origin.
        files: The files it comes as, where they are read one by one.
    """

    name: str
    relation: str
    text: str
    files: Files | None = None


def find(data: DataConfig, engine: Engine) -> tuple[dict[str, Origin], list[Problem]]:
    """Make every table that is configured or lies under `data.path` known to the engine.

    Returns:
        The tables found, and the problems; an optional table that is not there is neither.
    """
    found: dict[str, Origin] = {}
    problems = [unknown_table(name) for name in data.tables if name not in SOURCES]
    folder = Path(data.path)
    if not folder.exists() and not all(
        name in data.tables for name in ("accounts", "subscriptions")
    ):
        return {}, [
            *problems,
            Problem(
                "data.path", "does not exist", data.path, "give the folder that holds the tables"
            ),
        ]
    for name, source in SOURCES.items():
        try:
            origin = _configured(name, data.tables[name], engine) if name in data.tables else None
            origin = origin or (None if name in data.tables else _discovered(name, folder, engine))
        except DataError as error:
            problems += [
                item if isinstance(item, Problem) else Problem(name, item)
                for item in error.problems
            ]
            continue
        if origin:
            found[name] = origin
        elif source.required:
            problems.append(
                Problem(
                    name,
                    "is required and was not found",
                    f"looked for {folder / name}.parquet, .csv and the like",
                    f"add the file, or say where it is: data.tables.{name}",
                )
            )
    return found, problems


def unknown_table(name: str) -> Problem:
    """Return the problem with a table that the contract does not have."""
    return Problem(f"table {name}", "is not a table of the contract", fix=suggestion(name, SOURCES))


def _configured(name: str, table: TableConfig, engine: Engine) -> Origin:
    if table.sql is not None:
        engine.run([Step(f"_raw_{name}", _query(name, table.sql), lazy=True)])
        return Origin(name, f"_raw_{name}", "query")
    if table.path is None:
        engine.attach(f"_raw_{name}", "", table.table)
        return Origin(name, f"_raw_{name}", f"table {table.table}")
    words = {word for value in table.columns.values() for word in re.findall(r"\w+", value)}
    return attach(name, table.path, engine, table.table, columns=words)


def _discovered(name: str, folder: Path, engine: Engine) -> Origin | None:
    if folder.is_file():
        return attach(name, str(folder), engine) if name in engine.tables(str(folder)) else None
    for suffix in (*PARQUET, *TEXT_FILES, *DATABASES):
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
) -> Origin:
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
        return Origin(name, relation, path)
    if place.is_dir():
        path = f"{path}/**/*.parquet"
    elif not any(mark in path for mark in MARKS) and not place.is_file():
        near = [other.name for other in place.parent.iterdir()] if place.parent.is_dir() else []
        fix = suggestion(place.name, near) if near else f"the folder {place.parent} does not exist"
        raise DataError(Problem(name, "the file does not exist", path, fix))
    if path.endswith(DATABASES):
        tables = engine.tables(path)
        if (table or name) not in tables:
            raise DataError(
                Problem(name, f"no table `{table or name}` in {path}", fix=suggestion(name, tables))
            )
        engine.attach(relation, path, table or name)
        return Origin(name, relation, f"{path}: {table or name}")
    if not path.endswith((*TEXT_FILES, *PARQUET)):
        raise DataError(
            Problem(name, "is no kind of file that can be read", path, "use CSV, Parquet or DuckDB")
        )
    try:
        files = _read(name, path, columns, engine)
        if not files:
            engine.attach(relation, path)
    except DataError as error:
        fix = "check that it is a whole CSV (with a header line) or Parquet file"
        raise DataError(Problem(name, f"cannot be read from {path}", reason(error), fix)) from error
    return Origin(name, relation, path, files)


def _read(name: str, path: str, columns: Collection[str], engine: Engine) -> Files | None:
    """Make the files of a path known as a view, if the engine can tell which they are."""
    source = SOURCES[name]
    wanted = {*columns, *(column.name for column in source.columns), "known_at"}
    files = listed(path, wanted, f"_raw_{name}", engine)
    if files:
        engine.run([Step(f"_raw_{name}", files.select(), lazy=True)])
    return files


def _query(name: str, sql: str) -> str:
    """Return a user's query in which CSV files are read as text, like those given by path."""
    where = f"data.tables.{name}.sql"
    try:
        statements = [item for item in sqlglot.parse(sql, read="duckdb") if item is not None]
    except SqlglotError as error:
        message = str(error).splitlines()[0]
        raise DataError(Problem(where, "is not valid SQL", message, "correct the query")) from error
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise DataError(Problem(where, "must be one SELECT", sql.strip()[:80], "remove the rest"))
    query = statements[0]
    rewritten = [_as_text(table) for table in query.find_all(exp.Table)]
    return query.sql(dialect="duckdb") if any(rewritten) else sql.strip().rstrip(";")


def _as_text(table: exp.Table) -> bool:
    """Make a query read a CSV file as text, unless it declares types; return whether it did."""
    inner = table.this
    if isinstance(inner, exp.Identifier) and inner.name.endswith(TEXT_FILES):
        name = inner.name
        inner = exp.Anonymous(this="read_csv", expressions=[exp.Literal.string(name)])
        table.set("this", inner)
        if not table.alias:
            stem = Path(name).name.split(".")[0]
            table.set("alias", exp.TableAlias(this=exp.to_identifier(stem, quoted=True)))
    reader = isinstance(inner, exp.Anonymous) and inner.name.lower() in _CSV_READERS
    if not reader and not isinstance(inner, exp.ReadCSV):
        return False
    if any(item.this.name.lower() in _TYPED for item in inner.expressions if item.find(exp.EQ)):
        return False
    option = exp.EQ(this=exp.column("all_varchar"), expression=exp.true())
    inner.set("expressions", [*inner.expressions, option])
    return True


def reason(error: DataError) -> str:
    """Return the first line of what an engine had to say."""
    first = error.problems[0]
    text = first.value or first.rule if isinstance(first, Problem) else first
    return text.strip().splitlines()[0][:200]
