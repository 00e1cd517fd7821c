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

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np

from tenure.core.times import days, literal

Ints = np.ndarray[Any, np.dtype[np.int64]]


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
class Window:
    """A stretch of the past, relative to a cut-off: ``[cutoff − length, cutoff − lag)``.

    Attributes:
        length: Days from its start to the cut-off, None for the whole past.
        lag: Days from its end to the cut-off.
    """

    length: int | None
    lag: int = 0


@dataclass(frozen=True)
class Timeline:
    """Cut-offs and windows on one grid.

    Attributes:
        cutoffs: Prediction times, ascending and distinct.
        windows: Window lengths in days, ascending and distinct.
    """

    cutoffs: tuple[datetime, ...]
    windows: tuple[int, ...]

    @cached_property
    def edges(self) -> tuple[datetime, ...]:
        """Return the times that bound the slots, ascending."""
        starts = {cutoff - days(window) for cutoff in self.cutoffs for window in self.windows}
        return tuple(sorted(starts))

    @property
    def size(self) -> int:
        """Return the number of cut-offs."""
        return len(self.cutoffs)

    @property
    def earliest(self) -> datetime | None:
        """Return the start of the earliest window, None where there are no windows."""
        return self.edges[0] if self.edges else None

    def seen_sql(self, moments: Sequence[str]) -> str:
        """Return SQL for the first cut-off strictly after all moments; `size` if there is none."""
        if len(moments) == 1:
            return rank_sql(moments[0], self.cutoffs)
        unknown = " OR ".join(f"{moment} IS NULL" for moment in moments)
        latest = f"CASE WHEN {unknown} THEN NULL ELSE greatest({', '.join(moments)}) END"
        return rank_sql(f"({latest})", self.cutoffs)

    def slot_sql(self, moment: str) -> str:
        """Return SQL for the slot of a moment: how many edges lie at or before it."""
        return rank_sql(moment, self.edges)

    @cached_property
    def _ends(self) -> dict[int, Ints]:
        position = {edge: index for index, edge in enumerate(self.edges)}
        slots = np.arange(len(self.edges) + 1)
        return {
            window: np.searchsorted(
                [position[cutoff - days(window)] for cutoff in self.cutoffs], slots, side="left"
            ).astype(np.int64)
            for window in self.windows
        }

    def ends(self, window: int | None, slots: Ints) -> Ints:
        """Return, per row, the first cut-off whose window no longer reaches back to its slot.

        Args:
            window: Length in days; None for the whole past, which no row ever leaves.
            slots: Slot of each row, shape (n,).
        """
        if window is None:
            return np.full(len(slots), self.size, dtype=np.int64)
        return self._ends[window][slots]
