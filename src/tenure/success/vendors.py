"""How billing and analytics vendors compute what is computed here, question by question.

By their public help pages; where one says nothing, nothing stands here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

VENDORS = ("Stripe", "ProfitWell", "ChartMogul", "Chargebee", "Baremetrics", "Recurly", "Maxio")


@dataclass(frozen=True, slots=True)
class Practice:
    """A question that vendors answer in different ways."""

    question: str
    here: str
    """What Tenure does, and by which method or setting it does otherwise."""
    others: Mapping[str, str]
    """Vendor → what it does."""


PRACTICES = (
    Practice(
        "When is the MRR of a cancelled subscription lost?",
        "when its paid time ends (`ended_at`), whenever notice was given",
        {
            "Stripe": "when it is cancelled",
            "ProfitWell": "at the end of the billing cycle",
            "ChartMogul": "when the paid term ends",
            "Chargebee": "when it is cancelled; one cancelled in its first month is left out",
            "Recurly": "when the term expires",
            "Maxio": "when it is cancelled",
        },
    ),
    Practice(
        "Do discounts lower MRR?",
        "yes: `mrr` is what is paid; `list_mrr` serves the labels of expansion",
        {
            "Stripe": "only those that never end",
            "ProfitWell": "always",
            "ChartMogul": "yes",
            "Chargebee": "yes, of plans and add-ons",
            "Baremetrics": "those for life; who then pays nothing has churned",
            "Recurly": "yes",
            "Maxio": "always",
        },
    ),
    Practice(
        "When does a failed payment end it?",
        "when `status` says so, at `status_at`; churn is involuntary by `end_reason` alone",
        {
            "Stripe": "not while it is past due",
            "ProfitWell": "after 15 days of dunning or more, as delinquent churn",
            "Chargebee": "when it is cancelled for that reason; no reason is voluntary",
            "Baremetrics": "after 30 days",
        },
    ),
    Practice(
        "Does who joins and leaves within a month count as churn?",
        "no; `all_over_start` and `start_plus_new` of `logo_churn_rate` count it",
        {
            "Stripe": "yes, and the denominator holds who joined",
            "ProfitWell": "no",
            "ChartMogul": "a customer counts once",
            "Chargebee": "no",
            "Recurly": "yes",
            "Maxio": "on both sides",
        },
    ),
    Practice(
        "What is who comes back?",
        "`movement_reactivation`, after any gap; within one period nothing moved",
        {
            "Stripe": "of its first cohort",
            "ProfitWell": "a reactivation, after any gap",
            "ChartMogul": "a reactivation, which takes back the churn of the same period",
            "Chargebee": "a reactivation",
            "Recurly": "a reactivation after a month away",
            "Maxio": "a reactivation for 90 days, then new",
        },
    ),
    Practice(
        "What is a pause?",
        "`movement_pause` and `movement_resume`: MRR is 0, and nobody churned",
        {
            "ProfitWell": "MRR is 0",
            "Chargebee": "a state of its own",
            "Maxio": "outside MRR, a class of its own",
        },
    ),
    Practice(
        "What is churn divided by?",
        "the accounts, or the MRR, of the start of the period",
        {
            "Stripe": "who was active 30 days ago, and who is new",
            "ProfitWell": "the start of the month",
            "ChartMogul": "the start of the period",
            "Chargebee": "who was active at the start",
            "Baremetrics": "the MRR of 30 days ago",
            "Recurly": "the customers of the start",
        },
    ),
)
"""Where vendors differ."""
