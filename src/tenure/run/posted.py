"""Posted rows as tables: plain values by column, of the types that the contract gives them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from types import NoneType
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tenure.core.errors import DataError, Problem
from tenure.core.spec import Kind, Source
from tenure.sources.plain import plain_times
from tenure.sources.tables import SOURCES

if TYPE_CHECKING:
    from tenure.score import Model

Row = Mapping[str, Any]
Given = tuple[Sequence[Row], Collection[str]]
"""Rows, and the columns that any of them has."""
Types = Mapping[str, Mapping[str, pa.DataType]]
"""Table → columns that models read, and their types."""
INT64 = 2**63
LARGEST = 1e12
PLAIN = frozenset((int, float, bool, str))
TYPES: dict[Kind, pa.DataType] = {
    "id": pa.string(),
    "text": pa.string(),
    "time": pa.timestamp("us"),
    "number": pa.float64(),
    "integer": pa.int64(),
    "flag": pa.bool_(),
}


def read_by(models: Mapping[str, Model]) -> dict[str, dict[str, pa.DataType]]:
    """Return the tables and columns that models were trained with, and the types of columns."""
    found: dict[str, dict[str, pa.DataType]] = {}
    for model in models.values():
        texts = {name for name, spec in model.specs.items() if spec.text}
        for table, columns in model.bundle.spec["tables"].items():
            source = SOURCES[table]
            types = found.setdefault(table, {})
            for name in columns:
                column = source.column(name)
                # A further attribute is a feature of the same name.
                kind: Kind = column.kind if column else "text" if name in texts else "number"
                types[name] = TYPES[kind]
    return found


def frames(
    tables: Mapping[str, Given], read: Types, zone: str | None = None
) -> dict[str, pa.Table]:
    """Return rows as tables, and those that models read and nobody gave, without rows.

    Args:
        tables: Contract table → rows, and their columns.
        read: What the models read.
        zone: Zone of times that name none; columns of times that are written plainly are read in
            it, and columns without a value get their type.  None leaves all as posted.

    Raises:
        DataError: If a value is none that can be posted.
    """
    found = {
        name: _frame(SOURCES[name], rows, read.get(name, {}), zone) for name, rows in tables.items()
    }
    for name, columns in read.items():
        if name not in found and not SOURCES[name].required:
            found[name] = _nothing(SOURCES[name], columns)
    return found


def names_of(rows: Iterable[Row]) -> dict[str, None]:
    """Return the columns of rows, in order."""
    return dict.fromkeys(chain.from_iterable(rows))


def _nothing(source: Source, columns: Mapping[str, pa.DataType]) -> pa.Table:
    required = {column.name: TYPES[column.kind] for column in source.columns if column.required}
    times = {column.name: TYPES["time"] for column in source.columns if column.name in source.time}
    return pa.schema({**times, **required, **columns}).empty_table()


def _frame(
    source: Source, given: Given, read: Mapping[str, pa.DataType], zone: str | None
) -> pa.Table:
    """Return rows as a table; columns that the models read and no row has are without values."""
    rows, names = given
    columns = {
        name: _column(source, name, values, zone)
        for name, values in zip(names, _by_column(rows, list(names)), strict=True)
    }
    for name, kind in read.items():
        column = source.column(name)
        if name not in columns and not (column and column.required):
            columns[name] = pa.nulls(len(rows), kind)
    return pa.table(columns)


def _by_column(rows: Sequence[Row], names: Sequence[str]) -> Iterable[Sequence[Any]]:
    """Return the values of each column, None where a row has no such column."""
    if len(names) > 1:
        try:
            return list(zip(*map(itemgetter(*names), rows), strict=True))
        except KeyError:
            pass
    return [[row.get(name) for row in rows] for name in names]


def _column(source: Source, name: str, values: Sequence[Any], zone: str | None) -> pa.Array:
    kinds = set(map(type, values)) - {NoneType}
    kind = _kind(source, name)
    if kinds == {str}:
        times = plain_times(values, zone) if zone is not None and kind == "time" else None
        return pa.array(values, pa.string()) if times is None else times
    if not kinds:
        typed = TYPES[kind] if zone is not None and kind is not None else pa.string()
        return pa.nulls(len(values), typed)
    if not _is_fine(values, kinds):
        _refuse(source, name, values, exact=kind == "id")
    if kinds == {bool}:
        return pa.array(values, pa.bool_())
    if kinds == {int} and all(abs(value) < INT64 for value in values if value is not None):
        return pa.array(values, pa.int64())
    if kinds <= {int, float}:
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    return pa.array([None if value is None else str(value) for value in values], pa.string())


def _kind(source: Source, name: str) -> Kind | None:
    """Return what a column is, None for an attribute of its own."""
    column = source.column(name)
    if column is not None:
        return column.kind
    return "time" if name == "known_at" else None


def _is_fine(values: Sequence[Any], kinds: set[type]) -> bool:
    """Return whether all values may be posted, whatever their column."""
    if not kinds <= PLAIN:
        return False
    numbers = [value for value in values if type(value) in (int, float)]
    if float not in kinds:
        return not numbers or (min(numbers) >= -LARGEST and max(numbers) <= LARGEST)
    # What is not a number is neither larger nor smaller.
    return all(-LARGEST <= value <= LARGEST for value in numbers)


def _refuse(source: Source, name: str, values: Sequence[Any], *, exact: bool) -> None:
    for place, value in enumerate(values):
        wrong = _wrong(value, exact=exact)
        if wrong:
            where, shown = f"tables.{source.name}[{place}].{name}", str(value)[:80]
            raise DataError(Problem(where, wrong, shown, "give one plain value per column"))


def _wrong(value: Any, *, exact: bool) -> str | None:
    """Return the rule that a posted value breaks, None where it is fine."""
    if value is None or isinstance(value, str | bool):
        return None
    if not isinstance(value, int | float):
        return "must be a string, a number, true, false or null"
    # `not <=` also finds what is not a number.
    if not abs(value) <= LARGEST and not (exact and isinstance(value, int)):
        return f"must be a number between -{LARGEST:.0e} and {LARGEST:.0e}"
    return None
