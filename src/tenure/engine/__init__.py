"""The only places that run SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenure.core.errors import ConfigError, Problem
from tenure.engine.base import ENGINES, Engine

if TYPE_CHECKING:
    from tenure.core.config import Config
    from tenure.engine.duckdb import DuckDBEngine

__all__ = ["ENGINES", "Engine", "open_engine", "open_engine_for"]

SMALL_ROWS = 10_000
"""Rows up to which the small engine is quicker than DuckDB."""


def open_engine(config: Config) -> Engine:
    """Return the engine that a config asks for; the caller closes it.

    Raises:
        ConfigError: If it is Spark, and PySpark or Java is not installed or does not start.
    """
    if config.engine.kind == "spark":
        return _open_spark(config)
    return _open_duckdb(config)


def open_engine_for(config: Config, rows: int) -> Engine:
    """Return the engine for some rows that are at hand: a small one where they are few.

    Args:
        config: The run.
        rows: How many rows of all tables there are.
    """
    if config.engine.kind == "spark" or rows > SMALL_ROWS:
        return open_engine(config)
    from tenure.engine.small import SmallEngine

    return SmallEngine(lambda: _open_duckdb(config))


def _open_duckdb(config: Config) -> DuckDBEngine:
    from tenure.engine.duckdb import DuckDBEngine

    settings = config.engine
    return DuckDBEngine(
        threads=settings.threads,
        memory_limit=settings.memory_limit,
        search_path=(config.data.base, config.data.path),
    )


def _open_spark(config: Config) -> Engine:
    from tenure.engine.spark_session import INSTALL, SparkSettings

    try:
        from tenure.engine.spark import SparkEngine
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in ("pyspark", "py4j"):
            raise
        problem = Problem(
            "engine.kind: spark", "needs PySpark, which is not installed", "", INSTALL
        )
        raise ConfigError(problem) from None
    asked = config.engine
    settings = {name: _text(value) for name, value in asked.settings.items()}
    return SparkEngine(
        SparkSettings(asked.master, asked.threads, asked.memory_limit, settings),
        scratch=asked.scratch,
        search_path=(config.data.base, config.data.path),
    )


def _text(value: str | float | bool) -> str:
    """Return a setting as Spark spells it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
