from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from features.past import CUTOFFS, NOBODY, Recorded, differences, past
from tenure.core.spec import Family, Feature
from tenure.features.compute import batches
from tenure.features.compute.matrix import FeatureMatrix, build
from tenure.features.compute.source_query import SCOPE, source_queries
from tenure.features.families import FAMILIES
from tenure.features.plan.plan import resolve_plan


def snapshots(size: int | None = None) -> pd.DataFrame:
    world = past(21, 15)
    pairs = [(account, cutoff) for cutoff in CUTOFFS for account in [*world.accounts, NOBODY]]
    frame = pd.DataFrame(pairs, columns=["account_id", "as_of"])
    return frame.astype({"as_of": "datetime64[us]"}).iloc[:size]


def built(asked: pd.DataFrame) -> FeatureMatrix:
    world = past(21, 15)
    engine = world.engine()
    try:
        return build(engine, asked, world.plan())
    finally:
        engine.close()


def test_rows_keep_their_order_and_whatever_they_carry() -> None:
    asked = snapshots().assign(mrr=range(len(snapshots())))
    shuffled = asked.sample(frac=1, random_state=1)
    one, other = built(asked), built(shuffled)
    assert list(one.rows["mrr"]) == list(range(len(asked)))
    assert list(other.rows["mrr"]) == list(shuffled["mrr"])
    assert list(other.rows.index) == list(range(len(asked)))
    assert other.values.index.equals(other.rows.index)
    back = np.argsort(shuffled.index.to_numpy())
    sorted_back = FeatureMatrix(
        other.rows.iloc[back].reset_index(drop=True),
        other.values.iloc[back].reset_index(drop=True),
        other.specs,
    )
    assert differences(one, sorted_back) == {}


def test_a_snapshot_asked_for_twice_is_answered_twice() -> None:
    asked = snapshots(30)
    twice = built(pd.concat([asked, asked]))
    once = built(asked)
    for part in (slice(0, 30), slice(30, 60)):
        half = FeatureMatrix(
            twice.rows.iloc[part].reset_index(drop=True),
            twice.values.iloc[part].reset_index(drop=True),
            twice.specs,
        )
        assert differences(once, half) == {}


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_any_resolution_of_time_will_do(unit: str) -> None:
    whole = snapshots()
    asked = whole[whole["as_of"] == CUTOFFS[3]]
    other = built(asked.astype({"as_of": f"datetime64[{unit}]"}))
    expected = built(asked)
    pd.testing.assert_frame_equal(other.values, expected.values)


def test_no_snapshots_give_all_columns_and_their_types() -> None:
    empty, some = built(snapshots(0)), built(snapshots())
    assert len(empty.values) == 0
    assert empty.values.dtypes.to_dict() == some.values.dtypes.to_dict()


def test_missing_words_do_not_change_a_type() -> None:
    nobody = snapshots()
    nobody = nobody[nobody["account_id"] == NOBODY]
    found = built(nobody).values
    assert found["plan"].isna().all()
    assert found.dtypes.to_dict() == built(snapshots()).values.dtypes.to_dict()


def test_progress_names_each_statement_and_nothing_is_left_behind() -> None:
    world = past(21, 15)
    engine = world.engine()
    progress = Recorded()
    try:
        matrix = build(
            engine, snapshots(5), world.plan(), since={"x": CUTOFFS[0]}, progress=progress
        )
        left = engine.fetch("SELECT table_name AS name FROM information_schema.tables")
        assert SCOPE not in left.column("name").to_pylist()
    finally:
        engine.close()
    assert progress.steps == [query.source for query in source_queries(world.plan(), CUTOFFS)]
    assert matrix.since == {"x": CUTOFFS[0]}


def test_large_amounts_are_summed_to_the_millionth() -> None:
    world = past(21, 15)
    amounts = (123_456_789_012.25, 0.000001, 0.1, 0.2)

    def change(table: str, row: dict[str, object]) -> dict[str, object]:
        return row | {"amount": amounts[len(str(row)) % 4]} if table == "invoices" else row

    changed = world.changed(change)
    family = Family("own", "Own", (Feature("billed", "invoices", "sum(amount)", "{value} billed"),))
    found = changed.matrix(CUTOFFS[-1:], families=[family])
    expected = [
        sum(
            round(row["amount"] * 1_000_000)
            for row in changed.rows["invoices"]
            if row["account_id"] == account and row["known_at"] < CUTOFFS[-1]
        )
        for account in found.rows["account_id"]
    ]
    in_full = (np.asarray(expected, dtype=np.float64) / 1e6).astype(np.float32)
    np.testing.assert_array_equal(found.values["billed"], in_full)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_stands_alone(name: str) -> None:
    """No family fails for want of another: features across families are then absent."""
    found = resolve_plan([FAMILIES[name]], past(21, 15).columns)
    given = {item.name: item for item in FAMILIES[name].features}
    assert {item.feature.name for item in found.measured} <= set(given)
    measured = any(isinstance(item, Feature) for item in given.values())
    assert bool(found.measured) == measured
    assert len(found.absent) < len(given) or not measured
    for item in found.absent:
        assert item.reason.startswith("its part")


@pytest.mark.parametrize("at", CUTOFFS[3:6])
def test_one_prediction_time_read_apart_and_in_blocks_is_the_same(
    at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = past(0, 25)
    whole = world.matrix([at])
    monkeypatch.setattr(batches, "SPLIT_ROWS", 0)
    monkeypatch.setattr(batches, "BATCH_ACCOUNTS_ONCE", 7)
    assert differences(whole, world.matrix([at], threads=2)) == {}


def test_blocks_of_accounts_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    world = past(0, 25)
    whole = world.matrix(CUTOFFS)
    monkeypatch.setattr(batches, "BATCH_ACCOUNTS", 4)
    assert differences(whole, world.matrix(CUTOFFS, threads=2)) == {}
