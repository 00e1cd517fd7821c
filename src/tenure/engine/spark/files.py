"""How Spark reads files: CSV as text, Parquet in parts and partitions.

Files inside a query become views first, for Spark reads none inside SQL as DuckDB does.
"""

from __future__ import annotations

import glob
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp

from tenure.core.errors import DataError, Problem
from tenure.engine.base import CSV_SUFFIXES, DATABASE_SUFFIXES, PARQUET_SUFFIXES, has_suffix
from tenure.engine.spark.dialect import refuse

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

PARTS = "/**/*.parquet"
SUFFIXES = (*CSV_SUFFIXES, *PARQUET_SUFFIXES)
READERS = ("readcsv", "readcsvauto", "readparquet")
OPTIONS = frozenset({"all_varchar", "header", "delim", "sep", "hive_partitioning"})
SEPARATORS = (",", ";", "\t", "|")
CANNOT_READ = {
    DATABASE_SUFFIXES: "a DuckDB file; export its tables as Parquet",
    tuple(
        item for item in CSV_SUFFIXES if item.endswith(".zst")
    ): "CSV packed by Zstandard; unpack it, or pack it with gzip",
}
"""Suffixes that DuckDB reads and Spark does not."""


def read(session: SparkSession, path: str) -> DataFrame:
    """Return a CSV or Parquet file, glob, or folder of Parquet parts.

    Raises:
        DataError: If Spark cannot read files of the kind.
    """
    for suffixes, why in CANNOT_READ.items():
        if has_suffix(path, suffixes):
            raise DataError(Problem(path, "Spark cannot read it", fix=f"it is {why}"))
    if has_suffix(path, CSV_SUFFIXES):
        return _united(session, path)
    reader = session.read.option("mergeSchema", "true")
    if not path.endswith(PARTS):
        return reader.parquet(path)
    folder = path.removesuffix(PARTS)
    if _partitioned(folder):
        return reader.parquet(folder)
    return reader.option("recursiveFileLookup", "true").parquet(folder)


def _partitioned(folder: str) -> bool:
    """Return whether the parts lie in folders that carry values (`month=2024-01`)."""
    place = Path(folder)
    return not place.is_dir() or any("=" in part.name for part in place.iterdir() if part.is_dir())


def _united(session: SparkSession, path: str) -> DataFrame:
    """Read CSV files, put together by the names of their columns."""
    paths = sorted(glob.glob(path, recursive=True)) if glob.has_magic(path) else []  # noqa: PTH207
    headers: dict[str, list[str]] = {}
    for item in paths:
        headers.setdefault(_first_line(session, item), []).append(item)
    if len(headers) < 2:
        return _csv(session, path)
    frames = [_csv(session, items) for items in headers.values()]
    whole = frames[0]
    for frame in frames[1:]:
        whole = whole.unionByName(frame, allowMissingColumns=True)
    return whole


def _csv(session: SparkSession, path: str | list[str]) -> DataFrame:
    """Read every value as text; types are coerced by the declared rules, not guessed."""
    options = {
        "header": "true",
        "inferSchema": "false",
        "mode": "FAILFAST",
        "multiLine": "true",
        "escape": '"',
        "sep": separator(session, path if isinstance(path, str) else path[0]),
    }
    return session.read.options(**options).csv(path)


def separator(session: SparkSession, path: str) -> str:
    """Return what separates the columns: the mark that the header line has most of."""
    outside = "".join(_first_line(session, path).split('"')[::2])
    return max(SEPARATORS, key=outside.count)


def _first_line(session: SparkSession, path: str) -> str:
    first = session.read.text(path).head(1)
    return str(first[0][0]) if first else ""


def place(path: str, folders: Sequence[Path]) -> str:
    """Return a relative path under the first folder that has it."""
    if "://" in path or Path(path).is_absolute():
        return path
    for folder in folders:
        if (folder / path).exists() or any(folder.glob(path)):
            return str(folder / path)
    return path


def attached(sql: str, attach: Callable[[str], str]) -> str:
    """Return a SELECT of the DuckDB dialect in which files are replaced by views.

    `attach` makes a file known, and returns the name of its view.

    Raises:
        DataError: If a file is read with options that Spark does not have.
    """
    if not any(mark in sql.lower() for mark in ("read_", *SUFFIXES)):
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
        return inner.name if has_suffix(inner.name, SUFFIXES) else None
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
