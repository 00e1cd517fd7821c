from __future__ import annotations

from report.record import refused, renewal, target, usable
from tenure.core.records.evaluation import Metrics
from tenure.report.sentences.names import METRICS, shown_metrics
from tenure.report.sentences.outcome import Outcome


def test_a_team_looks_at_the_highest_scores() -> None:
    entry = usable()
    end = Outcome("churn", entry).end
    assert (end.scored, end.happened, end.lowest) == ("highest", "churned", False)
    assert end.metrics is entry.evaluation.pooled
    assert end.counted(2) == "2 distinct churns"
    assert shown_metrics(entry.evaluation) == METRICS


def test_of_renewals_it_looks_at_the_lowest() -> None:
    entry = renewal()
    end = Outcome("renewal", entry).end
    assert (end.scored, end.happened, end.lowest) == ("lowest", "did not renew", True)
    assert end.counted(1) == "1 distinct lapse"
    names = [metric.key for metric in shown_metrics(entry.evaluation)]
    assert "auc" in names
    assert not [name for name in names if "lift" in name or "detection" in name]


def test_a_refused_target_has_an_empty_end() -> None:
    end = Outcome("churn", refused()).end
    assert (end.metrics, end.money) == (Metrics(), None)


def test_another_welcome_outcome_has_words_too() -> None:
    outcome = Outcome("upgrade", target(event="upgrade"))
    assert outcome.happened == "were followed by upgrade"
    assert outcome.absence == (
        "had no upgrade",
        "account without upgrade",
        "accounts without upgrade",
    )
