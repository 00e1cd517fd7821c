"""Columns of a few rows as arrays, to and from Arrow.

A `Vec` is a pair of values and where there are any (None: everywhere).  Either may be a single
value that stands for every row.  Integers of every width are held as int64, times as microseconds
and dates as days since 1970, text as objects, decimals as whole numbers of their scale.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from tenure.engine.arrays import Column, HeldRows, Table

Vec = tuple[Any, Any]

INTEGERS = {
    "UTINYINT": (0, 2**8 - 1),
    "SMALLINT": (-(2**15), 2**15 - 1),
    "INTEGER": (-(2**31), 2**31 - 1),
    "BIGINT": (-(2**63), 2**63 - 1),
    "UBIGINT": (0, 2**63 - 1),
}
"""Kinds of integers, and the values that they can hold here."""
SUM = "DECIMAL(38,10)"
SCALE = 10**10
LIST = "BIGINT[]"
ARROW: dict[str, pa.DataType] = {
    "VARCHAR": pa.string(),
    "BOOLEAN": pa.bool_(),
    "UTINYINT": pa.uint8(),
    "SMALLINT": pa.int16(),
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "UBIGINT": pa.uint64(),
    "DOUBLE": pa.float64(),
    "TIMESTAMP": pa.timestamp("us"),
    "DATE": pa.date32(),
    LIST: pa.list_(pa.int64()),
}
KINDS = {kind: name for name, kind in ARROW.items() if name != LIST}
_EMPTY: dict[str, Any] = {"VARCHAR": "", "BOOLEAN": False, "DOUBLE": 0.0}
_HELD = {
    "BOOLEAN": "bool",
    "UTINYINT": "uint8",
    "SMALLINT": "int16",
    "INTEGER": "int32",
    "BIGINT": "int64",
    "UBIGINT": "uint64",
    "DOUBLE": "float64",
    "TIMESTAMP": "datetime64[us]",
    "DATE": "datetime64[D]",
}
"""Kind → array of the same values that Arrow takes as it is."""
_MOMENTS = ("TIMESTAMP", "DATE")
NEVER = np.False_


class UnsupportedError(Exception):
    """A statement, or a value, that the small engine leaves to DuckDB."""


class Frame:
    """Some rows: each column is computed when it is first read.

    Args:
        size: How many rows there are.
        columns: Column → its values, as far as they are known.
    """

    __slots__ = ("_columns", "size")

    def __init__(self, size: int, columns: Mapping[str, Vec]) -> None:
        self.size = size
        self._columns = dict(columns)

    def get(self, name: str) -> Vec:
        """Return a column."""
        found = self._columns.get(name)
        if found is None:
            found = self._columns[name] = self._make(name)
        return found

    def _make(self, name: str) -> Vec:
        raise KeyError(name)

    def take(self, rows: Any, there: Any = None) -> Frame:
        """Return some of the rows, by number; all is missing where `there` is false."""
        return _Taken(self, rows, there)

    def whole(self, kinds: Iterable[str]) -> Frame:
        """Return the same rows with every column computed."""
        return Frame(self.size, {name: self.get(name) for name in kinds})


class _Taken(Frame):
    """Some rows of other ones."""

    __slots__ = ("_of", "_rows", "_there")

    def __init__(self, of: Frame, rows: Any, there: Any) -> None:
        super().__init__(len(rows), {})
        self._of, self._rows, self._there = of, rows, there

    def _make(self, name: str) -> Vec:
        return taken(self._of.get(name), self._rows, self._there)


class Computed(Frame):
    """Rows of which each column is computed from others.

    Args:
        size: How many rows there are.
        runs: Column → what computes it.
        given: What it is computed from.
    """

    __slots__ = ("_given", "_runs")

    def __init__(self, size: int, runs: Mapping[str, Callable[[Any], Vec]], given: Any) -> None:
        super().__init__(size, {})
        self._runs, self._given = runs, given

    def _make(self, name: str) -> Vec:
        return self._runs[name](self._given)


def taken(vec: Vec, rows: Any, there: Any = None) -> Vec:
    """Return some rows of a column."""
    data, valid = vec
    if isinstance(data, np.ndarray) and data.ndim:
        data = data[rows] if len(data) else np.zeros(len(rows), data.dtype)
    if isinstance(valid, np.ndarray) and valid.ndim:
        valid = valid[rows] if len(valid) else np.zeros(len(rows), bool)
    if there is not None:
        valid = there if valid is None else valid & there
    return data, valid


def spread(vec: Vec, kind: str, size: int) -> Vec:
    """Return a column with one entry per row."""
    data, valid = vec
    if not (isinstance(data, np.ndarray) and data.ndim):
        whole = np.empty(size, dtype=dtype_of(kind))
        whole[...] = data
        data = whole
    if valid is not None and not (isinstance(valid, np.ndarray) and valid.ndim):
        valid = None if valid else np.zeros(size, dtype=bool)
    return data, valid


def listed(data: Any, there: Any) -> list[Any]:
    """Return the values of a column that is spread, None where there is none."""
    values: list[Any] = data.tolist()
    if there is None:
        return values
    return [value if one else None for one, value in zip(there.tolist(), values, strict=True)]


def dtype_of(kind: str) -> Any:
    """Return how the values of a kind are held."""
    if kind in ("VARCHAR", SUM, LIST):
        return object
    return {"BOOLEAN": bool, "DOUBLE": np.float64}.get(kind, np.int64)


def nothing(kind: str) -> Vec:
    """Return a column without a value."""
    return _EMPTY.get(kind, 0), NEVER


def given(table: Table) -> tuple[dict[str, str], Frame]:
    """Return the kinds and the columns of a table that is registered, by name.

    Raises:
        UnsupportedError: As `from_arrow` does.
    """
    if not isinstance(table, HeldRows):
        return from_arrow(table)
    kinds, columns = dict(table.kinds), dict[str, Vec](table.columns)
    _refuse_alike(kinds)
    for name, kind in kinds.items():
        if kind == "VARCHAR":
            columns[name] = _text(*columns[name])
    return kinds, Frame(table.num_rows, columns)


def _refuse_alike(names: Collection[str]) -> None:
    if len({name.lower() for name in names}) < len(names):
        raise UnsupportedError("columns of one name")


def _text(text: Any, there: Any) -> Vec:
    """Return a column of text; what is the same everywhere is worked on once."""
    if there is None and len(text) > 1 and text[0] == text[-1] and (text == text[0]).all():
        return text[0], None
    return text, there


def from_arrow(table: pa.Table) -> tuple[dict[str, str], Frame]:
    """Return the kinds and the columns of an Arrow table, by name.

    Raises:
        UnsupportedError: If a column is of a kind, or holds a number, that is left to DuckDB.
    """
    kinds: dict[str, str] = {}
    columns: dict[str, Vec] = {}
    _refuse_alike(table.column_names)
    for field, column in zip(table.schema, table.columns, strict=True):
        name, kind = field.name, KINDS.get(field.type)
        if kind is None:
            raise UnsupportedError(f"{field.name} {field.type}")
        kinds[name] = kind
        columns[name] = _values(column, kind)
    return kinds, Frame(table.num_rows, columns)


def _values(column: pa.ChunkedArray, kind: str) -> Vec:
    there = column.is_valid().to_numpy() if column.null_count else None
    if there is not None and not there.any():
        return spread(nothing(kind), kind, len(column))
    if kind == "VARCHAR":
        text = column.to_numpy()
        return _text(text if there is None else np.where(there, text, ""), there)
    if there is not None:
        empty = pa.scalar(_EMPTY.get(kind, 0), column.type if kind != "DATE" else pa.int32())
        column = column.cast(pa.int32()) if kind == "DATE" else column
        column = column.fill_null(empty)
    elif kind == "DATE":
        column = column.cast(pa.int32())
    data = column.to_numpy()
    if kind == "DOUBLE" and not np.isfinite(data).all():
        raise UnsupportedError("a number that is not finite")
    if kind == "UBIGINT" and len(data) and data.max() >= 2**63:
        raise UnsupportedError("a large number")
    return data.astype(dtype_of(kind), copy=False), there


def to_arrow(frame: Frame, names: Sequence[str], kinds: Sequence[str]) -> pa.Table:
    """Return rows as an Arrow table.

    Raises:
        UnsupportedError: If a column is of a kind that only DuckDB gives.
    """
    columns = []
    for name, kind in zip(names, kinds, strict=True):
        if kind not in ARROW:
            raise UnsupportedError(kind)
        data, valid = spread(frame.get(name), kind, frame.size)
        if kind in _HELD:
            data = data.astype(_HELD[kind], copy=False)
        if valid is None:
            columns.append(pa.array(data, None if kind in _HELD else ARROW[kind]))
        else:
            columns.append(pa.array(data, ARROW[kind], mask=~valid))
    return pa.Table.from_arrays(columns, names=list(names))


def to_arrays(frame: Frame, names: Sequence[str], kinds: Sequence[str]) -> dict[str, Column]:
    """Return rows as arrays by column, as `arrays_of` returns those of `to_arrow`.

    Raises:
        UnsupportedError: If a column is of a kind that only DuckDB gives.
    """
    columns: dict[str, Column] = {}
    for name, kind in zip(names, kinds, strict=True):
        if kind not in ARROW or kind == LIST:
            raise UnsupportedError(kind)
        data, valid = spread(frame.get(name), kind, frame.size)
        if kind in _MOMENTS:
            data = data.astype(_HELD[kind])
        columns[name] = data, valid
    return columns
