"""One feature value per snapshot (account × prediction time), from folded rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from tenure.core.arrays import Array, Flags, Ints
from tenure.core.formulas import evaluate
from tenure.core.times import EPOCH
from tenure.features.compute.aggregate import PlacedRows, default
from tenure.features.compute.window_fold import NOTHING
from tenure.features.plan.columns import MeasuredColumn
from tenure.features.plan.plan import Plan

MICROSECONDS_PER_DAY = 86_400_000_000

FeatureValues = tuple["MeasuredColumn", Array]
"""A feature and its values for some snapshots."""
Starts = Mapping[str, list[date | None]]
"""Source → per prediction time, the first day of its history."""


@dataclass(frozen=True)
class SnapshotIndex:
    """Snapshots as numbers: which account, and which prediction time."""

    accounts: Array
    """Distinct accounts, ascending."""
    cutoffs: tuple[datetime, ...]
    """Distinct prediction times, ascending."""
    account_no: Ints
    """Number of the account of each snapshot, shape (n,)."""
    cut_no: Ints
    """Number of its prediction time, shape (n,)."""

    @classmethod
    def of(cls, rows: pd.DataFrame) -> SnapshotIndex:
        """Number the accounts and prediction times of snapshots."""
        names = rows["account_id"].to_numpy(dtype=object)
        times = rows["as_of"].to_numpy(dtype="datetime64[us]").astype(np.int64)
        account_no, accounts = pd.factorize(names, sort=True)
        stamps, cut_no = np.unique(times, return_inverse=True)
        cutoffs = tuple(EPOCH + timedelta(microseconds=int(stamp)) for stamp in stamps)
        return cls(accounts, cutoffs, account_no.astype(np.int64), cut_no.astype(np.int64))

    @cached_property
    def times(self) -> Ints:
        """Return each snapshot's prediction time in microseconds since 1970, shape (n,)."""
        moments = [(cutoff - EPOCH) // timedelta(microseconds=1) for cutoff in self.cutoffs]
        return np.asarray(moments, dtype=np.int64)[self.cut_no]

    def part(self, first: int, last: int) -> tuple[Ints, SnapshotIndex]:
        """Return the snapshots of some accounts: their places and themselves."""
        if (first, last) == (0, len(self.accounts)):
            return np.arange(len(self.account_no)), self
        inside = np.flatnonzero((self.account_no >= first) & (self.account_no < last))
        numbers = self.account_no[inside] - first
        part = SnapshotIndex(self.accounts[first:last], self.cutoffs, numbers, self.cut_no[inside])
        return inside, part


def measured_values(
    index: SnapshotIndex, placed: Iterable[PlacedRows], starts: Starts
) -> Iterator[FeatureValues]:
    """Yield the measured features of some snapshots from the placed rows of their accounts.

    Values have the shape (n,): float64, or objects for words.
    """
    for item in placed:
        for feature, grid in item.grids():
            values = grid[index.account_no, index.cut_no]
            if feature.aggregate.relative:
                values = _relative(values, index.times, feature)
            if feature.spec.window is not None:
                short = _too_short(feature, index.cutoffs, starts[feature.feature.source])
                if short.any():
                    nothing: Any = None if feature.spec.text else np.nan
                    values = np.where(short[index.cut_no], nothing, values)
            yield feature, values


def column_values(
    plan: Plan, index: SnapshotIndex, measured: Iterable[FeatureValues]
) -> Iterator[tuple[str, Array]]:
    """Yield the columns of some snapshots from the measured features of all sources of a plan.

    Values have the shape (n,): float64, or objects for words.
    """
    numbers, shape = _calendar_values(index), index.times.shape
    for feature, values in measured:
        if feature.spec.text:
            yield feature.spec.name, values
        else:
            numbers[feature.spec.name] = values
    for computed in plan.computed:
        value = evaluate(computed.formula, numbers)
        whole = value if value.shape == shape else np.broadcast_to(value, shape)
        numbers[computed.spec.name] = whole
    for name, spec in plan.specs.items():
        if not spec.text:
            yield name, numbers[name]


def _calendar_values(index: SnapshotIndex) -> dict[str, Array]:
    """Return what formulas may read of the prediction time alone."""
    quarter = [
        (date(t.year + (t.month > 9), (t.month + 2) // 3 * 3 % 12 + 1, 1) - t.date()).days
        for t in index.cutoffs
    ]
    return {
        "as_of_month": np.asarray([t.month for t in index.cutoffs], dtype=np.float64)[index.cut_no],
        "as_of_quarter_day": np.asarray(quarter, dtype=np.float64)[index.cut_no],
    }


def _relative(moments: Array, times: Array, item: MeasuredColumn) -> Array:
    """Return days from a time to `as_of` (or back), the default where there is none."""
    distance = (times - moments) if item.aggregate.relative == "since" else (moments - times)
    return np.where(moments == NOTHING, default(item), distance / MICROSECONDS_PER_DAY)


def _too_short(
    item: MeasuredColumn, cutoffs: tuple[datetime, ...], first: list[date | None]
) -> Flags:
    """Return the prediction times at which a source's history does not fill a window."""
    starts = [(cutoff - timedelta(days=item.spec.window or 0)).date() for cutoff in cutoffs]
    pairs = zip(first, starts, strict=True)
    return np.asarray([day is None or day > start for day, start in pairs])
