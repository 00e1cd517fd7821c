"""One Spark for all tests of this folder, started by the first that asks for it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenure.core.config import EngineConfig
from tenure.engine import Engine
from tenure.engine.duckdb import DuckDBEngine

QUICK = {
    # The data are tiny: what costs is planning and compiling, not rows.
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.shuffle.partitions": "2",
}
SETTINGS = EngineConfig(kind="spark", master="local[2]", memory_limit="1GB", settings=QUICK)


@pytest.fixture(scope="session")
def running_spark() -> Iterator[None]:
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("there is no Java to run Spark with")
    from tenure.engine.spark.engine import SparkEngine

    first = SparkEngine(SETTINGS)
    yield
    first.close()


@pytest.fixture
def spark(running_spark: None, tmp_path: Path) -> Iterator[Engine]:
    """Return an engine with views of its own in the Spark that runs."""
    from tenure.engine.spark.engine import SparkEngine

    engine = SparkEngine(SETTINGS, search_path=(tmp_path,))
    yield engine
    engine.close()


@pytest.fixture
def duck(tmp_path: Path) -> Iterator[Engine]:
    engine = DuckDBEngine(threads=1, memory_limit="500MB", search_path=(tmp_path,))
    yield engine
    engine.close()


@pytest.fixture(params=["duck", pytest.param("spark", marks=pytest.mark.slow)])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Return each engine in turn."""
    chosen: Engine = request.getfixturevalue(request.param)
    return chosen
