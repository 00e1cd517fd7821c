"""The hand-written world through the real loader: each account's story is its label."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tenure.core.config import make_config
from tenure.engine.base import Engine
from tenure.labels.snapshots import prediction_times, snapshots
from tenure.labels.targets import TARGETS, label
from tenure.sources.dataset import Dataset
from tenure.sources.load import load_frames
from worlds import TINY_UNTIL, tiny_world

if TYPE_CHECKING:
    import pandas as pd

CONFIG = make_config({"data": {"path": "."}}, base=Path())


@pytest.fixture(scope="module")
def dataset(engine: Engine) -> Dataset:
    return load_frames(tiny_world(), CONFIG, engine, observed_until=TINY_UNTIL)


@pytest.fixture(scope="module")
def snaps(dataset: Dataset) -> pd.DataFrame:
    return snapshots(dataset, prediction_times(CONFIG, dataset))


@pytest.mark.parametrize(
    ("target", "events"),
    [
        (
            "churn",
            {
                "a03": datetime(2023, 5, 10, 9),
                "a04": datetime(2023, 9, 15),
                "a07": datetime(2023, 3, 1),
            },
        ),
        ("expansion", {"a02": datetime(2023, 6, 1)}),
        ("contraction", {"a09": datetime(2023, 10, 1), "a10": datetime(2023, 8, 1)}),
    ],
)
def test_each_account_has_the_outcome_of_its_story(
    dataset: Dataset, snaps: pd.DataFrame, target: str, events: dict[str, datetime]
) -> None:
    rows = label(dataset, snaps, TARGETS[target], CONFIG.labels)
    positive = rows[rows["label"] == 1]
    assert dict(zip(positive["account_id"], positive["outcome_at"], strict=True)) == events
    # a 90-day window holds an event at two or three first days of a month
    assert positive.groupby("account_id").size().between(2, 3).all()


def test_the_kind_of_churn_follows_the_reason(dataset: Dataset, snaps: pd.DataFrame) -> None:
    rows = label(dataset, snaps, TARGETS["churn"], CONFIG.labels)
    kinds = rows[rows["label"] == 1].groupby("account_id")["churn_type"].first()
    assert kinds["a03"] == kinds["a07"] == "voluntary"
    assert kinds["a04"] == "involuntary"


def test_the_targets_of_each_kind_of_churn_share_the_churns(
    dataset: Dataset, snaps: pd.DataFrame
) -> None:
    left = {}
    for kind in ("voluntary", "involuntary"):
        rows = label(dataset, snaps, TARGETS[f"churn_{kind}"], CONFIG.labels)
        left[kind] = set(rows.loc[rows["label"] == 1, "account_id"])
    assert left == {"voluntary": {"a03", "a07"}, "involuntary": {"a04"}}


def test_the_yearly_account_renews_on_its_date(dataset: Dataset, snaps: pd.DataFrame) -> None:
    rows = label(dataset, snaps, TARGETS["renewal"], CONFIG.labels)
    yearly = rows[(rows["account_id"] == "a08") & rows["label"].notna()]
    assert set(yearly["label"]) == {1.0}
    asked = {day: set(rows["as_of"]) for day, rows in yearly.groupby("outcome_at")}
    assert asked == {
        datetime(2023, 1, 1): {datetime(2022, 11, 1), datetime(2022, 12, 1), datetime(2023, 1, 1)},
        datetime(2024, 1, 1): {datetime(2023, 11, 1), datetime(2023, 12, 1)},
    }


def test_only_the_account_under_notice_is_marked(snaps: pd.DataFrame) -> None:
    under_notice = snaps[snaps["notice_given"]]
    assert list(under_notice["account_id"]) == ["a03"]
    assert list(under_notice["as_of"]) == [datetime(2023, 6, 1)]
