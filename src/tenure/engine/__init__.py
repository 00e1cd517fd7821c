"""The only package that runs SQL: DuckDB by default, Spark where data outgrow one machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenure.core.errors import ConfigError, Problem
from tenure.engine.base import ENGINES, Engine
from tenure.engine.pool import EnginePool

if TYPE_CHECKING:
    from tenure.core.config import Config
    from tenure.engine.duckdb import DuckDBEngine

__all__ = ["ENGINES", "Engine", "EnginePool", "open_embedded", "open_engine"]


def open_engine(config: Config) -> Engine:
    """Return the engine that a config asks for; the caller closes it.

    Raises:
        ConfigError: If it is Spark, and PySpark or Java is not installed or does not start.
    """
    if config.engine.kind == "spark":
        return _open_spark(config)
    return _open_duckdb(config)


def open_embedded(config: Config) -> DuckDBEngine:
    """Return an embedded engine of one thread for small tables, whatever engine a config asks for.

    Statements over some hundred rows are planned as they are written: DuckDB's optimizer would take
    longer than it saves.  The caller keeps the engine from one request to the next, and closes it.
    """
    from tenure.engine.duckdb import DuckDBEngine

    return DuckDBEngine(threads=1, memory_limit=config.engine.memory_limit, optimize=False)


def _open_duckdb(config: Config) -> DuckDBEngine:
    from tenure.engine.duckdb import DuckDBEngine

    settings = config.engine
    return DuckDBEngine(
        threads=settings.threads,
        memory_limit=settings.memory_limit,
        search_path=(config.data.base, config.data.path),
    )


def _open_spark(config: Config) -> Engine:
    from tenure.engine.spark.session import INSTALL, SparkSettings

    try:
        from tenure.engine.spark.engine import SparkEngine
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in ("pyspark", "py4j"):
            raise
        problem = Problem(
            "engine.kind: spark", "needs PySpark, which is not installed", "", INSTALL
        )
        raise ConfigError(problem) from None
    authored = config.engine
    settings = {name: _text(value) for name, value in authored.settings.items()}
    return SparkEngine(
        SparkSettings(authored.master, authored.threads, authored.memory_limit, settings),
        scratch=authored.scratch,
        search_path=(config.data.base, config.data.path),
    )


def _text(value: str | float | bool) -> str:
    """Return a setting as Spark spells it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
