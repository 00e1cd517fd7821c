"""A ranking that falls steeply towards the end of observation is told; a stable one is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tenure.audit.skill import skill
from tenure.core.records.base import UNMEASURED, Figure
from tenure.core.records.shape import SkillRecord

TIMES, ACCOUNTS = 14, 600


def predictions(strength: list[float], seed: int, shock: float = 0.0) -> pd.DataFrame:
    """Return forward predictions of which the given strength of signal holds at each time.

    A score stays with its account, so that its rows are no independent ones.
    """
    rng = np.random.default_rng(seed)
    score = rng.normal(size=ACCOUNTS)
    folds = []
    for number, signal in enumerate(strength):
        level = rng.normal(0, shock)
        risk = 1 / (1 + np.exp(2.2 - level - signal * (1 + level) * score))
        folds.append(
            pd.DataFrame(
                {
                    "account_id": [f"a{name}" for name in range(ACCOUNTS)],
                    "as_of": pd.Timestamp(2023, 1, 1) + pd.DateOffset(months=number),
                    "label": (rng.random(ACCOUNTS) < risk).astype(float),
                    "probability": 1 / (1 + np.exp(2.2 - score)),
                }
            )
        )
    return pd.concat(folds, ignore_index=True)


def measured(strength: list[float], seed: int = 0, trend: Figure = UNMEASURED) -> SkillRecord:
    record = skill(predictions(strength, seed), trend, 90, 0)
    assert record is not None
    return record


def test_a_steep_fall_is_told_with_its_size() -> None:
    record = measured([1.5] * 11 + [0.4] * 3)
    assert record.falls
    assert (record.folds, record.latest) == (14, 3)
    assert record.before > 0.75 > record.lately
    assert record.change.value == pytest.approx(record.lately - record.before)
    assert record.lost == pytest.approx((record.before - record.lately) / (record.before - 0.5))
    assert record.change.below


def test_that_predictions_rise_as_well_is_said() -> None:
    rises, holds = Figure(value=0.1, lo=0.05, hi=0.2), Figure(value=0.1, lo=-0.05, hi=0.2)
    assert measured([1.0] * TIMES, trend=rises).drifting
    assert not measured([1.0] * TIMES, trend=holds).drifting


def test_stable_rankings_are_not_told_of() -> None:
    stable = [skill(predictions([1.0] * TIMES, seed, 0.2), UNMEASURED, 90, 0) for seed in range(40)]
    assert sum(record is not None and record.falls for record in stable) <= 2


def test_a_ranking_that_improves_or_never_was_is_not_told_of() -> None:
    assert not measured([0.2] * 8 + [1.5] * 6).falls
    assert not measured([0.0] * TIMES).falls


def test_a_slow_decay_of_the_earlier_times_does_not_hide_the_fall() -> None:
    assert measured(
        [2.0, 1.95, 1.9, 1.85, 1.8, 1.75, 1.7, 1.65, 1.6, 1.5, 1.4, 0.3, 0.2, 0.1]
    ).falls


def test_few_prediction_times_say_nothing() -> None:
    assert skill(predictions([1.0] * 7, 0), UNMEASURED, 90, 0) is None


def test_times_without_both_outcomes_do_not_count() -> None:
    rows = predictions([1.0] * TIMES, 0)
    rows.loc[rows["as_of"] == rows["as_of"].max(), "label"] = 0.0
    record = skill(rows, UNMEASURED, 90, 0)
    assert record is not None
    assert record.folds == TIMES - 1
