"""The fold: from rows on the grid of accounts, cut-offs and slots to one value per cut-off.

A row stands in a slot (when it happened) and is seen from a cut-off on (when it was known).  The
windows of all cut-offs are spans of slots, so for rows that were seen as soon as they could be a
window is the difference of two running totals, or the extreme of a span.  A row that was known
late, or that ends, is visible over one range of cut-offs ``[begin, end)`` instead.  Pure functions
over integers: no times, no SQL, no state.  Sums are exact 64-bit integers, so no order of rows or
threads can change them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from tenure.features.compute.timeline import Timeline
from tenure.features.plan.columns import Window

Array = np.ndarray[Any, Any]
Ints = np.ndarray[Any, np.dtype[np.int64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]
Grids = dict[Window, Ints]

NOTHING = np.iinfo(np.int64).min


@dataclass(frozen=True)
class GridRows:
    """Rows on the grid.

    Attributes:
        timeline: The grid.
        lane: What a row counts for, from 0: an account, or a member of an account; shape (n,).
        lanes: How many lanes there are.
        seen: First cut-off that knows the row, shape (n,).
        slot: When it happened, shape (n,).
        gone: First cut-off at which it has ended, where only running rows count, shape (n,).
        weight: How many rows it stands for, None for one each, shape (n,).
    """

    timeline: Timeline
    lane: Array
    lanes: int
    seen: Array
    slot: Array
    gone: Array | None = None
    weight: Array | None = None

    def keep(self, mask: Mask) -> GridRows:
        """Return the rows that a mask selects."""
        gone = None if self.gone is None else self.gone[mask]
        weight = None if self.weight is None else self.weight[mask]
        lane, seen, slot = self.lane[mask], self.seen[mask], self.slot[mask]
        return GridRows(self.timeline, lane, self.lanes, seen, slot, gone, weight)

    def spread(self, lane: Array, lanes: int) -> GridRows:
        """Return the same rows over other lanes."""
        return replace(self, lane=lane, lanes=lanes)

    @cached_property
    def late(self) -> Mask:
        """Return which rows need a range: known after the first cut-off that could see them."""
        if self.gone is not None:
            return np.ones(len(self.lane), dtype=bool)
        return np.asarray(self.seen > self.timeline.prompt.astype(self.seen.dtype)[self.slot])

    def ranges(self, window: Window) -> VisibleRanges:
        """Return the cut-offs at which each row is visible in a window."""
        begin, end = self.timeline.visible(window, self.slot)
        if self.gone is not None:
            end = np.minimum(end, self.gone)
        shape = (self.lanes, self.timeline.size)
        return VisibleRanges(self.lane.astype(np.int64), np.maximum(begin, self.seen), end, shape)


@dataclass(frozen=True)
class VisibleRanges:
    """Where each row is visible.

    Attributes:
        lane: Row of the grid, shape (n,).
        begin: First cut-off that sees it, shape (n,).
        end: First later cut-off that does not, shape (n,); at or before `begin` means never.
        shape: Lanes and cut-offs of the grid.
    """

    lane: Ints
    begin: Ints
    end: Ints
    shape: tuple[int, int]

    def keep(self, mask: Mask) -> VisibleRanges:
        """Return the rows that a mask selects."""
        return VisibleRanges(self.lane[mask], self.begin[mask], self.end[mask], self.shape)

    @property
    def alive(self) -> Mask:
        """Return which rows any cut-off sees."""
        return np.asarray(self.begin < self.end)


def range_sums(ranges: VisibleRanges, amounts: Array) -> Ints:
    """Return the sum of the amounts visible in each lane at each cut-off, shape (L, K)."""
    alive = ranges.alive
    seen, amounts = ranges.keep(alive), amounts[alive]
    lanes, cutoffs = ranges.shape
    steps = np.zeros(lanes * (cutoffs + 1), dtype=np.int64)
    np.add.at(steps, seen.lane * (cutoffs + 1) + seen.begin, amounts)
    np.subtract.at(steps, seen.lane * (cutoffs + 1) + seen.end, amounts)
    grid = steps.reshape(lanes, cutoffs + 1)
    return np.cumsum(grid, axis=1)[:, :cutoffs]


def range_maxima(ranges: VisibleRanges, values: Array) -> Ints:
    """Return the largest value visible in each lane at each cut-off, `NOTHING` where none is."""
    alive = ranges.alive
    seen, values = ranges.keep(alive), values[alive]
    lanes, cutoffs = ranges.shape
    grid = np.full((lanes, cutoffs), NOTHING, dtype=np.int64)
    lasting = seen.end >= cutoffs
    forever, passing = seen.keep(lasting), seen.keep(~lasting)
    np.maximum.at(grid, (forever.lane, forever.begin), values[lasting])
    grid = np.maximum.accumulate(grid, axis=1)
    length = passing.end - passing.begin
    if len(length):
        row = np.repeat(np.arange(len(length)), length)
        offset = np.arange(len(row)) - np.repeat(np.cumsum(length) - length, length)
        cutoff = passing.begin[row] + offset
        np.maximum.at(grid, (passing.lane[row], cutoff), values[~lasting][row])
    return grid


def sums(rows: GridRows, amounts: Array | None, windows: Iterable[Window]) -> Grids:
    """Return, per window, the sum of the amounts visible in each lane at each cut-off.

    Args:
        rows: Rows on the grid.
        amounts: What each row adds, shape (n,); None adds how many it stands for.
        windows: The windows, of the rows' timeline.

    Returns:
        Window → shape (L, K).
    """
    amounts = rows.weight if amounts is None else amounts
    late = rows.late
    spans = _Spans(rows.timeline, windows)
    found: Grids = {}
    if not late.all():
        place = spans.place(rows if not late.any() else rows.keep(~late))
        if amounts is None:
            flat = np.bincount(place, minlength=rows.lanes * spans.width)
        else:
            flat = np.zeros(rows.lanes * spans.width, dtype=np.int64)
            np.add.at(flat, place, amounts if not late.any() else amounts[~late])
        running = np.zeros((rows.lanes, spans.width + 1), dtype=np.int64)
        np.cumsum(flat.reshape(rows.lanes, spans.width), axis=1, out=running[:, 1:])
        for window, (start, stop) in spans.of.items():
            found[window] = running[:, stop] - running[:, start]
    if late.any() or not found:
        rest = rows.keep(late)
        added = np.ones(len(rest.lane), dtype=np.int64) if amounts is None else amounts[late]
        for window in spans.of:
            more = range_sums(rest.ranges(window), added)
            found[window] = found[window] + more if window in found else more
    return found


def maxima(rows: GridRows, values: Array, windows: Iterable[Window]) -> Grids:
    """Return, per window, the largest value visible in each lane at each cut-off.

    Args:
        rows: Rows on the grid.
        values: Value of each row, shape (n,).
        windows: The windows, of the rows' timeline.

    Returns:
        Window → shape (L, K), `NOTHING` where no row is visible.
    """
    late = rows.late
    spans = _Spans(rows.timeline, windows)
    found: Grids = {}
    if not late.all():
        flat = np.full(rows.lanes * spans.width, NOTHING, dtype=np.int64)
        prompt, given = (rows.keep(~late), values[~late]) if late.any() else (rows, values)
        np.maximum.at(flat, spans.place(prompt), given)
        dense = flat.reshape(rows.lanes, spans.width)
        for window, span in spans.of.items():
            found[window] = _extremes(dense, window, *span)
    if late.any() or not found:
        rest = rows.keep(late)
        for window in spans.of:
            more = range_maxima(rest.ranges(window), values[late])
            found[window] = np.maximum(found[window], more) if window in found else more
    return found


def minima(rows: GridRows, values: Array, windows: Iterable[Window]) -> Grids:
    """Return, per window, the smallest value visible, `NOTHING` where no row is; see `maxima`."""
    grids = maxima(rows, -values, windows)
    return {window: np.where(grid == NOTHING, NOTHING, -grid) for window, grid in grids.items()}


def latest(rows: GridRows, times: Array, order: Array, windows: Iterable[Window]) -> Grids:
    """Return, per window, the index of the latest visible row, -1 where none is, shape (L, K).

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


