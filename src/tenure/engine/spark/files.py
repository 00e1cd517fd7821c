"""How Spark reads files: CSV as text, Parquet in parts and partitions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tenure.core.errors import DataError, Problem
from tenure.engine.base import CSV_SUFFIXES, DATABASE_SUFFIXES

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

PARTS = "/**/*.parquet"
SEPARATORS = (",", ";", "\t", "|")
CANNOT_READ = {
    DATABASE_SUFFIXES: "a DuckDB file; export its tables as Parquet",
    (".csv.zst",): "CSV packed by Zstandard; unpack it, or pack it with gzip",
}
"""Suffixes that DuckDB reads and Spark does not."""


def read(session: SparkSession, path: str) -> DataFrame:
    """Return a CSV or Parquet file, glob, or folder of Parquet parts.

    Raises:
        DataError: If Spark cannot read files of the kind.
    """
    for suffixes, why in CANNOT_READ.items():
        if path.endswith(suffixes):
            raise DataError(Problem(path, "Spark cannot read it", fix=f"it is {why}"))
    if path.endswith(CSV_SUFFIXES):
        return _csv(session, path)
    if not path.endswith(PARTS):
        return session.read.parquet(path)
    folder = path.removesuffix(PARTS)
    if _partitioned(folder):
        return session.read.parquet(folder)
    return session.read.option("recursiveFileLookup", "true").parquet(folder)


def _partitioned(folder: str) -> bool:
    """Return whether the parts lie in folders that carry values (`month=2024-01`)."""
    place = Path(folder)
    return not place.is_dir() or any("=" in part.name for part in place.iterdir() if part.is_dir())


def _csv(session: SparkSession, path: str) -> DataFrame:
    """Read every value as text; types are coerced by the declared rules, not guessed."""
    options = {
        "header": "true",
        "inferSchema": "false",
        "mode": "FAILFAST",
        "multiLine": "true",
        "escape": '"',
        "sep": separator(session, path),
    }
    return session.read.options(**options).csv(path)


def separator(session: SparkSession, path: str) -> str:
    """Return what separates the columns: the mark that the header line has most of."""
    first = session.read.text(path).head(1)
    header = first[0][0] if first else ""
    outside = "".join(header.split('"')[::2])
    return max(SEPARATORS, key=outside.count)


def place(path: str, folders: Sequence[Path]) -> str:
    """Return a relative path under the first folder that has it."""
    if "://" in path or Path(path).is_absolute():
        return path
    for folder in folders:
        if (folder / path).exists() or any(folder.glob(path)):
            return str(folder / path)
    return path
