"""Other ways of testing: what a random split promises of pure chance, and who is never seen."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from model.panel import make_panel
from tenure.core.config import ModelConfig
from tenure.core.sections import EvaluationConfig
from tenure.model.backtest.walk_forward import walk_forward
from tenure.model.boosting.tune import usable
from tenure.model.calibration.losses import log_loss
from tenure.model.evaluation.other_splits import OtherSplits
from tenure.model.settings import EvaluationSettings, FitSettings

QUICK = {"rounds": 150, "min_rows_leaf": 20}
MODEL = ModelConfig(parameters=QUICK, threads=1, min_train_positives=7)
SETTINGS = FitSettings(MODEL)
HOW = EvaluationSettings(EvaluationConfig(bootstrap=100))


@pytest.fixture(scope="module")
def chance():
    """A world whose churn is pure chance, walked."""
    panel = make_panel(300, 18, effect=0)
    return panel, walk_forward(panel.values, panel.rows, SETTINGS)


def contrast(chance, **settings):
    panel, walk = chance
    return OtherSplits(panel.values, panel.rows, walk, settings.get("settings", SETTINGS))


def test_a_random_split_promises_what_is_not_there(chance):
    found = contrast(chance).measure(HOW)["random_split"]
    assert found["walk"]["auc"]["lo"] < 0.5 < found["walk"]["auc"]["hi"]
    assert found["auc"]["lo"] > 0.5
    assert found["gap"]["auc"]["lo"] > 0
    assert found["gap"]["lift_at_10"]["value"] > 0
    assert found["n"] == len(chance[1].predictions)


def test_losses_and_means_are_those_of_the_same_rows(chance):
    found = contrast(chance).measure(HOW)["random_split"]
    walked = chance[1].predictions
    said, labels = walked["probability"].to_numpy(), walked["label"].to_numpy(dtype=float)
    walk, gap = found["walk"], found["gap"]
    assert walk["log_loss"]["value"] == pytest.approx(log_loss(labels, said).mean())
    assert walk["mean_probability"]["value"] == pytest.approx(said.mean())
    assert found["observed_rate"] == pytest.approx(labels.mean())
    assert gap["log_loss"]["hi"] < 0  # it promises a smaller loss than there is
    for name in ("log_loss", "mean_probability"):
        assert gap[name]["value"] == pytest.approx(found[name]["value"] - walk[name]["value"])
    assert found["mean_probability"]["value"] == pytest.approx(labels.mean(), rel=0.1)


def test_accounts_never_seen_show_no_such_gap(chance):
    found = contrast(chance).measure(HOW)["new_accounts"]
    assert found["auc"]["lo"] < 0.5 < found["auc"]["hi"]
    assert found["gap"]["auc"]["lo"] < 0 < found["gap"]["auc"]["hi"]
    assert 0 < found["n"] < len(chance[1].predictions)


def test_the_parts_of_a_random_split_cover_the_walk_and_keep_apart(chance):
    panel, walk = chance
    tests = contrast(chance)._random(3)
    assert sorted(np.concatenate([test.test for test in tests])) == sorted(walk.predictions["row"])
    for test in tests:
        assert not set(test.train) & set(test.test)
        rate = panel.rows["label"].mean()  # over the labelled rows
        assert panel.rows["label"].iloc[test.train].mean() == pytest.approx(rate, abs=1e-3)
        assert panel.rows["label"].iloc[test.train].notna().all()


def test_no_account_is_trained_on_and_tested_nor_known_too_late(chance):
    rows = chance[0].rows
    tests = contrast(chance)._unseen(5)
    assert 1 < len(tests) <= 6
    for test in tests:
        seen = set(rows["account_id"].iloc[test.train])
        assert not seen & set(rows["account_id"].iloc[test.test])
        assert rows["label_known_at"].iloc[test.train].max() <= test.as_of


def test_it_repeats_on_any_number_of_threads_and_is_json(chance):
    two = SETTINGS.with_model(threads=2)
    first, second = contrast(chance).measure(HOW), contrast(chance, settings=two).measure(HOW)
    assert json.dumps(first, allow_nan=False) == json.dumps(second, allow_nan=False)


def test_late_columns_wait_for_their_time_where_accounts_are_unseen(chance):
    panel, _ = chance
    late = {"noise": pd.Timestamp("2023-03-01").to_pydatetime()}
    every = list(panel.values)
    others = [name for name in every if name != "noise"]
    for as_of, names in (("2023-02-01", others), ("2023-03-01", every), (None, every)):
        moment = None if as_of is None else pd.Timestamp(as_of)
        assert list(usable(panel.values, late, moment)) == names


def test_nothing_walked_is_nothing_to_compare():
    panel = make_panel(60, 8, rate=0.05)
    walk = walk_forward(panel.values, panel.rows, FitSettings(ModelConfig(min_train_cutoffs=50)))
    assert walk.predictions.empty
    empty: dict[str, object] = {"random_split": {}, "new_accounts": {}}
    assert OtherSplits(panel.values, panel.rows, walk, FitSettings()).measure(HOW) == empty
