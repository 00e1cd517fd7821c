"""Directions are declared for churn: of renewals they are read the other way, of changes not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tenure.core.config import Config
from tenure.core.records.base import Figure
from tenure.core.records.evaluation import Evaluation
from tenure.core.records.shape import DirectionRecord
from tenure.core.spec import Family, Feature
from tenure.features.plan.plan import resolve_plan
from tenure.run.shape import learnt_directions, shape_of

ROWS = 1_000
COLUMNS = {"usage_events": frozenset({"account_id", "event", "occurred_at"})}
USED = Feature("used", "usage_events", "count(*)", "{value}", direction=-1)
PLAN = resolve_plan([Family("use", "Use", (USED,))], COLUMNS)


def directions(target: str, effect: float) -> DirectionRecord | None:
    """Return what is said where use goes with the outcome, and the model has learnt so."""
    rng = np.random.default_rng(0)
    values = pd.DataFrame({"used": rng.normal(size=ROWS)})
    label = rng.random(ROWS) < 1 / (1 + np.exp(-effect * values["used"]))
    names = [f"a{row}" for row in range(ROWS)]
    rows = pd.DataFrame({"account_id": names, "label": label.astype(float)})
    return learnt_directions(target, effect * values.to_numpy(), values, values, rows, PLAN)


@pytest.mark.parametrize(
    ("target", "effect", "suspicious"),
    [
        ("churn", 1.0, True),
        ("churn", -1.0, False),
        ("renewal", 1.0, False),
        ("renewal", -1.0, True),
    ],
)
def test_directions_are_those_of_churn(target: str, effect: float, *, suspicious: bool) -> None:
    record = directions(target, effect)
    assert record is not None
    assert record.suspicious == suspicious


def test_nothing_is_declared_of_changes_of_revenue() -> None:
    assert directions("expansion", 1.0) is None


def test_without_predictions_there_is_no_skill() -> None:
    config = Config.model_validate({"data": {"path": "data"}})
    shape = shape_of(pd.DataFrame(), Evaluation(), config, None, ())
    assert (shape.skill, shape.directions, shape.lifetimes) == (None, None, ())


def test_that_predictions_rise_against_what_happens_is_taken_from_the_backtest() -> None:
    rng = np.random.default_rng(1)
    times = pd.date_range("2023-01-01", periods=12, freq="MS").repeat(200)
    score = rng.random(len(times))
    predictions = pd.DataFrame(
        {
            "account_id": [f"a{row}" for row in range(len(times))],
            "as_of": times,
            "label": (rng.random(len(times)) < score).astype(float),
            "probability": score,
        }
    )
    span = {
        "since": "2023-01-01",
        "until": "2023-12-01",
        "folds": 12,
        "n": 2_400,
        "positives": 1_200,
        "observed_rate": 0.5,
        "mean_probability": 0.5,
    }
    rises = Figure(value=0.1, lo=0.05, hi=0.15).to_json()
    evaluation = Evaluation.from_json({"over_time": {"overall": span, "gap_trend": rises}})
    config = Config.model_validate({"data": {"path": "data"}})
    shape = shape_of(predictions, evaluation, config, None, ())
    assert shape.skill is not None
    assert (shape.skill.drifting, shape.skill.falls) == (True, False)
