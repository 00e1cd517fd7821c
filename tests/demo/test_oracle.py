from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from demo_truth import Replay, write_oracle
from sklearn.metrics import roc_auc_score

from demo.written import SMALL, Written

OVERLAP = 3  # monthly snapshots look at ninety days: an outcome is counted up to three times


def _known(judged: pd.DataFrame, target: str) -> pd.DataFrame:
    rows = judged[judged["target"] == target]
    return rows[rows[target].notna()]


def test_every_snapshot_has_a_probability_and_nobody_else(judged: pd.DataFrame) -> None:
    assert (judged["_merge"] == "both").all()
    assert not judged.duplicated(["account_id", "as_of", "target"]).any()
    assert judged["probability"].between(0, 1).all()
    assert set(judged["target"]) == {"churn", "expansion"}
    assert (judged["horizon_days"] == 90).all()


@pytest.mark.parametrize("target", ["churn", "expansion"])
def test_the_world_does_what_the_true_probabilities_say(judged: pd.DataFrame, target: str) -> None:
    rows = _known(judged, target)
    quarter = pd.qcut(rows["probability"].rank(method="first"), 4, labels=False)
    for _, part in rows.groupby(quarter):
        chance = part["probability"]
        noise = np.sqrt(OVERLAP * (chance * (1 - chance)).sum())
        assert abs(part[target].sum() - chance.sum()) < 3 * noise + 0.5


@pytest.mark.parametrize("target", ["churn", "expansion"])
def test_base_rates_and_what_can_be_known(judged: pd.DataFrame, target: str) -> None:
    rows = _known(judged, target)
    assert 0.05 < rows[target].mean() < 0.13
    assert 0.7 < roc_auc_score(rows[target], rows["probability"]) < 0.88
    assert rows["probability"].quantile(0.99) < 0.85


def test_prediction_times_end_with_observation(world: Written, tmp_path: Path) -> None:
    truth = pd.read_parquet(write_oracle(tmp_path, **SMALL, replay=Replay(2, 6)))
    assert list(truth["as_of"].unique()) == list(pd.date_range("2022-07-01", periods=3, freq="MS"))
    assert truth["as_of"].max() == world.until


def test_replays_do_not_depend_on_where_they_begin(tmp_path: Path) -> None:
    asked = ["account_id", "as_of", "target"]
    early = pd.read_parquet(write_oracle(tmp_path / "a", **SMALL, replay=Replay(2, 4)))
    late = pd.read_parquet(write_oracle(tmp_path / "b", **SMALL, replay=Replay(2, 6)))
    again = early[early["as_of"] >= late["as_of"].min()][asked].reset_index(drop=True)
    pd.testing.assert_frame_equal(again, late[asked])
