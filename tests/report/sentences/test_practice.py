"""Sentences about lists, money and time, word for word."""

from __future__ import annotations

import pytest

from report.record import changed, expansion, figure, no_claim, refused, renewal, usable
from tenure.core.records.training import TargetRecord
from tenure.report.sentences import practice
from tenure.report.sentences.outcome import Outcome


def said(part: str, entry: TargetRecord, name: str = "churn") -> list[str]:
    sentences: list[str] = getattr(practice, part)(Outcome(name, entry))
    return sentences


def test_lists_count_in_hundreds() -> None:
    assert said("lists", usable()) == [
        "Of 100 accounts that churned, a list of those ranked highest at each prediction time "
        "would have held at least once, before it happened, 16 [14, 18] with lists of 5%, 29 "
        "[26, 32] with lists of 10% and 45 [39, 51] with lists of 20%; in random order 7, 14 "
        "and 28.",
        "A team that looks after 40 accounts at each prediction time (score.capacity), those "
        "ranked highest, would have met in time 29 [26, 32] of 100 accounts that churned; in "
        "random order 14.",
    ]


def test_without_a_capacity_no_team_is_spoken_of() -> None:
    assert len(said("lists", changed(usable(), {"evaluation.capacity": None}))) == 1


def test_money_says_what_is_assumed() -> None:
    top, suppose, own, rival, warning = said("money", usable())
    assert top == (
        "Lists of the 10% ranked highest held in time 32% [28%, 36%] of the MRR that was lost "
        "(123,456 EUR a month)."
    )
    assert suppose == (
        "Suppose a contact costs 50 EUR, an account that stays is worth 12 months of MRR at a "
        "margin of 80%, whoever is contacted is offered 5% of that worth, and the offer keeps 30% "
        "of those about to leave. Then contacting the 12% ranked highest would have earned 4.84 "
        "[3.34, 6.34] EUR per account asked and prediction time; no other length of list earns "
        "more (expected maximum profit, EMPB)."
    )
    assert own.endswith(
        "as one could have done at the time, would have earned 3.87 [1.87, 5.87] EUR."
    )
    assert rival == (
        "Of the baselines, logistic regression earns most: 4.00 EUR; the model earns 0.84 "
        "[−0.66, 2.34] EUR more."
    )
    assert "assumed, not measured" in warning


def test_a_baseline_that_earns_more_is_said_to() -> None:
    changes = {
        "evaluation.baselines.hand_weighted.best_profit": figure(6.0, 1.0),
        "evaluation.differences.hand_weighted.best_profit": figure(-1.16, 2.0),
    }
    assert said("money", changed(usable(), changes))[3] == (
        "Of the baselines, hand-weighted score earns most: 6.00 EUR; the model earns 1.16 "
        "[−0.84, 3.16] EUR less."
    )


def test_where_no_contact_pays_that_is_said_once() -> None:
    none = {"value": 0.0, "lo": 0.0, "hi": 3.6}
    entry = changed(usable(), {"evaluation.pooled.best_profit": none})
    _, suppose, warning = said("money", entry)
    assert suppose.startswith("Suppose a contact costs 50 EUR")
    assert "Then contacting nobody is best" in suppose
    assert "assumed, not measured" in warning


def test_money_in_several_currencies_says_what_it_covers() -> None:
    entry = changed(usable(), {"evaluation.money.rows": 3_120})
    assert "Figures in money cover the 50% of predictions in EUR" in said("money", entry)[0]


def test_money_without_a_campaign_is_that_of_the_lists_only() -> None:
    entry = changed(expansion(), {"evaluation.money.campaign": None})
    (text,) = said("money", entry, "expansion")
    assert "of the MRR that was gained (" in text


def test_lead_time_says_who_was_warned_and_how_early() -> None:
    assert said("lead", usable()) == [
        "Of 100 accounts that churned, 32 [29, 35] stood on the list of the 40 accounts ranked "
        "highest when they were last asked (241 distinct churns; in random order 8 would have).",
        "Half of these had stood there without a break for 41 [33, 49] days or more before the "
        "churn (lead time): so early could a team have called. Nobody has a lead time longer than "
        "they were watched; half were for at least 190 days.",
    ]


