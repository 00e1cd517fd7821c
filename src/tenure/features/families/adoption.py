"""Adoption: which features of the product are used, which are new, which were given up."""

from __future__ import annotations

from tenure.core.spec import Declared, Derived, Family, Feature, Signal

SOURCE = "usage_events"

SIGNALS = (
    Signal("features_used", "Breadth of use", "Ask which features would help, and show them."),
    Signal("use_of_{member}", "Use of `{member}`", "Ask what `{member}` is used for."),
)

FEATURES: tuple[Declared, ...] = (
    Feature(
        "event", SOURCE, "count(*)", "{value} use(s) of `{member}` in the last {window}",
        windows=(28, 84), unit="count", direction=-1, lever=True, each="event",
        group="use_of_{member}",
    ),
    Feature(
        "first_use", SOURCE, "days_since(min(event_time))",
        "{value} days since the first use of `{member}`", unit="days", each="event", hidden=True,
    ),
    Feature(
        "days_since_last_use", SOURCE, "days_since(max(event_time))",
        "{value} days since the last use of `{member}`",
        unit="days", direction=1, lever=True, each="event", group="use_of_{member}",
        zero="`{member}` used on the last day", missing="`{member}` never used so far",
    ),
    Feature(
        "distinct_events_ever", SOURCE, "count(distinct event)",
        "{value} product feature(s) used so far", unit="count", direction=-1, lever=True,
        group="features_used",
    ),
    Feature(
        "distinct_events_half_year", SOURCE, "count(distinct event)", "{value} feature(s) used",
        windows=(168,), unit="count", hidden=True,
    ),
    Feature(
        "distinct_events_quarter_ago", SOURCE, "count(distinct event)", "{value} feature(s) used",
        windows=(168,), lag=84, unit="count", hidden=True,
    ),
    Derived(
        "event_trend", "3 * event_28d / event_84d",
        "use of `{member}` in the last 28 days at {value} of its 84-day pace",
        unit="share", direction=-1, lever=True, group="use_of_{member}",
        zero="no use of `{member}` in the last 28 days, after some in the last 84",
        missing="no use of `{member}` in the last 84 days",
    ),
    Derived(
        "distinct_events_trend_28d_vs_84d", "distinct_events_28d / distinct_events_84d",
        "{value} of the features used in the last 84 days still used in the last 28",
        unit="share", direction=-1, lever=True, group="features_used",
        missing="no use in the last 84 days",
    ),
    Derived(
        "features_gained_84d", "distinct_events_half_year_168d - distinct_events_quarter_ago_168d",
        "{value} feature(s) used in the last 84 days but not in the 84 before",
        unit="count", direction=-1, lever=True, group="features_used",
    ),
    Derived(
        "features_given_up_84d", "distinct_events_half_year_168d - distinct_events_84d",
        "{value} feature(s) used in the 84 days before but not in the last 84",
        unit="count", direction=1, lever=True, group="features_used",
    ),
)

FAMILY = Family("adoption", "Adoption of features", FEATURES, SIGNALS)
