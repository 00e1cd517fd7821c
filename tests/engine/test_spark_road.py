"""The whole road on Spark gives what it gives on DuckDB."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from features.compare import disagreements
from features.past import CUTOFFS, Past, differences, past
from tenure.core.config import make_config
from tenure.demo import write_world
from tenure.engine import Engine
from tenure.features.compute import batches
from tenure.features.coverage import latest_known
from tenure.labels.snapshots import snapshots
from tenure.labels.targets import TARGETS, label
from tenure.run.prepare import prepare
from tenure.sources.load import load, load_frames
from worlds import month, random_world

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    write_world(folder, accounts=60, months=20, seed=5)
    return folder


def test_the_demo_world_gives_the_same_features(duck: Engine, spark: Engine, world: Path) -> None:
    config = make_config(
        {"data": {"path": str(world)}, "calendar": {"start": "2023-01-01"}}, base=world
    )
    found = []
    for engine in (duck, spark):
        dataset = load(config, engine)
        found.append((dataset.report, prepare(config, dataset)))
    (report, one), (again, other) = found
    assert report == again
    assert one.cutoffs == other.cutoffs
    for target in one.labels:
        pd.testing.assert_frame_equal(one.labels[target], other.labels[target])
    assert list(one.matrix.values) == list(other.matrix.values)
    assert one.matrix.begins == other.matrix.begins
    for name in one.matrix.values:
        left, right = one.matrix.values[name], other.matrix.values[name]
        if left.dtype == object:
            assert left.equals(right), name
        else:
            np.testing.assert_allclose(right, left, rtol=1e-9, atol=1e-9, err_msg=name)


@pytest.mark.acceptance
def test_random_histories_give_the_same_labels(duck: Engine, spark: Engine) -> None:
    world = random_world(11, 25, months=26)
    config = make_config({"data": {"path": "."}}, base=Path())
    found = []
    for engine in (duck, spark):
        dataset = load_frames(world, config, engine, observed_until=month(40))
        asked = snapshots(dataset, [month(index) for index in (3, 8, 13, 18, 23)])
        labels = [label(dataset, asked, target, config.labels) for target in TARGETS.values()]
        rejected = {
            name: sorted((row["rule"], row["reason"]) for row in engine.fetch(sql).to_pylist())
            for name, sql in dataset.rejects.items()
        }
        known = latest_known(engine, ["usage_events", "tickets"], month(20, 3, 7))
        found.append((dataset.report, rejected, labels, known))
    (report, rejected, labels, known), (again, refused, others, seen) = found
    assert known == seen
    assert all(known.values())
    assert len(labels[0]) > 20
    assert report == again
    assert rejected == refused
    for one, other in zip(labels, others, strict=True):
        pd.testing.assert_frame_equal(one, other)


class OnSpark(Past):
    """A past whose tables stand in Spark."""

    borrowed: Engine

    def engine(self, threads: int = 1) -> Any:
        engine = self.borrowed
        for name, rows in self.rows.items():
            engine.register(name, pa.Table.from_pylist(list(rows), schema=self.schemas[name]))
        return Borrowed(engine)


class Borrowed:
    """An engine that who borrows it cannot close."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def close(self) -> None:
        pass


@pytest.fixture
def spark_past(spark: Engine) -> Past:
    found = past(1, 12)
    OnSpark.borrowed = spark
    return OnSpark(found.rows, found.schemas, found.columns)


def test_every_feature_is_what_the_contract_says(
    spark_past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one process, and in the executors."""
    assert disagreements(spark_past, CUTOFFS) == {}
    whole = spark_past.matrix(CUTOFFS)
    monkeypatch.setattr(batches, "SCATTERED_ROWS", 40)
    assert differences(whole, spark_past.matrix(CUTOFFS)) == {}


def test_cells_and_rows_give_the_same_bits(
    spark_past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = spark_past.matrix(CUTOFFS[-1:])
    monkeypatch.setattr(batches, "SPLIT_ROWS", 0)
    monkeypatch.setattr(batches, "SCATTERED_ROWS", 40)
    assert differences(whole, spark_past.matrix(CUTOFFS[-1:])) == {}


def test_what_is_known_later_changes_nothing(spark_past: Past) -> None:
    at = CUTOFFS[3]
    whole = spark_past.matrix(CUTOFFS[:4], spark_past.accounts)

    def past_only(table: str, row: dict[str, Any]) -> dict[str, Any] | None:
        return row if row["event_time"] < at and row["known_at"] < at else None

    changed = spark_past.changed(past_only).shuffled(3)
    assert differences(whole, changed.matrix(CUTOFFS[:4], spark_past.accounts)) == {}
