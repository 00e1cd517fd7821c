"""The fold: from rows on the grid of accounts, cut-offs and slots to one value per cut-off.

A row stands in a slot (when it happened) and is seen from a cut-off on (when it was known); so
each window shows it at one range of cut-offs, ``[begin, end)`` (`GridRows.ranges`).  `fold` joins
what is visible, by addition or by the larger value; counts, sums, extremes, latest rows, distinct
members and active days all use it.

Most rows were known as soon as they could be seen.  For these a window is a span of slots, and the
fold reads them once for all windows: a sum is the difference of two running totals.  Pure functions
over integers: no times, no SQL, no state.  Sums are exact 64-bit integers, so no order of rows or
threads can change them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from tenure.core.arrays import Array, Flags, Ints
from tenure.features.compute.timeline import Timeline
from tenure.features.plan.columns import Window

Grids = dict[Window, Ints]
Join = Literal["add", "larger"]

NOTHING = np.iinfo(np.int64).min
"""The larger of no values."""
UFUNC: dict[Join, np.ufunc] = {"add": np.add, "larger": np.maximum}


@dataclass(frozen=True)
class GridRows:
    """Rows on the grid."""

    timeline: Timeline
    lane: Array
    """What a row counts for, from 0: an account, or a member of an account; shape (n,)."""
    lanes: int
    """How many lanes there are."""
    seen: Array
    """First cut-off that knows the row, shape (n,)."""
    slot: Array
    """When it happened, shape (n,)."""
    gone: Array | None = None
    """First cut-off at which it has ended, where only running rows count, shape (n,)."""
    weight: Array | None = None
    """How many rows it stands for, None for one each, shape (n,)."""

    def keep(self, mask: Flags) -> GridRows:
        """Return the rows that a mask selects."""
        gone = None if self.gone is None else self.gone[mask]
        weight = None if self.weight is None else self.weight[mask]
        lane, seen, slot = self.lane[mask], self.seen[mask], self.slot[mask]
        return GridRows(self.timeline, lane, self.lanes, seen, slot, gone, weight)

    @cached_property
    def late(self) -> Flags:
        """Return which rows were known after the first cut-off that could see them, or end."""
        if self.gone is not None:
            return np.ones(len(self.lane), dtype=bool)
        return np.asarray(self.seen > self.timeline.prompt.astype(self.seen.dtype)[self.slot])

    def ranges(self, window: Window) -> tuple[Ints, Ints]:
        """Return the first cut-off at which a window shows each row, and the first that does not.

        A row whose first cut-off is not before its second is never visible.
        """
        begin, end = self.timeline.visible(window, self.slot)
        if self.gone is not None:
            end = np.minimum(end, self.gone)
        return np.maximum(begin, self.seen), end


def fold(rows: GridRows, values: Array | None, windows: Iterable[Window], join: Join) -> Grids:
    """Return, per window, what the visible rows of each lane at each cut-off join to.

    Args:
        rows: Rows on the grid.
        values: What each row adds, or is compared by, shape (n,), integers; None counts them.
        windows: The windows, of the rows' timeline.
        join: Whether values are added up, or the largest counts.

    Returns:
        Window → shape (lanes, cut-offs); where no row is visible 0, or the least number of the
        values' type (`NOTHING` for int64).
    """
    late = rows.late
    prompt = not late.all()
    slots = _JoinedSlots(rows.timeline, windows)
    grids = dict.fromkeys(slots.spans, np.empty(0, dtype=np.int64))
    if prompt:
        some = late.any()
        part = rows.keep(~late) if some else rows
        prompt_values = values[~late] if some and values is not None else values
        dense = slots.joined(part, prompt_values, join)
        if join == "add":
            dense = np.pad(np.cumsum(dense, axis=1), ((0, 0), (1, 0)))
        for window, (start, stop) in slots.spans.items():
            grids[window] = (
                dense[:, stop] - dense[:, start]
                if join == "add"
                else _largest(dense, window, start, stop)
            )
    if late.any() or not prompt:
        rest, rest_values = rows.keep(late), None if values is None else values[late]
        for window in slots.spans:
            grid = _over_ranges(rest, rest_values, window, join)
            grids[window] = UFUNC[join](grids[window], grid) if prompt else grid
    return grids


def sums(rows: GridRows, amounts: Array | None, windows: Iterable[Window]) -> Grids:
    """Return, per window, the sum of the visible amounts; None counts how many rows there are."""
    return fold(rows, rows.weight if amounts is None else amounts, windows, "add")


def maxima(rows: GridRows, values: Array, windows: Iterable[Window]) -> Grids:
    """Return, per window, the largest visible value, `NOTHING` where no row is visible."""
    return fold(rows, values, windows, "larger")


def minima(rows: GridRows, values: Array, windows: Iterable[Window]) -> Grids:
    """Return, per window, the smallest visible value, `NOTHING` where no row is visible."""
    grids = maxima(rows, -values, windows)
    return {window: np.where(grid == NOTHING, NOTHING, -grid) for window, grid in grids.items()}


def latest(rows: GridRows, times: Array, order: Array, windows: Iterable[Window]) -> Grids:
    """Return, per window, the index of the latest visible row, -1 where no row is visible.

    Args:
        rows: Rows on the grid.
        times: When each happened, shape (n,).
        order: What decides between equal times: the larger wins, shape (n,).
        windows: The windows, of the rows' timeline.
    """
    ranked = np.append(np.lexsort((order, times)), -1)
    rank = np.empty(len(times), dtype=np.int64)
    rank[ranked[:-1]] = np.arange(len(times))
    grids = maxima(rows, rank, windows)
    return {window: ranked[np.where(grid == NOTHING, -1, grid)] for window, grid in grids.items()}


def _over_ranges(rows: GridRows, values: Array | None, window: Window, join: Join) -> Ints:
    """Return what rows join to that are visible over a range of cut-offs each."""
    begin, end = rows.ranges(window)
    alive = begin < end
    values = np.ones(len(begin), dtype=np.int64) if values is None else values
    lane, begin, end, values = rows.lane[alive], begin[alive], end[alive], values[alive]
    cutoffs = rows.timeline.size
    grid = _start((rows.lanes, cutoffs + 1), values, join)
    if join == "add":
        np.add.at(grid, (lane, begin), values)
        np.subtract.at(grid, (lane, end), values)
        return np.cumsum(grid, axis=1)[:, :cutoffs]
    lasting = end >= cutoffs
    np.maximum.at(grid, (lane[lasting], begin[lasting]), values[lasting])
    grid = np.maximum.accumulate(grid, axis=1)
    lane, begin, values = lane[~lasting], begin[~lasting], values[~lasting]
    length = end[~lasting] - begin
    row = np.repeat(np.arange(len(length)), length)
    offset = np.arange(len(row)) - np.repeat(np.cumsum(length) - length, length)
    np.maximum.at(grid, (lane[row], begin[row] + offset), values[row])
    return grid[:, :cutoffs]


def _start(shape: tuple[int, ...], values: Array, join: Join) -> Array:
    """Return what values are joined to: sums in 64 bits, extremes in the values' own type."""
    if join == "add":
        return np.zeros(shape, dtype=np.int64)
    return np.full(shape, np.iinfo(values.dtype).min, dtype=values.dtype)


