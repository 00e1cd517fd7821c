"""Subscription: tenure, price, seats, term, and how they changed."""

from __future__ import annotations

from tenure.core.spec import Declared, Derived, Family, Feature

SOURCE = "subscriptions"
CANCELLED = "end_reason in ('voluntary', 'involuntary', 'non_renewal')"

FEATURES: tuple[Declared, ...] = (
    Feature(
        "mrr", SOURCE, "sum(mrr * exchange_rate)", "{value} of monthly recurring revenue",
        where="paid", running=True, unit="money",
    ),
    Feature(
        "list_mrr", SOURCE, "sum(list_price * exchange_rate)",
        "{value} of monthly revenue at list price",
        where="paid", running=True, unit="money",
    ),
    Feature(
        "seats", SOURCE, "sum(seats)", "{value} paid seats",
        where="paid", running=True, unit="count",
    ),
    Feature(
        "running_subscriptions", SOURCE, "count(*)", "{value} running subscriptions",
        where="paid", running=True, unit="count",
    ),
    Feature(
        "tenure_days", SOURCE, "days_since(min(started_at))",
        "{value} days since the first paid day", where="paid", unit="days", direction=-1,
    ),
    Feature(
        "days_since_change", SOURCE, "days_since(max(started_at))",
        "{value} days since the last start or change of a paid period", where="paid", unit="days",
    ),
    Feature(
        "days_to_renewal", SOURCE, "days_until(min(term_end))", "{value} days to the next renewal",
        where="paid", running=True, unit="days",
    ),
    Feature(
        "plan", SOURCE, "last(plan)", "the plan {value}", where="paid",
    ),
    Feature(
        "billing_period", SOURCE, "last(billing_period)", "a billing period of {value}",
        where="paid",
    ),
    Feature(
        "paid_periods", SOURCE, "count(*)", "{value} paid periods begun in the last {window}",
        where="paid", windows=(182, 365), unit="count",
    ),
    Feature(
        "mrr_begun", SOURCE, "sum(list_price * exchange_rate)",
        "{value} of monthly list price begun in the last {window}",
        where="paid", windows=(91, 182, 365), unit="money",
    ),
    Feature(
        "mrr_ended", SOURCE, "sum(list_price * exchange_rate)",
        "{value} of monthly list price ended in the last {window}",
        where="paid", windows=(91, 182, 365), at="ended_at", unit="money",
    ),
    Feature(
        "upgrades", SOURCE, "count(*)", "{value} upgrades in the last {window}",
        where="end_reason = 'upgrade'", windows=(182, 365), at="ended_at",
        unit="count", direction=-1,
    ),
    Feature(
        "downgrades", SOURCE, "count(*)", "{value} downgrades in the last {window}",
        where="end_reason = 'downgrade'", windows=(182, 365), at="ended_at",
        unit="count", direction=1,
    ),
    Feature(
        "upgrades_ever", SOURCE, "count(*)", "{value} upgrades so far",
        where="end_reason = 'upgrade'", unit="count", direction=-1, group="upgrades",
    ),
    Feature(
        "downgrades_ever", SOURCE, "count(*)", "{value} downgrades so far",
        where="end_reason = 'downgrade'", unit="count", direction=1, group="downgrades",
    ),
    Feature(
        "cancelled_before", SOURCE, "count(*)", "{value} paid periods cancelled before",
        where=f"paid and {CANCELLED}", unit="count", direction=1, group="winback",
    ),
    Feature(
        "days_since_cancelled", SOURCE, "days_since(max(ended_at))",
        "{value} days since a paid period was cancelled",
        where=f"paid and {CANCELLED}", unit="days", group="winback",
    ),
    Feature(
        "seats_begun", SOURCE, "sum(seats)", "{value} seats begun in {window}",
        where="paid", windows=(182,), unit="count", hidden=True,
    ),
    Feature(
        "seats_ended", SOURCE, "sum(seats)", "{value} seats ended in {window}",
        where="paid", windows=(182,), at="ended_at", unit="count", hidden=True,
    ),
    Feature(
        "days_since_renewal", SOURCE, "days_since(max(term_start))",
        "{value} days since the present term began", where="paid", running=True, unit="days",
        group="renewal",
    ),
    Derived(
        "spell_days", "least(tenure_days, coalesce(days_since_cancelled, tenure_days))",
        "{value} paid days since the start or the last cancellation",
        unit="days", direction=-1, group="tenure_days",
    ),
    Derived(
        "term_done", "days_since_renewal / (days_since_renewal + days_to_renewal)",
        "{value} of the present term over", unit="share", group="renewal",
    ),
    Derived(
        "term_days", "days_since_renewal + days_to_renewal", "a present term of {value} days",
        unit="days", direction=-1, group="renewal",
    ),
    Derived(
        "seats_change_182d", "(seats_begun_182d - seats_ended_182d) / seats",
        "seats changed over the last 182 days by {value} of today's",
        unit="share", direction=-1, group="mrr_change",
    ),
    Derived(
        "mrr_per_employee", "mrr / employees", "{value} of monthly revenue per employee",
        unit="money",
    ),
    Derived(
        "discount", "1 - mrr / list_mrr", "a discount of {value} off the list price",
        unit="share",
    ),
    Derived(
        "mrr_change_182d", "(mrr_begun_182d - mrr_ended_182d) / list_mrr",
        "list price changed over the last 182 days by {value} of today's",
        unit="share", direction=-1, group="mrr_change",
    ),
    Derived(
        "mrr_change_365d", "(mrr_begun_365d - mrr_ended_365d) / list_mrr",
        "list price changed over the last 365 days by {value} of today's",
        unit="share", direction=-1, group="mrr_change",
    ),
    Derived(
        "price_per_seat", "mrr / seats", "{value} of monthly revenue per seat", unit="money",
    ),
    Derived(
        "price_per_active_user_28d", "mrr / active_users_28d",
        "{value} of monthly revenue per active user", unit="money", direction=1,
    ),
)

FAMILY = Family("subscription", "Subscription", FEATURES)
