"""Batches of accounts: read together, and folded side by side.

Memory bounds a batch: how many accounts, and how many rows of one source.  Where all accounts are
one batch, each source is folded while the next one is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tenure.core.progress import Progress
from tenure.core.steps import Step
from tenure.features.compute.aggregate import PlacedRows
from tenure.features.compute.snapshot_values import (
    FeatureValues,
    SnapshotIndex,
    Starts,
    measured_values,
)
from tenure.features.compute.source_query import SCOPE, SourceQuery, source_queries
from tenure.features.compute.spark_fold import BATCH, SourceFold, by_batch, fold_in_executors
from tenure.features.compute.timeline import Timeline
from tenure.features.compute.window_fold import Ints

if TYPE_CHECKING:
    from tenure.engine import Engine
    from tenure.features.plan.plan import Plan

BATCH_ACCOUNTS = 4_096
BATCH_ACCOUNTS_ONCE = 32_768
BATCH_ROWS = 4_000_000
"""Accounts (at many prediction times, and at one), and rows of one source, that are read at a
time: they bound the memory."""
FOLD_ROWS = 500_000
"""Rows that are folded at a time where all are read at once: so many stay near the processor."""
SPLIT_ROWS = 1_000_000
"""Rows of one source from which its recent rows are read apart from its whole past."""
CELL_ROWS = 4
"""Rows that a cell stands for, at a cautious guess."""
SCATTERED_ROWS = 1_000_000
"""Rows of one source from which a cluster folds in its executors, about so many at a time."""

Batch = tuple[Ints, SnapshotIndex, Iterable[FeatureValues]]
"""Accounts that are folded together: the positions of their snapshots, these, what was measured."""
Part = tuple[Ints, list[FeatureValues]]
"""Positions of the snapshots of some accounts, and their values from one source query."""


@dataclass(frozen=True)
class PlacedQuery:
    """A source query on the grid of a run."""

    query: SourceQuery
    timeline: Timeline
    step: Step


@dataclass(frozen=True)
class BatchOptions:
    """How batches are read.

    Attributes:
        pool: Where parts of a batch are folded.
        progress: Told of each statement.
    """

    pool: ThreadPoolExecutor
    progress: Progress


def batches(
    engine: Engine, plan: Plan, index: SnapshotIndex, starts: Starts, options: BatchOptions
) -> Iterator[Batch]:
    """Yield batches of accounts.

    Args:
        engine: Holds the canonical tables; what is registered in it is dropped at the end.
        plan: Which features.
        index: All snapshots.
        starts: See `Starts`.
        options: How they are read.
    """
    numbers = np.arange(len(index.accounts), dtype=np.int32)
    names = pa.array(index.accounts, pa.string())
    engine.register(SCOPE, pa.table({"account_id": names, "_no": numbers}))
    counts = source_rows(engine, plan)
    queries = _queries(plan, index, counts)
    most = [_rows_at_most(engine, query, counts) for query in queries]
    size = _batch_size(max(most, default=0), index)
    rows = max(counts.values(), default=0)
    everyone = np.arange(len(index.account_no))
    if engine.scatters and rows > SCATTERED_ROWS:
        yield everyone, index, list(_scattered(engine, queries, index, starts, rows))
    elif size >= len(index.accounts):
        yield everyone, index, _at_once(engine, queries, index, starts, options)
    else:
        for number, (read, size_of_it) in enumerate(zip(queries, most, strict=True)):
            options.progress.step(number, len(queries), read.query.source)
            engine.divide(by_batch(read.step, size), BATCH, size_of_it)
        yield from _divided(engine, queries, index, starts, size)
        engine.drop(*(read.step.name for read in queries))
    engine.drop(SCOPE)


def _queries(plan: Plan, index: SnapshotIndex, counts: Mapping[str, int]) -> list[PlacedQuery]:
    queries: list[PlacedQuery] = []
    for whole in source_queries(plan):
        # One prediction time looks at a part of the past, many look at most of it.
        apart = len(index.cutoffs) == 1 and counts.get(whole.source, 0) > SPLIT_ROWS
        for query in whole.split() if apart else (whole,):
            timeline = query.timeline(index.cutoffs)
            queries.append(PlacedQuery(query, timeline, query.step(timeline)))
    # Rows take the most folding: it goes on while cells are read.
    return sorted(queries, key=lambda placed: placed.query.cells)


def _divided(
    engine: Engine, queries: list[PlacedQuery], index: SnapshotIndex, starts: Starts, size: int
) -> Iterator[Batch]:
    """Yield batches of what the engine divided."""
    for first in range(0, len(index.accounts), size):
        last = min(first + size, len(index.accounts))
        placed = []
        for read in queries:
            rows = engine.share(read.step.name, first // size)
            placed.append(PlacedRows(read.query, read.timeline, rows, last - first, first))
        places, part = index.part(first, last)
        yield places, part, measured_values(part, placed, starts)


def _at_once(
    engine: Engine,
    queries: list[PlacedQuery],
    index: SnapshotIndex,
    starts: Starts,
    options: BatchOptions,
) -> Iterator[FeatureValues]:
    """Return what was measured of all accounts; a source is folded while the next one is read."""
    parts: list[list[Future[Part]]] = []
    for number, read in enumerate(queries):
        options.progress.step(number, len(queries), read.query.source)
        accounts = len(index.accounts)
        rows = engine.fetch(read.step.sql)
        size = -(-accounts // max(1, -(-rows.num_rows // FOLD_ROWS)))
        parts.append(
            [
                options.pool.submit(
                    _part, read, rows, index, starts, first, min(first + size, accounts)
                )
                for first in range(0, accounts, size)
            ]
        )
    # Whoever waits for a part was submitted after it, so the pool cannot lock itself up.
    return (item for waiting in parts for item in _together([part.result() for part in waiting]))


def _part(
    read: PlacedQuery, rows: pa.Table, index: SnapshotIndex, starts: Starts, first: int, last: int
) -> Part:
    """Return what was measured of some accounts, from the rows of all."""
    places, part = index.part(first, last)
    if part is not index:
        account = rows.column("account_no")
        mine = pc.and_(pc.greater_equal(account, first), pc.less(account, last))
        rows = rows.filter(mine)
    placed = PlacedRows(read.query, read.timeline, rows, last - first, first)
    return places, list(measured_values(part, [placed], starts))


def _together(parts: list[Part]) -> Iterator[FeatureValues]:
    """Yield what was measured of all accounts, from that of some each."""
    if len(parts) == 1:
        yield from parts[0][1]
        return
    order = np.argsort(np.concatenate([places for places, _ in parts]))
    for same in zip(*(measured for _, measured in parts), strict=True):
        yield same[0][0], np.concatenate([values for _, values in same])[order]


def source_rows(engine: Engine, plan: Plan) -> dict[str, int]:
    """Return the number of rows of each source."""
    names = [query.source for query in source_queries(plan)]
    sql = " UNION ALL ".join(
        f"SELECT {place} AS place, count(*) AS n FROM {name}" for place, name in enumerate(names)
    )
    rows = engine.fetch(sql).to_pylist() if sql else []
    return {names[row["place"]]: row["n"] for row in rows}


def _rows_at_most(engine: Engine, placed: PlacedQuery, counts: Mapping[str, int]) -> int:
    """Return about how many rows a query gives at most, from the rows of its source."""
    query = placed.query
    rows, begun = counts.get(query.source, 0), query.begun_sql(placed.timeline)
    if query.cells:
        return rows // CELL_ROWS
    if not query.part or begun is None:
        return rows
    counted = engine.fetch(f"SELECT count(*) AS n FROM {query.source} WHERE {begun}")
    return int(counted.column("n")[0].as_py())


def most_rows(engine: Engine, plan: Plan) -> int:
    """Return the rows of the longest source."""
    return max(source_rows(engine, plan).values(), default=0)


def _batch_size(rows: int, index: SnapshotIndex) -> int:
    """Return how many accounts are folded at a time."""
    accounts = len(index.accounts)
    most = BATCH_ACCOUNTS if len(index.cutoffs) > 1 else BATCH_ACCOUNTS_ONCE
    batches = max(-(-accounts // most), -(-rows // BATCH_ROWS))
    return max(1, -(-accounts // batches))


def _scattered(
    engine: Engine, queries: list[PlacedQuery], index: SnapshotIndex, starts: Starts, rows: int
) -> Iterator[FeatureValues]:
    """Yield what was measured by an engine that folds where the rows are."""
    size = max(1, -(-len(index.accounts) // max(8, -(-rows // SCATTERED_ROWS))))
    for read in queries:
        fold = SourceFold(read.query, read.timeline, starts, size)
        yield from fold_in_executors(engine, fold, read.step, index)
