"""Who left and who stayed, by accounts and by money, and what an account is worth."""

from __future__ import annotations

from tenure.success.declarations import Interval, Method, MetricDeclaration, Z, share_method

STARTED = "count(*) FILTER (active_start)"
LOST = "count(*) FILTER (active_start AND gone)"
EMPTY_START = "no account paid at the start of the period"
COHORT = "base_mrr > 0 AND kind <> 'fx'"
COHORT_COUNT = f"count(*) FILTER ({COHORT})"
COHORT_START = f"sum(base_mrr) FILTER ({COHORT})"
CHURNED = "count(*) FILTER (kind = 'churn')"
ARPA = "sum(end_mrr) / nullif(count(*) FILTER (end_mrr > 0), 0) * any_value(months)"
SHRUNK = f"(({CHURNED}) + {Z * Z / 2}) / (nullif({COHORT_COUNT}, 0) + {Z * Z})"
GROSS_CHURN = "-sum(churn + contraction) / nullif(sum(start_mrr), 0)"
CHURN_RATE = f"({CHURNED})::DOUBLE / nullif({COHORT_COUNT}, 0)"


def _part(name: str, rule: str, condition: str) -> MetricDeclaration:
    lost = f"count(*) FILTER (active_start AND gone AND {condition})"
    return MetricDeclaration(
        name,
        rule,
        "accounts",
        (share_method("start", "over the accounts that paid at the start", lost, STARTED),),
        "share",
        -1,
        EMPTY_START,
        ("subscriptions.end_reason",),
    )


def _lifetime(name: str, rule: str, margin: str, *further: Method) -> MetricDeclaration:
    worth = f"{ARPA}{margin}"

    def over(name: str, rule: str, churn: str) -> Method:
        counted = CHURNED if churn != GROSS_CHURN else None
        interval: Interval | None = "worth" if counted else None
        return Method(name, rule, worth, churn, COHORT_COUNT, interval, counted)

    return MetricDeclaration(
        name,
        rule,
        "money",
        (
            over("observed", "over the churn rate of the period", CHURN_RATE),
            over(
                "shrunk",
                "over the centre of the 95 % interval of the churn rate, which is never 0",
                SHRUNK,
            ),
            over("gross_churn", "over the gross revenue churn of the period", GROSS_CHURN),
            *further,
        ),
        "money",
        1,
        "nobody churned in the period, or nobody paid at its start: see the method `shrunk`",
        money=True,
        instead="shrunk",
    )


def _retention(
    name: str, rule: str, cohort: tuple[str, str], movements: tuple[str, str]
) -> MetricDeclaration:
    """Return a retention of revenue; rule and SQL by the cohort, and by the movements."""
    return MetricDeclaration(
        name,
        rule,
        "money",
        (
            Method(
                "cohort",
                f"Σ {cohort[0]} / Σ start over the accounts that paid at the start",
                f"sum({cohort[1]}) FILTER ({COHORT})",
                COHORT_START,
                COHORT_COUNT,
            ),
            Method(
                "movements",
                f"(start {movements[0]} of every month, of all accounts) / start",
                f"sum(start_mrr + {movements[1]})",
                "sum(start_mrr)",
                relation="bridge",
            ),
        ),
        "share",
        1,
        EMPTY_START,
        money=True,
    )


