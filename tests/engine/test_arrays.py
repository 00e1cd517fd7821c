"""Rows that are held as arrays are the same table to every engine."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tenure.engine import Engine
from tenure.engine.arrays import HeldRows, as_arrow

THERE = np.array([True, False])
KINDS = {
    "word": "VARCHAR",
    "same": "VARCHAR",
    "flag": "BOOLEAN",
    "count": "BIGINT",
    "number": "DOUBLE",
    "time": "TIMESTAMP",
    "nothing": "TIMESTAMP",
}
HELD = HeldRows(
    KINDS,
    {
        "word": (np.array(["x", ""], dtype=object), THERE),
        "same": (np.array(["y", "y"], dtype=object), None),
        "flag": (np.array([True, False]), THERE),
        "count": (np.array([7, 8]), None),
        "number": (np.array([0.5, 0.0]), THERE),
        "time": (np.array([1, 2]), None),
        "nothing": (np.zeros(2, dtype=np.int64), np.zeros(2, dtype=bool)),
    },
    2,
)


def test_it_is_a_table_of_its_types() -> None:
    table = as_arrow(HELD)
    assert as_arrow(table) is table
    assert table.column("word").to_pylist() == ["x", None]
    assert table.column("flag").to_pylist() == [True, None]
    assert table.column("number").to_pylist() == [0.5, None]
    assert table.column("time").cast(pa.int64()).to_pylist() == [1, 2]
    assert table.column("nothing").null_count == 2


@pytest.mark.parametrize("name", KINDS)
def test_engines_read_it_alike(duck: Engine, small: Engine, name: str) -> None:
    sql = f"SELECT {name} AS x, {name} IS NULL AS missing FROM held"
    duck.register("held", as_arrow(HELD))
    wanted = duck.fetch(sql)
    for engine in (duck, small):
        engine.register("held", HELD)
        assert engine.columns("held") == KINDS
        assert engine.fetch(sql) == wanted
