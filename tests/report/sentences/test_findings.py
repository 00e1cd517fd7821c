from __future__ import annotations

import pytest

from report.record import (
    beaten,
    changed,
    data,
    evaluation,
    expansion,
    figure,
    no_claim,
    no_signal,
    refused,
    renewal,
    target,
    usable,
    usable_before,
)
from tenure.core.records.training import TargetRecord
from tenure.report.sentences import accuracy, findings
from tenure.report.sentences.findings import Headline, headline
from tenure.report.sentences.outcome import Outcome

CHURN = Outcome("churn", usable())


def said(entry: TargetRecord, name: str = "churn") -> Headline:
    return headline(Outcome(name, entry))


def test_a_good_model_says_what_it_is_good_for() -> None:
    found = said(usable())
    assert (found.label, found.tone) == ("usable", "good")
    assert found.first == (
        "Of the 10% of accounts scored highest, 14% churned within 90 days: 2.9 times the average "
        "of the tested rows, 5.0%."
    )


def test_of_renewals_the_low_end_is_told() -> None:
    assert said(renewal(), "renewal").first == (
        "Of the 10% of accounts scored lowest, 29% did not renew within 90 days: 2.9 times the "
        "average of the tested rows, 10%."
    )


def test_the_verdict_is_told_without_code_names() -> None:
    better, best = said(usable()).more
    assert better == (
        "Its probabilities are better than giving everyone the average rate, and that is not luck: "
        "they gain 0.0220 [0.0205, 0.0235] in log loss, the penalty for probabilities that are far "
        "from what happens."
    )
    assert best == (
        "It ranks accounts better than any single column: its AUC is 0.11 [0.09, 0.12] above that "
        "of time as a customer, the best of them."
    )
    nothing = said(expansion(), "expansion").more
    assert any(text.endswith("(below 0: under it), and that may be chance.") for text in nothing)
    assert not [text for text in (*said(usable()).more, *nothing) if "tenure_days" in text]


def test_a_verdict_without_its_figures_stays_as_it_was_written() -> None:
    entry = changed(usable(), {"evaluation.differences": {}})
    assert said(entry).more == entry.verdict.sentences


def test_no_usable_signal_says_what_that_means() -> None:
    assert said(no_signal()).more[0].startswith("That means: as far as one can tell")


def test_a_model_that_loses_to_a_baseline_says_so_first() -> None:
    found = said(beaten())
    assert found.tone == "warn"
    assert found.first.startswith("Loses to logistic regression: AUC 0.0300 worse and log loss")


def test_a_tie_with_a_baseline_stands_in_the_first_line_too() -> None:
    entry = target(evaluation=evaluation(0.7, {"logistic_regression": 0.002}))
    found = said(entry)
    assert found.label == "usable"
    assert found.first.startswith("No better than logistic regression: AUC 0.0020 worse")
    assert "within chance" in found.first


def test_several_winners_are_named_without_figures() -> None:
    winners = {"logistic_regression": 0.1, "mrr": 0.05, "tenure_days": 0.1}
    entry = target(evaluation=evaluation(0.6, winners))
    assert said(entry).first == "Loses to time as a customer, MRR and logistic regression."


def test_a_model_that_adds_nothing_names_the_column() -> None:
    found = said(expansion(), "expansion")
    assert found.first.startswith("Adds nothing over MRR alone")
    assert "Loses to logistic regression" in found.first
    assert found.tone == "warn"


@pytest.mark.parametrize(
    ("entry", "label", "first"),
    [
        (no_signal(), "no usable signal", "No usable signal: log loss"),
        (usable_before(), "usable before, not lately", "Usable before, not lately: at the 3"),
        (no_claim(), "no claim", "Trained without a claim"),
        (refused(), "refused", "Refused: the past holds 3 distinct churns"),
    ],
)
def test_no_model_is_praised_that_may_not_be(entry: TargetRecord, label: str, first: str) -> None:
    found = said(entry)
    assert found.label == label
    assert found.first.startswith(first)
    assert found.tone != "good"


