"""The feature matrix: one row per snapshot, one column per feature."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from tenure.core.fragments import evaluate
from tenure.core.times import EPOCH
from tenure.features.cells import SCALE, SCOPE, Stream, cells
from tenure.features.fold import NOTHING, Ints, Ranges, distinct, highest, latest, lowest, total
from tenure.features.timeline import Timeline

if TYPE_CHECKING:
    from tenure.engine import Engine
    from tenure.features.declare import FeatureSpec, Measured
    from tenure.features.plan import Plan

MICROSECONDS_PER_DAY = 86_400_000_000
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class FeatureMatrix:
    """Features of snapshots.

    Attributes:
        rows: The snapshots as given, with a fresh index.
        values: Same index; float32 columns, and object columns of words for text features.
        specs: How to speak of each column, and of those that a model adds.
        since: Column → the first prediction time at which the past known then asked for it;
            columns that are not listed were always there.
    """

    rows: pd.DataFrame
    values: pd.DataFrame
    specs: dict[str, FeatureSpec]
    since: dict[str, datetime] = field(default_factory=dict)


def build(
    engine: Engine,
    snapshots: pd.DataFrame,
    plan: Plan,
    *,
    since: Mapping[str, datetime] | None = None,
    progress: Callable[[str], None] | None = None,
) -> FeatureMatrix:
    """Compute the features of snapshots.

    Args:
        engine: Holds the canonical tables.
        snapshots: Columns ``account_id`` and ``as_of`` (naive UTC), any others are carried along.
        plan: Which features.
        since: See `FeatureMatrix`.
        progress: Called with a line for each statement that starts.

    Returns:
        The matrix, in the order of `snapshots`.
    """
    rows = snapshots.reset_index(drop=True)
    accounts, account_no = np.unique(rows["account_id"].to_numpy(dtype=str), return_inverse=True)
    times = rows["as_of"].to_numpy(dtype="datetime64[us]")
    stamps, cut_no = np.unique(times, return_inverse=True)
    cutoffs = tuple(EPOCH + timedelta(microseconds=int(stamp)) for stamp in stamps.astype(np.int64))
    numbers: dict[str, Array] = {}
    words: dict[str, Array] = {}
    if len(rows):
        engine.register(
            SCOPE,
            pa.table(
                {"account_id": accounts, "account_no": np.arange(len(accounts), dtype=np.int64)}
            ),
        )
        shape = (len(accounts), len(cutoffs))
        for stream in plan.streams:
            if progress:
                progress(f"features from {stream.source}")
            timeline = stream.timeline(cutoffs)
            table = engine.fetch(cells(stream, timeline).sql)
            for item, grid in _fold(stream, timeline, table, shape):
                picked = grid[account_no, cut_no]
                if item.aggregate.relative:
                    picked = _relative(picked, times, item)
                (words if item.spec.text else numbers)[item.spec.name] = picked
        engine.drop(SCOPE)
    for computed in plan.computed:
        numbers[computed.spec.name] = (
            np.broadcast_to(evaluate(computed.formula, numbers), len(rows))
            if len(rows)
            else np.empty(0)
        )
    return FeatureMatrix(
        rows, _frame(plan, numbers, words, len(rows)), plan.said, dict(since or {})
    )


def _frame(
    plan: Plan, numbers: dict[str, Array], words: dict[str, Array], size: int
) -> pd.DataFrame:
    """Return all columns in plan order; the only place where features become float32."""
    columns: dict[str, Any] = {}
    for name, spec in plan.specs.items():
        if spec.text:
            # Said, so that pandas does not choose a type by what happens to be there.
            columns[name] = pd.Series(words.get(name, np.empty(size)), dtype=object)
        else:
            columns[name] = np.asarray(numbers.get(name, np.empty(size)), dtype=np.float32)
    return pd.DataFrame(columns)


def _relative(moments: Array, times: Array, item: Measured) -> Array:
    """Return days from a time to `as_of` (or back), the default where there is none."""
    asked = times.astype(np.int64)
    since = item.aggregate.relative == "since"
    distance = (asked - moments) if since else (moments - asked)
    return np.where(moments == NOTHING, _default(item), distance / MICROSECONDS_PER_DAY)


def _default(item: Measured) -> float:
    """Return the value where no row counts."""
    declared = item.feature.default
    if declared is not None:
        return declared
    kind = item.aggregate.kind
    counted = kind in {"count", "distinct"} or (kind == "sum" and not item.feature.running)
    return 0.0 if counted else np.nan


def _fold(
    stream: Stream, timeline: Timeline, table: pa.Table, shape: tuple[int, int]
) -> list[tuple[Measured, Array]]:
    """Return the grid of each feature of a stream."""
    account = _ints(table, "account_no")
    seen, slot = _ints(table, "seen"), _ints(table, "slot")
    gone = _ints(table, "gone") if stream.running else None
    grids = []
    ranges: dict[int | None, Ranges] = {}
    for window in stream.windows:
        end = timeline.ends(window, slot)
        end = end if gone is None else np.minimum(end, gone)
        ranges[window] = Ranges(account, seen, end, shape)
    if stream.member is not None:
        members = table.column("member").combine_chunks().dictionary_encode().indices
        codes = members.to_numpy(zero_copy_only=False).astype(np.int64)
        return [
            (item, _counted(item, distinct(ranges[item.spec.window], codes)))
            for item in stream.features
        ]
    stems = stream.measures
    for item in stream.features:
        stem = stems[item.aggregate, item.condition]
        grid = _measure(item, table, stem, ranges[item.spec.window])
        grids.append((item, grid))
    return grids


def _counted(item: Measured, counts: Ints) -> Array:
    return np.where(counts > 0, counts, _default(item))


def _measure(item: Measured, table: pa.Table, stem: str, ranges: Ranges) -> Array:
    kind = item.aggregate.kind
    if kind == "last":
        return _last(item, table, stem, ranges)
    values, there = _nullable(table, stem)
    if kind == "count":
        return _counted(item, total(ranges, values))
    if kind in {"sum", "avg"}:
        count = total(ranges, _ints(table, f"{stem}_n"))
        amount = total(ranges, values) / SCALE
        number = amount / (1 if kind == "sum" else np.maximum(count, 1))
        return np.where(count > 0, number, _default(item))
    extreme = lowest if kind == "min" else highest
    grid = extreme(ranges.keep(there), values[there])
    if item.aggregate.relative:
        return grid
    return np.where(grid == NOTHING, _default(item), grid / SCALE)


def _last(item: Measured, table: pa.Table, stem: str, ranges: Ranges) -> Array:
    pairs = table.column(stem).combine_chunks()
    there = pairs.is_valid().to_numpy(zero_copy_only=False)
    found = pairs.filter(pa.array(there))
    times = found.field("t").to_numpy(zero_copy_only=False).astype(np.int64)
    values = found.field("v").to_numpy(zero_copy_only=False)
    order = np.unique(values.astype(str), return_inverse=True)[1] if item.aggregate.text else values
    index = latest(ranges.keep(there), times, np.asarray(order))
    padded: Array
    if item.aggregate.text:
        padded = np.append(values.astype(object), np.asarray([None], dtype=object))
    elif item.aggregate.relative:
        padded = np.append(values.astype(np.int64), NOTHING)
    else:
        padded = np.append(values.astype(np.float64) / SCALE, _default(item))
    picked: Array = padded[index]
    return picked


def _ints(table: pa.Table, name: str) -> Ints:
    values: Ints = table.column(name).to_numpy().astype(np.int64)
    return values


def _nullable(table: pa.Table, name: str) -> tuple[Ints, np.ndarray[Any, np.dtype[np.bool_]]]:
    column = table.column(name).combine_chunks()
    there = column.is_valid().to_numpy(zero_copy_only=False)
    return column.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64), there
