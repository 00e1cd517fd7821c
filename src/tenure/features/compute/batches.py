"""Batches of accounts: read together, and folded side by side.

Memory bounds a batch: how many accounts, and how many rows of one source.  Where all accounts are
one batch, each source is folded while the next one is read.  Where the rows lie on a cluster its
executors fold them, by the same pure function, and only the values of the snapshots travel back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tenure.core.arrays import Ints
from tenure.core.progress import Progress
from tenure.core.steps import Step
from tenure.engine import Engine
from tenure.features.compute.aggregate import PlacedRows
from tenure.features.compute.snapshot_values import (
    FeatureValues,
    SnapshotIndex,
    Starts,
    measured_values,
)
from tenure.features.compute.source_query import SCOPE, SourceQuery, source_queries
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

BATCH = "_block"
"""Column with the number of the batch of accounts that a row belongs to."""
SNAPSHOTS = "feature_snapshots"
"""Registered table of the snapshots: their place, account, prediction time and batch."""

Batch = tuple[Ints, SnapshotIndex, Iterable[FeatureValues]]
"""Accounts that are folded together: the positions of their snapshots, these, what was measured."""
Part = tuple[Ints, list[FeatureValues]]
"""Positions of the snapshots of some accounts, and their values from one source query."""


def batches(
    engine: Engine,
    plan: Plan,
    index: SnapshotIndex,
    starts: Starts,
    pool: ThreadPoolExecutor,
    progress: Progress,
) -> Iterator[Batch]:
    """Yield batches of accounts.

    What is registered in the engine is dropped at the end.  The pool folds parts of a batch;
    `progress` is told of each statement.
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
        yield everyone, index, _at_once(engine, queries, index, starts, pool, progress)
    else:
        for number, (query, size_of_it) in enumerate(zip(queries, most, strict=True)):
            progress.step(number, len(queries), query.source)
            engine.divide(by_batch(query.step, size), BATCH, size_of_it)
        yield from _divided(engine, queries, index, starts, size)
        engine.drop(*(query.step.name for query in queries))
    engine.drop(SCOPE)


def _queries(plan: Plan, index: SnapshotIndex, counts: Mapping[str, int]) -> list[SourceQuery]:
    queries: list[SourceQuery] = []
    for whole in source_queries(plan, index.cutoffs):
        # One prediction time looks at a part of the past, many look at most of it.
        apart = len(index.cutoffs) == 1 and counts.get(whole.source, 0) > SPLIT_ROWS
        queries += whole.split() if apart else (whole,)
    # Rows take the most folding: it goes on while cells are read.
    return sorted(queries, key=lambda query: query.cells)


