"""The only package that runs SQL: DuckDB by default, Spark where data outgrow one machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tenure.core.errors import ConfigError, Problem
from tenure.engine.base import ENGINES, Engine
from tenure.engine.pool import EnginePool

if TYPE_CHECKING:
    import pyarrow as pa

    from tenure.core.config import Config, EngineConfig
    from tenure.engine.duckdb import DuckDBEngine

__all__ = ["ENGINES", "Engine", "EnginePool", "duckdb_batches", "open_embedded", "open_engine"]


def open_engine(config: Config) -> Engine:
    """Return the engine that a config asks for; the caller closes it.

    Raises:
        ConfigError: If it is Spark, and PySpark or Java is not installed or does not start.
    """
    folders = config.data.folders
    if config.engine.kind == "spark":
        return _open_spark(config.engine, folders)
    from tenure.engine.duckdb import DuckDBEngine

    return DuckDBEngine(config.engine.threads, config.engine.memory_limit, folders)


def open_embedded(config: Config) -> DuckDBEngine:
    """Return an embedded engine of one thread for small tables, whatever engine a config asks for.

    Statements over some hundred rows are planned as they are written: DuckDB's optimizer would take
    longer than it saves.  The caller keeps the engine from one request to the next, and closes it.
    """
    from tenure.engine.duckdb import DuckDBEngine

    return DuckDBEngine(threads=1, memory_limit=config.engine.memory_limit, optimize=False)


def duckdb_batches(path: str, sql: str, rows: int) -> Iterator[pa.RecordBatch | pa.Table]:
    """Return the rows of a query over a DuckDB file, in batches of so many, at least one."""
    from tenure.engine import duckdb

    return duckdb.duckdb_batches(path, sql, rows)


def _open_spark(settings: EngineConfig, folders: Sequence[str | Path]) -> Engine:
    from tenure.engine.spark.session import INSTALL

    try:
        from tenure.engine.spark.engine import SparkEngine
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in ("pyspark", "py4j"):
            raise
        rule = "needs PySpark, which is not installed"
        raise ConfigError(Problem("engine.kind: spark", rule, "", INSTALL)) from None
    return SparkEngine(settings, folders)
