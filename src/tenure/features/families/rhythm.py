"""Rhythm: how regularly the product is used, and whether the account fell out of its habit."""

from __future__ import annotations

from tenure.core.spec import Declared, Derived, Family, Feature, Signal

SOURCE = "usage_events"
# The first of January 2001 was a Monday.
WEEKEND = "date_diff('day', cast('2001-01-01' as timestamp), event_time) % 7 >= 5"
WORKING_HOURS = "hour(event_time) >= 8 and hour(event_time) < 18"

SIGNALS = (Signal("habits", "Hours of use"),)

FEATURES: tuple[Declared, ...] = (
    Feature(
        "longest_silence_days", SOURCE, "longest_gap(event_time)",
        "a longest silence of {value} days between two days of use in the last {window}",
        windows=(84, 168), unit="days", direction=1, lever=True, group="silence",
        missing="fewer than two days with use in the last {window}",
    ),
    Feature(
        "active_weeks", SOURCE, "count(distinct cast(date_trunc('week', event_time) as date))",
        "{value} calendar week(s) with use in the last {window}",
        windows=(84,), unit="count", direction=-1, lever=True, group="use",
    ),
    Feature(
        "first_use_in", SOURCE, "days_since(min(event_time))", "{value} days since the first use",
        windows=(168,), unit="days", hidden=True,
    ),
    Feature(
        "last_use_in", SOURCE, "days_since(max(event_time))", "{value} days since the last use",
        windows=(168,), unit="days", hidden=True,
    ),
    Feature(
        "weekend_events", SOURCE, "count(*)", "{value} event(s) at weekends",
        where=WEEKEND, windows=(84,), unit="count", hidden=True,
    ),
    Feature(
        "working_hour_events", SOURCE, "count(*)", "{value} event(s) in working hours",
        where=WORKING_HOURS, windows=(84,), unit="count", hidden=True,
    ),
    Derived(
        "usual_gap_days_168d",
        "greatest(first_use_in_168d - last_use_in_168d, 1) / (active_days_168d - 1)",
        "{value} days on average from one day of use to the next in the last 168 days",
        unit="days", direction=1, lever=True, group="silence",
        missing="fewer than two days with use in the last 168 days",
    ),
    Derived(
        "silence_vs_usual_gap", "days_since_last_event / usual_gap_days_168d",
        "silent for {value} of the usual time between two days of use",
        unit="share", direction=1, lever=True, group="silence",
        zero="used on the last day", missing="too little use to know the usual time between two",
    ),
    Derived(
        "active_day_share_28d", "active_days_28d / 28", "{value} of the last 28 days with use",
        unit="share", direction=-1, lever=True, group="use",
    ),
    Derived(
        "events_per_active_day_28d", "events_28d / active_days_28d",
        "{value} usage event(s) per day of use in the last 28 days",
        unit="number", direction=-1, lever=True, group="use", missing="no use in the last 28 days",
    ),
    Derived(
        "weekend_share_84d", "weekend_events_84d / events_84d",
        "{value} of the use of the last 84 days at weekends", unit="share", group="habits",
        missing="no use in the last 84 days",
    ),
    Derived(
        "working_hour_share_84d", "working_hour_events_84d / events_84d",
        "{value} of the use of the last 84 days between 8 and 18 h UTC",
        unit="share", group="habits", missing="no use in the last 84 days",
    ),
)

FAMILY = Family("rhythm", "Rhythm of use", FEATURES, SIGNALS)
