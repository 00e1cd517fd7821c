"""People: who uses the product, how use is spread over them, who came and who left."""

from __future__ import annotations

from tenure.core.spec import Declared, Derived, Family, Feature

SOURCE = "usage_events"

FEATURES: tuple[Declared, ...] = (
    Feature(
        "user_events", SOURCE, "count(user_id)", "{value} events of known users in {window}",
        windows=(28, 84), unit="count", hidden=True,
    ),
    Feature(
        "top_user_events", SOURCE, "most(user_id)", "{value} events of the top user in {window}",
        windows=(28, 84), unit="count", hidden=True,
    ),
    Feature(
        "users_with_previous", SOURCE, "count(distinct user_id)", "{value} users in {window}",
        windows=(56, 168), unit="count", hidden=True,
    ),
    Feature(
        "users_previous_month", SOURCE, "count(distinct user_id)", "{value} users before that",
        windows=(56,), lag=28, unit="count", hidden=True,
    ),
    Feature(
        "users_previous_quarter", SOURCE, "count(distinct user_id)", "{value} users before that",
        windows=(168,), lag=84, unit="count", hidden=True,
    ),
    Feature(
        "top_user_silent_days", SOURCE, "days_since(top(user_id))",
        "{value} days since the last event of the most active user of the last {window}",
        windows=(84, 168), unit="days", direction=1, lever=True, group="top_user",
    ),
    Derived(
        "top_user_share_28d", "top_user_events_28d / user_events_28d",
        "{value} of the use of the last 28 days by the most active user",
        unit="share", direction=1, lever=True, group="top_user",
    ),
    Derived(
        "top_user_share_84d", "top_user_events_84d / user_events_84d",
        "{value} of the use of the last 84 days by the most active user",
        unit="share", direction=1, lever=True, group="top_user",
    ),
    Derived(
        "top_user_lost_days", "top_user_silent_days_168d - days_since_last_event",
        "the most active user of half a year silent for {value} days longer than the others",
        unit="days", direction=1, lever=True, group="top_user",
    ),
    Derived(
        "users_gained_28d", "users_with_previous_56d - users_previous_month_56d",
        "{value} users active in the last 28 days who were not in the 28 days before",
        unit="count", direction=-1, lever=True, group="users_gained",
    ),
    Derived(
        "users_gained_84d", "users_with_previous_168d - users_previous_quarter_168d",
        "{value} users active in the last 84 days who were not in the 84 days before",
        unit="count", direction=-1, lever=True, group="users_gained",
    ),
    Derived(
        "users_lost_28d", "users_with_previous_56d - active_users_28d",
        "{value} users active in the 28 days before who were not in the last 28 days",
        unit="count", direction=1, lever=True, group="users_lost",
    ),
    Derived(
        "users_lost_84d", "users_with_previous_168d - active_users_84d",
        "{value} users active in the 84 days before who were not in the last 84 days",
        unit="count", direction=1, lever=True, group="users_lost",
    ),
    Derived(
        "users_lost_share_84d", "users_lost_84d / users_previous_quarter_168d",
        "{value} of the users of the 84 days before not active in the last 84 days",
        unit="share", direction=1, lever=True, group="users_lost",
    ),
    Derived(
        "seat_utilisation", "active_users_28d / seats",
        "{value} of the paid seats active in the last 28 days",
        unit="share", direction=-1, lever=True,
    ),
    Derived(
        "seat_utilisation_84d", "active_users_84d / seats",
        "{value} of the paid seats active in the last 84 days",
        unit="share", direction=-1, lever=True, group="seat_utilisation",
    ),
    Derived(
        "seat_utilisation_change", "(active_users_28d - users_previous_month_56d) / seats",
        "seat use changed by {value} of the seats against the 28 days before",
        unit="share", direction=-1, lever=True, group="seat_utilisation",
    ),
    Derived(
        "unused_seats_28d", "greatest(seats - active_users_28d, 0)",
        "{value} paid seats without use in the last 28 days",
        unit="count", direction=1, lever=True, group="seat_utilisation",
    ),
)

FAMILY = Family("people", "People and seats", FEATURES)