def _largest(dense: Ints, window: Window, start: Ints, stop: Ints) -> Ints:
    if window.length is None:
        return np.asarray(np.maximum.accumulate(dense, axis=1)[:, stop - 1])
    columns = [
        dense[:, first:last].max(axis=1, initial=np.iinfo(dense.dtype).min)
        for first, last in zip(start, stop, strict=True)
    ]
    return np.stack(columns, axis=1)


class _JoinedSlots:
    """Slots joined to what some windows can tell apart, which keeps dense grids small.

    Attributes:
        spans: Window → per cut-off, its first joined slot, and the first past it.
    """

    def __init__(self, timeline: Timeline, windows: Iterable[Window]) -> None:
        spans = {window: timeline.span(window) for window in dict.fromkeys(windows)}
        bounds = np.unique(np.concatenate([np.concatenate(span) for span in spans.values()]))
        # Joined slot 0 holds what lies before every window, slot i what lies from bound i − 1 on.
        self.spans = {
            window: (np.searchsorted(bounds, start) + 1, np.searchsorted(bounds, stop) + 1)
            for window, (start, stop) in spans.items()
        }
        slots = np.arange(timeline.slots)
        self._number = np.searchsorted(bounds, slots, side="right").astype(np.int32)
        self._width = len(bounds) + 1

    def joined(self, rows: GridRows, values: Array | None, join: Join) -> Ints:
        """Return what rows of one lane and joined slot join to, shape (lanes, joined slots)."""
        place = rows.lane.astype(np.int64)
        place *= self._width
        place += self._number[rows.slot]
        size = rows.lanes * self._width
        if values is None:
            flat = np.bincount(place, minlength=size).astype(np.int64, copy=False)
        else:
            flat = _start((size,), values, join)
            UFUNC[join].at(flat, place, values)
        return flat.reshape(rows.lanes, self._width)
