"""Members of an account (users, features used): how many were active, and who was most.

A member of one account is a lane of its own on the grid; what is said of the account is a sum or
an extreme over its members.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tenure.features.compute.window_fold import NOTHING, Array, GridRows, Grids, Ints, maxima, sums
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
        """Find the members.

        Args:
            rows: Rows on the grid.
            keys: What tells members of one lane apart, shape (n,), integers.
            shared: Whether a key may stand in several lanes.
        """
        codes, uniques = pd.factorize(keys)
        if shared:
            codes, uniques = pd.factorize(codes * rows.lanes + rows.lane)
        owner = np.empty(len(uniques), dtype=np.int64)
        owner[codes] = rows.lane
        order = np.argsort(owner, kind="stable")
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        return cls(rows.spread(place[codes], len(owner)), owner[order], rows.lanes)

    def distinct(self, windows: Iterable[Window]) -> Grids:
        """Return, per window, how many members are visible in each lane at each cut-off."""
        wanted = list(dict.fromkeys(windows))
        # The latest slot says nothing of what a lag leaves out, or of rows that have ended.
        counted = [w for w in wanted if w.lag or self.rows.gone is not None]
        counts = sums(self.rows, None, counted) if counted else {}
        latest = self._latest_slot()
        found = {}
        for window in wanted:
            if window in counts:
                active = counts[window] > 0
            else:
                active = latest >= self.rows.timeline.span(window)[0]
            found[window] = self._over(np.add, active.astype(np.int32), 0)
        return found

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
        wanted = list(dict.fromkeys(windows))
        counts, seen = sums(self.rows, None, wanted), maxima(self.rows, times, wanted)
        found = {}
        for window in wanted:
            most = self._over(np.maximum, counts[window], 0)[self.owner]
            leads = (counts[window] == most) & (most > 0)
            found[window] = self._over(
                np.maximum, np.where(leads, seen[window], NOTHING), int(NOTHING)
            )
        return found

    def _latest_slot(self) -> Ints:
        """Return the latest slot in which each member is seen at each cut-off, -1 for none."""
        size = self.rows.timeline.size
        grid = np.full(self.rows.lanes * size, -1, dtype=np.int32)
        place = self.rows.lane.astype(np.int64) * size + self.rows.seen
        np.maximum.at(grid, place, self.rows.slot.astype(np.int32))
        return np.asarray(np.maximum.accumulate(grid.reshape(-1, size), axis=1))

    def _over(self, join: np.ufunc, grid: Array, nothing: int) -> Ints:
        """Return members joined to lanes, shape (L, K)."""
        result = np.full((self.lanes, grid.shape[1]), nothing, dtype=np.int64)
        if len(self.owner):
            first = np.flatnonzero(np.diff(self.owner, prepend=-1))
            result[self.owner[first]] = join.reduceat(grid, first, axis=0)
        return result
