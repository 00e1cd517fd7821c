"""Members of an account (users, features used, days): how many, and which was most.

A member of one account is a lane of its own on the grid; what is reported of the account is a sum
or an extreme over its members.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from tenure.core.arrays import Array, Flags, Ints
from tenure.features.compute.timeline import Timeline
from tenure.features.compute.window_fold import NOTHING, GridRows, Grids, maxima, sums
from tenure.features.plan.columns import Window

Summary = Callable[[Flags, Ints], Ints]
"""From the visible days of each lane, shape (L, days), and the days to one number per lane."""


@dataclass(frozen=True)
class MemberRows:
    """Rows spread over the members of each account."""

    rows: GridRows
    """One lane per member, those of one account side by side."""
    owner: Ints
    """Lane that each member belongs to, ascending, shape (members,)."""
    lanes: int
    """How many lanes the members belong to."""

    @classmethod
    def of(cls, rows: GridRows, keys: Array, *, shared: bool = True) -> MemberRows:
        """Number the members of all lanes.

        Integer `keys`, shape (n,), tell the members of one lane apart; where they are `shared`, a
        key may stand in several lanes.
        """
        codes, members = pd.factorize(keys)
        if shared:
            codes, members = pd.factorize(codes * rows.lanes + rows.lane)
        owner = np.empty(len(members), dtype=np.int64)
        owner[codes] = rows.lane
        order = np.argsort(owner, kind="stable")
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        spread = replace(rows, lane=place[codes], lanes=len(owner))
        return cls(spread, owner[order], rows.lanes)

    def distinct(self, windows: Iterable[Window]) -> Grids:
        """Return, per window, how many members are visible in each lane at each cut-off."""
        windows = tuple(dict.fromkeys(windows))
        # A window shows a member if the latest of its slots before the window's end lies in it.
        past = {window: Window(None, window.lag) for window in windows}
        newest = maxima(self.rows, self.rows.slot, past.values())
        grids = {}
        for window in windows:
            start = self.rows.timeline.span(window)[0]
            visible = newest[past[window]] >= start.astype(self.rows.slot.dtype)
            grids[window] = self._over(np.add, visible.astype(np.int32), 0)
        return grids

    def most(self, windows: Iterable[Window]) -> Grids:
        """Return, per window, how many rows the member with most rows has, 0 where none has any."""
        counts = sums(self.rows, None, windows)
        return {window: self._over(np.maximum, grid, 0) for window, grid in counts.items()}

    def top(self, times: Array, windows: Iterable[Window]) -> Grids:
        """Return, per window, when the member with most rows was last seen.

        Of members with equally many rows the one seen last counts; `NOTHING` where there is none.
        `times` are those of the rows, shape (n,).
        """
        windows = tuple(dict.fromkeys(windows))
        counts, newest = sums(self.rows, None, windows), maxima(self.rows, times, windows)
        grids = {}
        for window in windows:
            most = self._over(np.maximum, counts[window], 0)[self.owner]
            leads = (counts[window] == most) & (most > 0)
            times_of_leads = np.where(leads, newest[window], NOTHING)
            grids[window] = self._over(np.maximum, times_of_leads, int(NOTHING))
        return grids

    def _over(self, join: np.ufunc, grid: Array, nothing: int) -> Ints:
        """Return members joined to lanes, shape (lanes, cut-offs)."""
        result = np.full((self.lanes, grid.shape[1]), nothing, dtype=np.int64)
        if len(self.owner):
            first = np.flatnonzero(np.diff(self.owner, prepend=-1))
            result[self.owner[first]] = join.reduceat(grid, first, axis=0)
        return result


@dataclass(frozen=True)
class ActiveDays:
    """When each calendar day of each lane was first seen.

    Days are members too, but so many that a lane for each would cost twice the time of all other
    features: they are columns of one grid, of which a window shows a few.  A day that an edge of
    the grid cuts in two stands in two columns.
    """

    timeline: Timeline
    first: Array
    """First cut-off that sees a day in a lane, the number of cut-offs where none does, shape (L,
    columns)."""
    day: Ints
    """Day of each column, ascending, in days since 1970-01-01."""
    slot: Ints
    """Slot of each column."""

    @classmethod
    def of(cls, rows: GridRows, days: Array) -> ActiveDays:
        """Return the active days of all lanes from the day of each row, shape (n,)."""
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

    def _visible(self, inside: Ints, cutoff: int) -> tuple[Flags, Ints]:
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


def longest(visible: Flags, day: Ints) -> Ints:
    """Return the most days between neighbouring ones of each lane, `NOTHING` below two of them.

    `visible` says which of the ascending days each lane has, shape (L, days).
    """
    if visible.shape[1] < 2:
        return np.full(len(visible), NOTHING, dtype=np.int64)
    before = np.maximum.accumulate(np.where(visible, day, NOTHING), axis=1)[:, :-1]
    gaps = np.where(visible[:, 1:] & (before > NOTHING), day[1:] - before, 0).max(axis=1)
    return np.where(gaps > 0, gaps, NOTHING)
