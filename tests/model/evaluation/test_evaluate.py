"""Metrics of predictions: known answers, JSON-safe, paired."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss

from tenure.core.records.base import UNMEASURED, Figure
from tenure.core.records.evaluation import Evaluation
from tenure.core.sections import EvaluationConfig
from tenure.model.evaluation.evaluate import evaluate, reliability
from tenure.model.evaluation.profit import gains
from tenure.model.settings import EvaluationSettings

FAST = EvaluationSettings(EvaluationConfig(bootstrap=100))


def predictions(n=4_000, *, slope=1.0, seed=0):
    """Return predictions whose true log-odds are `slope` times the predicted ones."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(-1.5, 1, n)
    return pd.DataFrame(
        {
            "account_id": rng.integers(0, 600, n).astype(str),
            "as_of": np.sort(rng.choice(pd.date_range("2024-01-01", periods=4, freq="MS"), n)),
            "fold": 0,
            "label": (rng.random(n) < expit(slope * logits)).astype(float),
            "probability": expit(logits),
            "base_rate": 0.2,
        }
    )


def measured(frame, others, settings):
    """Return the evaluation, whose figures a test knows to be there."""
    return evaluate(frame, others, settings)


def listing(frame, length, *, lowest=False):
    """Return which rows the list of each prediction time holds."""
    ranks = frame.groupby("as_of")["probability"].rank(method="first", ascending=lowest)
    return ranks <= frame.groupby("as_of")["label"].transform("size").map(length)


def test_values_agree_with_scikit_learn():
    frame = predictions()
    pooled = measured(frame, pd.DataFrame(), FAST).pooled
    labels, found = frame["label"], frame["probability"]
    assert pooled.log_loss.value == pytest.approx(log_loss(labels, found))
    assert pooled.brier.value == pytest.approx(brier_score_loss(labels, found))
    skill = 1 - brier_score_loss(labels, found) / ((labels - 0.2) ** 2).mean()
    assert pooled.brier_skill.value == pytest.approx(skill)
    top = frame.nlargest(400, "probability")["label"]
    assert pooled.lift_at_10.value == pytest.approx(top.mean() / labels.mean())
    assert (pooled.n, pooled.positives) == (4_000, int(labels.sum()))


def test_the_low_end_of_the_list_is_measured_where_it_is_asked_for():
    frame = predictions().assign(amount=100.0)
    frame["label"] = 1 - frame["label"]
    frame["probability"] = 1 - frame["probability"]
    assert measured(frame, pd.DataFrame(), FAST).lowest is None
    settings = replace(FAST, lowest=True, capacity=50, profit=True)
    found = measured(frame, pd.DataFrame(), settings).lowest
    without = frame["label"] == 0
    lowest = frame.nsmallest(400, "probability")["label"] == 0
    assert found.positives == without.sum()
    assert found.observed_rate == pytest.approx(without.mean())
    assert found.lift_at_10.value == pytest.approx(lowest.mean() / without.mean())
    listed = listing(frame, lambda n: max(1, int(0.1 * n)), lowest=True)
    lapsed = frame.loc[without, "account_id"].nunique()
    met = frame.loc[listed & without, "account_id"].nunique()
    assert found.detection_at_10.value == pytest.approx(met / lapsed)
    assert found.detection_at_10.lo < found.detection_at_10.value
    assert found.events == lapsed
    assert found.money.at_stake == pytest.approx(100.0 * lapsed)
    assert found.detection_at_capacity.value > 0
    assert not {"auc", "profit", "best_profit"} & set(found.to_json())


def test_slope_and_intercept_are_the_maximum_likelihood_line():
    frame = predictions(slope=0.5)
    pooled = measured(frame, pd.DataFrame(), FAST).pooled
    logits = np.log(frame["probability"] / (1 - frame["probability"]))
    line = LogisticRegression(C=1e9, tol=1e-10).fit(logits.to_numpy()[:, None], frame["label"])
    assert pooled.calibration_slope.value == pytest.approx(line.coef_[0, 0], abs=1e-4)
    assert pooled.calibration_intercept.value == pytest.approx(line.intercept_[0], abs=1e-4)
    assert pooled.calibration_slope.lo < 0.5 < pooled.calibration_slope.hi < 1


