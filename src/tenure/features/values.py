"""Feature values by column: a frame, or arrays where there are too few rows for a frame to pay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
import pandas as pd

from tenure.core.arrays import Array, Floats, Singles

Values: TypeAlias = "pd.DataFrame | Mapping[str, Array]"
"""Column → the values of all rows; words are objects, None where there is none."""
EVERY = slice(None)


def height(values: Values) -> int:
    """Return the number of rows.

    >>> height({"seats": np.array([3.0, 4.0])}), height({})
    (2, 0)
    """
    if isinstance(values, pd.DataFrame):
        return len(values)
    return len(next(iter(values.values()), ()))


def numbers(values: Values, name: str) -> Floats:
    """Return a column of numbers, shape (n,), NaN where there is none."""
    column = values[name]
    if isinstance(column, np.ndarray):
        return column.astype(np.float64)
    return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))


def words(values: Values, name: str) -> Array:
    """Return a column of words, shape (n,)."""
    column = values[name]
    return column if isinstance(column, np.ndarray) else column.to_numpy(dtype=object)


def block(values: Values, names: list[str], rows: slice = EVERY) -> Singles:
    """Return columns of numbers of some rows side by side, shape (rows, names)."""
    if isinstance(values, pd.DataFrame):
        part = values.iloc[rows][names]
        return np.asarray(part.to_numpy(dtype=np.float32, na_value=np.nan))
    joined = np.concatenate([np.empty(0, dtype=np.float32), *(values[name] for name in names)])
    return joined.astype(np.float32).reshape(len(names), height(values))[:, rows].T
