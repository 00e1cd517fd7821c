"""Flat rows: many columns as one frame, without what pandas spends on each of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.internals import (  # type: ignore[import-not-found]  # no stubs have it
    create_dataframe_from_blocks,
)

WRAPPED = (pd.arrays.NumpyExtensionArray, pd.arrays.DatetimeArray)


def flat_frame(columns: Mapping[str, Any]) -> pd.DataFrame:
    """Return columns of equal length, arrays of numpy or of pandas, as a frame of their types.

    The frame shares no memory with arrays of numpy.

    >>> flat_frame({"a": np.zeros(2), "b": pd.array(["x", None], dtype="str"), "c": np.ones(2)})
         a    b    c
    0  0.0    x  1.0
    1  0.0  NaN  1.0
    """
    # What pandas wraps around an array of numpy is no type of a column.
    values = [
        np.asarray(column) if isinstance(column, WRAPPED) else column for column in columns.values()
    ]
    alike: dict[np.dtype[Any], list[int]] = {}
    blocks: list[tuple[Any, Any]] = []
    for place, column in enumerate(values):
        if isinstance(column, np.ndarray):
            alike.setdefault(column.dtype, []).append(place)
        else:
            blocks.append((column, np.array([place])))
    for kind, places in alike.items():
        stacked = np.array([values[place] for place in places], dtype=kind)
        blocks.append((stacked, np.array(places)))
    index = pd.RangeIndex(len(values[0]) if values else 0)
    frame: pd.DataFrame = create_dataframe_from_blocks(blocks, index, _index(tuple(columns)))
    return frame


@lru_cache(16)
def _index(names: tuple[str, ...]) -> pd.Index[str]:
    return pd.Index(names)
