"""From the placed rows of some accounts to window values: each feature, per account and cut-off.

Pure functions over arrays, so the same code runs in one process and in the executors of a cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import pyarrow as pa

from tenure.core.arrays import Array, Flags
from tenure.core.fragments import Aggregate
from tenure.features.compute.members import ActiveDays, MemberRows
from tenure.features.compute.source_query import (
    JOINED,
    MOMENT,
    SCALE,
    WEIGHT,
    Selection,
    SourceQuery,
    category_column,
    condition,
    operand,
)
from tenure.features.compute.window_fold import (
    NOTHING,
    GridRows,
    Grids,
    latest,
    maxima,
    minima,
    sums,
)
from tenure.features.plan.columns import MeasuredColumn, Window


def array_of(column: pa.ChunkedArray) -> tuple[Array, Flags | None]:
    """Return the values of a column, and the mask of where there is one (None: everywhere).

    Missing numbers are 0; unsigned 64-bit integers become signed ones of the same bits.
    """
    valid = column.is_valid().to_numpy() if column.null_count else None
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return column.to_numpy(zero_copy_only=False), valid
    if valid is not None:
        column = column.fill_null(False if pa.types.is_boolean(column.type) else 0)
    values: Array = column.to_numpy()
    return (values.view(np.int64) if values.dtype == np.uint64 else values), valid


@dataclass(frozen=True)
class PlacedRows:
    """The placed rows of one source for a batch of accounts."""

    query: SourceQuery
    """What was read."""
    table: pa.Table
    """Result of the query's statement."""
    accounts: int
    """Accounts of the batch."""
    first: int = 0
    """Number of its first account."""
    arrays: dict[str, tuple[Array, Flags | None]] = field(default_factory=dict)
    """Its columns as arrays, as they are used."""

    def column(self, name: str) -> tuple[Array, Flags | None]:
        """Return a column's values, and where it has any (None: everywhere)."""
        if name not in self.arrays:
            self.arrays[name] = array_of(self.table.column(name))
        return self.arrays[name]

    def grids(self) -> Iterable[tuple[MeasuredColumn, Array]]:
        """Yield each feature and its values, shape (accounts, cut-offs).

        Times stay in microseconds, `NOTHING` where there is none; words are objects.
        """
        for key, groups in self.query.groups.items():
            windows = {item.window for items in groups.values() for item in items}
            yield from _RowSubset.of(self, key, windows).grids(groups)


