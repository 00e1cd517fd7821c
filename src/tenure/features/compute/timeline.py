"""The point-in-time cut.  It is made here and nowhere else.

Cut-offs (`as_of`) and window lengths give a finite set of edges that divide time into slots.
Two SQL expressions place a row on that grid:

* ``seen``: the first cut-off that may see the row: the first one strictly after its event time,
  after the time it was known, and after the clock of every late column that is read;
* ``slot``: the elementary interval its event time falls into.

Whatever comes after works on these two integers and holds no times, so it cannot cut differently.
A time that is null is never seen.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np

from tenure.core.arrays import Ints
from tenure.core.times import days, last_of, literal
from tenure.features.plan.columns import Window


def rank_sql(moment: str, edges: Sequence[datetime]) -> str:
    """Return SQL that counts the edges at or before a moment, by binary search.

    A null moment counts all edges.

    >>> rank_sql("t", [datetime(2024, 1, 1)])
    "CASE WHEN t < TIMESTAMP '2024-01-01 00:00:00.000000' THEN 0 ELSE 1 END"
    """

    def search(low: int, high: int) -> str:
        if low == high:
            return str(low)
        middle = (low + high) // 2
        below, above = search(low, middle), search(middle + 1, high)
        return f"CASE WHEN {moment} < {literal(edges[middle])} THEN {below} ELSE {above} END"

    return search(0, len(edges))


@dataclass(frozen=True)
class Timeline:
    """Cut-offs and windows on one grid."""

    cutoffs: tuple[datetime, ...]
    """Prediction times, ascending and distinct."""
    windows: tuple[Window, ...]
    """The windows in use."""

    @cached_property
    def edges(self) -> tuple[datetime, ...]:
        """Return the times that bound the slots, ascending: cut-offs, starts and ends of windows.

        Slot ``s`` holds what happened from edge ``s − 1`` until just before edge ``s``.
        """
        offsets = {window.lag for window in self.windows} | {0}
        offsets |= {window.length for window in self.windows if window.length is not None}
        return tuple(sorted({cutoff - days(n) for cutoff in self.cutoffs for n in offsets}))

    @property
    def size(self) -> int:
        """Return the number of cut-offs."""
        return len(self.cutoffs)

    @property
    def slots(self) -> int:
        """Return the number of slots."""
        return len(self.edges) + 1

    @property
    def earliest(self) -> datetime | None:
        """Return the start of the earliest window, None where a window has no start."""
        lengths = [window.length for window in self.windows]
        known = [length for length in lengths if length is not None]
        bounded = known and len(known) == len(lengths)
        return self.cutoffs[0] - days(max(known)) if bounded else None

    def seen_sql(self, moments: Sequence[str]) -> str:
        """Return SQL for the first cut-off strictly after all moments; `size` if there is none."""
        return _narrow(rank_sql(last_of(moments), self.cutoffs), self.size)

    def slot_sql(self, moment: str) -> str:
        """Return SQL for the slot of a moment: how many edges lie at or before it."""
        return _narrow(rank_sql(moment, self.edges), self.slots)

    def _at(self, offset: int) -> Ints:
        """Return, per cut-off, the last slot that ends at or before it less an offset in days."""
        slots = [bisect_left(self.edges, cutoff - days(offset)) for cutoff in self.cutoffs]
        return np.asarray(slots, dtype=np.int64)

    def span(self, window: Window) -> tuple[Ints, Ints]:
        """Return, per cut-off, the slots of a window: from the first to before the second."""
        stop = self._at(window.lag) + 1
        start = np.zeros_like(stop) if window.length is None else self._at(window.length) + 1
        return start, stop

    @cached_property
    def prompt(self) -> Ints:
        """Return, per slot, the first cut-off that sees what was known when it happened."""
        return self._first(0)

    def _first(self, offset: int) -> Ints:
        """Return, per slot, the first cut-off that, less an offset in days, does not precede it."""
        numbers = np.searchsorted(self._at(offset), np.arange(self.slots), side="left")
        return numbers.astype(np.int64)

    def visible(self, window: Window, slots: Ints) -> tuple[Ints, Ints]:
        """Return, per row, the first cut-off whose window reaches its slot, and the first past it.

        `slots` are those of the rows, shape (n,).
        """
        first = self._first(window.lag)[slots]
        if window.length is None:
            return first, np.full(len(slots), self.size, dtype=np.int64)
        return first, self._first(window.length)[slots]


def _narrow(number: str, size: int) -> str:
    """Return SQL for a number as the smallest type that holds it: millions of rows carry it."""
    return f"CAST({number} AS {'SMALLINT' if size < 2**15 else 'INTEGER'})"
