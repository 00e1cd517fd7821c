"""Columns as arrays: their values, and where there are any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

Array: TypeAlias = np.ndarray[Any, Any]
Mask: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]
Column: TypeAlias = tuple[Array, Mask | None]
"""Values, and where there are any (None: everywhere)."""
Columns: TypeAlias = Mapping[str, Column]
ARROW: dict[str, pa.DataType] = {
    "VARCHAR": pa.string(),
    "BOOLEAN": pa.bool_(),
    "BIGINT": pa.int64(),
    "DOUBLE": pa.float64(),
    "TIMESTAMP": pa.timestamp("us"),
}


@dataclass(frozen=True)
class HeldRows:
    """A table of rows that are at hand, as arrays.

    Attributes:
        kinds: Column → the SQL type of its values, one of `ARROW`.
        columns: Column → its values: text as objects, numbers finite, times as microseconds since
            1970.  What is missing is empty, 0 or false.
        num_rows: How many rows there are.
    """

    kinds: Mapping[str, str]
    columns: Columns
    num_rows: int

    def arrow(self) -> pa.Table:
        """Return the same rows as an Arrow table."""
        found = {}
        for name, kind in self.kinds.items():
            values, there = self.columns[name]
            values = values.view("datetime64[us]") if kind == "TIMESTAMP" else values
            found[name] = pa.array(values, ARROW[kind], mask=None if there is None else ~there)
        return pa.table(found)


Table: TypeAlias = pa.Table | HeldRows


def as_arrow(table: Table) -> pa.Table:
    """Return a table as an Arrow table."""
    return table.arrow() if isinstance(table, HeldRows) else table


def arrays_of(table: pa.Table) -> dict[str, Column]:
    """Return the columns of an Arrow table by name."""
    return {name: array_of(table.column(name)) for name in table.column_names}


def array_of(column: pa.ChunkedArray) -> Column:
    """Return a column as an array, and where it has a value (None: everywhere).

    What is missing among numbers is 0, whole numbers without a sign have their bits with one.
    """
    there = column.is_valid().to_numpy() if column.null_count else None
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return column.to_numpy(zero_copy_only=False), there
    if there is not None:
        column = column.fill_null(False if pa.types.is_boolean(column.type) else 0)
    values: Array = column.to_numpy()
    return (values.view(np.int64) if values.dtype == np.uint64 else values), there