def test_the_one_step_interval_of_the_slope_equals_full_refits():
    frame = predictions(1_000, slope=0.7, seed=4)
    found = measured(frame, pd.DataFrame(), EvaluationSettings(EvaluationConfig(bootstrap=300)))
    slope = found.pooled.calibration_slope
    logits = np.log(frame["probability"] / (1 - frame["probability"])).to_numpy()[:, None]
    rng = np.random.default_rng(9)
    accounts, owner = np.unique(frame["account_id"], return_inverse=True)
    refits = []
    for _ in range(200):
        weights = np.bincount(
            rng.integers(0, len(accounts), len(accounts)), minlength=len(accounts)
        )
        model = LogisticRegression(C=1e9, solver="newton-cholesky")
        model.fit(logits, frame["label"].to_numpy(), weights[owner])
        refits.append(model.coef_[0, 0])
    assert slope.hi - slope.lo == pytest.approx(
        np.ptp(np.quantile(refits, [0.025, 0.975])), rel=0.2
    )


def test_calibration_error_sees_a_shift():
    frame = predictions()
    shifted = frame.assign(
        probability=expit(np.log(frame["probability"] / (1 - frame["probability"])) + 1)
    )
    good = measured(frame, pd.DataFrame(), FAST).pooled.calibration_error.value
    bad = measured(shifted, pd.DataFrame(), FAST).pooled.calibration_error.value
    assert good < 0.02
    assert bad == pytest.approx((shifted["probability"] - frame["label"]).mean(), abs=0.01)


def test_differences_are_paired_and_signed_for_the_model():
    frame = predictions()
    others = pd.DataFrame(
        {
            "base_rate": frame["base_rate"],
            "same": frame["probability"],
            "worse": 1 - frame["probability"],
        }
    )
    differences = measured(frame, others, FAST).differences
    assert differences["same"].auc == Figure(value=0, lo=0, hi=0)
    assert differences["worse"].auc.lo > 0
    assert differences["base_rate"].log_loss.lo > 0


def test_everything_is_json_and_repeats():
    frame = predictions(300)
    frame.loc[frame["as_of"] == frame["as_of"].max(), "label"] = 0.0  # a fold without positives
    others = pd.DataFrame({"base_rate": frame["base_rate"]})
    first, second = (measured(frame, others, FAST) for _ in range(2))
    assert first == second
    assert Evaluation.from_json(json.loads(json.dumps(first.to_json()))) == first
    assert first.folds[-1].auc.value is None
    assert first.folds[0].as_of == "2024-01-01"


def test_nothing_to_measure_is_empty():
    found = measured(pd.DataFrame(), pd.DataFrame(), FAST)
    assert found == Evaluation(resamples=100, level=0.95)


def test_reliability_bins_hold_equally_many_rows_and_the_rates():
    frame = predictions()
    curve = reliability(frame["label"].to_numpy(), frame["probability"].to_numpy())
    assert [part["n"] for part in curve] == [400] * 10
    means = [part["mean_probability"] for part in curve]
    assert means == sorted(means)
    weighted = sum(part["n"] * part["observed_rate"] for part in curve) / 4_000
    assert weighted == pytest.approx(frame["label"].mean())


MONEY = EvaluationSettings(EvaluationConfig(bootstrap=100), capacity=50, profit=True)


def with_money(frame, seed=0):
    rng = np.random.default_rng(seed)
    at = frame["as_of"] + pd.to_timedelta(rng.integers(1, 90, len(frame)), unit="D")
    happened = frame["label"] == 1
    return frame.assign(
        amount=np.exp(rng.normal(6, 1, len(frame))),
        outcome_at=at.where(happened),
        outcome_id=(frame["account_id"] + at.astype(str)).where(happened),
    )


