"""The fold where the rows are: the executors of a cluster fold batches of accounts.

Snapshots and placed rows meet by batch; each batch is folded by the same pure function as in one
process, and only the values of the snapshots travel back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tenure.core.steps import Step
from tenure.features.compute.aggregate import PlacedRows
from tenure.features.compute.snapshot_values import (
    FeatureValues,
    SnapshotIndex,
    Starts,
    measured_values,
)
from tenure.features.compute.source_query import SourceQuery
from tenure.features.compute.timeline import Timeline

if TYPE_CHECKING:
    from tenure.engine import Engine

BATCH = "_block"
"""Column with the number of the batch of accounts that a row belongs to."""
SNAPSHOTS = "feature_snapshots"
"""Registered table of the snapshots: their place, account, prediction time and batch."""


@dataclass(frozen=True)
class SourceFold:
    """How one source of a batch is folded; it travels to the executors.

    Attributes:
        query: What is read.
        timeline: The grid.
        starts: Source → per prediction time, the first day of its history.
        size: Accounts per batch.
    """

    query: SourceQuery
    timeline: Timeline
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
        part = SnapshotIndex(np.arange(self.size), self.timeline.cutoffs, numbers, cuts)
        rows = PlacedRows(self.query, self.timeline, placed, self.size, first)
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
    engine: Engine, fold: SourceFold, step: Step, index: SnapshotIndex
) -> Iterator[FeatureValues]:
    """Yield the measured features of one source for all snapshots, in their order."""
    table = {
        "place": np.arange(len(index.account_no), dtype=np.int64),
        "account_no": index.account_no.astype(np.int32),
        "cut_no": index.cut_no.astype(np.int32),
        BATCH: (index.account_no // fold.size).astype(np.int32),
    }
    engine.register(SNAPSHOTS, pa.table(table))
    rows = by_batch(step, fold.size).sql
    result = engine.cogroup(f"SELECT * FROM {SNAPSHOTS}", rows, BATCH, fold, fold.schema)
    engine.drop(SNAPSHOTS)
    order = np.argsort(result.column("place").to_numpy(), kind="stable")
    for number, item in enumerate(fold.query.features):
        yield item, result.column(number + 1).to_numpy()[order]