def test_not_lately_says_what_that_means_and_what_went_which_way() -> None:
    entry = usable_before()
    assert not entry.verdict.promotable
    assert said(entry).more[0].startswith("That means: something has changed since most of what")
    latest, trend = accuracy.lately(Outcome("churn", entry))
    assert latest == (
        "At the latest 3 prediction times, from 2025-10-01 on, 25.3% were predicted and 17.8% "
        "churned; the gain in log loss over the average rate was 0.0051 [−0.0051, 0.0153]."
    )
    assert "moved by 7.1 [6.1, 8.1] percentage points, and that gain by −0.0412" in trend
    unknown = changed(usable(), {"evaluation.over_time": None})
    assert accuracy.lately(Outcome("churn", unknown)) == []


def test_what_is_usable_is_never_compared_with_the_base_rate_to_its_disadvantage() -> None:
    worse = {"auc": figure(-0.01, 0.02), "log_loss": figure(0.001, 0.0005)}
    entry = changed(usable(), {"evaluation.differences.base_rate": worse})
    assert "base rate" not in said(entry).first


def test_a_refusal_says_what_to_do() -> None:
    assert said(refused()).more == (
        "Give a longer history, a longer labels.horizon_days, or more accounts.",
    )


def test_the_question_names_event_window_and_threshold() -> None:
    entry = expansion(gap_days=14)
    text = findings.question(Outcome("expansion", entry), 0.25)
    assert "at least 25% higher" in text
    assert "90 days after the prediction time, starting 14 days later" in text
    assert "the decision to end" in findings.question(CHURN, 0.1)


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ("voluntary churn", "the account chooses to end its last paid subscription"),
        ("involuntary churn", "ends without its choice, mostly for a payment that failed"),
        ("renewal", "goes on paying after the renewal date that it has in the 90 days"),
        ("upgrade", "that there is upgrade in the 90 days"),
    ],
)
def test_every_event_is_said_in_plain_words(event: str, words: str) -> None:
    entry = target(event=event, events=f"{event}s")
    assert words in findings.question(Outcome("any", entry), 0.1)


def test_accounts_that_were_not_due_are_told_apart() -> None:
    text = findings.labelling(Outcome("renewal", renewal()))
    assert "15,230 snapshots in all, 4,000 without a renewal date in the days looked at." in text
    assert "renewed within 90 days" in text


def test_nothing_known_is_nothing_to_learn_from() -> None:
    assert findings.labelling(Outcome("churn", changed(usable(), {"labels.labelled": 0}))).endswith(
        "There is nothing to learn from."
    )


@pytest.mark.parametrize(
    ("slope", "words"),
    [
        (figure(0.93, 0.12), "fits what happened"),
        (figure(0.6, 0.1), "somewhat too high"),
        (figure(1.6, 0.1), "too timid"),
    ],
)
def test_a_calibration_slope_in_words(slope: dict[str, float], words: str) -> None:
    entry = changed(usable(), {"evaluation.pooled.calibration_slope": slope})
    assert words in accuracy.calibration(Outcome("churn", entry))[-1]


def test_calibration_counts_what_was_promised_and_what_happened() -> None:
    assert accuracy.calibration(Outcome("churn", usable()))[0] == (
        "Summed up, the probabilities promised 324 churns and 312 happened."
    )


def test_accuracy_that_was_not_measured_is_not_claimed() -> None:
    assert accuracy.performance(Outcome("churn", no_claim())) == [
        "No accuracy was measured: there is no past prediction whose outcome is known."
    ]
    assert accuracy.calibration(Outcome("churn", no_claim())) == []


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.5, "high values go with more churn"),
        (-0.5, "high values go with less churn"),
        (0.1, "no single direction"),
        (None, "no single direction"),
    ],
)
def test_the_direction_of_a_driver(value: float | None, words: str) -> None:
    assert findings.association(value, CHURN) == words


def test_no_sentence_claims_a_cause() -> None:
    texts = accuracy.performance(Outcome("churn", usable())) + list(said(usable()).more)
    assert not [text for text in texts if "cause" in text or "because of" in text]


def test_the_data_in_one_sentence() -> None:
    assert "2 red warnings: read them first" in findings.data_finding(data(dirty=True))
    clean = findings.data_finding(data())
    assert "20 rejected (under 0.1%)" in clean
    assert "Missing: invoices and touchpoints." in clean
    assert "red" not in clean