def test_few_events_are_called_rough_and_what_that_means() -> None:
    few = {"evaluation.pooled.events": 85, "evaluation.pooled.auc": figure(0.71, 0.07)}
    entry = changed(usable(), few)
    first, advice = said("rough", entry)
    assert first == (
        "Only 85 distinct churns stand behind these figures, so they are rough (95% intervals): "
        "the AUC of 0.71 could as well be 0.64 or 0.78, and the 29% of churns met by lists of 10% "
        "as well 26% or 32%. Two models, two groups or two months that differ by less than that "
        "are not told apart."
    )
    assert advice.endswith("four times as many churns halve them.")


def test_many_events_are_only_counted() -> None:
    (text,) = said("rough", usable())
    assert text.startswith("241 distinct churns stand behind these figures (95% intervals):")
    entry = changed(usable(), {"evaluation.pooled.auc": figure(0.71, 0.09)})
    assert said("rough", entry)[0].startswith("Only 241 distinct churns")  # wide all the same


def test_the_random_split_is_a_warning() -> None:
    first, probabilities, second = practice.contrast(usable().evaluation)
    assert first.startswith(
        "A random split would have promised an AUC of 0.80; the honest figure is 0.72. Rows of one "
        "account at different times resemble each other"
    )
    assert "None of the difference (0.08 [0.06, 0.10]) would be there in use" in first
    assert probabilities == (
        "Of the probabilities it would have promised a penalty (log loss) of 0.1600, where the "
        "honest test gives 0.1780; and predicted 5.0% on average, where the honest test predicted "
        "4.2% and 5.0% happened. A random split knows the rates of the months to come; in use "
        "nobody does."
    )
    assert second == (
        "On accounts the model had never seen its AUC is 0.70 [0.66, 0.74], on the same accounts "
        "when their own past was known 0.72 [0.69, 0.74]. The former was trained on half of the "
        "accounts."
    )


def test_a_gap_within_chance_is_not_blamed_on_the_split() -> None:
    chance = {"contrast.random_split.gap.auc": figure(0.01, 0.02)}
    assert practice.contrast(changed(usable().evaluation, chance))[0].endswith(
        "Here the difference (0.01 [−0.01, 0.03]) is not told apart from chance."
    )


def test_of_renewals_the_accounts_that_lapse_are_looked_for_at_the_low_end() -> None:
    entry = renewal()
    first, team = said("lists", entry, "renewal")
    assert first == (
        "Of 100 accounts that did not renew, a list of those ranked lowest at each prediction time "
        "would have held at least once, before it happened, 16 [14, 18] with lists of 5%, 29 "
        "[26, 32] with lists of 10% and 45 [39, 51] with lists of 20%; in random order 7, 14 "
        "and 28."
    )
    assert "those ranked lowest, would have met in time 29 [26, 32] of 100 accounts" in team
    (money,) = said("money", entry, "renewal")
    assert money.startswith("Lists of the 10% ranked lowest held in time 32% [28%, 36%] of the MRR")
    assert "9,876 EUR a month" in money
    assert said("lead", entry, "renewal") == []
    assert said("rough", entry, "renewal")[0].startswith("Only 64 distinct lapses stand behind")


def test_expected_amounts_are_compared_with_what_came() -> None:
    assert said("amounts", expansion(), "expansion") == []
    counts = {"level": 0.95, "rows": 90, "events": 12, "by_currency": {}}
    check = {"total": figure(0.9, 0.2), "given": figure(1.1, 0.1), **counts}
    entry = changed(expansion(), {"evaluation.amount": check})
    (text,) = said("amounts", entry, "expansion")
    assert "probability times the usual amount" in text
    assert "what came was 0.90 [0.70, 1.10] times that" in text
    assert "accounts that expanded, it was 1.10 [1.00, 1.20] times the usual" in text


@pytest.mark.parametrize("entry", [no_claim(), refused()])
@pytest.mark.parametrize("part", ["lists", "money", "amounts", "lead", "rough"])
def test_what_was_not_measured_is_not_said(part: str, entry: TargetRecord) -> None:
    assert said(part, entry) == []
    assert practice.contrast(entry.evaluation) == []