RETENTION = (
    MetricDeclaration(
        "logo_churn_rate",
        "Share of accounts that paid at the start and neither pay nor pause at the end.",
        "accounts",
        (
            share_method(
                "start",
                "over the accounts that paid at the start",
                LOST,
                STARTED,
                used_by="ProfitWell, ChartMogul and Chargebee",
            ),
            share_method(
                "start_plus_new",
                "all that are gone at the end, also those who joined inside the period, over the "
                "accounts at the start and those who joined",
                "count(*) FILTER ((active_start OR joined) AND gone)",
                "count(*) FILTER (active_start OR joined)",
                used_by="Stripe, over who was active 30 days ago",
            ),
            Method(
                "all_over_start",
                "all that are gone at the end over the accounts that paid at the start",
                "count(*) FILTER ((active_start OR joined) AND gone)",
                STARTED,
                STARTED,
                used_by="Recurly",
            ),
            Method(
                "daily_sum",
                "all that are gone at the end over the mean of each day's paying accounts",
                "count(*) FILTER ((active_start OR joined) AND gone)",
                "sum(paid_days)::DOUBLE / any_value(days)",
            ),
        ),
        "share",
        -1,
        EMPTY_START,
    ),
    _part(
        "logo_churn_rate_voluntary",
        "Share of accounts that left for any reason but a failed payment; no reason is voluntary.",
        "NOT involuntary",
    ),
    _part(
        "logo_churn_rate_involuntary",
        "Share of accounts whose last row ended involuntarily.",
        "involuntary",
    ),
    MetricDeclaration(
        "logo_churn_rate_annualised",
        "The logo churn rate of the period, as that of a year of 365 days.",
        "accounts",
        (
            Method(
                "compound",
                "1 − (1 − churn) to the power of 365 / days",
                f"1 - power(1 - ({LOST})::DOUBLE / nullif({STARTED}, 0), 365.0 / any_value(days))",
                n=STARTED,
            ),
        ),
        "share",
        -1,
        EMPTY_START,
    ),
    MetricDeclaration(
        "customer_retention_rate",
        "(E − N) / S: paying accounts at the end without those who did not pay at the start, over "
        "those at the start; who comes back counts as new.",
        "accounts",
        (
            share_method(
                "start",
                "over the accounts that paid at the start",
                "count(*) FILTER (active_end) - count(*) FILTER (active_end AND NOT active_start)",
                STARTED,
            ),
        ),
        "share",
        1,
        EMPTY_START,
    ),
    _retention(
        "gross_revenue_retention",
        "MRR of the starting accounts that is left, each capped at what it paid at the start.",
        ("min(end, start)", "least(end_constant, base_mrr)"),
        ("− contraction − churn", "contraction + churn"),
    ),
    _retention(
        "net_revenue_retention",
        "MRR of the starting accounts at the end over that at the start.",
        ("end", "end_constant"),
        (
            "+ expansion − contraction − churn",
            "expansion + contracted_expansion + contraction + churn",
        ),
    ),
    MetricDeclaration(
        "revenue_churn_rate",
        "MRR lost over the MRR at the start.",
        "money",
        (
            Method("churn", "of accounts that left", "-sum(churn)", "sum(start_mrr)"),
            Method(
                "gross", "… and of those that shrank", "-sum(churn + contraction)", "sum(start_mrr)"
            ),
            Method(
                "net",
                "… less the expansion",
                "-sum(churn + contraction + expansion + contracted_expansion)",
                "sum(start_mrr)",
            ),
        ),
        "share",
        -1,
        EMPTY_START,
        money=True,
    ),
    MetricDeclaration(
        "product_churn_rate",
        "Share of accounts that dropped one of several subscriptions and stayed; an upgrade or "
        "downgrade drops none.",
        "accounts",
        (
            share_method(
                "start",
                "over the accounts that paid at the start",
                "count(*) FILTER (active_start AND active_end AND dropped > 0 "
                "AND subscriptions_start > 1)",
                STARTED,
            ),
        ),
        "share",
        -1,
        EMPTY_START,
    ),
    MetricDeclaration(
        "churned_size_ratio",
        "Mean MRR of the accounts that left over the mean of all at the start.",
        "money",
        (
            Method(
                "mean",
                "mean over mean",
                f"-sum(churn) / nullif({CHURNED}, 0)",
                f"{COHORT_START} / nullif({COHORT_COUNT}, 0)",
                CHURNED,
            ),
        ),
        "ratio",
        0,
        "nobody churned in the period, or nobody paid at its start",
        money=True,
    ),
    _lifetime(
        "ltv_revenue",
        "MRR per account over the length of the period, divided by the churn of the period.",
        "",
    ),
    _lifetime(
        "ltv_profit",
        "… times the margin (`evaluation.profit_margin`).",
        " * {margin}",
        Method(
            "discounted",
            "over the gross revenue churn and the discount of the period "
            "(`metrics.discount_rate` of a year)",
            f"{ARPA} * {{margin}}",
            f"{GROSS_CHURN} + power(1 + {{discount}}, any_value(months) / 12) - 1",
            COHORT_COUNT,
        ),
    ),
)
"""Churn and retention."""
