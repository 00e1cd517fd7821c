"""Blocks of accounts: what is read of them together, and folded side by side.

Memory bounds a block: how many accounts, and how many rows of one source.  Where all accounts are
one block, each source is folded while the next one is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tenure.core.steps import Step
from tenure.features.cache.closed_cells import with_kept_cells
from tenure.features.compute.aggregate import PlacedRows
from tenure.features.compute.snapshot_values import (
    FeatureValues,
    SnapshotIndex,
    Starts,
    measured_values,
)
from tenure.features.compute.source_query import SCOPE, SourceQuery, source_queries
from tenure.features.compute.timeline import Timeline
from tenure.features.compute.window_fold import Ints

if TYPE_CHECKING:
    from tenure.engine import Engine
    from tenure.features.plan.plan import Plan
    from tenure.sources.cache.pieces import Pieces

BATCH = "_block"
"""Column with the number of the block of accounts that a row belongs to."""
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
"""Accounts that are folded together: the places of their snapshots, these, what was measured."""
Part = tuple[Ints, list[FeatureValues]]
"""Places of the snapshots of some accounts, and what one statement says of them."""
Progress = Callable[[str], None]


@dataclass(frozen=True)
class PlacedQuery:
    """What is read: one statement of a source."""

    reading: SourceQuery
    timeline: Timeline
    step: Step


@dataclass(frozen=True)
class BatchOptions:
    """How blocks are read.

    Attributes:
        pool: Where parts of a block are folded.
        progress: Called with a line for each statement.
        pieces: Source → the parts it is read from, where it has any.
    """

    pool: ThreadPoolExecutor
    progress: Progress
    pieces: Mapping[str, Pieces]


def batches(
    engine: Engine, plan: Plan, asked: SnapshotIndex, starts: Starts, how: BatchOptions
) -> Iterator[Batch]:
    """Yield blocks of accounts.

    Args:
        engine: Holds the canonical tables; what is registered in it is dropped at the end.
        plan: Which features.
        asked: All snapshots.
        starts: See `Starts`.
        how: How they are read.
    """
    numbers = np.arange(len(asked.accounts), dtype=np.int32)
    names = pa.array(asked.accounts, pa.string())
    engine.register(SCOPE, pa.table({"account_id": names, "_no": numbers}))
    counts = source_rows(engine, plan, how.pieces)
    reads = _reads(engine, plan, asked, counts, how.pieces)
    most = [_rows_at_most(engine, read, counts) for read in reads]
    size = _batch_size(max(most, default=0), asked)
    rows = max(counts.values(), default=0)
    everyone = np.arange(len(asked.account_no))
    if engine.scatters and rows > SCATTERED_ROWS:
        yield everyone, asked, list(_scattered(engine, reads, asked, starts, rows))
    elif size >= len(asked.accounts):
        yield everyone, asked, _at_once(engine, reads, asked, starts, how)
    else:
        for read, rows_of_it in zip(reads, most, strict=True):
            how.progress(f"features from {read.reading.source}")
            engine.divide(by_batch(read.step, size), BATCH, rows_of_it)
        yield from _divided(engine, reads, asked, starts, size)
        engine.drop(*(read.step.name for read in reads))
    engine.drop(SCOPE)


def _reads(
    engine: Engine,
    plan: Plan,
    asked: SnapshotIndex,
    counts: Mapping[str, int],
    pieces: Mapping[str, Pieces],
) -> list[PlacedQuery]:
    reads: list[PlacedQuery] = []
    for source in source_queries(plan):
        # One prediction time looks at a part of the past, many look at most of it.
        apart = len(asked.cutoffs) == 1 and counts.get(source.source, 0) > SPLIT_ROWS
        for reading in source.split() if apart else (source,):
            timeline = reading.timeline(asked.cutoffs)
            parts = pieces.get(source.source) if apart else None
            step = with_kept_cells(engine, reading, timeline, parts) or reading.step(timeline)
            reads.append(PlacedQuery(reading, timeline, step))
    # Rows take the most folding: it goes on while cells are made.
    return sorted(reads, key=lambda read: read.reading.cells)


def _divided(
    engine: Engine, reads: list[PlacedQuery], asked: SnapshotIndex, starts: Starts, size: int
) -> Iterator[Batch]:
    """Yield blocks of what the engine divided."""
    for first in range(0, len(asked.accounts), size):
        last = min(first + size, len(asked.accounts))
        placed = []
        for read in reads:
            rows = engine.share(read.step.name, first // size)
            placed.append(PlacedRows(read.reading, read.timeline, rows, last - first, first))
        places, part = asked.block(first, last)
        yield places, part, measured_values(part, placed, starts)


def _at_once(
    engine: Engine,
    reads: list[PlacedQuery],
    asked: SnapshotIndex,
    starts: Starts,
    how: BatchOptions,
) -> Iterator[FeatureValues]:
    """Return what was measured of all accounts; a source is folded while the next one is read."""
    parts: list[list[Future[Part]]] = []
    for read in reads:
        how.progress(f"features from {read.reading.source}")
        accounts = len(asked.accounts)
        rows = engine.fetch(read.step.sql)
        size = -(-accounts // max(1, -(-rows.num_rows // FOLD_ROWS)))
        parts.append(
            [
                how.pool.submit(
                    _part, read, rows, asked, starts, first, min(first + size, accounts)
                )
                for first in range(0, accounts, size)
            ]
        )
    # Whoever waits for a part was handed over after it, so parts are never behind.
    return (item for waiting in parts for item in _together([part.result() for part in waiting]))


def _part(
    read: PlacedQuery, rows: pa.Table, asked: SnapshotIndex, starts: Starts, first: int, last: int
) -> Part:
    """Return what was measured of some accounts, from the rows of all."""
    places, part = asked.block(first, last)
    if part is not asked:
        account = rows.column("account_no")
        mine = pc.and_(pc.greater_equal(account, first), pc.less(account, last))
        rows = rows.filter(mine)
    placed = PlacedRows(read.reading, read.timeline, rows, last - first, first)
    return places, list(measured_values(part, [placed], starts))


def _together(parts: list[Part]) -> Iterator[FeatureValues]:
    """Yield what was measured of all accounts, from that of some each."""
    if len(parts) == 1:
        yield from parts[0][1]
        return
    order = np.argsort(np.concatenate([places for places, _ in parts]))
    for found in zip(*(found for _, found in parts), strict=True):
        yield found[0][0], np.concatenate([values for _, values in found])[order]


def by_batch(step: Step, size: int) -> Step:
    """Return a step with the number of the block of accounts that a row belongs to."""
    block = f"CAST(account_no // {size} AS INTEGER) AS {BATCH}"
    return Step(step.name, f"SELECT {block}, * FROM ({step.sql}) AS placed")


def source_rows(
    engine: Engine, plan: Plan, pieces: Mapping[str, Pieces] | None = None
) -> dict[str, int]:
    """Return the number of rows of each source; of one that is read from parts, of all of these."""
    names = [item.source for item in source_queries(plan)]
    known = {name: pieces[name].count(engine) for name in names if pieces and name in pieces}
    sql = " UNION ALL ".join(
        f"SELECT {place} AS place, count(*) AS n FROM {name}"
        for place, name in enumerate(names)
        if name not in known
    )
    found = engine.fetch(sql).to_pylist() if sql else []
    return known | {names[row["place"]]: row["n"] for row in found}


def _rows_at_most(engine: Engine, read: PlacedQuery, counts: Mapping[str, int]) -> int:
    """Return about how many rows a reading gives at most, from the rows of its source."""
    reading = read.reading
    rows, begun = counts.get(reading.source, 0), reading.begun_sql(read.timeline)
    if reading.cells:
        return rows // CELL_ROWS
    if not reading.part or begun is None:
        return rows
    found = engine.fetch(f"SELECT count(*) AS n FROM {reading.source} WHERE {begun}")
    return int(found.column("n")[0].as_py())


def most_rows(engine: Engine, plan: Plan) -> int:
    """Return the rows of the longest source."""
    return max(source_rows(engine, plan).values(), default=0)


def _batch_size(rows: int, asked: SnapshotIndex) -> int:
    """Return how many accounts are folded at a time."""
    accounts = len(asked.accounts)
    most = BATCH_ACCOUNTS if len(asked.cutoffs) > 1 else BATCH_ACCOUNTS_ONCE
    batches = max(-(-accounts // most), -(-rows // BATCH_ROWS))
    return max(1, -(-accounts // batches))


def _scattered(
    engine: Engine, reads: list[PlacedQuery], asked: SnapshotIndex, starts: Starts, rows: int
) -> Iterator[FeatureValues]:
    """Yield what was measured by an engine that folds where the rows are."""
    from tenure.features.compute.spark_fold import SourceFold, fold_in_executors

    size = max(1, -(-len(asked.accounts) // max(8, -(-rows // SCATTERED_ROWS))))
    for read in reads:
        fold = SourceFold(read.reading, read.timeline, starts, size)
        yield from fold_in_executors(engine, fold, read.step, asked)
