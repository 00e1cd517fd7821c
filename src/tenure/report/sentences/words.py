"""How numbers, names and outcomes are said in reports: one way everywhere."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

NONE = "–"

BASELINES = {
    "base_rate": "Base rate",
    "days_since_last_event": "Days since last event",
    "tenure_days": "Tenure",
    "mrr": "MRR",
    "health_score": "Health score",
    "logistic_regression": "Logistic regression",
}
DROPS = {
    "already_decided": "the outcome was decided before the prediction time, but became known later",
    "censored": "too recent: the outcome was not yet known when observation stopped",
    "churn_type_unknown": "the account left, and nothing says whether by its own choice",
    "currency_changed": "the currency changed and no rates were given",
    "ended_in_gap": "ended in the gap between prediction time and label window",
    "no_renewal_due": "no renewal date within the longest horizon",
    "not_due": "no renewal date in the days looked at: there was nothing to renew",
    "notice_given": "notice had been given: nothing left to predict",
}
HAPPENED = {
    "churn": "churned",
    "voluntary churn": "left by choice",
    "involuntary churn": "left without choosing to",
    "expansion": "expanded",
    "contraction": "contracted",
    "renewal": "renewed",
}
MISSED = {"renewal": ("did not renew", "lapse", "lapses")}
STATUSES = {
    "champion": "This model is the champion: scores use it.",
    "challenger": "This model is a challenger: another model stays champion until one is promoted.",
    "not_promoted": "This model was not promoted: no score uses it.",
    "refused": "No model was fitted.",
}
VERDICTS = {
    "usable": "usable",
    "no_usable_signal": "no usable signal",
    "no_claim": "no claim",
    "refused": "refused",
}
TONES = {
    "usable": "good",
    "no_usable_signal": "bad",
    "no_claim": "warn",
    "refused": "bad",
}


@dataclass(frozen=True)
class Metric:
    """A figure of the performance table.

    Attributes:
        key: Its name in the evaluation.
        name: Its name for people.
        meaning: What it says, in one sentence.
        best: Which way is better, or the best value.
        share: Whether it is shown as a percentage.
        digits: Digits after the point.
        ranged: Whether its interval is shown.
    """

    key: str
    name: str
    meaning: str
    best: str
    share: bool = False
    digits: int = 3
    ranged: bool = True

    def say(self, value: Any) -> str:
        """Return one value for people."""
        return percent(value, 1) if self.share else number(value, self.digits)

    def interval(self, found: Any) -> str:
        """Return the interval of a figure in brackets, empty where there is none."""
        if not isinstance(found, Mapping) or not self.ranged:
            return ""
        if found.get("lo") is None or found.get("hi") is None:
            return ""
        return f"[{self.say(found['lo'])}, {self.say(found['hi'])}]"


METRICS = (
    Metric(
        "auc",
        "AUC",
        "how often an account with the outcome was ranked above one without; 0.5 is chance",
        "higher",
    ),
    Metric(
        "average_precision",
        "Average precision",
        "how clean the top of the list is; chance gives the observed rate",
        "higher",
    ),
    Metric(
        "log_loss",
        "Log loss",
        "the penalty for probabilities that were far from what happened",
        "lower",
        digits=4,
    ),
    Metric(
        "brier", "Brier score", "the mean squared error of the probabilities", "lower", digits=4
    ),
    Metric(
        "brier_skill",
        "Brier skill",
        "the share of the base rate’s squared error that the model removes",
        "above 0",
        share=True,
    ),
    Metric(
        "calibration_error",
        "Calibration error",
        "the mean gap between predicted and observed rates over ten bins",
        "lower",
        share=True,
        ranged=False,  # resampling adds noise, which only ever widens a gap: it would lie above
    ),
    Metric(
        "lift_at_10",
        "Lift at 10%",
        "the outcome rate among the 10% scored highest, as a multiple of the average",
        "higher",
        digits=2,
    ),
    Metric(
        "capture_at_10",
        "Capture at 10%",
        "the share of all outcomes that the 10% scored highest hold",
        "higher",
        share=True,
    ),
    Metric(
        "mrr_capture_at_10",
        "MRR captured at 10%",
        "the share of the MRR behind the outcomes that the 10% scored highest hold",
        "higher",
        share=True,
    ),
    Metric(
        "capture_at_capacity",
        "Capture at capacity",
        "the share of all outcomes among the accounts a team can look after",
        "higher",
        share=True,
    ),
    Metric(
        "best_profit",
        "Best profit",
        "what contacting the best number of accounts would have earned, per account asked",
        "higher",
        digits=2,
    ),
)
METRIC = {metric.key: metric for metric in METRICS}


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
    def of(cls, name: str, entry: Mapping[str, Any]) -> Outcome:
        """Return the outcome of a target's part of the training record."""
        event = str(entry.get("event") or plain(name))
        return cls(
            name=name,
            event=event,
            events=str(entry.get("events") or f"{event}s"),
            horizon_days=int(entry.get("horizon_days") or 0),
            gap_days=int(entry.get("gap_days") or 0),
            bad=bool(entry.get("bad", True)),
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

        >>> Outcome.of("renewal", {}).happened, Outcome.of("upgrade", {}).happened
        ('renewed', 'were followed by upgrade')
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


def percent(value: Any, digits: int | None = None) -> str:
    """Return a share as a percentage.

    >>> percent(0.0487), percent(0.31), percent(None), percent(0.31, 1), percent(0.0001)
    ('4.9%', '31%', '–', '31.0%', 'under 0.1%')
    """
    if not known(value):
        return NONE
    if digits is None and 0 < value < 0.0005:
        return "under 0.1%"
    if digits is None:
        digits = 1 if abs(value) < 0.0995 and value else 0
    return number(100 * value, digits) + "%"


def number(value: Any, digits: int = 3) -> str:
    """Return a number with a fixed count of digits after the point.

    >>> number(-0.5, 1), number(-0.001, 1)
    ('−0.5', '0.0')
    """
    if not known(value):
        return NONE
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")


def count(value: Any) -> str:
    """Return a whole number with separators."""
    return f"{value:,.0f}" if known(value) else NONE


def counted(value: float, one: str, many: str | None = None) -> str:
    """Return a count with its noun.

    >>> counted(1, "row"), counted(2, "row"), counted(3, "churn", "churns")
    ('1 row', '2 rows', '3 churns')
    """
    return f"{count(value)} {one if value == 1 else many or one + 's'}"


def known(value: Any) -> TypeGuard[float]:
    """Return whether a value is a number that can be shown."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def spread(found: Any, digits: int = 2) -> str:
    """Return a figure and its interval.

    >>> spread({"value": 0.712, "lo": 0.69, "hi": 0.73}), spread({"value": None})
    ('0.71 [0.69, 0.73]', '–')
    """
    return _within(found, lambda value: number(value, digits))


def portion(found: Any) -> str:
    """Return a share and its interval in percent.

    >>> portion({"value": 0.123, "lo": 0.08, "hi": 0.16})
    '12% [8.0%, 16%]'
    """
    return _within(found, percent)


def of_hundred(found: Any) -> str:
    """Return a share and its interval as so many of a hundred.

    >>> of_hundred({"value": 0.123, "lo": 0.08, "hi": 0.16})
    '12 [8, 16]'
    """
    return _within(found, lambda value: number(100 * value, 0))


def _within(found: Any, said: Callable[[Any], str]) -> str:
    """Return a figure as it is said, with its interval where there is one."""
    if not isinstance(found, Mapping) or not known(found.get("value")):
        return NONE
    if known(found.get("lo")) and known(found.get("hi")):
        return f"{said(found['value'])} [{said(found['lo'])}, {said(found['hi'])}]"
    return said(found["value"])


def sentence(text: str) -> str:
    """Return a text with a capital first letter."""
    return text[:1].upper() + text[1:]


def plain(code: str) -> str:
    """Return a code as words.

    >>> plain("duplicate_key")
    'duplicate key'
    """
    return str(code).replace("_", " ")


def day(value: Any) -> str:
    """Return the date of a time in a record."""
    return str(value)[:10] if value else NONE


def baseline(name: str) -> str:
    """Return a baseline's name for people."""
    return BASELINES.get(name) or sentence(plain(name))


def inside(name: str) -> str:
    """Return a name as it stands inside a sentence.

    >>> inside("Logistic regression"), inside("MRR"), inside("NPS answers"), inside("Brier skill")
    ('logistic regression', 'MRR', 'NPS answers', 'Brier skill')
    """
    first = name.partition(" ")[0]
    proper = (first.isupper() and len(first) > 1) or first == "Brier"
    return name if proper else name[:1].lower() + name[1:]


def listed(names: Sequence[str]) -> str:
    """Return names as a list in a sentence.

    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
