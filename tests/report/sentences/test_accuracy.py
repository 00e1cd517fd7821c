from __future__ import annotations

import pytest

from report.record import NO_FIGURE, changed, figure, no_claim, renewal, target, usable
from tenure.report.sentences import accuracy
from tenure.report.sentences.outcome import Outcome

CHURN = Outcome("churn", usable())


def test_each_measure_is_explained_where_it_stands() -> None:
    told = accuracy.performance(Outcome("churn", usable()))
    assert told[2] == (
        "Of one account that churned and one that did not, the model ranked the first higher 72% "
        "of the time (AUC 0.72 [0.69, 0.74]; a coin: 50%)."
    )
    assert told[3] == (
        "Each probability pays a penalty that grows the further it was from what happened (log "
        "loss): 0.1780 on average, 11% less than the 0.2000 that the average rate pays if it is "
        "given to everyone."
    )
    assert told[4].startswith(
        "Of the squared error of that average rate the model removes 3.7% [2.7%, 4.7%] (Brier skill"
    )


def test_a_greater_penalty_is_said_to_be_more() -> None:
    entry = changed(usable(), {"evaluation.pooled.log_loss": figure(0.21, 0.01)})
    assert "5.0% more than the 0.2000" in accuracy.performance(Outcome("churn", entry))[3]


def test_what_happens_to_the_other_account_fits_the_verb() -> None:
    entry = target(event="upgrade", events="upgrades")
    told = accuracy.performance(Outcome("upgrade", entry))
    assert "Of one account that was followed by upgrade and one that was not, the" in told[2]
    told = accuracy.performance(Outcome("renewal", renewal()))
    assert "Of one account that renewed and one that did not, the" in told[2]


@pytest.mark.parametrize(
    "slope", [figure(5.0, 700.0), {"value": 5.0, "lo": None, "hi": None}, figure(2.0, 2.6)]
)
def test_a_slope_that_nobody_knows_is_not_shown(slope: dict[str, float]) -> None:
    entry = changed(usable(), {"evaluation.pooled.calibration_slope": slope})
    text = accuracy.calibration(Outcome("churn", entry))[-1]
    assert text.endswith("cannot be told from so few outcomes.")
    assert "[" not in text


def test_bounds_say_where_their_coverage_was_measured() -> None:
    text = accuracy.bounds(0.8)
    assert "80% of accounts" in text
    assert "simulated" in text


def test_bounds_are_held_against_groups_and_months_of_the_backtest() -> None:
    check = {"level": 0.8, "groups": {"n": 50, "inside": 41}, "months": {"n": 14, "inside": 12}}
    entry = changed(usable(), {"evaluation.bounds": check})
    (sentence,) = [
        text for text in accuracy.calibration(Outcome("churn", entry)) if text.startswith("Bounds")
    ]
    assert "in 41 of 50 groups and in 12 of 14 monthly totals" in sentence
    assert "well below 80% would mean that they are too narrow" in sentence


def test_nothing_measured_is_nothing_said() -> None:
    assert len(accuracy.performance(Outcome("churn", no_claim()))) == 1
    assert accuracy.calibration(Outcome("churn", no_claim())) == []
    assert accuracy.tuning(usable()) == ""


def test_the_calibration_error_stands_beside_that_of_a_perfect_model() -> None:
    entry = changed(usable(), {"evaluation.error_by_chance": figure(0.006, 0.0024)})
    sentences = accuracy.calibration(Outcome("churn", entry))
    place = next(i for i, text in enumerate(sentences) if "calibration error" in text)
    assert sentences[place + 1].endswith(
        "would show 0.6 points on the same rows, and in 95 of 100 cases at most 0.8."
    )
    unknown = changed(usable(), {"evaluation.error_by_chance": NO_FIGURE})
    assert len(accuracy.calibration(Outcome("churn", unknown))) == len(sentences) - 1
