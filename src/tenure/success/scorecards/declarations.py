"""What the scorecards measure: a rule in words, a column, and the values that give 0 and 100.

A column is a feature, so that it is cut at the prediction time like everything that a model reads,
or comes from the latest kept scores.  Points lie on a straight line between both cut points.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.spec import Declared, Derived, Family, Feature
from tenure.core.steps import text_literal

Card = Literal["vendor_outcomes", "client_experience", "customer_outcomes"]
Unit = Literal["score", "share", "count", "days", "hours", "ratio"]

CARDS: dict[Card, str] = {
    "vendor_outcomes": "What the account brings the vendor: it stays, grows and recommends",
    "client_experience": "How the account's people find the product and its support",
    "customer_outcomes": "What the account gets out of what it pays for",
}
FULL = 100.0


@dataclass(frozen=True, slots=True)
class MeasureDeclaration:
    """One measure of a scorecard."""

    name: str
    """Its name in outputs."""
    card: Card
    """The scorecard that it belongs to."""
    rule: str
    """What it is, in words."""
    column: str
    """The feature that measures it, or a column of the kept scores."""
    bad: float
    """Value that gives 0 points."""
    good: float
    """Value that gives 100; below `bad` where less is better."""
    unit: Unit
    """What the value is measured in."""
    none: str
    """Why an account has no value where the tables are there."""

    @property
    def direction(self) -> Literal[-1, 1]:
        """Return 1 where more is better, -1 where less is."""
        return 1 if self.good > self.bad else -1

    def points(self, values: Any) -> Floats:
        """Return points from 0 to 100 for values, missing where a value is; see `on_line`."""
        return on_line(values, self.bad, self.good)


def on_line(values: Any, bad: float, good: float) -> Floats:
    """Return points from 0 at `bad` to 100 at `good`, no more and no less beyond them.

    >>> on_line([0.1, 0.45, 0.9, None], bad=0.1, good=0.8)
    array([  0.,  50., 100.,  nan])
    """
    numbers = np.asarray(values, dtype=np.float64)
    return np.asarray(np.clip((numbers - bad) / (good - bad), 0, 1) * FULL)


def _survey(kind: str, low: int, high: int) -> str:
    return f"lower(survey_type) = '{kind}' and scale_low = {low} and scale_high = {high}"


SURVEYS, USAGE, TOUCHPOINTS = "survey_responses", "usage_events", "touchpoints"
NPS, CSAT = _survey("nps", 0, 10), _survey("csat", 1, 5)
EFFORT, EASE = _survey("ces", 1, 5), _survey("ces", 1, 7)
YEAR = (365, 182, 91)
"""Days that are looked at; fewer only where the history of the table does not reach back."""
REFERENCES = (
    *("reference", "reference_call", "case_study", "testimonial"),
    *("review", "referral", "speaking", "advisory_board"),
)
"""Kinds of touchpoints by which an account has spoken for the vendor."""


def _over_year(
    name: str, source: str, where: str, aggregate: str = "count(score)"
) -> tuple[Declared, ...]:
    """Return the feature ``scorecard_<name>`` over a year, or what there is of it."""
    base = f"scorecard_{name}"
    windows = [f"{base}_in_{days}d" for days in YEAR]
    part = Feature(
        f"{base}_in", source, aggregate, "{value}", where=where, windows=YEAR, hidden=True
    )
    return part, Derived(base, f"coalesce({', '.join(windows)})", "{value}")


def _share(name: str, part: str, whole: str) -> Derived:
    return Derived(f"scorecard_{name}", f"({part}) / scorecard_{whole}", "{value}")


def own_family(activation_days: int, activation_event: str | None) -> Family:
    """Return the features of the measures that no model reads.

    An account is to be active within `activation_days` of its first paid start; `activation_event`
    is the usage event that is the first value, None: any.
    """
    value = f"event = {text_literal(activation_event)}" if activation_event else None
    spoken = f"lower(kind) in ({', '.join(map(text_literal, REFERENCES))})"
    paid, used = "scorecard_paid_days", "scorecard_value_days"
    over = f"{paid} + 0 * sqrt({paid} - {activation_days})"
    activated = f"greatest(0, coalesce({paid} - {used}, {over})) + 0 * sqrt(365 - {paid})"
    features = (
        *_over_year("nps_answers", SURVEYS, NPS),
        *_over_year("promoters", SURVEYS, f"{NPS} and score >= 9"),
        *_over_year("detractors", SURVEYS, f"{NPS} and score <= 6"),
        *_over_year("csat_answers", SURVEYS, CSAT),
        *_over_year("csat_positive", SURVEYS, f"{CSAT} and score >= 4"),
        *_over_year("ease", SURVEYS, EASE, "avg((score - 1) / 6.0)"),
        *_over_year("effort", SURVEYS, EFFORT, "avg((5 - score) / 4.0)"),
        *_over_year("last_nps", SURVEYS, NPS, "last(score)"),
        Feature("scorecard_references", TOUCHPOINTS, "count(*)", "{value}", where=spoken),
        Feature(used, USAGE, "days_since(min(event_time))", "{value}", where=value),
        Feature(paid, "subscriptions", "days_since(min(started_at))", "{value}", where="paid"),
        _share("nps", "100 * (scorecard_promoters - scorecard_detractors)", "nps_answers"),
        _share("csat", "scorecard_csat_positive", "csat_answers"),
        Derived("scorecard_ces", "coalesce(scorecard_ease, scorecard_effort)", "{value}"),
        Derived("scorecard_activation", activated, "{value}"),
        *(
            Derived(f"scorecard_{name}", f"coalesce(mean_{name}_182d, mean_{name}_84d)", "{value}")
            for name in ("response_hours", "resolution_hours")
        ),
    )
    return Family("scorecard", "Scorecards", features)


NOBODY = "nobody answered in the 365 days before"
MEASURES: tuple[MeasureDeclaration, ...] = (
    MeasureDeclaration(
        "retention",
        "vendor_outcomes",
        "100 × (1 − probability of churn) of the latest kept scores",
        "churn_probability",
        *(1, 0, "share", "it has no kept probability of churn"),
    ),
    MeasureDeclaration(
        "expansion",
        "vendor_outcomes",
        "Probability of expansion as a multiple of the base rate, of the latest kept scores",
        "expansion_lift",
        *(0, 3, "ratio", "it has no kept probability of expansion"),
    ),
    MeasureDeclaration(
        "advocacy",
        "vendor_outcomes",
        "Likelihood to advocate, by the rule `promoter_reference_activity`",
        "advocacy",
        *(0, 100, "score", "no answer, no reference and no usage tells"),
    ),
    MeasureDeclaration(
        "nps",
        "client_experience",
        "Share of 9 and 10 less share of 0 to 6 among the answers from 0 to 10 of 365 days",
        "scorecard_nps",
        *(-100, 100, "score", NOBODY),
    ),
    MeasureDeclaration(
        "csat",
        "client_experience",
        "Share of 4 and 5 among the answers from 1 to 5 of 365 days",
        "scorecard_csat",
        *(0.4, 1, "share", NOBODY),
    ),
    MeasureDeclaration(
        "ces",
        "client_experience",
        "Mean ease in [0, 1] of 365 days: version 2 (1 to 7) where it was used, else version 1",
        "scorecard_ces",
        *(0.3, 0.9, "share", NOBODY),
    ),
    MeasureDeclaration(
        "support_response",
        "client_experience",
        "Mean hours to the first response to the tickets of 182 days",
        "scorecard_response_hours",
        *(48, 2, "hours", "it opened no ticket in the 182 days before that was answered"),
    ),
    MeasureDeclaration(
        "support_resolution",
        "client_experience",
        "Mean hours to resolution of the tickets of 182 days",
        "scorecard_resolution_hours",
        *(240, 12, "hours", "it opened no ticket in the 182 days before that was resolved"),
    ),
    MeasureDeclaration(
        "adoption",
        "customer_outcomes",
        "Days of use in 28 days",
        "active_days_28d",
        *(0, 20, "days", "the log of usage does not reach back 28 days"),
    ),
    MeasureDeclaration(
        "usage_pace",
        "customer_outcomes",
        "Events of 28 days as a share of their pace over 84 days",
        "events_trend_28d_vs_84d",
        *(0.5, 1, "ratio", "it was not used in the 84 days before"),
    ),
    MeasureDeclaration(
        "breadth",
        "customer_outcomes",
        "Share of the product's features used in 84 days that were used in 28 days",
        "distinct_events_trend_28d_vs_84d",
        *(0.3, 0.9, "share", "it was not used in the 84 days before"),
    ),
    MeasureDeclaration(
        "seat_utilisation",
        "customer_outcomes",
        "Users seen in 28 days over paid seats",
        "seat_utilisation",
        *(0.1, 0.8, "share", "its seats are not known"),
    ),
)
"""All measures but `activation` and `roi_proxy`, whose cut points the config gives."""


def activation(days: int) -> MeasureDeclaration:
    """Return the measure of how soon an account of the first year came to use the product."""
    return MeasureDeclaration(
        "activation",
        "customer_outcomes",
        f"Days from the first paid start to the first use (`metrics.activation_event`); {days} or "
        "fewer give 100, twice as many 0; of accounts in their first year",
        "scorecard_activation",
        *(2.0 * max(days, 1), float(days), "days"),
        "its first year is over, or its first days are not",
    )
