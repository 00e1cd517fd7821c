"""Members of an account (users, features used): how many, and which was most.

A member of one account is a lane of its own on the grid; what is reported of the account is a sum
or an extreme over its members.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tenure.features.compute.window_fold import (
    NOTHING,
    Array,
    GridRows,
    Grids,
    Ints,
    maxima,
    sums,
)
from tenure.features.plan.columns import Window


@dataclass(frozen=True)
class MemberRows:
    """Rows spread over the members of each account.

    Attributes:
        rows: One lane per member, those of one account side by side.
        owner: Lane that each member belongs to, ascending, shape (members,).
        lanes: How many lanes the members belong to.
    """

    rows: GridRows
    owner: Ints
    lanes: int

    @classmethod
    def of(cls, rows: GridRows, keys: Array, *, shared: bool = True) -> MemberRows:
        """Number the members of all lanes.

        Args:
            rows: Rows on the grid.
            keys: What tells members of one lane apart, shape (n,), integers.
            shared: Whether a key may stand in several lanes.
        """
        codes, members = pd.factorize(keys)
        if shared:
            codes, members = pd.factorize(codes * rows.lanes + rows.lane)
        owner = np.empty(len(members), dtype=np.int64)
        owner[codes] = rows.lane
        order = np.argsort(owner, kind="stable")
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        return cls(rows.spread(place[codes], len(owner)), owner[order], rows.lanes)

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

        Args:
            times: When each row happened, shape (n,).
            windows: The windows.
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
