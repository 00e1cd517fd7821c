"""The feature matrix: one row per snapshot, one column per feature."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from tenure.core.fragments import evaluate
from tenure.core.steps import Step
from tenure.core.times import EPOCH
from tenure.features.assemble import Placed, default
from tenure.features.begins import begins
from tenure.features.fold import NOTHING, Array, Ints
from tenure.features.reading import SCOPE, Reading
from tenure.features.timeline import Timeline

if TYPE_CHECKING:
    from tenure.engine import Engine
    from tenure.features.declare import FeatureSpec, Measured
    from tenure.features.plan import Plan

MICROSECONDS_PER_DAY = 86_400_000_000
BLOCK = "_block"
"""Column with the number of the block of accounts that a row belongs to."""
BLOCK_ACCOUNTS = 4_096
BLOCK_ACCOUNTS_ONCE = 32_768
BLOCK_ROWS = 4_000_000
"""Accounts (at many prediction times, and at one), and rows of one source, that are folded at a
time: they bound the memory."""
SPLIT_ROWS = 1_000_000
"""Rows of one source from which its recent rows are read apart from its whole past."""
CELL_ROWS = 4
"""Rows that a cell stands for, at a cautious guess."""
SCATTERED_ROWS = 1_000_000
"""Rows of one source from which a cluster folds in its executors, about so many at a time."""

Found = tuple["Measured", Array]
Starts = Mapping[str, list[date | None]]


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

    def __init__(self, specs: Mapping[str, FeatureSpec], size: int) -> None:
        self._order = list(specs)
        numbers = [name for name, spec in specs.items() if not spec.text]
        self._place = {name: place for place, name in enumerate(numbers)}
        self._numbers = np.empty((len(numbers), size), dtype=np.float32)
        self._words = {
            name: np.empty(size, dtype=object) for name, spec in specs.items() if spec.text
        }

    def put(self, name: str, places: Ints, values: Array) -> None:
        """Keep the values of some rows; the only place where features become float32."""
        if name in self._words:
            self._words[name][places] = values
        else:
            self._numbers[self._place[name], places] = values

    def frame(self, index: pd.Index[Any]) -> pd.DataFrame:
        """Return all columns in order."""
        frame = pd.DataFrame(self._numbers.T, index=index, columns=list(self._place), copy=False)
        for name, values in self._words.items():
            # Said, so that pandas does not choose a type by what happens to be there.
            words = pd.Series(values, index=index, dtype=object)
            frame.insert(self._order.index(name), name, words)
        return frame


@dataclass(frozen=True)
class Asked:
    """Who is asked, and when.

    Attributes:
        accounts: Distinct accounts, ascending.
        cutoffs: Distinct prediction times, ascending.
        account_no: Number of the account of each snapshot, shape (n,).
        cut_no: Number of its prediction time, shape (n,).
    """

    accounts: Array
    cutoffs: tuple[datetime, ...]
    account_no: Ints
    cut_no: Ints

    @classmethod
    def of(cls, rows: pd.DataFrame) -> Asked:
        """Number the accounts and prediction times of snapshots."""
        account_no, accounts = pd.factorize(rows["account_id"].to_numpy(dtype=object), sort=True)
        times = rows["as_of"].to_numpy(dtype="datetime64[us]").astype(np.int64)
        stamps, cut_no = np.unique(times, return_inverse=True)
        cutoffs = tuple(EPOCH + timedelta(microseconds=int(stamp)) for stamp in stamps)
        return cls(accounts, cutoffs, account_no.astype(np.int64), cut_no.astype(np.int64))

    @cached_property
    def times(self) -> Ints:
        """Return each snapshot's prediction time in microseconds since 1970, shape (n,)."""
        moments = [(cutoff - EPOCH) // timedelta(microseconds=1) for cutoff in self.cutoffs]
        return np.asarray(moments, dtype=np.int64)[self.cut_no]

    def block(self, first: int, last: int) -> tuple[Ints, Asked]:
        """Return the snapshots of some accounts: their places and themselves."""
        if (first, last) == (0, len(self.accounts)):
            return np.arange(len(self.account_no)), self
        inside = np.flatnonzero((self.account_no >= first) & (self.account_no < last))
        numbers = self.account_no[inside] - first
        part = Asked(self.accounts[first:last], self.cutoffs, numbers, self.cut_no[inside])
        return inside, part


def build(
    engine: Engine,
    snapshots: pd.DataFrame,
    plan: Plan,
    *,
    since: Mapping[str, datetime] | None = None,
    known_begins: Mapping[str, date] | None = None,
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
        progress: Called with a line for each source that is read.

    Returns:
        The matrix, in the order of `snapshots`.
    """
    rows = snapshots.reset_index(drop=True)
    asked = Asked.of(rows)
    columns = _Columns(plan.specs, len(rows))
    starts: dict[str, list[date | None]] = {}
    if len(rows):
        starts = begins(engine, plan, asked.cutoffs, known_begins)

        def fold(places: Ints, part: Asked, found: Iterable[Found]) -> None:
            for name, values in block_values(plan, part, found):
                columns.put(name, places, values)

        with ThreadPoolExecutor(engine.threads) as pool:
            blocks = _blocks(engine, plan, asked, starts, pool, progress)
            _side_by_side(fold, blocks, pool, engine.threads)
    last = {source: days[-1] for source, days in starts.items()}
    return FeatureMatrix(
        rows,
        columns.frame(rows.index),
        plan.said,
        dict(since or {}),
        {source: day for source, day in last.items() if day is not None},
    )


def _side_by_side(
    fold: Callable[[Ints, Asked, Iterable[Found]], None],
    blocks: Iterator[tuple[Ints, Asked, Iterable[Found]]],
    pool: ThreadPoolExecutor,
    threads: int,
) -> None:
    """Fold some blocks at once; no more of them are read than are folded."""
    waiting: deque[Future[None]] = deque()
    for block in blocks:
        waiting.append(pool.submit(fold, *block))
        if len(waiting) > threads:
            waiting.popleft().result()
    for folded in waiting:
        folded.result()


def _blocks(
    engine: Engine,
    plan: Plan,
    asked: Asked,
    starts: Starts,
    pool: ThreadPoolExecutor,
    progress: Callable[[str], None] | None,
) -> Iterator[tuple[Ints, Asked, Iterable[Found]]]:
    """Yield blocks of accounts: the places of their snapshots, these, and what was measured."""
    numbers = np.arange(len(asked.accounts), dtype=np.int32)
    names = pa.array(asked.accounts, pa.string())
    engine.register(SCOPE, pa.table({"account_id": names, "_no": numbers}))
    counts = rows_of(engine, plan) if len(asked.accounts) > 1 else {}
    rows = max(counts.values(), default=0)
    steps: list[tuple[Reading, Timeline, Step]] = []
    for source in plan.readings:
        # One prediction time looks at a part of the past, many look at most of it.
        apart = len(asked.cutoffs) == 1 and counts.get(source.source, 0) > SPLIT_ROWS
        for reading in source.split() if apart else (source,):
            timeline = reading.timeline(asked.cutoffs)
            steps.append((reading, timeline, reading.step(timeline)))
    # Rows take the most folding: it goes on while cells are made.
    steps.sort(key=lambda step: step[0].cells)
    if engine.scatters and rows > SCATTERED_ROWS:
        everything = np.arange(len(asked.account_no))
        yield everything, asked, list(_scattered(engine, steps, asked, starts, rows))
        engine.drop(SCOPE)
        return
    most = [_rows_at_most(engine, *step[:2], counts) for step in steps]
    size = _block_size(max(most, default=0), asked)
    if size >= len(asked.accounts):
        found = _at_once(engine, steps, asked, starts, pool, progress)
        yield np.arange(len(asked.account_no)), asked, found
        engine.drop(SCOPE)
        return
    for (reading, _, step), rows in zip(steps, most, strict=True):
        if progress:
            progress(f"features from {reading.source}")
        engine.divide(by_block(step, size), BLOCK, rows)
    for first in range(0, len(asked.accounts), size):
        last = min(first + size, len(asked.accounts))
        placed = [
            Placed(reading, timeline, engine.share(step.name, first // size), last - first, first)
            for reading, timeline, step in steps
        ]
        places, part = asked.block(first, last)
        yield places, part, measured_values(part, placed, starts)
    engine.drop(SCOPE, *(step.name for _, _, step in steps))


def _at_once(
    engine: Engine,
    steps: list[tuple[Reading, Timeline, Step]],
    asked: Asked,
    starts: Starts,
    pool: ThreadPoolExecutor,
    progress: Callable[[str], None] | None,
) -> Iterable[Found]:
    """Return what was measured of all accounts; a source is folded while the next one is read."""
    alone = len(asked.accounts) == 1
    parts: list[Iterable[Found] | Future[list[Found]]] = []
    for reading, timeline, step in steps:
        if progress:
            progress(f"features from {reading.source}")
        placed = Placed(reading, timeline, engine.fetch(step.sql), len(asked.accounts))
        found = measured_values(asked, [placed], starts)
        parts.append(found if alone else pool.submit(list, found))
    # A part that is waited for was handed to the pool before whoever waits.
    return (
        item for part in parts for item in (part.result() if isinstance(part, Future) else part)
    )


def by_block(step: Step, size: int) -> Step:
    """Return a step with the number of the block of accounts that a row belongs to."""
    block = f"CAST(account_no // {size} AS INTEGER) AS {BLOCK}"
    return Step(step.name, f"SELECT {block}, * FROM ({step.sql}) AS placed")


def rows_of(engine: Engine, plan: Plan) -> dict[str, int]:
    """Return the number of rows of each source."""
    names = [item.source for item in plan.readings]
    sql = " UNION ALL ".join(
        f"SELECT {place} AS place, count(*) AS n FROM {name}" for place, name in enumerate(names)
    )
    found = engine.fetch(sql).to_pylist() if sql else []
    return {names[row["place"]]: row["n"] for row in found}


def _rows_at_most(
    engine: Engine, reading: Reading, timeline: Timeline, counts: Mapping[str, int]
) -> int:
    """Return about how many rows a reading gives at most, from the rows of its source."""
    rows, begun = counts.get(reading.source, 0), reading.begun_sql(timeline)
    if reading.cells:
        return rows // CELL_ROWS
    if not reading.part or begun is None:
        return rows
    found = engine.fetch(f"SELECT count(*) AS n FROM {reading.source} WHERE {begun}")
    return int(found.column("n")[0].as_py())


def most_rows(engine: Engine, plan: Plan) -> int:
    """Return the rows of the longest source."""
    return max(rows_of(engine, plan).values(), default=0)


def _block_size(rows: int, asked: Asked) -> int:
    """Return how many accounts are folded at a time."""
    accounts = len(asked.accounts)
    most = BLOCK_ACCOUNTS if len(asked.cutoffs) > 1 else BLOCK_ACCOUNTS_ONCE
    blocks = max(-(-accounts // most), -(-rows // BLOCK_ROWS))
    return max(1, -(-accounts // blocks))


def _scattered(
    engine: Engine,
    steps: list[tuple[Reading, Timeline, Step]],
    asked: Asked,
    starts: Starts,
    rows: int,
) -> Iterator[Found]:
    """Yield what was measured by an engine that folds where the rows are."""
    from tenure.features.scatter import Fold, scattered

    size = max(1, -(-len(asked.accounts) // max(8, -(-rows // SCATTERED_ROWS))))
    for reading, timeline, step in steps:
        yield from scattered(engine, Fold(reading, timeline, starts, size), step, asked)


def measured_values(asked: Asked, placed: Iterable[Placed], starts: Starts) -> Iterator[Found]:
    """Yield the measured features of some snapshots from the placed rows of their accounts.

    Args:
        asked: The snapshots.
        placed: Placed rows, by source.
        starts: Source → per prediction time, the first day of its history.

    Yields:
        Feature and values, shape (n,): float64, or objects for words.
    """
    for item in placed:
        for feature, grid in item.grids():
            values = grid[asked.account_no, asked.cut_no]
            if feature.aggregate.relative:
                values = _relative(values, asked.times, feature)
            if feature.spec.window is not None:
                short = _too_short(feature, asked.cutoffs, starts[feature.feature.source])
                if short.any():
                    nothing: Any = None if feature.spec.text else np.nan
                    values = np.where(short[asked.cut_no], nothing, values)
            yield feature, values


def block_values(plan: Plan, asked: Asked, found: Iterable[Found]) -> Iterator[tuple[str, Array]]:
    """Yield the columns of some snapshots from what was measured.

    Args:
        plan: Which features.
        asked: The snapshots.
        found: Measured features of every source that the plan reads.

    Yields:
        Name and values, shape (n,): float64, or objects for words.
    """
    numbers = _given(asked)
    for feature, values in found:
        if feature.spec.text:
            yield feature.spec.name, values
        else:
            numbers[feature.spec.name] = values
    for computed in plan.computed:
        value = evaluate(computed.formula, numbers)
        numbers[computed.spec.name] = np.broadcast_to(value, asked.times.shape)
    for name, spec in plan.specs.items():
        if not spec.text:
            yield name, numbers[name]


def _given(asked: Asked) -> dict[str, Array]:
    """Return what formulas may read of the prediction time alone."""
    quarter = [
        (date(t.year + (t.month > 9), (t.month + 2) // 3 * 3 % 12 + 1, 1) - t.date()).days
        for t in asked.cutoffs
    ]
    return {
        "as_of_month": np.asarray([t.month for t in asked.cutoffs], dtype=np.float64)[asked.cut_no],
        "as_of_quarter_day": np.asarray(quarter, dtype=np.float64)[asked.cut_no],
    }


def _relative(moments: Array, times: Array, item: Measured) -> Array:
    """Return days from a time to `as_of` (or back), the default where there is none."""
    distance = (times - moments) if item.aggregate.relative == "since" else (moments - times)
    return np.where(moments == NOTHING, default(item), distance / MICROSECONDS_PER_DAY)


def _too_short(
    item: Measured, cutoffs: tuple[datetime, ...], first: list[date | None]
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return the prediction times at which a source's history does not fill a window."""
    length = timedelta(days=item.spec.window or 0)
    return np.asarray(
        [
            day is None or day > (cutoff - length).date()
            for day, cutoff in zip(first, cutoffs, strict=True)
        ]
    )
