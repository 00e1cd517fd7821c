from __future__ import annotations

import math
from typing import Any

import pytest

from tenure.report.sentences.words import (
    METRIC,
    Outcome,
    baseline,
    count,
    day,
    number,
    percent,
    spread,
)


@pytest.mark.parametrize("value", [None, math.nan, math.inf, "0.5", True])
def test_what_is_no_number_is_a_dash(value: Any) -> None:
    assert percent(value) == number(value) == count(value) == spread({"value": value}) == "–"


@pytest.mark.parametrize(
    ("value", "said"),
    [(0, "0%"), (0.0004, "under 0.1%"), (0.05, "5.0%"), (0.0996, "10%"), (1, "100%")],
)
def test_shares_keep_the_digits_that_matter(value: float, said: str) -> None:
    assert percent(value) == said


def test_a_metric_says_its_interval_in_its_own_unit() -> None:
    found = {"value": 0.0123, "lo": -0.001, "hi": 0.02}
    skill, loss = METRIC["brier_skill"], METRIC["log_loss"]
    assert (skill.say(found["value"]), skill.interval(found)) == ("1.2%", "[−0.1%, 2.0%]")
    assert loss.interval(found) == "[−0.0010, 0.0200]"
    assert loss.interval({"value": 0.1, "lo": None, "hi": None}) == ""


def test_a_gap_moves_the_window() -> None:
    outcome = Outcome.of("churn", {"event": "churn", "horizon_days": 90, "gap_days": 30})
    assert outcome.title == "Churn in days 30 to 120"


def test_an_unknown_baseline_is_named_by_its_column() -> None:
    assert (baseline("mrr"), baseline("health_score")) == ("MRR", "Health score")


def test_a_day_of_nothing_is_a_dash() -> None:
    assert (day(None), day("2024-03-01T12:00:00Z")) == ("–", "2024-03-01")
