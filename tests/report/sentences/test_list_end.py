from __future__ import annotations

from report.record import refused, renewal, usable
from tenure.report.sentences.list_end import list_end, metrics_of
from tenure.report.sentences.words import METRICS, Outcome


def test_a_team_looks_at_the_highest_scores() -> None:
    entry = usable()
    end = list_end(Outcome.of("churn", entry), entry)
    assert (end.scored, end.happened, end.lowest) == ("highest", "churned", False)
    assert end.figures is entry["evaluation"]["pooled"]
    assert end.counted(2) == "2 distinct churns"
    assert metrics_of(entry) == METRICS


def test_of_renewals_it_looks_at_the_lowest() -> None:
    entry = renewal()
    end = list_end(Outcome.of("renewal", entry), entry)
    assert (end.scored, end.happened, end.lowest) == ("lowest", "did not renew", True)
    assert end.counted(1) == "1 distinct lapse"
    names = [metric.key for metric in metrics_of(entry)]
    assert "auc" in names
    assert not [name for name in names if "lift" in name or "capture" in name]


def test_a_refused_target_has_an_empty_end() -> None:
    end = list_end(Outcome.of("churn", refused()), refused())
    assert (end.figures, end.money) == ({}, {})


def test_another_welcome_outcome_has_words_too() -> None:
    outcome = Outcome.of("upgrade", {"event": "upgrade"})
    assert outcome.missed == "had no upgrade"
    assert outcome.absence == ("account without upgrade", "accounts without upgrade")
