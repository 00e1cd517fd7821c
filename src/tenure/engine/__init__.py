"""The only places that run SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenure.engine.base import Engine

if TYPE_CHECKING:
    from tenure.core.config import Config

__all__ = ["Engine", "open_engine"]


def open_engine(config: Config) -> Engine:
    """Return the engine that a config asks for; the caller closes it."""
    from tenure.engine.duckdb import DuckDBEngine

    settings = config.engine
    return DuckDBEngine(
        threads=settings.threads,
        memory_limit=settings.memory_limit,
        search_path=(config.data.base, config.data.path),
    )