def _divided(
    engine: Engine, queries: list[SourceQuery], index: SnapshotIndex, starts: Starts, size: int
) -> Iterator[Batch]:
    """Yield batches of what the engine divided."""
    for first in range(0, len(index.accounts), size):
        last = min(first + size, len(index.accounts))
        placed = [
            PlacedRows(query, engine.share(query.step.name, first // size), last - first, first)
            for query in queries
        ]
        places, part = index.part(first, last)
        yield places, part, measured_values(part, placed, starts)


def _at_once(
    engine: Engine,
    queries: list[SourceQuery],
    index: SnapshotIndex,
    starts: Starts,
    pool: ThreadPoolExecutor,
    progress: Progress,
) -> Iterator[FeatureValues]:
    """Return what was measured of all accounts; a source is folded while the next one is read."""
    parts: list[list[Future[Part]]] = []
    accounts = len(index.accounts)
    for number, query in enumerate(queries):
        progress.step(number, len(queries), query.source)
        rows = engine.fetch(query.step.sql)
        size = -(-accounts // max(1, -(-rows.num_rows // FOLD_ROWS)))
        parts.append(
            [
                pool.submit(_part, query, rows, index, starts, first, min(first + size, accounts))
                for first in range(0, accounts, size)
            ]
        )
    # Whoever waits for a part was submitted after it, so the pool cannot lock itself up.
    return (item for waiting in parts for item in _together([part.result() for part in waiting]))


def _part(
    query: SourceQuery, rows: pa.Table, index: SnapshotIndex, starts: Starts, first: int, last: int
) -> Part:
    """Return what was measured of some accounts, from the rows of all."""
    places, part = index.part(first, last)
    if part is not index:
        account = rows.column("account_no")
        rows = rows.filter(pc.and_(pc.greater_equal(account, first), pc.less(account, last)))
    placed = PlacedRows(query, rows, last - first, first)
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
    names = sorted({item.feature.source for item in plan.measured})
    sql = " UNION ALL ".join(
        f"SELECT '{name}' AS name, count(*) AS n FROM {name}" for name in names
    )
    rows = engine.fetch(sql).to_pylist() if sql else []
    return {row["name"]: row["n"] for row in rows}


def _rows_at_most(engine: Engine, query: SourceQuery, counts: Mapping[str, int]) -> int:
    """Return about how many rows a query gives at most, from the rows of its source."""
    rows = counts.get(query.source, 0)
    if query.moving:
        return rows * len(query.cutoffs)
    if query.cells:
        return rows // CELL_ROWS
    if not query.part or query.begun_sql is None:
        return rows
    return int(engine.value(f"SELECT count(*) FROM {query.source} WHERE {query.begun_sql}"))


def _batch_size(rows: int, index: SnapshotIndex) -> int:
    """Return how many accounts are folded at a time."""
    accounts = len(index.accounts)
    most = BATCH_ACCOUNTS if len(index.cutoffs) > 1 else BATCH_ACCOUNTS_ONCE
    batches = max(-(-accounts // most), -(-rows // BATCH_ROWS))
    return max(1, -(-accounts // batches))


def _scattered(
    engine: Engine, queries: list[SourceQuery], index: SnapshotIndex, starts: Starts, rows: int
) -> Iterator[FeatureValues]:
    """Yield what was measured by an engine that folds where the rows are."""
    size = max(1, -(-len(index.accounts) // max(8, -(-rows // SCATTERED_ROWS))))
    for query in queries:
        yield from fold_in_executors(engine, SourceFold(query, starts, size), index)


@dataclass(frozen=True)
class SourceFold:
    """How one source of a batch is folded, so many accounts at a time; travels to the executors."""

    query: SourceQuery
    starts: Starts
    size: int

    @property
    def schema(self) -> pa.Schema:
        """Return the columns of what comes back: the snapshot's place, and its values."""
        kinds = [
            (f"f{number}", pa.string() if item.spec.text else pa.float64())
            for number, item in enumerate(self.query.features)
        ]
        return pa.schema([("place", pa.int64()), *kinds])

    def __call__(self, snapshots: pa.Table, placed: pa.Table) -> pa.Table:
        """Return the values of the snapshots of one batch."""
        if not snapshots.num_rows:
            return self.schema.empty_table()
        first = snapshots.column(BATCH)[0].as_py() * self.size
        numbers = snapshots.column("account_no").to_numpy().astype(np.int64) - first
        cuts = snapshots.column("cut_no").to_numpy().astype(np.int64)
        part = SnapshotIndex(np.arange(self.size), self.query.cutoffs, numbers, cuts)
        rows = PlacedRows(self.query, placed, self.size, first)
        values_by_name = {
            item.spec.name: values for item, values in measured_values(part, [rows], self.starts)
        }
        columns = [
            pa.array(values_by_name[item.spec.name], field.type, from_pandas=item.spec.text)
            for item, field in zip(self.query.features, list(self.schema)[1:], strict=True)
        ]
        return pa.table([snapshots.column("place"), *columns], schema=self.schema)


def by_batch(step: Step, size: int) -> Step:
    """Return a step with the number of the batch of accounts that a row belongs to."""
    number = f"CAST(account_no // {size} AS INTEGER) AS {BATCH}"
    return Step(step.name, f"SELECT {number}, * FROM ({step.sql}) AS placed")


def fold_in_executors(
    engine: Engine, fold: SourceFold, index: SnapshotIndex
) -> Iterator[FeatureValues]:
    """Yield the measured features of one source for all snapshots, in their order."""
    table = {
        "place": np.arange(len(index.account_no), dtype=np.int64),
        "account_no": index.account_no.astype(np.int32),
        "cut_no": index.cut_no.astype(np.int32),
        BATCH: (index.account_no // fold.size).astype(np.int32),
    }
    engine.register(SNAPSHOTS, pa.table(table))
    rows = by_batch(fold.query.step, fold.size).sql
    result = engine.cogroup(f"SELECT * FROM {SNAPSHOTS}", rows, BATCH, fold, fold.schema)
    engine.drop(SNAPSHOTS)
    order = np.argsort(result.column("place").to_numpy(), kind="stable")
    for number, item in enumerate(fold.query.features):
        yield item, result.column(number + 1).to_numpy()[order]
