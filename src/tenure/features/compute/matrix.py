"""The feature matrix: one row per snapshot, one column per feature."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tenure.features.compute.batches import Batch, BatchOptions, batches
from tenure.features.compute.history_start import history_starts
from tenure.features.compute.snapshot_values import FeatureValues, SnapshotIndex, column_values
from tenure.features.compute.window_fold import Array, Ints

if TYPE_CHECKING:
    from tenure.engine import Engine
    from tenure.features.plan.columns import FeatureSpec
    from tenure.features.plan.plan import Plan
    from tenure.sources.cache.pieces import Pieces


@dataclass(frozen=True)
class FeatureMatrix:
    """Features of snapshots.

    Attributes:
        rows: The snapshots as given, with a fresh index.
        values: Same index; float32 columns, and object columns of words for text features.
        specs: How to speak of each column, and of those that a model adds.
        since: Column → the first prediction time at which the past known then asked for it;
            columns that are not listed were always there.
        begins: Source → the first day of its history that the last prediction time knew of.
    """

    rows: pd.DataFrame
    values: pd.DataFrame
    specs: dict[str, FeatureSpec]
    since: dict[str, datetime] = field(default_factory=dict)
    begins: dict[str, date] = field(default_factory=dict)


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
            # Said, so that pandas does not choose a type by what happens to be there.
            words = pd.Series(column, index=index, dtype=object)
            frame.insert(self._names.index(name), name, words)
        return frame


def build(  # noqa: PLR0913 - what is computed, and what is known of it already
    engine: Engine,
    snapshots: pd.DataFrame,
    plan: Plan,
    *,
    since: Mapping[str, datetime] | None = None,
    known_begins: Mapping[str, date] | None = None,
    pieces: Mapping[str, Pieces] | None = None,
    progress: Callable[[str], None] | None = None,
) -> FeatureMatrix:
    """Compute the features of snapshots.

    Args:
        engine: Holds the canonical tables.
        snapshots: Columns ``account_id`` and ``as_of`` (naive UTC), any others are carried along.
        plan: Which features.
        since: See `FeatureMatrix`.
        known_begins: Source → first day of its history, as a model knew it; by default what each
            prediction time knew of the tables at hand.
        pieces: Source → the parts it is read from.  What follows from parts that a single
            prediction time sees whole is kept beside them, for later ones.
        progress: Called with a line for each source that is read.

    Returns:
        The matrix, in the order of `snapshots`.
    """
    rows = snapshots.reset_index(drop=True)
    asked = SnapshotIndex.of(rows)
    columns = _Columns(plan, len(rows))
    starts: dict[str, list[date | None]] = {}
    if len(rows):
        starts = history_starts(engine, plan, asked.cutoffs, known_begins)

        def fold(places: Ints, part: SnapshotIndex, found: Iterable[FeatureValues]) -> None:
            columns.put(places, column_values(plan, part, found))

        with ThreadPoolExecutor(engine.threads) as pool:
            how = BatchOptions(pool, progress or _silent, pieces or {})
            _side_by_side(fold, batches(engine, plan, asked, starts, how), pool, engine.threads)
    last = {source: days[-1] for source, days in starts.items()}
    first = {source: day for source, day in last.items() if day is not None}
    return FeatureMatrix(rows, columns.frame(rows.index), plan.said, dict(since or {}), first)


def _silent(line: str) -> None:
    """Tell nobody."""


def _side_by_side(
    fold: Callable[[Ints, SnapshotIndex, Iterable[FeatureValues]], None],
    batches: Iterable[Batch],
    pool: ThreadPoolExecutor,
    threads: int,
) -> None:
    """Fold some blocks at once; no more of them are read than are folded."""
    waiting: deque[Future[None]] = deque()
    for block in batches:
        waiting.append(pool.submit(fold, *block))
        if len(waiting) > threads:
            waiting.popleft().result()
    for folded in waiting:
        folded.result()
