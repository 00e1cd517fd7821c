"""Posted rows in the small engine: the same tables, snapshots and features as in DuckDB."""

from __future__ import annotations

import random
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.past import CUTOFFS, UNTIL, differences, whole_plan
from tenure.core.config import make_config
from tenure.engine import Engine
from tenure.engine.duckdb import DuckDBEngine
from tenure.engine.small import SmallEngine
from tenure.features.matrix import FeatureMatrix, build
from tenure.labels.snapshots import snapshots
from tenure.sources.load import load_frames
from worlds import random_world

CONFIG = make_config({"data": {"path": "."}}, base=Path())
SEEDS = st.integers(0, 2**31)


def duck() -> DuckDBEngine:
    return DuckDBEngine(threads=1, memory_limit="500MB")


def written(table: pa.Table, dice: random.Random) -> pa.Table:
    """Return a table as it is posted: times as text, some of them as dates or with a zone."""
    columns = dict(zip(table.column_names, table.columns, strict=True))
    for name, column in columns.items():
        if pa.types.is_timestamp(column.type):
            values = [spelt(value, dice) for value in column.to_pylist()]
            columns[name] = pa.array(values, pa.string())
    return pa.table(columns)


def spelt(moment: datetime | None, dice: random.Random) -> str | None:
    if moment is None:
        return None
    forms = (moment.isoformat(), f"{moment.isoformat()}Z", f" {moment}", f"{moment}+02:00")
    return dice.choice(forms)


def outcome(
    engine: Engine, world: dict[str, pa.Table], as_of: datetime
) -> tuple[dict[str, list[Any]], FeatureMatrix]:
    """Return the rows of every table, and the features of whoever is asked."""
    dataset = load_frames(world, CONFIG, engine, observed_until=UNTIL, lean=True)
    found = {name: engine.fetch(f"SELECT * FROM {name}") for name in dataset.columns}
    rows = {
        name: [table.schema, *sorted(table.to_pylist(), key=repr)] for name, table in found.items()
    }
    asked = snapshots(dataset, [as_of])
    return rows, build(engine, asked, whole_plan())


def check(seed: int) -> None:
    dice = random.Random(seed)
    world = random_world(seed, accounts=dice.randint(1, 5), months=14)
    posted = {name: written(table, dice) for name, table in world.items()}
    as_of = dice.choice(CUTOFFS)
    found = []
    for engine in (duck(), SmallEngine(duck)):
        try:
            found.append(outcome(engine, posted, as_of))
        finally:
            engine.close()
    (tables, features), (small_tables, small_features) = found
    assert tables == small_tables
    assert features.rows.equals(small_features.rows)
    assert differences(features, small_features) == {}


@given(SEEDS)
@settings(max_examples=4, derandomize=True)
def test_a_few_posts(seed: int) -> None:
    check(seed)


@pytest.mark.acceptance
@pytest.mark.timeout(3600)
@given(SEEDS)
@settings(max_examples=200)
def test_hundreds_of_posts(seed: int) -> None:
    check(seed)
