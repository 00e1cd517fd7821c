"""Support: volume, priority, backlog, response and resolution as known at the time."""

from __future__ import annotations

from tenure.core.spec import Derived, Family, Feature

SOURCE = "tickets"
URGENT = "lower(priority) in ('urgent', 'high', 'critical', 'p1')"
RESPONSE = "avg(date_diff('second', opened_at, first_responded_at) / 3600.0)"
RESOLUTION = "avg(date_diff('second', opened_at, resolved_at) / 3600.0)"

FEATURES: tuple[Feature | Derived, ...] = (
    Feature(
        "tickets", SOURCE, "count(*)", "{value} support tickets in the last {window}",
        windows=(28, 84, 182), unit="count", lever=True,
    ),
    Feature(
        "tickets_urgent", SOURCE, "count(*)", "{value} urgent tickets in the last {window}",
        where=URGENT, windows=(28, 84, 182), unit="count", direction=1, lever=True,
    ),
    Feature(
        "open_tickets", SOURCE, "count(*)", "{value} tickets still open",
        running=True, unit="count", direction=1, lever=True,
    ),
    Feature(
        "open_tickets_urgent", SOURCE, "count(*)", "{value} urgent tickets still open",
        where=URGENT, running=True, unit="count", direction=1, lever=True,
    ),
    Feature(
        "oldest_open_ticket_days", SOURCE, "days_since(min(event_time))",
        "the oldest open ticket waiting for {value} days",
        running=True, unit="days", direction=1, lever=True,
    ),
    Feature(
        "mean_response_hours", SOURCE, RESPONSE,
        "{value} hours to a first response on average in the last {window}",
        windows=(84, 182), unit="hours", direction=1, lever=True,
    ),
    Feature(
        "mean_resolution_hours", SOURCE, RESOLUTION,
        "{value} hours to resolve a ticket on average in the last {window}",
        windows=(28, 84, 182), unit="hours", direction=1, lever=True,
    ),
    Feature(
        "tickets_escalated", SOURCE, "count(escalated_at)",
        "{value} tickets escalated in the last {window}",
        windows=(84, 182), unit="count", direction=1, lever=True,
    ),
    Feature(
        "ticket_csat_mean", SOURCE, "avg(csat_score)",
        "a mean ticket satisfaction of {value} in the last {window}",
        windows=(84, 182), unit="score", direction=-1, lever=True,
    ),
    Feature(
        "ticket_csat_last", SOURCE, "last(csat_score)",
        "a last ticket satisfaction of {value}", unit="score", direction=-1, lever=True,
    ),
    Feature(
        "days_since_last_ticket", SOURCE, "days_since(max(event_time))",
        "{value} days since the last support ticket", unit="days",
    ),
    Derived(
        "tickets_urgent_share_182d", "tickets_urgent_182d / tickets_182d",
        "{value} of the tickets of the last 182 days urgent",
        unit="share", direction=1, lever=True,
    ),
    Derived(
        "tickets_trend_28d_vs_84d", "3 * tickets_28d / tickets_84d",
        "tickets in the last 28 days at {value} of their 84-day pace", group="tickets_trend",
    ),
    Derived(
        "tickets_per_active_user_84d", "tickets_84d / active_users_84d",
        "{value} tickets per active user in the last 84 days",
    ),
)

FAMILY = Family("support", "Support", FEATURES)
