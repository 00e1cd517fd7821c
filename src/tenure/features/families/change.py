"""Change: where use is heading, how steadily, and against the account's own past."""

from __future__ import annotations

from tenure.core.spec import Declared, Derived, Family, Feature

SOURCE = "usage_events"
WEEKS = 8


def _week(ago: int) -> str:
    return f"events_week_{ago}_{7 * (ago + 1)}d"


def _sum(weights: dict[int, float], power: int = 1) -> str:
    """Return the weighted sum of the events of some weeks (0 is the last one)."""
    terms = (" * ".join([str(weight), *[_week(ago)] * power]) for ago, weight in weights.items())
    return " + ".join(terms)


EVERY = dict.fromkeys(range(WEEKS), 1.0)
CENTRED = {ago: (WEEKS - 1) / 2 - ago for ago in EVERY}
SQUARES = sum(weight**2 for weight in CENTRED.values())

FEATURES: tuple[Declared, ...] = (
    *(
        Feature(
            f"events_week_{ago}", SOURCE, "count(*)", "{value} event(s) in a week",
            windows=(7 * (ago + 1),), lag=7 * ago, unit="count", hidden=True,
        )
        for ago in range(WEEKS)
    ),
    Feature(
        "events_past_year", SOURCE, "count(*)", "{value} events in the year before",
        windows=(364,), lag=28, unit="count", hidden=True,
    ),
    Feature(
        "events_year_ago", SOURCE, "count(*)", "{value} events a year ago",
        windows=(393,), lag=365, unit="count", hidden=True,
    ),
    Derived(
        "events_weekly_mean", f"({_sum(EVERY)}) / {WEEKS}", "{value} events in a mean week",
        hidden=True,
    ),
    Derived(
        "events_weekly_variance",
        f"({_sum(EVERY, 2)}) / {WEEKS} - events_weekly_mean * events_weekly_mean",
        "a variance of {value} events", hidden=True,
    ),
    Derived(
        "events_weekly_sd", "sqrt(greatest(events_weekly_variance, 0))",
        "{value} events around the mean week", hidden=True,
    ),
    Derived(
        "events_slope_56d", f"({_sum(CENTRED)}) / {SQUARES} / events_weekly_mean",
        "weekly use over the last 56 days {rising|falling} by {value} of its mean each week",
        unit="share", direction=-1, lever=True, group="use",
        zero="weekly use steady over the last 56 days", missing="no use in the last 56 days",
    ),
    Derived(
        "events_volatility_56d", "events_weekly_sd / events_weekly_mean",
        "weekly use over the last 56 days varying by {value} of its mean",
        unit="share", direction=1, lever=True, group="use",
        zero="the same use in each of the last 8 weeks", missing="no use in the last 56 days",
    ),
    Derived(
        "events_step_56d",
        f"({_sum(dict.fromkeys(range(4), 0.25))} - ({_sum(dict.fromkeys(range(4, 8), 0.25))}))"
        " / events_weekly_sd",
        "use in the last 4 weeks {value} standard deviation(s) {above|below} the 4 before",
        unit="number", direction=-1, lever=True, group="use",
        zero="as much use in the last 4 weeks as in the 4 before",
        missing="no change of use in the last 8 weeks",
    ),
    Derived(
        "events_vs_own_year",
        "events_28d / 28 * (least(days_since_first_event, 364) - 28) / events_past_year_364d",
        "daily use in the last 28 days at {value} of the account's own in the year before",
        unit="share", direction=-1, lever=True, group="use",
        zero="no use in the last 28 days, after some in the year before",
        missing="no use in the year before the last 28 days",
    ),
    Derived(
        "events_vs_year_ago", "events_28d / events_year_ago_393d",
        "use in the last 28 days at {value} of the same days a year ago",
        unit="share", direction=-1, lever=True, group="use",
        zero="no use in the last 28 days, after some in the same days a year ago",
        missing="no use in the same days a year ago",
    ),
)

FAMILY = Family("change", "Change of use", FEATURES)
