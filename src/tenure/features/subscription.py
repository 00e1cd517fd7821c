"""Subscription: tenure, price, seats, term, and how they changed."""

from __future__ import annotations

from tenure.core.spec import Derived, Family, Feature

SOURCE = "subscriptions"

FEATURES: tuple[Feature | Derived, ...] = (
    Feature(
        "mrr", SOURCE, "sum(mrr)", "{value} of monthly recurring revenue",
        where="paid", running=True, unit="money",
    ),
    Feature(
        "list_mrr", SOURCE, "sum(list_price)", "{value} of monthly revenue at list price",
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
        "mrr_begun", SOURCE, "sum(list_price)",
        "{value} of monthly list price begun in the last {window}",
        where="paid", windows=(91, 182, 365), unit="money",
    ),
    Feature(
        "mrr_ended", SOURCE, "sum(list_price)",
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
