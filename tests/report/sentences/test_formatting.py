from __future__ import annotations

import pytest

from report.record import target
from tenure.core.records.base import UNMEASURED, Figure
from tenure.report.sentences.formatting import count, day, joined, number, percent, spread
from tenure.report.sentences.names import METRIC, baseline
from tenure.report.sentences.outcome import Outcome


def test_what_was_not_measured_is_a_dash() -> None:
    assert percent(None) == number(None) == count(None) == spread(UNMEASURED) == "–"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0%"), (0.0004, "under 0.1%"), (0.05, "5.0%"), (0.0996, "10%"), (1, "100%")],
)
def test_shares_keep_the_digits_that_matter(value: float, text: str) -> None:
    assert percent(value) == text


def test_a_metric_shows_its_interval_in_its_own_unit() -> None:
    figure = Figure(value=0.0123, lo=-0.001, hi=0.02)
    skill, loss = METRIC["brier_skill"], METRIC["log_loss"]
    assert (skill.show(figure.value), skill.interval(figure)) == ("1.2%", "[−0.1%, 2.0%]")
    assert loss.interval(figure) == "[−0.0010, 0.0200]"
    assert loss.interval(Figure(value=0.1)) == ""
    assert METRIC["calibration_error"].interval(figure) == ""


def test_a_gap_moves_the_window() -> None:
    outcome = Outcome("churn", target(gap_days=30))
    assert outcome.title == "Churn in days 30 to 120"


def test_a_baseline_is_named_for_what_it_is() -> None:
    assert (baseline("mrr"), baseline("hand_weighted")) == ("MRR", "Hand-weighted score")
    assert baseline("other_column") == "Other column"


def test_a_day_of_nothing_is_a_dash() -> None:
    assert (day(None), day("2024-03-01T12:00:00Z")) == ("–", "2024-03-01")


def test_names_and_values_in_one_line() -> None:
    assert joined({"num_leaves": 15, "seed": 0}) == "num_leaves 15, seed 0"
