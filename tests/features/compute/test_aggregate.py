"""Arrow columns become arrays without losing a bit, and without a made-up value where none is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tenure.features.compute.aggregate import array_of

MOMENT = datetime(2024, 3, 31, 2, 30, 0, 123456)
LARGEST = 2**64 - 1


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (pa.array([7, 8]), [7, 8]),
        (pa.array([0.5, float("nan")]), [0.5, float("nan")]),
        (pa.array([True, False]), [True, False]),
        (pa.array(["x", ""]), ["x", ""]),
        (pa.array(["x", ""], pa.large_string()), ["x", ""]),
        (pa.array([1, LARGEST], pa.uint64()), [1, -1]),
        (pa.array([MOMENT], pa.timestamp("us")), [np.datetime64(MOMENT, "us")]),
    ],
)
def test_a_column_without_gaps_is_its_values(column: pa.Array, values: list[Any]) -> None:
    array, present = array_of(pa.chunked_array([column]))
    assert present is None
    np.testing.assert_array_equal(array, np.array(values, dtype=array.dtype))


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pa.array([7, None]), "int64"),
        (pa.array([7, None], pa.uint64()), "int64"),
        (pa.array([0.5, None]), "float64"),
        (pa.array([True, None]), "bool"),
        (pa.array([MOMENT, None], pa.timestamp("us")), "datetime64[us]"),
        (pa.array(["x", None]), "object"),
    ],
)
def test_where_a_column_has_a_value(column: pa.Array, kind: str) -> None:
    # In two chunks, as engines return them.
    array, present = array_of(pa.chunked_array([column.slice(0, 1), column.slice(1)]))
    assert present is not None
    assert present.tolist() == [True, False]
    assert array.dtype == kind
    assert array[0] == (
        np.datetime64(MOMENT, "us") if kind.startswith("datetime") else column[0].as_py()
    )
