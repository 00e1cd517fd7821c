"""Arrow columns as numpy arrays with a mask of where they have a value."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

Array: TypeAlias = np.ndarray[Any, Any]
Mask: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]
Column: TypeAlias = tuple[Array, Mask | None]
"""Values, and the mask of where there is one (None: everywhere)."""


def array_of(column: pa.ChunkedArray) -> Column:
    """Return the values of a column, and the mask of where there is one (None: everywhere).

    Missing numbers are 0; unsigned 64-bit integers become signed ones of the same bits.
    """
    valid = column.is_valid().to_numpy() if column.null_count else None
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return column.to_numpy(zero_copy_only=False), valid
    if valid is not None:
        column = column.fill_null(False if pa.types.is_boolean(column.type) else 0)
    values: Array = column.to_numpy()
    return (values.view(np.int64) if values.dtype == np.uint64 else values), valid
