from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pandas as pd
import pyarrow as pa
import pytest

from histories import history, subscription
from tenure.core.config import LabelConfig
from tenure.engine.base import Engine
from tenure.labels import targets
from tenure.labels.snapshots import snapshots
from tenure.labels.splits import distinct_events
from tenure.labels.targets import TARGETS, label
from tenure.sources.dataset import Dataset

UNTIL = datetime(2024, 11, 28)
CUTOFFS = [datetime(2024, month, 1) for month in range(1, 9)]


@pytest.fixture
def world(engine: Engine) -> Dataset:
    start = datetime(2023, 1, 1)
    rows = [
        subscription(start, datetime(2024, 5, 10), account="leaves"),
        subscription(start, datetime(2024, 5, 10), account="grows"),
        subscription(datetime(2024, 5, 10), datetime(2024, 6, 10), 200.0, account="grows"),
        subscription(datetime(2024, 6, 10), None, 200.0, account="grows"),
        subscription(start, account="stays"),
    ]
    return history(engine, rows, UNTIL)


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_a_target_knows_its_own_name(name: str) -> None:
    assert TARGETS[name].name == name


def test_one_event_seen_from_several_snapshots_has_one_id(world: Dataset) -> None:
    snaps = snapshots(world, CUTOFFS)
    for name, account in (("churn", "leaves"), ("expansion", "grows")):
        rows = label(world, snaps, TARGETS[name], LabelConfig())
        positive = rows[rows["label"] == 1]
        assert set(positive["account_id"]) == {account}
        assert list(positive["as_of"]) == CUTOFFS[2:5] if account == "grows" else CUTOFFS[1:5]
        assert distinct_events(rows) == 1
        assert set(positive["outcome_id"]) == {f"{account}@2024-05-10T00:00:00.000000"}


def test_a_cutoff_is_censored_for_all_or_for_none(world: Dataset) -> None:
    rows = label(world, snapshots(world, CUTOFFS), TARGETS["churn"], LabelConfig())
    assert (
        rows.groupby("as_of")["label"].agg(lambda values: values.isna().mean()).isin([0, 1]).all()
    )
    censored = rows["drop_reason"] == "censored"
    assert (censored == (rows["label_known_at"] > UNTIL)).all()
    assert set(rows.loc[censored, "as_of"]) == {CUTOFFS[-1]}
    assert rows.loc[censored, "outcome_id"].isna().all()


def test_the_rows_come_back_in_the_order_given(world: Dataset) -> None:
    snaps = snapshots(world, CUTOFFS)
    mixed = snaps.sample(frac=1, random_state=1)
    straight = label(world, snaps, TARGETS["churn"], LabelConfig())
    got = label(world, mixed, TARGETS["churn"], LabelConfig())
    pd.testing.assert_frame_equal(got.sort_index(), straight)
    pd.testing.assert_frame_equal(got[snaps.columns], mixed)


def test_a_merger_is_no_label(engine: Engine) -> None:
    start, at = datetime(2023, 1, 1), datetime(2024, 5, 10)
    rows = [
        subscription(start, at, account="joined"),
        subscription(start, at, account="joint"),
        subscription(at, None, 200.0, account="joint"),
        subscription(start, at, account="leaves"),
    ]
    alone = history(engine, rows, UNTIL)
    log = {"account_id": ["joined"], "into_account_id": ["joint"], "at": [at]}
    engine.register("mergers", pa.table(log))
    both = replace(alone, columns={**alone.columns, "mergers": frozenset(log)})
    snaps = snapshots(alone, CUTOFFS)
    expected = {
        "churn": {"joined": "merged", "joint": "", "leaves": ""},
        "expansion": {"joined": "merged", "joint": "merged", "leaves": ""},
    }
    for name, reasons in expected.items():
        before, after = (label(data, snaps, TARGETS[name], LabelConfig()) for data in (alone, both))
        at_may = after[after["as_of"] == datetime(2024, 5, 1)].set_index("account_id")
        assert at_may["drop_reason"].to_dict() == reasons
        assert at_may["label"].isna().to_dict() == {one: bool(why) for one, why in reasons.items()}
        early = after["label_known_at"] <= at
        pd.testing.assert_frame_equal(after[early], before[early])
    engine.drop("mergers")


def test_portions_give_what_one_pass_gives(world: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    snaps = snapshots(world, CUTOFFS)
    for target in TARGETS.values():
        whole = label(world, snaps, target, LabelConfig())
        with monkeypatch.context() as patch:
            patch.setattr(targets, "ROWS_AT_ONCE", 4)
            pd.testing.assert_frame_equal(label(world, snaps, target, LabelConfig()), whole)


def test_no_snapshots_give_no_labels_but_all_columns(world: Dataset) -> None:
    got = label(world, snapshots(world, []), TARGETS["expansion"], LabelConfig())
    assert got.empty
    assert list(got.columns[-7:]) == [
        "label",
        "label_known_at",
        "outcome_at",
        "outcome_id",
        "outcome_amount",
        "churn_type",
        "drop_reason",
    ]


def test_the_engine_is_left_as_it_was(engine: Engine, world: Dataset) -> None:
    from tenure.core.errors import DataError

    snaps = snapshots(world, CUTOFFS)
    label(world, snaps, TARGETS["expansion"], LabelConfig())
    left = engine.fetch("SELECT table_name FROM information_schema.tables").to_pylist()
    assert [row for row in left if row["table_name"].startswith("labels_")] == []
    with pytest.raises(DataError):
        engine.columns("labels_paid")
