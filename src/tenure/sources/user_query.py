"""Queries of a user's own over files: which files they name, and how those are read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from tenure.core.errors import DataError, Problem
from tenure.core.paths import absolute, exists
from tenure.core.steps import Step
from tenure.engine.base import CSV_SUFFIXES, PARQUET_SUFFIXES

if TYPE_CHECKING:
    from tenure.core.config import DataConfig
    from tenure.engine import Engine

_CSV_READERS = ("read_csv", "read_csv_auto")
_TYPED = ("all_varchar", "columns", "types", "dtypes", "auto_type_candidates", "dateformat")
_SHOWN = 300
"""Characters of a query that a message shows."""


def attach_query(name: str, sql: str, data: DataConfig, engine: Engine) -> None:
    """Make the rows of a user's SELECT known as `_raw_<name>`.

    A relative file name refers to the config's folder, or, where nothing there has that name, to
    `data.path`.  CSV files are read as text, like those given by path.

    Raises:
        DataError: If it is no SELECT, a file does not exist, or the engine refuses it.
    """
    where = f"data.tables.{name}.sql"
    query = _query(where, sql)
    changes = [_placed(node, where, data) for node in _names(query)]
    changes += [_as_text(table) for table in query.find_all(exp.Table)]
    text = query.sql(dialect="duckdb") if any(changes) else sql.strip().rstrip(";")
    try:
        engine.run([Step(f"_raw_{name}", text, lazy=True)])
    except DataError as error:
        authored = " ".join(sql.split())
        shown = authored if len(authored) <= _SHOWN else f"{authored[:_SHOWN]} …"
        fix = f"correct the query: {shown}"
        raise DataError(Problem(where, "cannot be run", _reason(error), fix)) from error


def _query(where: str, sql: str) -> exp.Query:
    try:
        statements = [item for item in sqlglot.parse(sql, read="duckdb") if item is not None]
    except SqlglotError as error:
        message = str(error).splitlines()[0]
        raise DataError(Problem(where, "is not valid SQL", message, "correct the query")) from error
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise DataError(Problem(where, "must be one SELECT", sql.strip()[:80], "remove the rest"))
    return statements[0]


def _names(query: exp.Query) -> Iterator[exp.Identifier | exp.Literal]:
    """Yield the names of files that a query reads."""
    for table in query.find_all(exp.Table):
        inner = table.this
        if isinstance(inner, exp.Identifier):
            if inner.name.endswith((*CSV_SUFFIXES, *PARQUET_SUFFIXES)):
                yield inner
        elif isinstance(inner, exp.ReadCSV | exp.ReadParquet) or (
            isinstance(inner, exp.Anonymous) and inner.name.lower().startswith("read_")
        ):
            for literal in inner.find_all(exp.Literal):
                if literal.is_string and not literal.find_ancestor(exp.EQ, exp.Kwarg):
                    yield literal


def _placed(node: exp.Identifier | exp.Literal, where: str, data: DataConfig) -> bool:
    """Settle where a relative name leads; return whether the query had to be changed for it."""
    name = node.name
    places = list(dict.fromkeys(absolute(name, Path(base)) for base in (data.base, data.path)))
    if len(places) == 1:
        return False
    present = [place for place in places if exists(place)]
    if not present:
        fix = f"looked for {' and '.join(places)}"
        raise DataError(Problem(where, "names no file that exists", name, fix))
    if len(present) > 1:
        # An engine that looks in both folders would read both files.
        node.set("this", present[0])
    return len(present) > 1


def _as_text(table: exp.Table) -> bool:
    """Make a query read a CSV file as text, unless it declares types; return whether it did."""
    inner = table.this
    if isinstance(inner, exp.Identifier) and inner.name.endswith(CSV_SUFFIXES):
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


def _reason(error: DataError) -> str:
    """Return what an engine had to say, without the SQL that it quotes."""
    first = error.problems[0]
    text = first.rule if isinstance(first, Problem) else first
    return " ".join(text.partition("\nLINE ")[0].split())[:_SHOWN]
