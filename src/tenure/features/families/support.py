"""Support: volume, priority, backlog, response and resolution as known at the time."""

from __future__ import annotations

from tenure.core.spec import Declared, Derived, Family, Feature

SOURCE = "tickets"
URGENT = "priority in ('urgent', 'high')"
RESPONSE = "date_diff('second', opened_at, first_responded_at) / 3600.0"
RESOLUTION = "date_diff('second', opened_at, resolved_at) / 3600.0"

FEATURES: tuple[Declared, ...] = (
    Feature(
        "tickets", SOURCE, "count(*)", "{value} support tickets in the last {window}",
        windows=(28, 84, 182), unit="count", lever=True,
    ),
    Feature(
        "tickets_urgent", SOURCE, "count(*)", "{value} urgent tickets in the last {window}",
        where=URGENT, windows=(28, 84, 182), unit="count", direction=1, lever=True,
    ),
    Feature(
        "tickets_about", SOURCE, "count(*)",
        "{value} tickets about `{member}` in the last {window}",
        windows=(182,), unit="count", lever=True, each="category",
    ),
    Feature(
        "tickets_before", SOURCE, "count(*)", "{value} tickets before the last {lag}",
        windows=(182,), lag=28, unit="count", hidden=True,
    ),
    Feature(
        "tickets_resolved", SOURCE, "count(*)", "{value} tickets resolved in the last {window}",
        at="resolved_at", windows=(28, 84), unit="count", direction=-1, lever=True,
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
        "open_tickets_answered", SOURCE, "count(first_responded_at)", "{value} answered",
        running=True, unit="count", hidden=True,
    ),
    Feature(
        "oldest_open_ticket_days", SOURCE, "days_since(min(event_time))",
        "the oldest open ticket waiting for {value} days",
        running=True, unit="days", direction=1, lever=True,
    ),
    Feature(
        "mean_response_hours", SOURCE, f"avg({RESPONSE})",
        "{value} hours to a first response on average in the last {window}",
        windows=(84, 182), unit="hours", direction=1, lever=True,
    ),
    Feature(
        "slowest_response_hours", SOURCE, f"max({RESPONSE})",
        "{value} hours to the slowest first response in the last {window}",
        windows=(84,), unit="hours", direction=1, lever=True, group="mean_response_hours",
    ),
    Feature(
        "mean_resolution_hours", SOURCE, f"avg({RESOLUTION})",
        "{value} hours to resolve a ticket on average in the last {window}",
        windows=(28, 84, 182), unit="hours", direction=1, lever=True,
    ),
    Feature(
        "tickets_escalated", SOURCE, "count(escalated_at)",
        "{value} tickets escalated in the last {window}",
        windows=(84, 182), unit="count", direction=1, lever=True,
    ),
    Feature(
        "tickets_reopened", SOURCE, "count(*)", "{value} tickets reopened in the last {window}",
        at="reopened_at", windows=(84, 182), unit="count", direction=1, lever=True,
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
        "ticket_csat_lowest", SOURCE, "min(csat_score)",
        "a lowest ticket satisfaction of {value} in the last {window}",
        windows=(182,), unit="score", direction=-1, lever=True,
    ),
    Feature(
        "days_since_last_ticket", SOURCE, "days_since(max(event_time))",
        "{value} days since the last support ticket", unit="days",
    ),
    Derived(
        "open_tickets_unanswered", "open_tickets - open_tickets_answered",
        "{value} open tickets without a first response",
        unit="count", direction=1, lever=True, group="open_tickets",
    ),
    Derived(
        "backlog_change_28d", "tickets_28d - tickets_resolved_28d",
        "{value} more tickets opened than resolved in the last 28 days",
        unit="count", direction=1, lever=True, group="open_tickets",
    ),
    Derived(
        "tickets_urgent_share_182d", "tickets_urgent_182d / tickets_182d",
        "{value} of the tickets of the last 182 days urgent",
        unit="share", direction=1, lever=True,
    ),
    Derived(
        "tickets_escalated_share_182d", "tickets_escalated_182d / tickets_182d",
        "{value} of the tickets of the last 182 days escalated",
        unit="share", direction=1, lever=True, group="tickets_escalated",
    ),
    Derived(
        "tickets_trend_28d_vs_84d", "3 * tickets_28d / tickets_84d",
        "tickets in the last 28 days at {value} of their 84-day pace", group="tickets_trend",
    ),
    Derived(
        "ticket_after_silence", "least(tickets_28d, 1) * (1 - least(tickets_before_182d, 1))",
        "{value} times a first ticket in the last 28 days after 154 days without one",
        unit="count", lever=True, group="tickets_trend",
    ),
    Derived(
        "resolution_trend_84d_vs_182d", "mean_resolution_hours_84d / mean_resolution_hours_182d",
        "resolution times of the last 84 days at {value} of those of 182 days",
        direction=1, lever=True, group="mean_resolution_hours",
    ),
    Derived(
        "ticket_csat_change", "ticket_csat_last - ticket_csat_mean_182d",
        "a last ticket satisfaction {value} away from the half-year mean",
        unit="score", direction=-1, lever=True, group="ticket_csat_last",
    ),
    Derived(
        "tickets_per_active_user_84d", "tickets_84d / active_users_84d",
        "{value} tickets per active user in the last 84 days",
    ),
)

FAMILY = Family("support", "Support", FEATURES)