def _extremes(dense: Ints, window: Window, start: Ints, stop: Ints) -> Ints:
    if window.length is None:
        return np.asarray(np.maximum.accumulate(dense, axis=1)[:, stop - 1])
    columns = [
        dense[:, first:last].max(axis=1, initial=NOTHING)
        for first, last in zip(start, stop, strict=True)
    ]
    return np.stack(columns, axis=1)


class _Spans:
    """Slots joined to what some windows can tell apart, which keeps dense grids small."""

    def __init__(self, timeline: Timeline, windows: Iterable[Window]) -> None:
        spans = {window: timeline.span(window) for window in dict.fromkeys(windows)}
        bounds = np.unique(np.concatenate([np.concatenate(span) for span in spans.values()]))
        # Bin 0 holds what lies before every window, bin i what lies from bound i − 1 on.
        self.of = {
            window: (np.searchsorted(bounds, start) + 1, np.searchsorted(bounds, stop) + 1)
            for window, (start, stop) in spans.items()
        }
        self.coarse = np.searchsorted(bounds, np.arange(timeline.slots), side="right").astype(
            np.int32
        )
        self.width = len(bounds) + 1

    def place(self, rows: GridRows) -> Ints:
        """Return the cell of each row in a flat grid of lanes by joined slots."""
        place = rows.lane.astype(np.int64)
        place *= self.width
        place += self.coarse[rows.slot]
        return place
