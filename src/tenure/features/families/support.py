"""Support: volume, priority, backlog, response and resolution as known at the time."""

from __future__ import annotations

from tenure.core.spec import Declared, Derived, Family, Feature, Signal

SOURCE = "tickets"
URGENT = "priority in ('urgent', 'high')"
RESPONSE = "date_diff('second', opened_at, first_responded_at) / 3600.0"
RESOLUTION = "date_diff('second', opened_at, resolved_at) / 3600.0"

SIGNALS = (
    Signal("tickets", "Support tickets", "Ask what the tickets have in common."),
    Signal("tickets_about_{member}", "Tickets about `{member}`", "Ask what goes wrong there."),
    Signal("severe_tickets", "Urgent and escalated tickets", "Ask what each of them has cost."),
    Signal("open_tickets", "Open tickets", "Say when each of them will be resolved."),
    Signal("response_time", "Time to a first response", "Ask how fast an answer has to be."),
    Signal("resolution_time", "Time to resolve tickets", "Ask which tickets took too long."),
    Signal("ticket_csat", "Satisfaction with tickets", "Ask what a good answer would have been."),
)

FEATURES: tuple[Declared, ...] = (
    Feature(
        "tickets", SOURCE, "count(*)", "{value} support ticket(s) in the last {window}",
        windows=(28, 84, 182), unit="count", lever=True, group="tickets",
    ),
    Feature(
        "tickets_urgent", SOURCE, "count(*)", "{value} urgent ticket(s) in the last {window}",
        where=URGENT, windows=(28, 84, 182), unit="count", direction=1, lever=True,
        group="severe_tickets",
    ),
    Feature(
        "tickets_about", SOURCE, "count(*)",
        "{value} ticket(s) about `{member}` in the last {window}",
        windows=(182,), unit="count", lever=True, each="category",
        group="tickets_about_{member}",
    ),
    Feature(
        "tickets_before", SOURCE, "count(*)", "{value} ticket(s) before the last {lag}",
        windows=(182,), lag=28, unit="count", hidden=True,
    ),
    Feature(
        "tickets_resolved", SOURCE, "count(*)", "{value} ticket(s) resolved in the last {window}",
        at="resolved_at", windows=(28, 84), unit="count", direction=-1, lever=True,
        group="tickets",
    ),
    Feature(
        "open_tickets", SOURCE, "count(*)", "{value} ticket(s) still open",
        running=True, unit="count", direction=1, lever=True, group="open_tickets",
    ),
    Feature(
        "open_tickets_urgent", SOURCE, "count(*)", "{value} urgent ticket(s) still open",
        where=URGENT, running=True, unit="count", direction=1, lever=True, group="open_tickets",
    ),
    Feature(
        "open_tickets_answered", SOURCE, "count(first_responded_at)", "{value} answered",
        running=True, unit="count", hidden=True,
    ),
    Feature(
        "oldest_open_ticket_days", SOURCE, "days_since(min(event_time))",
        "the oldest open ticket waiting for {value} days",
        running=True, unit="days", direction=1, lever=True, group="open_tickets",
        zero="the oldest open ticket opened on the last day", missing="no ticket open",
    ),
    Feature(
        "mean_response_hours", SOURCE, f"avg({RESPONSE})",
        "{value} hours to a first response on average in the last {window}",
        windows=(84, 182), unit="hours", direction=1, lever=True, group="response_time",
        missing="no ticket answered in the last {window}",
    ),
    Feature(
        "slowest_response_hours", SOURCE, f"max({RESPONSE})",
        "{value} hours to the slowest first response in the last {window}",
        windows=(84,), unit="hours", direction=1, lever=True, group="response_time",
        missing="no ticket answered in the last {window}",
    ),
    Feature(
        "mean_resolution_hours", SOURCE, f"avg({RESOLUTION})",
        "{value} hours to resolve a ticket on average in the last {window}",
        windows=(28, 84, 182), unit="hours", direction=1, lever=True, group="resolution_time",
        missing="no ticket of the last {window} resolved",
    ),
    Feature(
        "tickets_escalated", SOURCE, "count(escalated_at)",
        "{value} ticket(s) escalated in the last {window}",
        windows=(84, 182), unit="count", direction=1, lever=True, group="severe_tickets",
    ),
    Feature(
        "tickets_reopened", SOURCE, "count(*)", "{value} ticket(s) reopened in the last {window}",
        at="reopened_at", windows=(84, 182), unit="count", direction=1, lever=True,
        group="severe_tickets",
    ),
    Feature(
        "ticket_csat_mean", SOURCE, "avg(csat_score)",
        "a mean ticket satisfaction of {value} in the last {window}",
        windows=(84, 182), unit="score", direction=-1, lever=True, group="ticket_csat",
        missing="no ticket rated in the last {window}",
    ),
    Feature(
        "ticket_csat_last", SOURCE, "last(csat_score)",
        "a last ticket satisfaction of {value}", unit="score", direction=-1, lever=True,
        group="ticket_csat", missing="no ticket rated so far",
        past=("ticket_csat_mean_182d", "{past} on average over half a year"),
    ),
    Feature(
        "ticket_csat_lowest", SOURCE, "min(csat_score)",
        "a lowest ticket satisfaction of {value} in the last {window}",
        windows=(182,), unit="score", direction=-1, lever=True, group="ticket_csat",
        missing="no ticket rated in the last {window}",
    ),
    Feature(
        "days_since_last_ticket", SOURCE, "days_since(max(event_time))",
        "{value} days since the last support ticket", unit="days", group="tickets",
        zero="a support ticket on the last day", missing="no support ticket so far",
    ),
    Derived(
        "open_tickets_unanswered", "open_tickets - open_tickets_answered",
        "{value} open ticket(s) without a first response",
        unit="count", direction=1, lever=True, group="open_tickets",
    ),
    Derived(
        "backlog_change_28d", "tickets_28d - tickets_resolved_28d",
        "{value} {more|fewer} ticket(s) opened than resolved in the last 28 days",
        unit="count", direction=1, lever=True, group="open_tickets",
        zero="as many tickets resolved as opened in the last 28 days",
        missing="the tickets of the last 28 days not known",
    ),
    Derived(
        "tickets_urgent_share_182d", "tickets_urgent_182d / tickets_182d",
        "{value} of the tickets of the last 182 days urgent",
        unit="share", direction=1, lever=True, group="severe_tickets",
        missing="no ticket in the last 182 days",
    ),
    Derived(
        "tickets_escalated_share_182d", "tickets_escalated_182d / tickets_182d",
        "{value} of the tickets of the last 182 days escalated",
        unit="share", direction=1, lever=True, group="severe_tickets",
        missing="no ticket in the last 182 days",
    ),
    Derived(
        "tickets_trend_28d_vs_84d", "3 * tickets_28d / tickets_84d",
        "tickets in the last 28 days at {value} of their 84-day pace",
        unit="share", group="tickets",
        zero="no ticket in the last 28 days, after some in the last 84",
        missing="no ticket in the last 84 days",
    ),
    Derived(
        "ticket_after_silence", "least(tickets_28d, 1) * (1 - least(tickets_before_182d, 1))",
        "a first ticket in the last 28 days, after 154 days without one{value}",
        unit="flag", lever=True, group="tickets",
        zero="no first ticket in the last 28 days after a long silence",
    ),
    Derived(
        "resolution_trend_84d_vs_182d", "mean_resolution_hours_84d / mean_resolution_hours_182d",
        "resolution times of the last 84 days at {value} of those of 182 days",
        unit="share", direction=1, lever=True, group="resolution_time",
        missing="no ticket of the last 84 days resolved",
    ),
    Derived(
        "ticket_csat_change", "ticket_csat_last - ticket_csat_mean_182d",
        "a last ticket satisfaction {value} {above|below} the half-year mean",
        unit="score", direction=-1, lever=True, group="ticket_csat",
        zero="a last ticket satisfaction at the half-year mean",
        missing="no ticket rated in half a year",
    ),
    Derived(
        "tickets_per_active_user_84d", "tickets_84d / active_users_84d",
        "{value} ticket(s) per active user in the last 84 days", unit="number",
        group="tickets", missing="no active users in the last 84 days",
    ),
)

FAMILY = Family("support", "Support", FEATURES, SIGNALS)
