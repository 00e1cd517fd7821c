"""People: who uses the product, how use is spread over them, who came and who left."""

from __future__ import annotations

from tenure.core.spec import Declared, Derived, Family, Feature, Signal

SOURCE = "usage_events"

SIGNALS = (
    Signal("top_user", "The most active user", "Ask who else could carry the use."),
    Signal("seats_used", "Use of the paid seats", "Ask who the other seats are meant for."),
)
NO_SEATS = "the number of paid seats not known"

FEATURES: tuple[Declared, ...] = (
    Feature(
        "user_events", SOURCE, "count(user_id)", "{value} event(s) of known users in {window}",
        windows=(28, 84), unit="count", hidden=True,
    ),
    Feature(
        "top_user_events", SOURCE, "most(user_id)", "{value} event(s) of the top user in {window}",
        windows=(28, 84), unit="count", hidden=True,
    ),
    Feature(
        "users_with_previous", SOURCE, "count(distinct user_id)", "{value} user(s) in {window}",
        windows=(56, 168), unit="count", hidden=True,
    ),
    Feature(
        "users_previous_month", SOURCE, "count(distinct user_id)", "{value} user(s) before that",
        windows=(56,), lag=28, unit="count", hidden=True,
    ),
    Feature(
        "users_previous_quarter", SOURCE, "count(distinct user_id)", "{value} user(s) before that",
        windows=(168,), lag=84, unit="count", hidden=True,
    ),
    Feature(
        "top_user_silent_days", SOURCE, "days_since(top(user_id))",
        "{value} days since the last use by the most active user of the last {window}",
        windows=(84, 168), unit="days", direction=1, lever=True, group="top_user",
        zero="the most active user of the last {window} active on the last day",
        missing="no use by a known user in the last {window}",
    ),
    Derived(
        "top_user_share_28d", "top_user_events_28d / user_events_28d",
        "{value} of the use of the last 28 days by the most active user",
        unit="share", direction=1, lever=True, group="top_user",
        missing="no use by a known user in the last 28 days",
    ),
    Derived(
        "top_user_share_84d", "top_user_events_84d / user_events_84d",
        "{value} of the use of the last 84 days by the most active user",
        unit="share", direction=1, lever=True, group="top_user",
        missing="no use by a known user in the last 84 days",
    ),
    Derived(
        "top_user_lost_days", "top_user_silent_days_168d - days_since_last_event",
        "the most active user of half a year silent for {value} days longer than the others",
        unit="days", direction=1, lever=True, group="top_user",
        zero="the most active user of half a year as active as the others",
        missing="no use by a known user in half a year",
    ),
    Derived(
        "users_gained_28d", "users_with_previous_56d - users_previous_month_56d",
        "{value} user(s) active in the last 28 days but not in the 28 before",
        unit="count", direction=-1, lever=True, group="active_users",
    ),
    Derived(
        "users_gained_84d", "users_with_previous_168d - users_previous_quarter_168d",
        "{value} user(s) active in the last 84 days but not in the 84 before",
        unit="count", direction=-1, lever=True, group="active_users",
    ),
    Derived(
        "users_lost_28d", "users_with_previous_56d - active_users_28d",
        "{value} user(s) active in the 28 days before but not in the last 28",
        unit="count", direction=1, lever=True, group="active_users",
    ),
    Derived(
        "users_lost_84d", "users_with_previous_168d - active_users_84d",
        "{value} user(s) active in the 84 days before but not in the last 84",
        unit="count", direction=1, lever=True, group="active_users",
    ),
    Derived(
        "users_lost_share_84d", "users_lost_84d / users_previous_quarter_168d",
        "{value} of the users of the 84 days before not active in the last 84",
        unit="share", direction=1, lever=True, group="active_users",
        missing="no users between 84 and 168 days ago",
    ),
    Derived(
        "seat_utilisation", "active_users_28d / seats",
        "{value} of the paid seats used in the last 28 days",
        unit="share", direction=-1, lever=True, group="seats_used", missing=NO_SEATS,
        past=("seat_utilisation - seat_utilisation_change", "{past} in the 28 days before"),
    ),
    Derived(
        "seat_utilisation_84d", "active_users_84d / seats",
        "{value} of the paid seats used in the last 84 days",
        unit="share", direction=-1, lever=True, group="seats_used", missing=NO_SEATS,
    ),
    Derived(
        "seat_utilisation_change", "(active_users_28d - users_previous_month_56d) / seats",
        "the share of the paid seats in use {up|down} by {value} of all seats in 28 days",
        unit="share", direction=-1, lever=True, group="seats_used", missing=NO_SEATS,
        zero="as many of the paid seats used in the last 28 days as in the 28 before",
    ),
    Derived(
        "unused_seats_28d", "greatest(seats - active_users_28d, 0)",
        "{value} paid seat(s) without use in the last 28 days",
        unit="count", direction=1, lever=True, group="seats_used", missing=NO_SEATS,
    ),
)

FAMILY = Family("people", "People and seats", FEATURES, SIGNALS)