@dataclass(frozen=True)
class _RowSubset:
    """Rows that a group of features reads."""

    placed: PlacedRows
    """All rows."""
    rows: GridRows
    """The subset; with `each`, the lanes are accounts by chosen values."""
    mask: Flags | None
    """Which rows these are, None for all."""
    categories: Mapping[str, int]
    """Chosen value → its number."""
    members: dict[str, tuple[MemberRows, Flags | None]] = field(default_factory=dict)
    """Members of the accounts, by the column that tells them apart."""

    @classmethod
    def of(cls, placed: PlacedRows, key: Selection, windows: Iterable[Window]) -> _RowSubset:
        clocks, at, running, where, each, whole = key
        query, timeline = placed.query, placed.query.timeline
        seen, slot = placed.column(query.seen[clocks])[0], placed.column(query.slot[at])[0]
        mask = seen < timeline.size
        if not whole:
            # What happened before every window counts for none of these features.
            mask &= slot >= min(int(timeline.span(window)[0][0]) for window in windows)
        if where is not None:
            mask &= placed.column(query.columns[condition(where)])[0]
        lane, lanes = placed.column("account_no")[0] - placed.first, placed.accounts
        categories = query.categories[each] if each else {}
        if each:
            number, present = placed.column(category_column(each))
            mask &= True if present is None else present
            lane, lanes = lane * len(categories) + number, lanes * len(categories)
        gone = placed.column("gone")[0] if running else None
        weight = placed.column(WEIGHT)[0] if query.weighs else None
        rows = GridRows(timeline, lane, lanes, seen, slot, gone, weight)
        if mask.all():
            return cls(placed, rows, None, categories)
        return cls(placed, rows.keep(mask), mask, categories)

    def column(self, name: str) -> tuple[Array, Flags | None]:
        """Return the values of a column for these rows, and where it has any."""
        values, present = self.placed.column(name)
        if self.mask is None:
            return values, present
        return values[self.mask], None if present is None else present[self.mask]

    def grids(
        self, groups: Mapping[Aggregate, list[MeasuredColumn]]
    ) -> Iterable[tuple[MeasuredColumn, Array]]:
        """Yield each feature and its values, shape (accounts, cut-offs)."""
        for aggregate, items in groups.items():
            windows = [item.window for item in items]
            grids = self._aggregated(aggregate, windows)
            for item in items:
                grid = grids[item.window]
                if item.member is not None:
                    shape = (self.placed.accounts, len(self.categories), grid.shape[1])
                    grid = grid.reshape(shape)[:, self.categories[item.member]]
                yield item, _with_defaults(grid, item)

    def _aggregated(self, aggregate: Aggregate, windows: list[Window]) -> Mapping[Window, Array]:
        read, kind = operand(aggregate), aggregate.kind
        if read is None:
            return sums(self.rows, None, windows)
        # Days of rows that end are members: a day goes with its last row.
        by_day = aggregate.days and self.rows.gone is None
        if kind in {"distinct", "most", "top"} and not by_day:
            return self._of_members(aggregate, windows)
        query, join = self.placed.query, JOINED.get(kind, "")
        values, present = self.column(query.column(read, join))
        if kind == "count":
            return sums(self.rows.keep(values), None, windows)
        rows = self.rows
        if query.cells and join == "sum":
            rows = replace(rows, weight=self.column(query.column(read, "count"))[0])
        if present is not None:
            rows, values = rows.keep(present), values[present]
        if kind == "last":
            return _last(rows, self._moments(present), values, windows, aggregate)
        return AGGREGATES[kind](rows, values, windows)

    def _of_members(self, aggregate: Aggregate, windows: list[Window]) -> Grids:
        name = self.placed.query.column(operand(aggregate) or "")
        if name not in self.members:
            keys, present = self.column(name)
            rows = self.rows if present is None else self.rows.keep(present)
            keys = keys if present is None else keys[present]
            # Keys of members hold their account, so lanes share none but where they are parts of
            # accounts; days are the same for all.
            shared = bool(self.categories) or aggregate.days
            self.members[name] = MemberRows.of(rows, keys, shared=shared), present
        members, present = self.members[name]
        if aggregate.kind == "distinct":
            return members.distinct(windows)
        if aggregate.kind == "most":
            return members.most(windows)
        return members.top(self._moments(present), windows)

    def _moments(self, present: Flags | None) -> Array:
        moments = self.column(self.placed.query.column(MOMENT, "max"))[0]
        return moments if present is None else moments[present]


def _amounts(
    rows: GridRows, values: Array, windows: list[Window], *, mean: bool = False
) -> dict[Window, Array]:
    """Return sums of amounts, or their means, not a number where nothing was added."""
    amounts, counts = sums(rows, values, windows), sums(rows, None, windows)
    return {
        window: np.where(count > 0, amounts[window] / SCALE, np.nan)
        / (np.maximum(count, 1) if mean else 1)
        for window, count in counts.items()
    }


AGGREGATES: dict[str, Callable[[GridRows, Array, list[Window]], Mapping[Window, Array]]] = {
    "sum": _amounts,
    "avg": partial(_amounts, mean=True),
    "min": minima,
    "max": maxima,
    "distinct": lambda rows, days, windows: ActiveDays.of(rows, days).count(windows),
    "longest_gap": lambda rows, days, windows: ActiveDays.of(rows, days).longest_gap(windows),
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
