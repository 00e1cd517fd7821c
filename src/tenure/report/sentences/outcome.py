"""How to speak of what a target predicts, and of the end of the ranking that a team looks at."""

from __future__ import annotations

from dataclasses import dataclass

from tenure.core.records.evaluation import Evaluation, Metrics, Money
from tenure.core.records.training import TargetRecord
from tenure.report.sentences.formatting import counted, sentence

HAPPENED = {
    "churn": "churned",
    "voluntary churn": "left by choice",
    "involuntary churn": "left without choosing to",
    "expansion": "expanded",
    "contraction": "contracted",
    "renewal": "renewed",
}
MISSED = {"renewal": ("did not renew", "lapse", "lapses")}


@dataclass(frozen=True)
class RankingEnd:
    """One end of the ranking, and how to speak of the accounts that are looked for there.

    Attributes:
        metrics: Lift and detection of that end, n, positives, observed_rate, events.
        money: What the figures in money are about.
        scored: ``highest`` or ``lowest``.
        happened: The verb after a share of accounts.
        event, events: One and several of those looked for.
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


@dataclass(frozen=True)
class Outcome:
    """A target, and how to speak of it."""

    name: str
    """Name of the target, e.g. ``churn``."""
    target: TargetRecord
    """The target's part of the training record."""

    @property
    def evaluation(self) -> Evaluation:
        """Return the target's backtest."""
        return self.target.evaluation

    @property
    def event(self) -> str:
        """Return the name of one outcome, e.g. ``churn``."""
        return self.target.event

    @property
    def events(self) -> str:
        """Return the name of several outcomes."""
        return self.target.events

    @property
    def title(self) -> str:
        """Return the target as a heading."""
        return f"{sentence(self.event)} {self.window}"

    @property
    def window(self) -> str:
        """Return when the outcome is looked for."""
        gap, length = self.target.gap_days, self.target.horizon_days
        return f"in days {gap} to {gap + length}" if gap else f"within {length} days"

    def counted(self, value: float, *, distinct: bool = False) -> str:
        """Return a count of outcomes in words."""
        kind = "distinct " if distinct else ""
        return counted(value, kind + self.event, kind + self.events)

    @property
    def did(self) -> str:
        """Return the verb after one account."""
        return HAPPENED.get(self.event, f"was followed by {self.event}")

    @property
    def did_not(self) -> str:
        """Return what follows `did` for another account: ``and one that …``."""
        return "did not" if self.event in HAPPENED else "was not"

    @property
    def happened(self) -> str:
        """Return the verb after a share of accounts."""
        return HAPPENED.get(self.event, f"were followed by {self.event}")

    @property
    def absence(self) -> tuple[str, str, str]:
        """Return the verb of accounts without the outcome, and one and several of them as nouns."""
        event = self.event
        other = (f"had no {event}", f"account without {event}", f"accounts without {event}")
        return MISSED.get(event, other)

    @property
    def end(self) -> RankingEnd:
        """Return the end of the ranking that a team looks at: of renewals the lowest scores."""
        low = self.evaluation.lowest
        if low is not None:
            return RankingEnd(low, low.money, "lowest", *self.absence)
        words = self.happened, self.event, self.events
        return RankingEnd(self.evaluation.pooled, self.evaluation.money, "highest", *words)
