"""Tables that a program holds in memory: frames of any library, and lists of rows, as Arrow.

Values that one column cannot hold together (numbers beside words, whole numbers of more than 64
bits) become text, which the declared rules then read like the text of a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import narwhals as nw

from tenure.core.errors import DataError, Problem

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

KINDS = "a pandas, Polars or Arrow table, or a list of rows as mappings"


def arrow_table(name: str, frame: Any) -> pa.Table:
    """Return a frame as an Arrow table of its own; the frame stays as it is.

    An index with a name is a column, as in pandas' `reset_index`.

    Args:
        name: Canonical name, for messages.
        frame: A frame of pandas, Polars, PyArrow or another library that narwhals reads, or a
            list of mappings whose keys are columns; a key that a row lacks is empty there.

    Raises:
        DataError: If it is no table, or has two columns of one name.
    """
    import pyarrow

    if isinstance(frame, list | tuple):
        columns = [*_of_rows(name, frame)]
    else:
        columns = [*_of_frame(name, frame)]
    names = [column for column, _ in columns]
    if not columns:
        raise DataError(Problem(f"frame {name}", "has no columns", fix=f"give {KINDS}"))
    for column in dict.fromkeys(names):
        if names.count(column) > 1:
            rule, fix = "has two columns of one name", "rename or drop one of them"
            raise DataError(Problem(f"frame {name}", rule, column, fix))
    return pyarrow.table([plain(values) for _, values in columns], names=names)


def arrow_array(values: Sequence[Any]) -> pa.Array:
    """Return values as one Arrow array, as text where they have no type in common.

    >>> arrow_array([1, None, 3]).type, arrow_array([1, "a"]).to_pylist()
    (DataType(int64), ['1', 'a'])
    """
    import pyarrow

    return plain(converted(lambda: pyarrow.array(values, from_pandas=True), lambda: values))


def texts(values: Sequence[Any]) -> pa.Array:
    """Return values as one Arrow array of texts, as a file would hold them."""
    import pyarrow

    return pyarrow.array([_text(value) for value in values], pyarrow.string())


def plain(values: Any) -> Any:
    """Return Arrow values with types that every reader knows: no dictionaries, no extensions."""
    import pyarrow

    kind = values.type
    if isinstance(kind, pyarrow.BaseExtensionType):
        return plain(values.cast(kind.storage_type))
    if pyarrow.types.is_dictionary(kind):
        return plain(values.cast(kind.value_type))
    if pyarrow.types.is_interval(kind):
        return texts(values.to_pylist())
    if pyarrow.types.is_string_view(kind) or pyarrow.types.is_null(kind):
        return values.cast(pyarrow.string())
    return values


def _of_rows(name: str, rows: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    for row in rows:
        if not isinstance(row, Mapping):
            raise DataError(_no_table(name, row))
    keys = dict.fromkeys(key for row in rows for key in row)
    for key in keys:
        yield str(key), arrow_array([row.get(key) for row in rows])


def _of_frame(name: str, frame: Any) -> Iterator[tuple[str, Any]]:
    if nw.dependencies.is_pandas_dataframe(frame):
        if any(label is not None for label in frame.index.names):
            frame = frame.reset_index()
        for place, label in enumerate(frame.columns):  # which may be numbers, or stand twice
            yield str(label), _of_pandas(frame.iloc[:, place])
        return
    try:
        table = nw.from_native(frame)
    except TypeError:
        raise DataError(_no_table(name, frame)) from None
    collected = table.collect() if isinstance(table, nw.LazyFrame) else table
    for series in collected.iter_columns():
        yield series.name, converted(series.to_arrow, series.to_list)


def _of_pandas(series: pd.Series[Any]) -> Any:
    import pyarrow

    zoned = getattr(series.dtype, "tz", None) is not None
    if zoned:  # PyArrow converts it in a way that pandas warns of
        series = series.dt.tz_convert("UTC").dt.tz_localize(None)
    values = converted(lambda: pyarrow.array(series.array, from_pandas=True), series.to_list)
    return values.cast(pyarrow.timestamp(values.type.unit, "UTC")) if zoned else values


def converted(to_arrow: Callable[[], Any], to_list: Callable[[], Sequence[Any]]) -> Any:
    """Return a column in Arrow's types, as text where these do not hold it or say what it is.

    `to_arrow` returns the column as Arrow, or raises; `to_list` returns its values.
    """
    import pyarrow

    try:
        values = to_arrow()
    except (pyarrow.ArrowException, OverflowError, TypeError, ValueError):
        return texts(to_list())
    kind = values.type
    if isinstance(kind, pyarrow.BaseExtensionType) and not _holds_text(kind):
        # What is stored is a number that stands for something, such as a month.
        return texts(to_list())
    return values.cast(pyarrow.string()) if pyarrow.types.is_decimal256(kind) else values


def _holds_text(kind: Any) -> bool:
    import pyarrow

    stored = kind.storage_type
    return bool(pyarrow.types.is_string(stored) or pyarrow.types.is_large_string(stored))


def _text(value: Any) -> str | None:
    """Return a value as a file would write it; None where it says that there is none."""
    if value is None or str(value) in ("NaT", "<NA>", "nan", "NaN"):
        return None
    if isinstance(value, date):
        return value.isoformat()
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _no_table(name: str, value: Any) -> Problem:
    kind = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
    return Problem(f"frame {name}", "is no table", kind, f"give {KINDS}")