def test_outcomes_met_in_time_and_their_money_by_hand():
    frame = with_money(predictions(1_000))
    again = frame["label"].eq(1) & frame.duplicated(["account_id", "label"])
    first = frame[frame["label"] == 1].groupby("account_id")["outcome_id"].first()
    frame.loc[again, "outcome_id"] = frame.loc[again, "account_id"].map(first)
    frame["outcome_at"] = frame["as_of"].max() + pd.Timedelta(days=9)
    positives = frame[frame["label"] == 1]
    assert positives["outcome_id"].nunique() < len(positives)
    pooled = measured(frame, pd.DataFrame(), MONEY).pooled
    held = positives.groupby("outcome_id")["amount"].last()
    lists = {"10": lambda n: max(1, int(0.1 * n)), "capacity": lambda n: 50}
    for name, length in lists.items():
        met = frame[listing(frame, length) & frame["label"].eq(1)]["outcome_id"].unique()
        detection = pooled.figure(f"detection_at_{name}").value
        assert detection == pytest.approx(len(met) / len(held))
        money = pooled.figure(f"mrr_detection_at_{name}").value
        assert money == pytest.approx(held[met].sum() / held.sum())
        assert pooled.figure(f"chance_at_{name}").value < detection


def test_profit_of_the_models_own_choice_by_hand():
    frame = with_money(predictions(1_000))
    found = measured(frame, pd.DataFrame({"base_rate": frame["base_rate"]}), MONEY)
    amounts, campaign = frame["amount"].to_numpy(), MONEY.evaluation
    earned = gains(frame["label"].to_numpy(), amounts, campaign)
    expected = gains(frame["probability"].to_numpy(), amounts, campaign)
    assert found.pooled.profit.value == pytest.approx(earned[expected > 0].sum() / 1_000)
    assert found.pooled.best_profit.value >= found.differences["base_rate"].best_profit.value
    assert 0 < found.money.contacted < 1
    assert found.money.campaign.accepted == 0.3


def test_a_perfect_model_catches_everything_and_a_random_one_its_share():
    frame = with_money(predictions())
    rate = frame["label"].mean()
    perfect = frame.assign(probability=frame["label"] * 0.98 + 0.01)
    best = measured(perfect, pd.DataFrame(), MONEY).pooled
    assert best.auc.value == 1
    assert best.detection_at_10.value == pytest.approx(0.1 / rate, rel=0.02)
    chance = frame.assign(probability=np.random.default_rng(1).random(len(frame)))
    worst = measured(chance, pd.DataFrame(), MONEY).pooled
    for name in ("detection_at_10", "mrr_detection_at_10"):
        assert worst.figure(name).lo < worst.chance_at_10.value < worst.figure(name).hi
    assert worst.chance_at_10.value == pytest.approx(0.1, abs=0.005)
    assert best.best_profit.lo > worst.best_profit.hi


def test_money_in_another_currency_is_left_out_and_counted():
    frame = with_money(predictions(1_000))
    frame.loc[::2, "amount"] = np.nan
    found = measured(frame, pd.DataFrame(), MONEY)
    half = frame[1::2]
    assert found.money.rows == 500
    assert found.money.at_stake == pytest.approx((half["amount"] * half["label"]).sum())
    alone = measured(half, pd.DataFrame(), MONEY).pooled
    assert found.pooled.best_profit.value == pytest.approx(alone.best_profit.value)


def test_everything_of_money_time_and_groups_is_json_and_repeats():
    frame = with_money(predictions(600)).assign(**{"group:x": pd.Categorical(["a"] * 600)})
    first, second = (measured(frame, pd.DataFrame(), MONEY) for _ in range(2))
    assert first == second
    assert Evaluation.from_json(json.loads(json.dumps(first.to_json()))) == first
    assert first.pooled.events == frame["outcome_id"].nunique()
    assert first.pooled.lead_time_days == first.lead_time.days
    nothing = measured(frame.assign(label=0.0), pd.DataFrame(), MONEY)
    assert nothing.pooled.best_profit == UNMEASURED
