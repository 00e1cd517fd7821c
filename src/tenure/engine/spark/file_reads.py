"""Replaces the files that a query reads by views: Spark reads no file inside SQL as DuckDB does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import sqlglot
from sqlglot import exp

from tenure.engine.base import CSV_SUFFIXES, PARQUET_SUFFIXES
from tenure.engine.spark.dialect import refuse

SUFFIXES = (*CSV_SUFFIXES, *PARQUET_SUFFIXES)
READERS = ("readcsv", "readcsvauto", "readparquet")
OPTIONS = frozenset({"all_varchar", "header", "delim", "sep", "hive_partitioning"})


def attached(sql: str, attach: Callable[[str], str]) -> str:
    """Return a query in which files are replaced by views.

    Args:
        sql: A SELECT in the DuckDB dialect.
        attach: Makes a file known, and returns the name of its view.

    Raises:
        DataError: If a file is read with options that Spark does not have.
    """
    if not any(mark in sql for mark in ("read_", *SUFFIXES)):
        return sql
    tree = sqlglot.parse_one(sql, read="duckdb")
    changed = False
    for table in list(tree.find_all(exp.Table)):
        path = _path(table)
        if path is not None:
            if not table.alias:
                stem = exp.to_identifier(Path(path).name.split(".")[0], quoted=True)
                table.set("alias", exp.TableAlias(this=stem))
            table.set("this", exp.to_identifier(attach(path), quoted=True))
            changed = True
    return tree.sql("duckdb") if changed else sql


def _path(table: exp.Table) -> str | None:
    inner = table.this
    if isinstance(inner, exp.Identifier):
        return inner.name if inner.name.endswith(SUFFIXES) else None
    name = inner.name.lower() if isinstance(inner, exp.Anonymous) else inner.key.lower()
    if name.replace("_", "") not in READERS:
        return None
    options = list(inner.expressions)
    named = isinstance(inner, exp.Anonymous) or inner.this is None
    argument = options.pop(0) if named and options else inner.this
    known = all(isinstance(item, exp.EQ) and item.this.name in OPTIONS for item in options)
    if not isinstance(argument, exp.Literal) or not known:
        raise refuse("read of a file", inner)
    return argument.name
