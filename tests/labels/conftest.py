"""One engine for a module of label tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tenure.engine.base import Engine
from tenure.engine.duckdb import DuckDBEngine


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = DuckDBEngine(threads=1, memory_limit="1GB")
    yield engine
    engine.close()
