"""Posted rows as Arrow tables, of the types that the contract gives to their columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import chain
from types import NoneType
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tenure.core.errors import DataError, Problem
from tenure.core.spec import Kind, Source
from tenure.sources.contract import SOURCES

if TYPE_CHECKING:
    from tenure.score.score import Model

Row = Mapping[str, Any]
Columns = Mapping[str, Mapping[str, Kind]]
"""Table → columns that models read, and what these are."""
TYPES: dict[Kind, pa.DataType] = {
    "id": pa.string(),
    "text": pa.string(),
    "time": pa.timestamp("us"),
    "number": pa.float64(),
    "integer": pa.int64(),
    "flag": pa.bool_(),
}
LARGEST = 1e12
INT64 = 2**63
PLAIN = frozenset((int, float, bool, str, NoneType))


def read_by(models: Mapping[str, Model]) -> dict[str, dict[str, Kind]]:
    """Return the tables and columns that models were trained with, and what these are."""
    read: dict[str, dict[str, Kind]] = {}
    for model in models.values():
        for table, kinds in model.kinds.items():
            read.setdefault(table, {}).update(kinds)
    return read


def posted_tables(rows: Mapping[str, Sequence[Row]], read: Columns) -> dict[str, pa.Table]:
    """Return rows as tables, and those that models read and nobody posted, without rows.

    Attributes of accounts that no model reads are left out.  Columns that the models read and no
    row has are without values.

    Raises:
        DataError: If a value is none that can be posted; names its place.
    """
    names = [*(name for name in rows if rows[name]), *(name for name in read if not rows.get(name))]
    return {
        name: _table(SOURCES[name], rows.get(name, ()), read.get(name, {}))
        for name in names
        if rows.get(name) or not SOURCES[name].required
    }


def columns_of(rows: Sequence[Row]) -> dict[str, None]:
    """Return the names of the columns that any row has, in order."""
    return dict.fromkeys(chain.from_iterable(rows))


@cache
def declared_kinds(table: str) -> dict[str, Kind]:
    """Return what each column of a table of the contract is."""
    kinds: dict[str, Kind] = {"known_at": "time"}
    return kinds | {column.name: column.kind for column in SOURCES[table].columns}


def _table(source: Source, rows: Sequence[Row], read: Mapping[str, Kind]) -> pa.Table:
    kinds = {**read, **declared_kinds(source.name)}
    posted = {
        name: _column(source, name, [row.get(name) for row in rows], kinds[name])
        for name in columns_of(rows)
        if name in kinds
    }
    required = {item.name for item in source.columns if item.required}
    timed = {item.name for item in source.columns if item.name in source.time}
    needed = read.keys() - required if rows else {*read, *required, *timed}
    absent = {
        name: pa.nulls(len(rows), TYPES[kind])
        for name, kind in kinds.items()
        if name in needed and name not in posted
    }
    return pa.table(posted | absent)


def _column(source: Source, name: str, values: Sequence[Any], kind: Kind) -> pa.Array:
    """Return values of one column: numbers and flags as such, all else as text."""
    types = set(map(type, values))
    # Most columns are fine as a whole; else the place of the first wrong value counts.
    counted = declared_kinds(source.name).get(name) in ("number", "integer")
    if types <= {str, NoneType}:
        fine = _is_unicode("".join(filter(None, values)))
    else:
        fine = types <= {bool, NoneType} and not counted
    if not fine:
        for place, value in enumerate(values):
            fix = "give one plain value per column"
            wrong = _wrong(value, exact=kind == "id")
            # An attribute may be a flag that a model reads as a number.
            if counted and isinstance(value, bool):
                wrong, fix = "must be a number or null", "write the amount in digits"
            if wrong:
                where = f"tables.{source.name}[{place}].{name}"
                shown = str(value)[:80].encode(errors="backslashreplace").decode()
                raise DataError(Problem(where, wrong, shown, fix))
    types.discard(NoneType)
    if not types:
        # Of its declared type, for there is nothing to read: that takes the least SQL.
        return pa.nulls(len(values), TYPES[kind])
    if types == {bool}:
        return pa.array(values, pa.bool_())
    if types == {int} and all(value is None or abs(value) < INT64 for value in values):
        return pa.array(values, pa.int64())
    if types <= {int, float}:
        numbers = [None if value is None else float(value) for value in values]
        return pa.array(numbers, pa.float64(), from_pandas=False)
    return pa.array([None if value is None else str(value) for value in values], pa.string())


def _wrong(value: Any, *, exact: bool) -> str | None:
    """Return the rule that a posted value breaks, None where it is fine."""
    if type(value) not in PLAIN:
        return "must be a string, a number, true, false or null"
    if isinstance(value, str):
        return None if _is_unicode(value) else "must be Unicode text, with whole surrogate pairs"
    if value is None or isinstance(value, bool):
        return None
    # `not <=` also finds what is not a number.
    if not abs(value) <= LARGEST and not (exact and isinstance(value, int)):
        return f"must be a number between -{LARGEST:.0e} and {LARGEST:.0e}"
    return None


def _is_unicode(text: str) -> bool:
    """Return whether a text can be written: half of a surrogate pair cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
