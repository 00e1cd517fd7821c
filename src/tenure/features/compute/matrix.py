"""The feature matrix: one row per snapshot, one column per feature."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd

from tenure.core.arrays import Array, Ints
from tenure.core.progress import SILENT, Progress
from tenure.engine import Engine
from tenure.features.compute.batches import Batch, batches
from tenure.features.compute.history_start import history_starts
from tenure.features.compute.snapshot_values import FeatureValues, SnapshotIndex, column_values
from tenure.features.plan.columns import FeatureSpec
from tenure.features.plan.plan import Plan


@dataclass(frozen=True)
class FeatureMatrix:
    """Features of snapshots."""

    rows: pd.DataFrame
    """The snapshots, in the caller's order, with a fresh index."""
    values: pd.DataFrame
    """Same index; float32 columns, and object columns of words for text features."""
    specs: dict[str, FeatureSpec]
    """How to speak of each column, and of those that a model adds."""
    since: dict[str, datetime] = field(default_factory=dict)
    """Column → the first prediction time whose past led to it; columns that are not listed exist at
    every prediction time."""
    begins: dict[str, date] = field(default_factory=dict)
    """Source → the first day of its history that the last prediction time knew of."""


class _Columns:
    """The values of all columns, as they come in."""

    def __init__(self, plan: Plan, size: int) -> None:
        numbers = [name for name, spec in plan.specs.items() if not spec.text]
        self._names = list(plan.specs)
        self._place = {name: place for place, name in enumerate(numbers)}
        self._numbers = np.empty((len(numbers), size), dtype=np.float32)
        self._words = {
            name: np.empty(size, dtype=object) for name, spec in plan.specs.items() if spec.text
        }

    def put(self, places: Ints, values: Iterable[tuple[str, Array]]) -> None:
        """Keep the values of some rows; the only place where features become float32."""
        for name, column in values:
            if name in self._words:
                self._words[name][places] = column
            else:
                self._numbers[self._place[name], places] = column

    def frame(self, index: pd.Index[Any]) -> pd.DataFrame:
        """Return all columns, in order."""
        frame = pd.DataFrame(self._numbers.T, index=index, columns=list(self._place), copy=False)
        for name, column in self._words.items():
            # Named, so that pandas does not choose a type by the values at hand.
            words = pd.Series(column, index=index, dtype=object)
            frame.insert(self._names.index(name), name, words)
        return frame


def build(
    engine: Engine,
    snapshots: pd.DataFrame,
    plan: Plan,
    *,
    since: Mapping[str, datetime] | None = None,
    known_begins: Mapping[str, date] | None = None,
    progress: Progress = SILENT,
) -> FeatureMatrix:
    """Compute the features of snapshots.

    Args:
        engine: Holds the canonical tables.
        snapshots: Columns ``account_id`` and ``as_of`` (naive UTC), any others are carried along.
        plan: Which features.
        since: See `FeatureMatrix`.
        known_begins: Source → first day of its history, as a model knew it; by default what each
            prediction time knew of the tables at hand.
        progress: Told of each statement that reads a source.

    Returns:
        The matrix, in the order of `snapshots`.
    """
    rows = snapshots.reset_index(drop=True)
    index = SnapshotIndex.of(rows)
    columns = _Columns(plan, len(rows))
    starts: dict[str, list[date | None]] = {}
    if len(rows):
        progress.stage("features")
        starts = history_starts(engine, plan, index.cutoffs, known_begins)

        def fold(places: Ints, part: SnapshotIndex, measured: Iterable[FeatureValues]) -> None:
            columns.put(places, column_values(plan, part, measured))

        with ThreadPoolExecutor(engine.threads) as pool:
            parts = batches(engine, plan, index, starts, pool, progress)
            _side_by_side(fold, parts, pool, engine.threads)
    last = {source: days[-1] for source, days in starts.items()}
    first = {source: day for source, day in last.items() if day is not None}
    return FeatureMatrix(rows, columns.frame(rows.index), plan.described, dict(since or {}), first)


def _side_by_side(
    fold: Callable[[Ints, SnapshotIndex, Iterable[FeatureValues]], None],
    batches: Iterable[Batch],
    pool: ThreadPoolExecutor,
    threads: int,
) -> None:
    """Fold some batches at once; no more of them are read than are folded."""
    waiting: deque[Future[None]] = deque()
    for batch in batches:
        waiting.append(pool.submit(fold, *batch))
        if len(waiting) > threads:
            waiting.popleft().result()
    for folded in waiting:
        folded.result()
