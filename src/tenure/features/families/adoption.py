"""Adoption: which features of the product are used, which are new, which were given up."""

from __future__ import annotations

from tenure.core.spec import Declared, Derived, Family, Feature

SOURCE = "usage_events"

FEATURES: tuple[Declared, ...] = (
    Feature(
        "event", SOURCE, "count(*)", "{value} uses of `{member}` in the last {window}",
        windows=(28, 84), unit="count", direction=-1, lever=True, each="event",
    ),
    Feature(
        "first_use", SOURCE, "days_since(min(event_time))",
        "{value} days since the first use of `{member}`", unit="days", each="event", hidden=True,
    ),
    Feature(
        "days_since_last_use", SOURCE, "days_since(max(event_time))",
        "{value} days since the last use of `{member}`",
        unit="days", direction=1, lever=True, each="event",
    ),
    Feature(
        "distinct_events_ever", SOURCE, "count(distinct event)",
        "{value} different features used so far", unit="count", direction=-1, lever=True,
        group="distinct_events",
    ),
    Feature(
        "distinct_events_half_year", SOURCE, "count(distinct event)", "{value} features used",
        windows=(168,), unit="count", hidden=True,
    ),
    Feature(
        "distinct_events_quarter_ago", SOURCE, "count(distinct event)", "{value} features used",
        windows=(168,), lag=84, unit="count", hidden=True,
    ),
    Derived(
        "event_trend", "3 * event_28d / event_84d",
        "use of `{member}` in the last 28 days at {value} of its 84-day pace",
        direction=-1, lever=True,
    ),
    Derived(
        "distinct_events_trend_28d_vs_84d", "distinct_events_28d / distinct_events_84d",
        "{value} of the features used in 84 days still used in the last 28 days",
        unit="share", direction=-1, lever=True, group="distinct_events",
    ),
    Derived(
        "features_gained_84d", "distinct_events_half_year_168d - distinct_events_quarter_ago_168d",
        "{value} features used in the last 84 days that were not in the 84 days before",
        unit="count", direction=-1, lever=True, group="distinct_events",
    ),
    Derived(
        "features_given_up_84d", "distinct_events_half_year_168d - distinct_events_84d",
        "{value} features used in the 84 days before that were not in the last 84 days",
        unit="count", direction=1, lever=True, group="distinct_events",
    ),
)

FAMILY = Family("adoption", "Adoption of features", FEATURES)
