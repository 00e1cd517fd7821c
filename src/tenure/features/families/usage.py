"""Usage: how much, how many, how broadly, how recently, and how that changes."""

from __future__ import annotations

from tenure.core.spec import Declared, Derived, Family, Feature

WINDOWS = (7, 28, 84, 168)
SOURCE = "usage_events"

FEATURES: tuple[Declared, ...] = (
    Feature(
        "events", SOURCE, "count(*)", "{value} usage events in the last {window}",
        windows=WINDOWS, unit="count", direction=-1, lever=True,
    ),
    Feature(
        "usage", SOURCE, "sum(quantity)", "a usage quantity of {value} in the last {window}",
        windows=WINDOWS, unit="number", direction=-1, lever=True,
    ),
    Feature(
        "active_users", SOURCE, "count(distinct user_id)",
        "{value} active users in the last {window}",
        windows=WINDOWS, unit="count", direction=-1, lever=True,
    ),
    Feature(
        "active_days", SOURCE, "count(distinct cast(event_time as date))",
        "{value} active days in the last {window}",
        windows=WINDOWS, unit="count", direction=-1, lever=True,
    ),
    Feature(
        "distinct_events", SOURCE, "count(distinct event)",
        "{value} different features used in the last {window}",
        windows=(28, 84), unit="count", direction=-1, lever=True,
    ),
    Feature(
        "days_since_last_event", SOURCE, "days_since(max(event_time))",
        "{value} days since the last usage event", unit="days", direction=1, lever=True,
    ),
    Feature(
        "days_since_first_event", SOURCE, "days_since(min(event_time))",
        "{value} days since the first usage event", unit="days", direction=-1,
    ),
    Derived(
        "events_trend_28d_vs_84d", "3 * events_28d / events_84d",
        "usage in the last 28 days at {value} of its 84-day pace",
        direction=-1, lever=True, group="events_trend",
    ),
    Derived(
        "events_trend_7d_vs_28d", "4 * events_7d / events_28d",
        "usage in the last 7 days at {value} of its 28-day pace",
        direction=-1, lever=True, group="events_trend",
    ),
    Derived(
        "events_trend_84d_vs_168d", "2 * events_84d / events_168d",
        "usage in the last 84 days at {value} of its 168-day pace",
        direction=-1, lever=True, group="events_trend",
    ),
    Derived(
        "events_change_28d", "(events_28d + 1) / ((events_84d - events_28d) / 2 + 1)",
        "usage in the last 28 days at {value} of the 56 days before",
        direction=-1, lever=True, group="events_trend",
    ),
    Derived(
        "active_users_trend_28d_vs_84d", "active_users_28d / active_users_84d",
        "{value} of the users active in the last 84 days still active in the last 28 days",
        unit="share", direction=-1, lever=True, group="active_users_trend",
    ),
    Derived(
        "active_days_trend_28d_vs_84d", "3 * active_days_28d / active_days_84d",
        "active days in the last 28 days at {value} of their 84-day pace",
        direction=-1, lever=True, group="active_days_trend",
    ),
    Derived(
        "events_per_active_user_28d", "events_28d / active_users_28d",
        "{value} usage events per active user in the last 28 days",
        direction=-1, lever=True,
    ),
    Derived(
        "events_per_seat_28d", "events_28d / seats",
        "{value} usage events per paid seat in the last 28 days",
        direction=-1, lever=True,
    ),
)

FAMILY = Family("usage", "Product usage", FEATURES)
