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


def _amount(
    name: str, rule: str, how: str, parts: tuple[str, str], *needs: str, losses: bool = False
) -> MetricDeclaration:
    """Return an amount of MRR by its due date: its rule, and SQL of its sum and of its count."""
    total, count = (f"coalesce({part}, 0)" for part in parts)
    return MetricDeclaration(
        name,
        rule,
        "losses" if losses else "renewals",
        (Method("due_date", how, total, n=count),),
        "money",
        -1 if "loss" in name else 0,
        needs=(*NEEDS, *needs),
        money=True,
    )


def _sum(amount: str, chosen: str) -> tuple[str, str]:
    return f"sum({amount}) FILTER ({chosen})", f"sum(contracts) FILTER ({chosen})"


RENEWALS = (
    _amount(
        "available_to_renew",
        "MRR of contracts that run until their term ends in the period, at what they pay then.",
        "by the end of the term",
        _sum("due_mrr", "due"),
    ),
    _rate(
        "gross_renewal_rate",
        "Renewed MRR, each account and date capped at what was due, over the MRR due.",
        "least(renewed_mrr, due_mrr)",
    ),
    _rate("net_renewal_rate", "Renewed MRR over the MRR due.", "renewed_mrr"),
    _amount(
        "renewal_loss",
        "MRR that was due and not renewed, or renewed at less.",
        "due less renewed, each account and date capped at what was due",
        (
            f"sum(due_mrr - least(renewed_mrr, due_mrr)) FILTER ({OPEN})",
            f"sum(contracts) FILTER ({OPEN} AND renewed_mrr < due_mrr)",
        ),
    ),
    MetricDeclaration(
        "late_renewal_rate",
        "Share of the MRR due that was renewed only after its due date; no churn within the grace.",
        "renewals",
        (
            Method(
                "due_date",
                "begun after the due date and within the grace, over due",
                f"sum(least(late_mrr, due_mrr)) FILTER ({OPEN})",
                DUE,
                COUNT,
            ),
        ),
        "share",
        -1,
        EMPTY,
        NEEDS,
        money=True,
    ),
    _amount(
        "slipped_renewals",
        "MRR that came due in the period and has neither been renewed nor ended by a reason, while "
        "its grace is not over: no loss yet.",
        "open when observation stopped",
        _sum("due_mrr", "due AND pending"),
    ),
    _amount(
        "loss_at_renewal",
        "MRR that accounts lost in the period (churn and contraction), up to what of it lapsed on "
        "a due date within the period.",
        "by the end of the term",
        ("sum(at_renewal_mrr)", "count(*) FILTER (at_renewal_mrr > 0)"),
        losses=True,
    ),
    _amount(
        "loss_mid_term",
        "All other MRR that accounts lost in the period; with `loss_at_renewal` it is the churn "
        "and the contraction of the period.",
        "by the end of the term",
        ("sum(lost_mrr - at_renewal_mrr)", "count(*) FILTER (lost_mrr > at_renewal_mrr)"),
        losses=True,
    ),
    _amount(
        "opt_out_mrr",
        "MRR of contracts whose opt-out deadline, the due date less the notice period (that of the "
        "contract, else `metrics.notice_period_days`), falls into the period.",
        "by the end of the term less the notice period",
        _sum("due_mrr", "opting_out"),
        "subscriptions.notice_period_days|metrics.notice_period_days",
    ),
)
"""Renewals."""
