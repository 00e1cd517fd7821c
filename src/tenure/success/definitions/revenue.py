"""Recurring revenue, and how it moves between the two ends of a period."""

from __future__ import annotations

from tenure.success.declarations import Direction, Method, MetricDeclaration

PAYING = "count(*) FILTER (end_mrr > 0)"
ENDS = "compares the two ends of the period"


def _movement(name: str, rule: str, direction: Direction) -> MetricDeclaration:
    column = name.removeprefix("movement_")
    total, moved = f"coalesce(sum({column}), 0)", f"count(*) FILTER ({column} <> 0)"
    months = "adds up the movements of the months within the period"
    methods = (
        Method("ends", ENDS, total, n=moved),
        Method("monthly", months, total, n=moved, relation="bridge"),
    )
    return MetricDeclaration(name, rule, "money", methods, "money", direction, money=True)


def _churned(name: str, rule: str, condition: str) -> MetricDeclaration:
    total = f"coalesce(sum(churn) FILTER ({condition}), 0)"
    moved = f"count(*) FILTER (churn <> 0 AND {condition})"
    methods, needs = (Method("ends", ENDS, total, n=moved),), ("subscriptions.end_reason",)
    return MetricDeclaration(name, rule, "money", methods, "money", 1, needs=needs, money=True)


REVENUE = (
    MetricDeclaration(
        "mrr",
        "MRR of the paid subscriptions that run at the end of the period; trials and pauses are 0.",
        "money",
        (Method("end", "at 00:00 UTC of the period's end", "coalesce(sum(end_mrr), 0)", n=PAYING),),
        "money",
        1,
        at_end=True,
        money=True,
    ),
    MetricDeclaration(
        "mrr_start",
        "MRR of the paid subscriptions that run at the start of the period.",
        "money",
        (
            Method(
                "start",
                "at 00:00 UTC of the period's start",
                "coalesce(sum(start_mrr), 0)",
                n="count(*) FILTER (start_mrr > 0)",
            ),
        ),
        "money",
        1,
        money=True,
    ),
    MetricDeclaration(
        "arr",
        "Twelve times the MRR at the end of the period.",
        "money",
        (Method("end", "12 × mrr", "12 * coalesce(sum(end_mrr), 0)", n=PAYING),),
        "money",
        1,
        at_end=True,
        money=True,
    ),
    _movement("movement_new", "MRR of accounts that never paid before the period.", 1),
    _movement(
        "movement_reactivation",
        "MRR of accounts that paid once, did not at the start, and pay again at the end.",
        1,
    ),
    _movement(
        "movement_expansion",
        "Rises of the MRR of accounts that pay at both ends, without what was agreed before.",
        1,
    ),
    _movement(
        "movement_contracted_expansion",
        "Rises that were booked by the day on which the term before them began (a ramp).",
        1,
    ),
    _movement(
        "movement_contraction", "Falls of the MRR of accounts that pay at both ends; negative.", 1
    ),
    _movement(
        "movement_churn",
        "MRR of accounts that paid at the start and neither pay nor pause at the end; negative.",
        1,
    ),
    _movement("movement_pause", "MRR of accounts that fell into a pause; negative.", 1),
    _movement("movement_resume", "MRR of accounts that came back from a pause.", 1),
    _movement(
        "movement_merger",
        "What accounts paid at the start that are part of another at the end: taken from the one "
        "and added to the other, so that nobody churned; 0 in total.",
        0,
    ),
    _movement(
        "movement_fx",
        "What exchange rates changed; without rates, what moved from one currency to another.",
        0,
    ),
    _churned(
        "movement_churn_voluntary",
        "Churned MRR whose last row did not end for a failed payment; no reason is voluntary.",
        "NOT coalesce(involuntary, false)",
    ),
    _churned(
        "movement_churn_involuntary",
        "Churned MRR whose last row ended involuntarily.",
        "involuntary",
    ),
    MetricDeclaration(
        "quick_ratio",
        "MRR gained over MRR lost.",
        "money",
        (
            Method(
                "strict",
                "new and expansion (agreed before or not) over contraction and churn",
                "sum(new + expansion + contracted_expansion)",
                "-sum(contraction + churn)",
                "count(*) FILTER (kind <> 'same')",
            ),
            Method(
                "with_reactivation",
                "… with reactivation among the gains",
                "sum(new + expansion + contracted_expansion + reactivation)",
                "-sum(contraction + churn)",
                "count(*) FILTER (kind <> 'same')",
            ),
            Method(
                "strict_monthly",
                "strict, over the movements of the months within the period",
                "sum(new + expansion + contracted_expansion)",
                "-sum(contraction + churn)",
                relation="bridge",
            ),
        ),
        "ratio",
        1,
        "no MRR was lost in the period",
        money=True,
    ),
    MetricDeclaration(
        "arpa",
        "MRR per paying account at the end of the period; free, trial and paused are out.",
        "money",
        (Method("end", "mrr / paying accounts", "sum(end_mrr)", PAYING, PAYING),),
        "money",
        1,
        "no account pays at the end of the period",
        at_end=True,
        money=True,
    ),
    MetricDeclaration(
        "arppu",
        "MRR per paid seat at the end of the period.",
        "money",
        (Method("seats", "mrr / seats", "sum(end_mrr)", "sum(end_seats)", PAYING),),
        "money",
        1,
        "no seat is paid for at the end of the period",
        ("subscriptions.seats",),
        at_end=True,
        money=True,
    ),
)
"""Revenue."""
