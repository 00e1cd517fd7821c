"""Figures within groups: by hand, with a floor of events, and their order."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from tenure.core.sections import EvaluationConfig
from tenure.model.evaluation.groups import by_group, distinct
from tenure.model.settings import EvaluationSettings

FAST = EvaluationSettings(EvaluationConfig(bootstrap=100))


def predictions(n=3_000, seed=0):
    rng = np.random.default_rng(seed)
    risk = rng.beta(1, 7, n)
    names = pd.Categorical(
        rng.choice(["low", "high", "rare"], n, p=[0.6, 0.38, 0.02]),
        categories=["low", "high", "rare", "empty"],
    )
    return pd.DataFrame(
        {
            "account_id": rng.integers(0, 500, n).astype(str),
            "label": (rng.random(n) < risk).astype(float),
            "probability": risk,
            "base_rate": 0.125,
            "outcome_id": np.arange(n).astype(str),
            "group:band": names,
        }
    )


def test_each_group_is_measured_on_its_own_rows():
    frame = predictions()
    low, high, rare = by_group(frame, FAST)
    part = frame[frame["group:band"] == "high"]
    labels, scores = part["label"], part["probability"]
    assert (high["by"], high["group"], high["n"]) == ("band", "high", len(part))
    assert high["auc"]["value"] == pytest.approx(roc_auc_score(labels, scores))
    gain = log_loss(labels, np.full(len(part), 0.125)) - log_loss(labels, scores)
    assert high["log_loss_gain"]["value"] == pytest.approx(gain)
    assert high["calibration_gap"]["value"] == pytest.approx((scores - labels).mean())
    assert high["calibration_gap"]["lo"] < 0 < high["calibration_gap"]["hi"]
    assert low["n"] + high["n"] + rare["n"] == 3_000


def test_a_group_of_few_events_has_counts_alone():
    rare = by_group(predictions(), FAST)[-1]
    assert rare["group"] == "rare"
    assert rare["events"] < 30
    assert {"n", "positives", "observed_rate", "mean_probability"} < set(rare)
    assert not {"auc", "log_loss_gain", "calibration_gap"} & set(rare)


def test_events_are_distinct_outcomes_not_rows():
    frame = predictions().assign(outcome_id="one and the same")
    assert distinct(frame) == 1
    assert all("auc" not in found for found in by_group(frame, FAST))
    assert distinct(frame.drop(columns="outcome_id")) == int(frame["label"].sum())
