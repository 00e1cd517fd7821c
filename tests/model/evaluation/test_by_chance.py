"""The calibration error of a perfect model: known sizes, and what shared outcomes add to it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tenure.core.sections import EvaluationConfig
from tenure.model.evaluation.by_chance import error_by_chance
from tenure.model.evaluation.evaluate import evaluate
from tenure.model.settings import EvaluationSettings

BINS = 10


def predictions(n=2_000, times=4, seed=0):
    rng = np.random.default_rng(seed)
    months = pd.date_range("2024-01-01", periods=times, freq="MS")
    chances = rng.beta(2, 18, n)
    return pd.DataFrame(
        {
            "account_id": np.tile([f"a{number}" for number in range(n)], times),
            "as_of": np.repeat(months, n),
            "fold": np.repeat(np.arange(times), n),
            "probability": np.tile(chances, times),
            "base_rate": 0.1,
        }
    )


def test_independent_rows_err_as_binomial_bins_do():
    frame = predictions(times=1)
    error = error_by_chance(frame, 90, BINS, 0)
    chances = np.sort(frame["probability"].to_numpy()).reshape(BINS, -1)
    spread = np.sqrt((chances * (1 - chances)).sum(axis=1)) / chances.shape[1]
    assert error["value"] == pytest.approx((spread * np.sqrt(2 / np.pi)).mean(), rel=0.05)
    assert error["lo"] < error["value"] < error["hi"]
    assert error == error_by_chance(frame, 90, BINS, 0)


def test_shared_outcomes_make_more_of_chance():
    frame = predictions()
    apart, shared = (error_by_chance(frame, days, BINS, 0)["value"] for days in (30, 120))
    assert shared > 1.15 * apart


def ratio(measured):
    """Return the calibration error as a multiple of the 95th percentile of a perfect model's."""
    return measured.pooled.calibration_error.value / measured.error_by_chance.hi


def test_a_perfect_model_lies_within_it_and_a_poor_one_above():
    frame, rng = predictions(times=1, n=4_000), np.random.default_rng(1)
    settings = EvaluationSettings(EvaluationConfig(bootstrap=50))
    frame["label"] = (rng.random(len(frame)) < frame["probability"]).astype(float)
    good = evaluate(frame, pd.DataFrame(), settings)
    assert ratio(good) < 1.2
    poor = frame.assign(probability=1.5 * frame["probability"])
    measured = evaluate(poor, pd.DataFrame(), settings)
    assert ratio(measured) > 2
