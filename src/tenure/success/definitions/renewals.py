"""Contracts whose term ends in the period."""

from __future__ import annotations

from tenure.success.declarations import Method, MetricDeclaration

NEEDS = ("subscriptions.renews_at|billing_period",)
OPEN = "due AND NOT pending"
DUE = f"sum(due_mrr) FILTER ({OPEN})"
COUNT = f"coalesce(sum(contracts) FILTER ({OPEN}), 0)"
EMPTY = "no contract came due in the period whose grace is over"


def _rate(name: str, rule: str, renewed: str) -> MetricDeclaration:
    return MetricDeclaration(
        name,
        rule,
        "renewals",
        (
            Method(
                "due_date",
                "renewed within the grace (`metrics.renewal_grace_days`) over due, both of the "
                "contracts that came due in the period; open ones inside the grace are left out",
                f"sum({renewed}) FILTER ({OPEN})",
                DUE,
                COUNT,
            ),
            Method(
                "booking_date",
                "what was booked in the period, whenever it came due, over what came due in it",
                f"coalesce(sum({renewed}) FILTER (booked), 0)",
                DUE,
                "coalesce(sum(contracts) FILTER (booked), 0)",
            ),
        ),
        "share",
        1,
        EMPTY,
        NEEDS,
        money=True,
    )


RENEWALS = (
    MetricDeclaration(
        "available_to_renew",
        "MRR of contracts that run until their term ends in the period, at what they pay then.",
        "renewals",
        (
            Method(
                "due_date",
                "by the end of the term",
                "coalesce(sum(due_mrr) FILTER (due), 0)",
                n="coalesce(sum(contracts) FILTER (due), 0)",
            ),
        ),
        "money",
        0,
        needs=NEEDS,
        money=True,
    ),
    _rate(
        "gross_renewal_rate",
        "Renewed MRR, each account and date capped at what was due, over the MRR due.",
        "least(renewed_mrr, due_mrr)",
    ),
    _rate("net_renewal_rate", "Renewed MRR over the MRR due.", "renewed_mrr"),
    MetricDeclaration(
        "renewal_loss",
        "MRR that was due and not renewed, or renewed at less.",
        "renewals",
        (
            Method(
                "due_date",
                "due less renewed, each account and date capped at what was due",
                f"coalesce(sum(due_mrr - least(renewed_mrr, due_mrr)) FILTER ({OPEN}), 0)",
                n=f"coalesce(sum(contracts) FILTER ({OPEN} AND renewed_mrr < due_mrr), 0)",
            ),
        ),
        "money",
        -1,
        needs=NEEDS,
        money=True,
    ),
    MetricDeclaration(
        "opt_out_mrr",
        "MRR of contracts whose opt-out deadline, the due date less the notice period (that of the "
        "contract, else `metrics.notice_period_days`), falls into the period.",
        "renewals",
        (
            Method(
                "due_date",
                "by the end of the term less the notice period",
                "coalesce(sum(due_mrr) FILTER (opting_out), 0)",
                n="coalesce(sum(contracts) FILTER (opting_out), 0)",
            ),
        ),
        "money",
        0,
        needs=(*NEEDS, "subscriptions.notice_period_days|metrics.notice_period_days"),
        money=True,
    ),
)
"""Renewals."""
