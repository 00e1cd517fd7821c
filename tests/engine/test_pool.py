"""Engines are lent to one request at a time, kept for the next, and closed with the pool."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Barrier, Thread

import pyarrow as pa
import pytest

from tenure.core.config import make_config
from tenure.core.errors import DataError
from tenure.engine import Engine, EnginePool, open_embedded

SETTINGS = {"data": {"path": "."}, "engine": {"kind": "spark", "memory_limit": "300MB"}}
CONFIG = make_config(SETTINGS, base=Path())


@pytest.fixture
def pool() -> Iterator[EnginePool]:
    chosen = EnginePool(lambda: open_embedded(CONFIG))
    yield chosen
    chosen.close()


def test_an_embedded_engine_has_one_thread_and_plans_nothing() -> None:
    engine = open_embedded(CONFIG)
    try:
        assert (engine.dialect, engine.threads) == ("duckdb", 1)
        rows = engine.fetch("SELECT current_setting('threads') AS n").to_pylist()
        assert rows == [{"n": 1}]
        engine.register("numbers", pa.table({"x": [1, 2]}))
        sql = "EXPLAIN SELECT x FROM numbers WHERE x > 1 AND 1 = 1"
        (plan,) = engine.fetch(sql).column("explain_value").to_pylist()
        # DuckDB's optimizer would take the constant condition away.
        assert "CAST(1 AS INTEGER)" in plan
    finally:
        engine.close()


def test_an_engine_comes_back_and_is_lent_again(pool: EnginePool) -> None:
    with pool.borrow() as first:
        first.register("mine", pa.table({"x": [1]}))
    with pool.borrow() as again:
        assert again is first
        with pool.borrow() as other:
            assert other is not first
            with pytest.raises(DataError):
                other.fetch("SELECT * FROM mine")


def test_an_engine_comes_back_after_an_error(pool: EnginePool) -> None:
    with pytest.raises(ZeroDivisionError), pool.borrow() as first:
        raise ZeroDivisionError
    with pool.borrow() as again:
        assert again is first


def test_no_two_requests_have_one_engine(pool: EnginePool) -> None:
    together, engines = Barrier(4), []

    def request() -> None:
        with pool.borrow() as engine:
            engines.append(id(engine))
            together.wait(30)

    threads = [Thread(target=request) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(engines)) == 4


def test_engines_at_rest_are_closed(pool: EnginePool) -> None:
    lent: list[Engine] = []
    with pool.borrow() as one, pool.borrow() as other:
        lent += [one, other]
    pool.close()
    for engine in lent:
        with pytest.raises(DataError):
            engine.fetch("SELECT 1 AS n")
    with pool.borrow() as fresh:
        assert fresh not in lent
