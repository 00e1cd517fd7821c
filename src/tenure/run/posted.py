"""Posted rows as tables: plain values by column, of the types that the contract gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import chain
from operator import itemgetter
from types import NoneType
from typing import TYPE_CHECKING, Any

import numpy as np

from tenure.core.errors import DataError, Problem
from tenure.core.spec import Kind, Source
from tenure.engine.arrays import Array, Column, HeldRows
from tenure.sources.plain import Moments, plain_columns
from tenure.sources.stage import SQL_TYPES
from tenure.sources.tables import SOURCES

if TYPE_CHECKING:
    from tenure.score import Model

Row = Mapping[str, Any]
Given = Mapping[str, Sequence[Any]]
"""Column → its values, one per row."""
Types = Mapping[str, Mapping[str, str]]
"""Table → columns that models read, and their SQL types."""
INT64 = 2**63
LARGEST = 1e12
PLAIN = frozenset((int, float, bool, str))
HELD: dict[str, type] = {
    "VARCHAR": object,
    "TIMESTAMP": np.int64,
    "DOUBLE": np.float64,
    "BIGINT": np.int64,
    "BOOLEAN": np.bool_,
}


def read_by(models: Mapping[str, Model]) -> dict[str, dict[str, str]]:
    """Return the tables and columns that models were trained with, and their SQL types."""
    found: dict[str, dict[str, str]] = {}
    for model in models.values():
        for table, columns in model.kinds.items():
            types = found.setdefault(table, {})
            types |= {name: SQL_TYPES[kind] for name, kind in columns.items()}
    return found


def frames(
    tables: Mapping[str, Given], read: Types, zone: str | None = None
) -> dict[str, HeldRows]:
    """Return rows as tables, and those that models read and nobody gave, without rows.

    Args:
        tables: Contract table → rows, by column.
        read: What the models read.
        zone: Zone of times that name none; columns of times that are written plainly are read in
            it, and columns without a value get their type.  None leaves all as posted.

    Raises:
        DataError: If a value is none that can be posted.
    """
    plain = {} if zone is None else _plain(tables, zone)
    found = {
        name: _frame(SOURCES[name], columns, read.get(name, {}), plain.get(name), typed=bool(zone))
        for name, columns in tables.items()
    }
    for name, columns in read.items():
        if name not in found and not SOURCES[name].required:
            found[name] = _nothing(SOURCES[name], columns)
    return found


def _plain(tables: Mapping[str, Given], zone: str) -> dict[str, dict[str, Moments]]:
    """Return the columns of times that are written plainly, by table."""
    texts = {
        (table, name): values
        for table, columns in tables.items()
        for name, values in columns.items()
        if declared_kinds(table).get(name) == "time" and _only_text(set(map(type, values)))
    }
    found: dict[str, dict[str, Moments]] = {}
    for (table, name), times in zip(texts, plain_columns(list(texts.values()), zone), strict=True):
        if times is not None:
            found.setdefault(table, {})[name] = times
    return found


def _only_text(kinds: set[type]) -> bool:
    return str in kinds and kinds <= {str, NoneType}


def by_column(rows: Sequence[Row]) -> Given:
    """Return the values of each column that any row has, None where a row has no such column."""
    names = list(rows[0]) if rows else []
    # Mostly all rows have the columns of the first one.
    if len(names) > 1 and set(map(len, rows)) == {len(names)}:
        try:
            values = zip(*map(itemgetter(*names), rows), strict=True)
            return dict(zip(names, values, strict=True))
        except KeyError:
            pass
    every = dict.fromkeys(chain.from_iterable(rows))
    return {name: [row.get(name) for row in rows] for name in every}


def _nothing(source: Source, columns: Mapping[str, str]) -> HeldRows:
    required = {column.name: SQL_TYPES[column.kind] for column in source.columns if column.required}
    times = {
        column.name: SQL_TYPES["time"] for column in source.columns if column.name in source.time
    }
    kinds = {**times, **required, **columns}
    return HeldRows(kinds, {name: (_empty(kind, 0), None) for name, kind in kinds.items()}, 0)


def _frame(
    source: Source,
    given: Given,
    read: Mapping[str, str],
    plain: Mapping[str, Moments] | None,
    *,
    typed: bool,
) -> HeldRows:
    """Return rows as a table; columns that the models read and no row has are without values.

    Args:
        source: The table.
        given: The rows, by column.
        read: Columns that the models read, and their types.
        plain: Columns of times that were written plainly.
        typed: Whether columns without a value have the type of their column.
    """
    size = len(next(iter(given.values()), ()))
    kinds: dict[str, str] = {}
    columns: dict[str, Column] = {}
    declared, times = declared_kinds(source.name), plain or {}
    for name, values in given.items():
        if name in times:
            kinds[name], columns[name] = "TIMESTAMP", _moments(times[name])
            continue
        kind = declared.get(name)
        empty = SQL_TYPES[kind] if typed and kind is not None else "VARCHAR"
        kinds[name], columns[name] = _column(source, name, values, empty)
    required = {column.name for column in source.columns if column.required}
    for name, sql in read.items():
        if name not in columns and name not in required:
            kinds[name], columns[name] = sql, _missing(sql, size)
    return HeldRows(kinds, columns, size)


@cache
def declared_kinds(table: str) -> dict[str, Kind]:
    """Return what each column of a table of the contract is."""
    found: dict[str, Kind] = {"known_at": "time"}
    return found | {column.name: column.kind for column in SOURCES[table].columns}


def _empty(kind: str, size: int) -> Array:
    """Return as many empty values."""
    if kind == "VARCHAR":
        return np.full(size, "", dtype=object)
    return np.zeros(size, dtype=HELD[kind])


def _missing(kind: str, size: int) -> Column:
    """Return a column without a value."""
    return _empty(kind, size), np.zeros(size, dtype=bool)


def _column(source: Source, name: str, values: Sequence[Any], empty: str) -> tuple[str, Column]:
    """Return the SQL type of values, `empty` where there are none, and these as an array."""
    kinds = set(map(type, values))
    whole = NoneType not in kinds
    kinds.discard(NoneType)
    if str in kinds and not _is_unicode(values):
        _refuse(source, name, values, exact=False)
    if kinds == {str}:
        return "VARCHAR", _held("VARCHAR", values, whole)
    if not kinds:
        return empty, _missing(empty, len(values))
    if not _is_fine(values, kinds):
        _refuse(source, name, values, exact=declared_kinds(source.name).get(name) == "id")
    if kinds == {bool}:
        return "BOOLEAN", _held("BOOLEAN", values, whole)
    if kinds == {int} and all(abs(value) < INT64 for value in values if value is not None):
        return "BIGINT", _held("BIGINT", values, whole)
    if kinds <= {int, float}:
        return "DOUBLE", _held("DOUBLE", values, whole)
    texts = [None if value is None else str(value) for value in values]
    return "VARCHAR", _held("VARCHAR", texts, whole)


def _held(kind: str, values: Sequence[Any], whole: bool) -> Column:
    """Return values of one kind as an array, and where there are any."""
    if whole:
        return np.array(values, dtype=HELD[kind]), None
    there = np.array([value is not None for value in values])
    found = _empty(kind, len(values))
    found[there] = [value for value in values if value is not None]
    return found, there


def _moments(times: Moments) -> Column:
    there = ~np.isnat(times)
    moments = times.view(np.int64)
    return (moments, None) if there.all() else (np.where(there, moments, 0), there)


def _is_fine(values: Sequence[Any], kinds: set[type]) -> bool:
    """Return whether all values may be posted, whatever their column."""
    if not kinds <= PLAIN:
        return False
    numbers = [value for value in values if type(value) in (int, float)]
    if float not in kinds:
        return not numbers or (min(numbers) >= -LARGEST and max(numbers) <= LARGEST)
    # What is not a number is neither larger nor smaller.
    return all(-LARGEST <= value <= LARGEST for value in numbers)


def _is_unicode(values: Sequence[Any]) -> bool:
    """Return whether all texts among values can be written: half of a surrogate pair cannot."""
    try:
        "".join(value for value in values if type(value) is str).encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse(source: Source, name: str, values: Sequence[Any], *, exact: bool) -> None:
    for place, value in enumerate(values):
        wrong = _wrong(value, exact=exact)
        if wrong:
            where = f"tables.{source.name}[{place}].{name}"
            shown = str(value)[:80].encode(errors="backslashreplace").decode()
            raise DataError(Problem(where, wrong, shown, "give one plain value per column"))


def _wrong(value: Any, *, exact: bool) -> str | None:
    """Return the rule that a posted value breaks, None where it is fine."""
    if isinstance(value, str):
        return None if _is_unicode([value]) else "must be Unicode text, with whole surrogate pairs"
    if value is None or isinstance(value, bool):
        return None
    if not isinstance(value, int | float):
        return "must be a string, a number, true, false or null"
    # `not <=` also finds what is not a number.
    if not abs(value) <= LARGEST and not (exact and isinstance(value, int)):
        return f"must be a number between -{LARGEST:.0e} and {LARGEST:.0e}"
    return None
