"""From the placed rows of a block of accounts to the values of their snapshots.

Pure functions over arrays, so the same code runs in one process and in the executors of a cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from tenure.core.fragments import Aggregate
from tenure.engine.arrays import array_of
from tenure.features.compute.active_days import ActiveDays
from tenure.features.compute.distinct import MemberRows
from tenure.features.compute.source_query import (
    JOINED,
    MOMENT,
    SCALE,
    WEIGHT,
    Selection,
    SourceQuery,
    condition,
    member_column,
    operand,
)
from tenure.features.compute.timeline import Timeline
from tenure.features.compute.window_fold import (
    NOTHING,
    Array,
    GridRows,
    Grids,
    Mask,
    latest,
    maxima,
    minima,
    sums,
)
from tenure.features.plan.columns import MeasuredColumn, Window

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class PlacedRows:
    """The placed rows of one source for a block of accounts.

    Attributes:
        reading: What was read.
        timeline: The grid.
        table: Result of the reading's statement.
        accounts: Accounts of the block.
        first: Number of its first account.
        arrays: Its columns as arrays, as they are asked for.
    """

    reading: SourceQuery
    timeline: Timeline
    table: pa.Table
    accounts: int
    first: int = 0
    arrays: dict[str, tuple[Array, Mask | None]] = field(default_factory=dict)

    def column(self, name: str) -> tuple[Array, Mask | None]:
        """Return a column's values, and where there are any (None: everywhere)."""
        if name not in self.arrays:
            self.arrays[name] = array_of(self.table.column(name))
        return self.arrays[name]

    def whole(self, name: str) -> Array:
        """Return a column that has a value in every row."""
        return self.column(name)[0]

    def grids(self) -> Iterable[tuple[MeasuredColumn, Array]]:
        """Yield each feature and its values, shape (accounts, cut-offs).

        Times stay in microseconds, `NOTHING` where there is none; words are objects.
        """
        for key, groups in self.reading.groups.items():
            windows = {item.window for items in groups.values() for item in items}
            yield from _RowSubset.of(self, key, windows).grids(groups)


@dataclass(frozen=True)
class _RowSubset:
    """Rows that a group of features reads.

    Attributes:
        placed: All rows.
        rows: Theirs; with `each`, the lanes are accounts by chosen values.
        mask: Which rows these are, None for all.
        members: Chosen value → its number.
        crowds: Members of accounts that were found, by the column that tells them apart.
    """

    placed: PlacedRows
    rows: GridRows
    mask: Mask | None
    members: Mapping[str, int]
    crowds: dict[str, tuple[MemberRows, Mask | None]] = field(default_factory=dict)

    @classmethod
    def of(cls, placed: PlacedRows, key: Selection, windows: Iterable[Window]) -> _RowSubset:
        clocks, at, running, where, each, whole = key
        reading, timeline = placed.reading, placed.timeline
        seen, slot = placed.whole(reading.seen[clocks]), placed.whole(reading.slot[at])
        mask = seen < timeline.size
        if not whole:
            # What happened before every window counts for none of these features.
            mask &= slot >= min(int(timeline.span(window)[0][0]) for window in windows)
        if where is not None:
            mask &= placed.whole(reading.columns[condition(where)])
        lane, lanes = placed.whole("account_no") - placed.first, placed.accounts
        members = reading.members[each] if each else {}
        if each:
            number, there = placed.column(member_column(each))
            mask &= True if there is None else there
            lane, lanes = lane * len(members) + number, lanes * len(members)
        gone = placed.whole("gone") if running else None
        weight = placed.whole(WEIGHT) if reading.weighs else None
        rows = GridRows(timeline, lane, lanes, seen, slot, gone, weight)
        if mask.all():
            return cls(placed, rows, None, members)
        return cls(placed, rows.keep(mask), mask, members)

    def column(self, name: str) -> tuple[Array, Mask | None]:
        """Return the values of a column for these rows, and where there are any."""
        values, there = self.placed.column(name)
        if self.mask is None:
            return values, there
        return values[self.mask], None if there is None else there[self.mask]

    def grids(
        self, groups: Mapping[Aggregate, list[MeasuredColumn]]
    ) -> Iterable[tuple[MeasuredColumn, Array]]:
        """Yield each feature and its values, shape (accounts, cut-offs)."""
        for aggregate, items in groups.items():
            windows = [item.window for item in items]
            grids = self._fold(aggregate, windows)
            for item in items:
                grid = grids[item.window]
                if item.member is not None:
                    shape = (self.placed.accounts, len(self.members), grid.shape[1])
                    grid = grid.reshape(shape)[:, self.members[item.member]]
                yield item, _with_defaults(grid, item)

    def _fold(self, aggregate: Aggregate, windows: list[Window]) -> Mapping[Window, Array]:
        read = operand(aggregate)
        if read is None:
            return sums(self.rows, None, windows)
        # Days of rows that end are told apart like members: a day goes with its last row.
        by_day = aggregate.days and self.rows.gone is None
        if aggregate.kind in {"distinct", "most", "top"} and not by_day:
            return self._of_members(aggregate, windows)
        reading, join = self.placed.reading, JOINED.get(aggregate.kind, "")
        values, there = self.column(reading.column(read, join))
        if aggregate.kind == "count":
            return sums(self.rows.keep(values), None, windows)
        rows = self.rows
        if reading.cells and join == "sum":
            rows = replace(rows, weight=self.column(reading.column(read, "count"))[0])
        if there is not None:
            rows, values = rows.keep(there), values[there]
        if aggregate.kind == "last":
            return _last(rows, self._moments(there), values, windows, aggregate)
        return _FOLDS[aggregate.kind](rows, values, windows)

    def _of_members(self, aggregate: Aggregate, windows: list[Window]) -> Grids:
        name = self.placed.reading.column(operand(aggregate) or "")
        if name not in self.crowds:
            keys, there = self.column(name)
            rows = self.rows if there is None else self.rows.keep(there)
            keys = keys if there is None else keys[there]
            # Keys of members hold their account, so lanes share none but where they are parts of
            # accounts; days are the same for all.
            shared = bool(self.members) or aggregate.days
            self.crowds[name] = MemberRows.of(rows, keys, shared=shared), there
        crowd, there = self.crowds[name]
        if aggregate.kind == "distinct":
            return crowd.distinct(windows)
        if aggregate.kind == "most":
            return crowd.most(windows)
        return crowd.top(self._moments(there), windows)

    def _moments(self, there: Mask | None) -> Array:
        moments = self.column(self.placed.reading.column(MOMENT, "max"))[0]
        return moments if there is None else moments[there]


