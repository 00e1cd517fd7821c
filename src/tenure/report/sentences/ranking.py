"""The end of the ranking that a team looks at: the highest scores, or of renewals the lowest."""

from __future__ import annotations

from dataclasses import dataclass

from tenure.core.records.evaluation import Evaluation, Metrics, Money
from tenure.core.records.training import TargetRecord
from tenure.report.sentences.formatting import counted
from tenure.report.sentences.names import METRICS, Metric
from tenure.report.sentences.outcome import Outcome

OF_THE_TOP = ("lift_at_", "capture_at_", "mrr_capture_at_")


@dataclass(frozen=True)
class RankingEnd:
    """One end of the ranking, and how to speak of the accounts that are looked for there.

    Attributes:
        metrics: Lift and capture of that end, n, positives, observed_rate, events.
        money: What the figures in money are about.
        scored: ``highest`` or ``lowest``.
        happened: The verb after a share of accounts.
        event: One of those looked for, e.g. ``churn``.
        events: Several.
    """

    metrics: Metrics
    money: Money | None
    scored: str
    happened: str
    event: str
    events: str

    @property
    def lowest(self) -> bool:
        """Return whether it is the low end."""
        return self.scored == "lowest"

    def counted(self, value: float) -> str:
        """Return a count of distinct ones in words."""
        return counted(value, f"distinct {self.event}", f"distinct {self.events}")


def ranking_end(outcome: Outcome, target: TargetRecord) -> RankingEnd:
    """Return the end of a target's ranking that a team looks at.

    Args:
        outcome: How to speak of it.
        target: The target's part of the training record.
    """
    evaluation, low = target.evaluation, target.evaluation.lowest
    if low is not None:
        event, events = outcome.absence
        return RankingEnd(low, low.money, "lowest", outcome.missed, event, events)
    metrics, money = evaluation.pooled, evaluation.money
    return RankingEnd(metrics, money, "highest", outcome.happened, outcome.event, outcome.events)


def shown_metrics(evaluation: Evaluation) -> tuple[Metric, ...]:
    """Return the metrics to show of a target; those of the top only where a team looks there."""
    if evaluation.lowest is None:
        return METRICS
    return tuple(metric for metric in METRICS if not metric.key.startswith(OF_THE_TOP))
