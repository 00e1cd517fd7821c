"""How to speak of what a target predicts."""

from __future__ import annotations

from dataclasses import dataclass

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
class Outcome:
    """How to speak of a target.

    Attributes:
        name: Name of the target, e.g. ``churn``.
        event: One outcome, e.g. ``churn``.
        events: Several.
        horizon_days: Length of the label window.
        gap_days: Days between prediction time and label window.
        bad: Whether the outcome is unwelcome.
    """

    name: str
    event: str
    events: str
    horizon_days: int
    gap_days: int
    bad: bool

    @classmethod
    def of(cls, name: str, target: TargetRecord) -> Outcome:
        """Return the outcome that a target's record speaks of."""
        return cls(
            name, target.event, target.events, target.horizon_days, target.gap_days, target.bad
        )

    @property
    def title(self) -> str:
        """Return the target as a heading."""
        return f"{sentence(self.event)} {self.window}"

    @property
    def window(self) -> str:
        """Return when the outcome is looked for."""
        if self.gap_days:
            return f"in days {self.gap_days} to {self.gap_days + self.horizon_days}"
        return f"within {self.horizon_days} days"

    def counted(self, value: float) -> str:
        """Return a count of outcomes in words."""
        return counted(value, self.event, self.events)

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
        """Return the verb after a share of accounts.

        >>> Outcome("upgrade", "upgrade", "upgrades", 90, 0, bad=False).happened
        'were followed by upgrade'
        """
        return HAPPENED.get(self.event, f"were followed by {self.event}")

    @property
    def missed(self) -> str:
        """Return the verb after a share of accounts without the outcome."""
        return MISSED[self.event][0] if self.event in MISSED else f"had no {self.event}"

    @property
    def absence(self) -> tuple[str, str]:
        """Return one and several accounts without the outcome, as nouns."""
        if self.event in MISSED:
            return MISSED[self.event][1:]
        return f"account without {self.event}", f"accounts without {self.event}"
