"""The fold of a few rows at one cut-off: all windows in one array.

A row is visible in a window where its slot lies in the window's span, it was known before the
cut-off, and it has not ended; what is visible is joined by whole numbers, as in the fold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from tenure.features.fold import Array, Grids, Ints, Rows
    from tenure.features.timeline import Timeline, Window

FEW_CELLS = 65_536
"""Windows by rows (or lanes) that are looked at in one array."""


def is_few(rows: Rows, windows: tuple[Window, ...]) -> bool:
    """Return whether rows are so few, at one cut-off, that all windows are looked at together."""
    cells = max(len(rows.lane), rows.lanes) * len(windows)
    return rows.timeline.size == 1 and cells <= FEW_CELLS


def all_windows(
    rows: Rows, windows: tuple[Window, ...], values: Array, join: np.ufunc, start: int
) -> Grids:
    """Return, per window, the visible values of each lane, joined; shape (L, 1).

    Args:
        rows: Rows on a grid of one cut-off.
        windows: The windows.
        values: Whole number of each row, shape (n,).
        join: How values are joined.
        start: What they are joined to.
    """
    first, past = _bounds(rows.timeline, windows)
    values = values.astype(np.int64, copy=False)
    visible = (rows.slot >= first) & (rows.slot < past) & (rows.seen < 1)
    if rows.gone is not None:
        visible &= rows.gone > 0
    if rows.lanes == 1:
        shown = np.where(visible, values, start)
        grid: Any = join.reduce(shown, axis=1, initial=start)[:, None]
    else:
        grid = np.full((len(first), rows.lanes), start, dtype=np.int64)
        window, row = np.nonzero(visible)
        join.at(grid, (window, rows.lane[row]), values[row])
    distinct = dict.fromkeys(windows)
    return {window: grid[place][:, None] for place, window in enumerate(distinct)}


def _bounds(timeline: Timeline, windows: tuple[Window, ...]) -> tuple[Ints, Ints]:
    """Return the first slot of each window, and the first past it, shape (windows, 1)."""
    key = "bounds", windows
    if key not in timeline.memo:
        spans = [timeline.span(window) for window in dict.fromkeys(windows)]
        timeline.memo[key] = tuple(np.asarray(edge) for edge in zip(*spans, strict=True))
    found: tuple[Ints, Ints] = timeline.memo[key]
    return found
