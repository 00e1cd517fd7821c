"""How much of what is paid for is used, and how soon."""

from __future__ import annotations

from tenure.success.declarations import Method, MetricDeclaration, share_method

USERS = ("usage_events.user_id",)


def _days(name: str, rule: str, column: str, *needs: str) -> MetricDeclaration:
    count = f"count({column})"
    return MetricDeclaration(
        name,
        rule,
        "starts",
        (
            Method("mean", "mean over accounts that got that far", f"sum({column})", count, count),
            Method(
                "median", "median over accounts that got that far", f"median({column})", n=count
            ),
        ),
        "days",
        -1,
        "no account that began to pay in the period got that far",
        ("usage_events", *needs),
    )


ADOPTION = (
    MetricDeclaration(
        "seat_utilisation",
        "Distinct users seen in the period over paid seats at its end, of accounts that pay then "
        "and whose seats are known.",
        "usage",
        (
            Method(
                "users",
                "users / seats",
                "sum(users) FILTER (active_end AND seats_end > 0)",
                "sum(seats_end) FILTER (active_end AND seats_end > 0)",
                "count(*) FILTER (active_end AND seats_end > 0)",
            ),
        ),
        "share",
        1,
        "no paying account has seats at the end of the period",
        (*USERS, "subscriptions.seats"),
        at_end=True,
    ),
    MetricDeclaration(
        "stickiness",
        "Mean of each day's distinct users over the distinct users of the period (DAU / MAU over a "
        "month).",
        "usage",
        (
            Method(
                "mean_of_days",
                "user days / days of the period / users of the period",
                "sum(user_days)::DOUBLE / any_value(days)",
                "sum(users)",
                "coalesce(sum(users), 0)",
            ),
        ),
        "share",
        1,
        "no user was seen in the period",
        USERS,
    ),
    MetricDeclaration(
        "adoption_breadth",
        "How many of the kinds of events that anybody used in the period an account used that pays "
        "at its end.",
        "breadth",
        (
            Method(
                "share",
                "mean share of the events that anybody used; who used nothing counts as 0",
                "sum(events) FILTER (active_end)",
                "sum(events_of_all) FILTER (active_end)",
                "count(*) FILTER (active_end)",
            ),
            Method(
                "events",
                "mean number of events; who used nothing counts as 0",
                "sum(events) FILTER (active_end)",
                "count(*) FILTER (active_end)",
                "count(*) FILTER (active_end)",
            ),
        ),
        "share",
        1,
        "no account pays at the end of the period, or nobody used anything in it",
        ("usage_events",),
        at_end=True,
    ),
    MetricDeclaration(
        "activation_rate",
        "Share of the accounts that began to pay in the period and used the product "
        "(`metrics.activation_event`, else any event) within `metrics.activation_days`; accounts "
        "whose days are not over yet are left out.",
        "starts",
        (
            share_method(
                "first_days",
                "from the first paid start",
                "count(*) FILTER (mature AND activated)",
                "count(*) FILTER (mature)",
            ),
        ),
        "share",
        1,
        "no account began to pay in the period whose first days are over",
        ("usage_events",),
    ),
    _days("time_to_launch_days", "Days from the first paid start to the first use.", "launch_days"),
    _days(
        "time_to_value_days",
        "Days from the first paid start to the first `metrics.activation_event`.",
        "value_days",
        "metrics.activation_event",
    ),
)
"""Adoption."""
