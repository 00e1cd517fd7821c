"""The latest prediction times beside all of them: what is called a change, and what is chance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from tenure.core.records.evaluation import Evaluation
from tenure.core.records.over_time import OverTime
from tenure.core.sections import EvaluationConfig
from tenure.model.backtest.baselines import BASE_RATE
from tenure.model.evaluation.evaluate import evaluate
from tenure.model.evaluation.metrics import Measures
from tenure.model.evaluation.over_time import latest_folds, over_time
from tenure.model.evaluation.verdict import judge
from tenure.model.settings import EvaluationSettings

SETTINGS = EvaluationSettings(EvaluationConfig(bootstrap=200))
TIMES = 12
LATE = 3


def book(level=None, signal=None, *, accounts=1_200, rate=0.1, seed=0):
    """Return forward predictions of a rate; what happens moves away from them, by time.

    Args:
        level: Log-odds by which more happens than is predicted.
        signal: Share of the predicted log-odds that accounts differ by in truth.
    """
    rng = np.random.default_rng(seed)
    level = np.zeros(TIMES) if level is None else np.asarray(level)
    signal = np.ones(TIMES) if signal is None else np.asarray(signal)
    frames = []
    for place, moment in enumerate(pd.date_range("2024-01-01", periods=TIMES, freq="MS")):
        apart = rng.normal(size=accounts)
        truth = expit(logit(rate) + level[place] + signal[place] * apart)
        frames.append(
            pd.DataFrame(
                {
                    "account_id": [f"a{number}" for number in range(accounts)],
                    "as_of": moment,
                    "fold": place,
                    "label": (rng.random(accounts) < truth).astype(float),
                    "probability": expit(logit(rate) + apart),
                    "base_rate": expit(logit(rate) + rng.normal(size=100_000)).mean(),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def measured(frame) -> OverTime:
    return OverTime.from_json(over_time(frame, Measures(frame, SETTINGS), 90))


def verdict(frame):
    draws = Measures(frame, SETTINGS)
    figures = {
        "pooled": draws.metrics(draws.probabilities),
        "differences": {BASE_RATE: draws.difference(draws.base)},
        "over_time": over_time(frame, draws, 90),
    }
    return judge(Evaluation.from_json(figures), None)


def late(value, otherwise=0.0):
    return np.r_[np.full(TIMES - LATE, otherwise), np.full(LATE, value)]


def width(figure):
    return figure.hi - figure.lo


@pytest.mark.parametrize(
    ("times", "freq", "days", "folds"),
    [
        (12, "MS", 90, 3),
        (12, "MS", 30, 3),
        (24, "MS", 365, 12),
        (12, "MS", 365, 6),
        (40, "W", 90, 13),
        (4, "MS", 90, 3),
        (3, "MS", 90, 2),
        (1, "MS", 90, 0),
    ],
)
def test_lately_is_one_horizon_and_leaves_something_before_it(times, freq, days, folds):
    moments = pd.date_range("2024-01-01", periods=times, freq=freq).to_numpy("datetime64[us]")
    assert latest_folds(moments, days) == folds


def test_the_figures_are_those_of_the_rows():
    frame = book(late(0.5))
    rows = frame[frame["fold"] >= TIMES - LATE]
    span = measured(frame).lately
    assert span is not None
    assert (span.since, span.until, span.folds) == ("2024-10-01", "2024-12-01", LATE)
    assert (span.n, span.positives) == (len(rows), rows["label"].sum())
    assert span.mean_probability == pytest.approx(rows["probability"].mean())
    gap = rows["probability"].mean() - rows["label"].mean()
    assert span.calibration_gap.value == pytest.approx(gap)
    whole = evaluate(rows, rows[["base_rate"]], SETTINGS).differences[BASE_RATE].log_loss
    assert span.log_loss_gain.value == pytest.approx(whole.value)


def test_the_trend_is_the_change_along_the_line():
    trend = measured(book(np.linspace(0, 1, TIMES))).gap_trend
    assert trend.below
    assert trend.value == pytest.approx(-0.14, abs=0.03)
    steady = measured(book(seed=1))
    assert not steady.gap_trend.below
    assert not steady.gap_trend.above
    assert not steady.gain_trend.below


def test_a_stable_model_stays_usable():
    assert [verdict(book(seed=seed)).status for seed in range(6)] == ["usable"] * 6


def test_a_base_rate_that_doubles_is_said():
    result = verdict(book(late(np.log(2))))
    assert (result.status, result.promotable) == ("usable_before", False)
    first = result.sentences[0]
    assert first.startswith(
        "Usable before, not lately: at the 3 prediction times since 2024-10-01 "
    )
    assert "were predicted and" in first
    assert "; over all of them the gain in log loss over the base rate is 0.0" in first


def test_a_signal_that_dies_is_said():
    result = verdict(book(late(-0.23), late(0.0, 1.0)))
    assert result.status == "usable_before"
    assert "the gain in log loss over the base rate is -0.0" in result.sentences[0]


def test_what_is_off_by_little_is_said_by_nobody_however_sure_it_is():
    frame = book(late(-0.11), accounts=8_000)
    span = measured(frame).lately
    assert span is not None
    assert span.calibration_gap.above
    assert verdict(frame).status == "usable"


def test_shocks_that_months_share_widen_the_interval():
    shocks = np.where(np.arange(TIMES) % 4 < 2, 0.4, -0.4)
    calm, shaken = measured(book()).lately, measured(book(shocks)).lately
    assert calm is not None
    assert shaken is not None
    assert width(shaken.calibration_gap) > 1.5 * width(calm.calibration_gap)
    assert not calm.calibration_gap.above


def test_a_change_does_not_hide_itself():
    calm, doubled = measured(book()).lately, measured(book(late(np.log(2)))).lately
    assert calm is not None
    assert doubled is not None
    assert width(doubled.calibration_gap) < 1.6 * width(calm.calibration_gap)


def test_a_few_outcomes_that_did_not_happen_are_chance():
    frame = book(accounts=40, rate=0.02, seed=3)
    frame.loc[frame["fold"] >= TIMES - LATE, "label"] = 0.0
    span = measured(frame).lately
    assert span is not None
    assert span.positives == 0
    assert not span.calibration_gap.above


def test_one_time_has_nothing_before_it():
    frame = book()
    alone = measured(frame[frame["fold"] == 0])
    assert alone.lately is None
    assert alone.overall.folds == 1
