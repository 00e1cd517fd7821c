"""Usage: how much, how many, how broadly, how recently, and how that changes."""

from __future__ import annotations

from tenure.core.spec import Declared, Derived, Family, Feature, Signal

WINDOWS = (7, 28, 84, 168)
SOURCE = "usage_events"

SIGNALS = (
    Signal("use", "Use of the product", "Ask what the product is used for, and what has changed."),
    Signal("active_users", "Active users", "Ask who works with it, and who has stopped or begun."),
    Signal("silence", "Silence", "Ask what stands in the way of using it again."),
)

FEATURES: tuple[Declared, ...] = (
    Feature(
        "events", SOURCE, "count(*)", "{value} usage event(s) in the last {window}",
        windows=WINDOWS, unit="count", direction=-1, lever=True, group="use",
    ),
    Feature(
        "usage", SOURCE, "sum(quantity)", "a usage quantity of {value} in the last {window}",
        windows=WINDOWS, unit="number", direction=-1, lever=True, group="use",
    ),
    Feature(
        "active_users", SOURCE, "count(distinct user_id)",
        "{value} active user(s) in the last {window}",
        windows=WINDOWS, unit="count", direction=-1, lever=True, group="active_users",
    ),
    Feature(
        "active_days", SOURCE, "count(distinct cast(event_time as date))",
        "{value} day(s) with use among the last {window}",
        windows=WINDOWS, unit="count", direction=-1, lever=True, group="use",
    ),
    Feature(
        "distinct_events", SOURCE, "count(distinct event)",
        "{value} product feature(s) used in the last {window}",
        windows=(28, 84), unit="count", direction=-1, lever=True, group="features_used",
    ),
    Feature(
        "days_since_last_event", SOURCE, "days_since(max(event_time))",
        "{value} days since the last use", unit="days", direction=1, lever=True,
        group="silence", zero="used on the last day", missing="never used so far",
    ),
    Feature(
        "days_since_first_event", SOURCE, "days_since(min(event_time))",
        "{value} days since the first use", unit="days", direction=-1, group="tenure",
        zero="first used on the last day", missing="never used so far",
    ),
    Derived(
        "events_trend_28d_vs_84d", "3 * events_28d / events_84d",
        "use in the last 28 days at {value} of its 84-day pace",
        unit="share", direction=-1, lever=True, group="use",
        zero="no use in the last 28 days, after some in the last 84",
        missing="no use in the last 84 days",
    ),
    Derived(
        "events_trend_7d_vs_28d", "4 * events_7d / events_28d",
        "use in the last 7 days at {value} of its 28-day pace",
        unit="share", direction=-1, lever=True, group="use",
        zero="no use in the last 7 days, after some in the last 28",
        missing="no use in the last 28 days",
    ),
    Derived(
        "events_trend_84d_vs_168d", "2 * events_84d / events_168d",
        "use in the last 84 days at {value} of its 168-day pace",
        unit="share", direction=-1, lever=True, group="use",
        zero="no use in the last 84 days, after some in the last 168",
        missing="no use in the last 168 days",
    ),
    Derived(
        "events_change_28d", "(events_28d + 1) / ((events_84d - events_28d) / 2 + 1)",
        "use in the last 28 days at {value} of its average over the 56 days before",
        unit="share", direction=-1, lever=True, group="use",
        missing="not enough history to compare the use of 28 days with the 56 before",
    ),
    Derived(
        "active_users_trend_28d_vs_84d", "active_users_28d / active_users_84d",
        "{value} of the users of the last 84 days still active in the last 28",
        unit="share", direction=-1, lever=True, group="active_users",
        missing="no active users in the last 84 days",
    ),
    Derived(
        "active_days_trend_28d_vs_84d", "3 * active_days_28d / active_days_84d",
        "days with use among the last 28 at {value} of their 84-day pace",
        unit="share", direction=-1, lever=True, group="use",
        zero="no day with use among the last 28, after some in the last 84",
        missing="no day with use among the last 84",
    ),
    Derived(
        "events_per_active_user_28d", "events_28d / active_users_28d",
        "{value} usage event(s) per active user in the last 28 days",
        unit="number", direction=-1, lever=True, group="use",
        missing="no active users in the last 28 days",
    ),
    Derived(
        "events_per_seat_28d", "events_28d / seats",
        "{value} usage event(s) per paid seat in the last 28 days",
        unit="number", direction=-1, lever=True, group="use",
        missing="the number of paid seats not known",
    ),
)

FAMILY = Family("usage", "Product usage", FEATURES, SIGNALS)
