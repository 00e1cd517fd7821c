"""Tickets: how many, how fast, how bad."""

from __future__ import annotations

from tenure.success.declarations import Method, MetricDeclaration, share_method

OPENED = "count(*) FILTER (opened)"


def _hours(name: str, rule: str, column: str, where: str) -> MetricDeclaration:
    hours = f"epoch({column} - opened_at) / 3600"
    count = f"count({column}) FILTER ({where})"
    return MetricDeclaration(
        name,
        rule,
        "tickets",
        (
            Method("mean", "mean over tickets", f"sum({hours}) FILTER ({where})", count, count),
            Method("median", "median over tickets", f"median({hours}) FILTER ({where})", n=count),
        ),
        "hours",
        -1,
        f"no ticket of the period has `{column}`",
        (f"tickets.{column}",),
    )


def _share(name: str, rule: str, column: str) -> MetricDeclaration:
    return MetricDeclaration(
        name,
        rule,
        "tickets",
        (
            share_method(
                "opened",
                "of the tickets opened in the period",
                f"count({column}) FILTER (opened)",
                OPENED,
            ),
        ),
        "share",
        -1,
        "no ticket was opened in the period",
        (f"tickets.{column}",),
    )


SUPPORT = (
    MetricDeclaration(
        "tickets_opened",
        "Tickets opened in the period.",
        "tickets",
        (Method("opened", "by the time of opening", OPENED, n=OPENED),),
        "count",
        0,
        needs=("tickets",),
    ),
    MetricDeclaration(
        "ticket_backlog",
        "Tickets open at the end of the period.",
        "tickets",
        (
            Method(
                "end",
                "opened before the end and not resolved before it",
                "count(*) FILTER (backlog)",
                n="count(*) FILTER (backlog)",
            ),
        ),
        "count",
        -1,
        needs=("tickets.resolved_at",),
        at_end=True,
    ),
    _hours(
        "first_response_hours",
        "Hours from opening to the first response, of tickets opened in the period.",
        "first_responded_at",
        "opened",
    ),
    _hours(
        "resolution_hours",
        "Hours from opening to resolution, of tickets resolved in the period.",
        "resolved_at",
        "resolved",
    ),
    _share("escalation_rate", "Share of the tickets opened that were escalated.", "escalated_at"),
    _share("reopen_rate", "Share of the tickets opened that were reopened.", "reopened_at"),
    MetricDeclaration(
        "ticket_csat",
        "Share of 4 and 5 among the scores from 1 to 5 of the tickets opened in the period.",
        "tickets",
        (
            share_method(
                "top_two",
                "of the tickets that have a score",
                "count(*) FILTER (opened AND csat_score >= 4)",
                "count(csat_score) FILTER (opened)",
            ),
        ),
        "share",
        1,
        "no ticket opened in the period has a score",
        ("tickets.csat_score",),
    ),
)
"""Support."""
