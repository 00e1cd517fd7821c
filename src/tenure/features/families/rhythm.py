"""Rhythm: how regularly the product is used, and whether the account fell out of its habit."""

from __future__ import annotations

from tenure.core.spec import Declared, Derived, Family, Feature

SOURCE = "usage_events"
# The first of January 2001 was a Monday.
WEEKEND = "date_diff('day', cast('2001-01-01' as timestamp), event_time) % 7 >= 5"
WORKING_HOURS = "hour(event_time) >= 8 and hour(event_time) < 18"

FEATURES: tuple[Declared, ...] = (
    Feature(
        "longest_silence_days", SOURCE, "longest_gap(event_time)",
        "{value} days without any use at most between two active days of the last {window}",
        windows=(84, 168), unit="days", direction=1, lever=True, group="silence",
    ),
    Feature(
        "active_weeks", SOURCE, "count(distinct cast(date_trunc('week', event_time) as date))",
        "{value} calendar weeks with use in the last {window}",
        windows=(84,), unit="count", direction=-1, lever=True,
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
        "weekend_events", SOURCE, "count(*)", "{value} events at weekends",
        where=WEEKEND, windows=(84,), unit="count", hidden=True,
    ),
    Feature(
        "working_hour_events", SOURCE, "count(*)", "{value} events in working hours",
        where=WORKING_HOURS, windows=(84,), unit="count", hidden=True,
    ),
    Derived(
        "usual_gap_days_168d",
        "greatest(first_use_in_168d - last_use_in_168d, 1) / (active_days_168d - 1)",
        "one active day every {value} days on average in the last 168 days",
        unit="days", direction=1, lever=True, group="silence",
    ),
    Derived(
        "silence_vs_usual_gap", "days_since_last_event / usual_gap_days_168d",
        "silent for {value} of the usual time between two active days",
        direction=1, lever=True, group="silence",
    ),
    Derived(
        "active_day_share_28d", "active_days_28d / 28", "{value} of the last 28 days with use",
        unit="share", direction=-1, lever=True, group="active_days",
    ),
    Derived(
        "events_per_active_day_28d", "events_28d / active_days_28d",
        "{value} usage events per active day in the last 28 days", direction=-1, lever=True,
    ),
    Derived(
        "weekend_share_84d", "weekend_events_84d / events_84d",
        "{value} of the use of the last 84 days at weekends", unit="share", group="habits",
    ),
    Derived(
        "working_hour_share_84d", "working_hour_events_84d / events_84d",
        "{value} of the use of the last 84 days between 8 and 18 h UTC",
        unit="share", group="habits",
    ),
)

FAMILY = Family("rhythm", "Rhythm of use", FEATURES)
