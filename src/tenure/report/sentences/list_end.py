"""The end of the list that a team looks at: the highest scores, or of a welcome rule the lowest."""

from __future__ import annotations

from dataclasses import dataclass

from tenure.report.sentences.words import METRICS, Metric, Outcome, counted
from tenure.report.tables.layout import Entry

OF_THE_TOP = ("lift_at_", "capture_at_", "mrr_capture_at_")


@dataclass(frozen=True)
class End:
    """One end of the list, and how to speak of whom one looks for there.

    Attributes:
        figures: Lift and capture of that end, n, positives, observed_rate, events.
        money: What the figures in money are about.
        scored: ``highest`` or ``lowest``.
        happened: The verb after a share of accounts.
        event: One of those looked for, e.g. ``churn``.
        events: Several.
    """

    figures: Entry
    money: Entry
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


def list_end(outcome: Outcome, entry: Entry) -> End:
    """Return the end of a target's list that a team looks at.

    Args:
        outcome: How to speak of it.
        entry: The target's part of the training record.
    """
    evaluation = entry.get("evaluation") or {}
    low = evaluation.get("lowest") or {}
    if low:
        event, events = outcome.absence
        return End(low, low.get("money") or {}, "lowest", outcome.missed, event, events)
    figures, money = evaluation.get("pooled") or {}, evaluation.get("money") or {}
    return End(figures, money, "highest", outcome.happened, outcome.event, outcome.events)


def metrics_of(entry: Entry) -> tuple[Metric, ...]:
    """Return the figures to show of a target; those of the top only where one looks there."""
    if not (entry.get("evaluation") or {}).get("lowest"):
        return METRICS
    return tuple(metric for metric in METRICS if not metric.key.startswith(OF_THE_TOP))