Fold = Callable[[GridRows, Array, list[Window]], Mapping[Window, Array]]


def _sum(rows: GridRows, values: Array, windows: list[Window]) -> dict[Window, Array]:
    """Return sums of amounts, not a number where nothing was added."""
    return {window: amount for window, (amount, _) in _totals(rows, values, windows).items()}


def _mean(rows: GridRows, values: Array, windows: list[Window]) -> dict[Window, Array]:
    totals = _totals(rows, values, windows)
    return {window: amount / np.maximum(count, 1) for window, (amount, count) in totals.items()}


def _totals(
    rows: GridRows, values: Array, windows: list[Window]
) -> dict[Window, tuple[Array, Array]]:
    """Return sums of amounts, not a number where nothing was added, and how many were added."""
    amounts, counts = sums(rows, values, windows), sums(rows, None, windows)
    return {
        window: (np.where(count > 0, amounts[window] / SCALE, np.nan), count)
        for window, count in counts.items()
    }


def _last(
    rows: GridRows, times: Array, values: Array, windows: list[Window], aggregate: Aggregate
) -> dict[Window, Array]:
    order = np.unique(values.astype(str), return_inverse=True)[1] if aggregate.text else values
    if aggregate.text:
        padded: Array = np.append(values.astype(object), np.asarray([None], dtype=object))
    elif aggregate.relative:
        padded = np.append(values, NOTHING)
    else:
        padded = np.append(values / SCALE, np.nan)
    return {window: padded[grid] for window, grid in latest(rows, times, order, windows).items()}


_FOLDS: dict[str, Fold] = {
    "sum": _sum,
    "avg": _mean,
    "min": minima,
    "max": maxima,
    "distinct": lambda rows, days, windows: ActiveDays.of(rows, days).count(windows),
    "longest_gap": lambda rows, days, windows: ActiveDays.of(rows, days).longest_gap(windows),
}


def default(item: MeasuredColumn) -> float:
    """Return the value where no row counts."""
    declared = item.feature.default
    if declared is not None:
        return declared
    kind = item.aggregate.kind
    counted = kind in {"count", "distinct", "most"} or (kind == "sum" and not item.feature.running)
    return 0.0 if counted else np.nan


def _with_defaults(grid: Array, item: MeasuredColumn) -> Array:
    """Return the values of a feature, its default where no row counts; times as they are."""
    aggregate = item.aggregate
    if aggregate.relative or aggregate.text:
        return grid
    if aggregate.kind in {"count", "distinct", "most"}:
        return np.where(grid > 0, grid, default(item))
    if aggregate.kind == "longest_gap":
        return np.where(grid == NOTHING, default(item), grid)
    if aggregate.kind in {"min", "max"}:
        return np.where(grid == NOTHING, default(item), grid / SCALE)
    return np.where(np.isnan(grid), default(item), grid)
