"""The fold: from cells on the grid of accounts and cut-offs to one value per account and cut-off.

Every row (or group of rows) is visible over one range of cut-offs ``[begin, end)``: from the first
that may see it to the first whose window has passed it, or at which it has ended.  So each
aggregate is a sum, a union or an extreme over ranges.  Pure functions over integers: no times, no
SQL, no state.  Sums are exact 64-bit integers, so no order of rows or threads can change them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Ints = np.ndarray[Any, np.dtype[np.int64]]

NOTHING = np.iinfo(np.int64).min


@dataclass(frozen=True)
class Ranges:
    """Where each cell is visible.

    Attributes:
        account: Row of the grid, shape (n,).
        begin: First cut-off that sees the cell, shape (n,).
        end: First later cut-off that does not, shape (n,); at or before `begin` means never.
        shape: Accounts and cut-offs of the grid.
    """

    account: Ints
    begin: Ints
    end: Ints
    shape: tuple[int, int]

    def keep(self, mask: np.ndarray[Any, np.dtype[np.bool_]]) -> Ranges:
        """Return the cells that a mask selects."""
        return Ranges(self.account[mask], self.begin[mask], self.end[mask], self.shape)

    @property
    def alive(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Return which cells any cut-off sees."""
        return self.begin < self.end


def total(ranges: Ranges, amounts: Ints) -> Ints:
    """Return the sum of the amounts visible at each account and cut-off, shape (N, K)."""
    alive = ranges.alive
    seen, amounts = ranges.keep(alive), amounts[alive]
    accounts, cutoffs = ranges.shape
    steps = np.zeros(accounts * (cutoffs + 1), dtype=np.int64)
    np.add.at(steps, seen.account * (cutoffs + 1) + seen.begin, amounts)
    np.subtract.at(steps, seen.account * (cutoffs + 1) + seen.end, amounts)
    grid = steps.reshape(accounts, cutoffs + 1)
    return np.cumsum(grid, axis=1)[:, :cutoffs]


def distinct(ranges: Ranges, members: Ints) -> Ints:
    """Return how many distinct members are visible at each account and cut-off, shape (N, K).

    A member's ranges are joined into disjoint ones first, so that it counts once.
    """
    alive = ranges.alive
    seen, members = ranges.keep(alive), members[alive]
    if not len(members):
        return np.zeros(ranges.shape, dtype=np.int64)
    order = np.lexsort((seen.begin, members, seen.account))
    account, begin, end = seen.account[order], seen.begin[order], seen.end[order]
    member = members[order]
    new = np.ones(len(member), dtype=bool)
    new[1:] = (account[1:] != account[:-1]) | (member[1:] != member[:-1])
    # One running maximum serves all members: each member's ends are lifted above the last one's.
    lift = np.cumsum(new) * (ranges.shape[1] + 1)
    reached = np.maximum.accumulate(end + lift) - lift
    covered = np.zeros_like(begin)
    covered[1:] = np.where(new[1:], 0, reached[:-1])
    fresh = np.maximum(begin, covered)
    return total(Ranges(account, fresh, end, ranges.shape), np.ones_like(begin))


def highest(ranges: Ranges, values: Ints) -> Ints:
    """Return the largest value visible at each account and cut-off, `NOTHING` where none is."""
    alive = ranges.alive
    seen, values = ranges.keep(alive), values[alive]
    accounts, cutoffs = ranges.shape
    grid = np.full((accounts, cutoffs), NOTHING, dtype=np.int64)
    lasting = seen.end >= cutoffs
    forever, passing = seen.keep(lasting), seen.keep(~lasting)
    np.maximum.at(grid, (forever.account, forever.begin), values[lasting])
    grid = np.maximum.accumulate(grid, axis=1)
    length = passing.end - passing.begin
    if len(length):
        row = np.repeat(np.arange(len(length)), length)
        offset = np.arange(len(row)) - np.repeat(np.cumsum(length) - length, length)
        cutoff = passing.begin[row] + offset
        np.maximum.at(grid, (passing.account[row], cutoff), values[~lasting][row])
    return grid


def lowest(ranges: Ranges, values: Ints) -> Ints:
    """Return the smallest value visible at each account and cut-off, `NOTHING` where none is."""
    grid = highest(ranges, -values)
    return np.where(grid == NOTHING, NOTHING, -grid)


def latest(ranges: Ranges, times: Ints, order: Ints) -> Ints:
    """Return the index of the latest visible cell, -1 where none is, shape (N, K).

    Args:
        ranges: Where the cells are visible.
        times: When each happened, shape (n,).
        order: What decides between equal times: the larger wins, shape (n,).
    """
    ranked = np.lexsort((order, times))
    rank = np.empty(len(times), dtype=np.int64)
    rank[ranked] = np.arange(len(times))
    grid = highest(ranges, rank)
    if not len(times):
        return np.full(ranges.shape, -1, dtype=np.int64)
    return np.where(grid == NOTHING, -1, ranked[np.maximum(grid, 0)])
