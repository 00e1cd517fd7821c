"""Noise in place of the future, which no feature at or before a prediction time may depend on."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tenure.core.arrays import Ints
from tenure.core.spec import Source
from tenure.core.times import EPOCH

DAY = 86_400_000_000
FARTHEST = 60 * DAY
DROPPED = 1 / 3
ADDED = 1 / 10


def disturbed(
    source: Source, table: pa.Table, at: datetime, dice: np.random.Generator
) -> tuple[pa.Table, int]:
    """Replace everything that was not known before a time by noise.

    Of the rows known at or after it a third are dropped, the others get another account, other
    values and other times; further rows, copied from the past, are added, some exactly at that
    time, some that happened before it and became known later.  Late values that were not known
    yet, of rows that were, are replaced too, also by nothing.

    Args:
        source: The table's declaration.
        table: Canonical rows.
        at: The time; what is known before it stays as it is.
        dice: Where the noise comes from.

    Returns:
        The disturbed rows, in an order of their own, and how many rows were replaced or added.
    """
    if not table.num_rows:
        return table, 0
    edge = (at - EPOCH) // timedelta(microseconds=1)
    known = _micros(table, "known_at")
    past, future = np.flatnonzero(known < edge), np.flatnonzero(known >= edge)
    before = _redated(source, table.take(pa.array(past)), edge, dice)
    replaced = round(len(future) * (1 - DROPPED))
    size = replaced + 1 + round(len(past) * ADDED)
    drawn = table.take(pa.array(dice.integers(0, table.num_rows, size)))
    noise = _moved(source, drawn, table, edge, dice)
    both = pa.concat_tables([before, noise])
    return both.take(pa.array(dice.permutation(both.num_rows))), len(future) + size - replaced


def at_once(source: Source, table: pa.Table) -> pa.Table:
    """Return the rows as if each thing had been known on the day it happened.

    What was known on a later day than it happened is known when it happened; a clock that came in
    on its own day stays.
    """
    clocks = [(clock, f"{clock}__known") for clock in source.clocks]
    for happened, known in (("event_time", "known_at"), *clocks):
        if {happened, known} <= set(table.column_names):
            begun, known_at = _micros(table, happened), _micros(table, known)
            late = (known_at // DAY > begun // DAY) & (begun != _NULL) & (known_at != _NULL)
            table = _put(table, known, np.where(late, begun, known_at))
    later = np.maximum(_micros(table, "event_time"), _micros(table, "known_at"))
    return _put(table, "known_at", later)


def _moved(
    source: Source, drawn: pa.Table, table: pa.Table, edge: int, dice: np.random.Generator
) -> pa.Table:
    """Return rows under other accounts that nobody knew of before a time."""
    size = drawn.num_rows
    owners = table.column("account_id").take(pa.array(dice.integers(0, table.num_rows, size)))
    drawn = drawn.set_column(drawn.schema.get_field_index("account_id"), "account_id", owners)
    known = edge + _ahead(size, dice)
    earlier = edge - dice.integers(1, FARTHEST, size)
    happened = np.where(dice.random(size) < 0.5, known, earlier)
    drawn = _put(_put(drawn, "known_at", known), "event_time", happened)
    for clock in source.clocks:
        if f"{clock}__known" in drawn.column_names:
            known_at = np.where(dice.random(size) < 0.3, _NULL, known + _ahead(size, dice))
            drawn = _put(_put(drawn, clock, known_at), f"{clock}__known", known_at)
    return drawn


def _redated(source: Source, rows: pa.Table, edge: int, dice: np.random.Generator) -> pa.Table:
    """Replace the late values of rows that were not known before a time."""
    size = rows.num_rows
    for clock in source.clocks:
        if f"{clock}__known" not in rows.column_names or not size:
            continue
        known = _micros(rows, f"{clock}__known")
        later = (known == _NULL) | (known >= edge)
        known_at = np.where(dice.random(size) < 0.3, _NULL, edge + _ahead(size, dice))
        for name in (clock, f"{clock}__known"):
            rows = _put(rows, name, np.where(later, known_at, _micros(rows, name)))
        for name, own in source.late.items():
            if own == clock and name != clock and name in rows.column_names:
                other = rows.column(name).take(pa.array(dice.integers(0, size, size)))
                mixed = pc.if_else(pa.array(later), other, rows.column(name))
                rows = rows.set_column(rows.schema.get_field_index(name), name, mixed)
    return rows


def _ahead(size: int, dice: np.random.Generator) -> Ints:
    """Return distances from a time: none, the smallest there is, or up to two months."""
    kinds = dice.integers(0, 3, size)
    far = dice.integers(1, FARTHEST, size)
    return np.where(kinds == 0, 0, np.where(kinds == 1, 1, far)).astype(np.int64)


_NULL = np.iinfo(np.int64).min


def _micros(table: pa.Table, name: str) -> Ints:
    column = table.column(name).cast(pa.timestamp("us")).cast(pa.int64())
    values: Ints = column.fill_null(int(_NULL)).to_numpy().astype(np.int64)
    return values


def _put(table: pa.Table, name: str, micros: Ints) -> pa.Table:
    place = table.schema.get_field_index(name)
    kind = table.schema.field(name).type
    values = pa.array(micros, pa.int64(), mask=micros == _NULL)
    return table.set_column(place, name, values.cast(pa.timestamp("us")).cast(kind))
