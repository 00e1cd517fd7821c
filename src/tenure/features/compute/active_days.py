"""Calendar days on which something happened: how many, and the longest silence between them.

Days are members of an account like any other, but so many that a lane for each would cost twice the
time of all other features: they are columns of one grid, of which a window shows a few.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tenure.features.compute.timeline import Timeline
from tenure.features.compute.window_fold import NOTHING, Array, GridRows, Grids, Ints, Mask
from tenure.features.plan.columns import Window

Summary = Callable[[Mask, Ints], Ints]
"""From the visible days of each lane, shape (L, days), and the days to one number per lane."""


@dataclass(frozen=True)
class ActiveDays:
    """When each day of each lane was first seen.

    A day that an edge of the grid cuts in two stands in two columns.

    Attributes:
        timeline: The grid.
        first: First cut-off that sees a day in a lane, the number of cut-offs where none does,
            shape (L, columns).
        day: Day of each column, ascending, in days since 1970-01-01.
        slot: Slot of each column.
    """

    timeline: Timeline
    first: Array
    day: Ints
    slot: Ints

    @classmethod
    def of(cls, rows: GridRows, days: Array) -> ActiveDays:
        """Find the days.

        Args:
            rows: Rows on the grid.
            days: Day of each row, shape (n,).
        """
        codes, keys = pd.factorize(days.astype(np.int64) * rows.timeline.slots + rows.slot)
        order = np.argsort(keys)
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        day, slot = np.divmod(np.asarray(keys, dtype=np.int64)[order], rows.timeline.slots)
        size = rows.timeline.size
        kind = np.int16 if size < np.iinfo(np.int16).max else np.int32
        first: Array = np.full(rows.lanes * len(order), size, dtype=kind)
        where = rows.lane.astype(np.int64) * len(order) + place[codes]
        np.minimum.at(first, where, rows.seen.astype(kind))
        return cls(rows.timeline, first.reshape(rows.lanes, len(order)), day, slot)

    def count(self, windows: Iterable[Window]) -> Grids:
        """Return, per window, the number of days visible in each lane at each cut-off."""
        return {
            window: self._each(window, lambda visible, _: visible.sum(axis=1, dtype=np.int64))
            for window in dict.fromkeys(windows)
        }

    def longest_gap(self, windows: Iterable[Window]) -> Grids:
        """Return, per window, the most days between two neighbouring ones, `NOTHING` below two."""
        return {window: self._each(window, longest) for window in dict.fromkeys(windows)}

    def _each(self, window: Window, summary: Summary) -> Ints:
        start, stop = self.timeline.span(window)
        columns = []
        for cutoff, (low, high) in enumerate(zip(start, stop, strict=True)):
            inside = np.flatnonzero((self.slot >= low) & (self.slot < high))
            columns.append(summary(*self._visible(inside, cutoff)))
        return np.stack(columns, axis=1)

    def _visible(self, inside: Ints, cutoff: int) -> tuple[Mask, Ints]:
        """Return which days each lane has among some columns at a cut-off, and the days."""
        if not len(inside):
            return np.zeros((len(self.first), 0), dtype=bool), inside
        whole = inside[-1] - inside[0] + 1 == len(inside)
        chosen = self.first[:, inside[0] : inside[-1] + 1] if whole else self.first[:, inside]
        visible, day = chosen <= cutoff, self.day[inside]
        begins = np.flatnonzero(np.diff(day, prepend=day[0] - 1))
        if len(begins) < len(day):
            visible = np.logical_or.reduceat(visible, begins, axis=1)
        return visible, day[begins]


def longest(visible: Mask, day: Ints) -> Ints:
    """Return the most days between neighbouring ones of each lane, `NOTHING` below two of them.

    Args:
        visible: Which days a lane has, shape (L, days).
        day: The days, ascending, shape (days,).
    """
    if visible.shape[1] < 2:
        return np.full(len(visible), NOTHING, dtype=np.int64)
    before = np.maximum.accumulate(np.where(visible, day, NOTHING), axis=1)[:, :-1]
    gaps = np.where(visible[:, 1:] & (before > NOTHING), day[1:] - before, 0).max(axis=1)
    return np.where(gaps > 0, gaps, NOTHING)
