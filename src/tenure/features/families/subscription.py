"""Subscription: tenure, price, seats, term, and how they changed."""

from __future__ import annotations

from tenure.core.spec import Declared, Derived, Family, Feature, Signal

SOURCE = "subscriptions"
CANCELLED = "end_reason in ('voluntary', 'involuntary', 'non_renewal')"

NOT_KNOWN = "the list price not known"

SIGNALS = (
    Signal("renewal", "Term and renewal date"),
    Signal("tenure", "Time as a customer", "Ask what was meant to be reached by now."),
    Signal("price", "Price", "Ask what the price is held against."),
    Signal("plan", "Plan"),
    Signal("contract_changes", "Changes of the contract"),
    Signal("winback", "Cancelled before"),
)

FEATURES: tuple[Declared, ...] = (
    Feature(
        "mrr", SOURCE, "sum(mrr * exchange_rate)", "{value} of monthly recurring revenue",
        where="paid", running=True, unit="money", group="size", since="days_since_change",
        missing="the monthly revenue not known",
    ),
    Feature(
        "list_mrr", SOURCE, "sum(list_price * exchange_rate)",
        "{value} of monthly revenue at list price",
        where="paid", running=True, unit="money", group="size", since="days_since_change",
        missing=NOT_KNOWN,
    ),
    Feature(
        "seats", SOURCE, "sum(seats)", "{value} paid seat(s)",
        where="paid", running=True, unit="count", group="size", since="days_since_change",
        missing="the number of paid seats not known",
    ),
    Feature(
        "running_subscriptions", SOURCE, "count(*)", "{value} running subscription(s)",
        where="paid", running=True, unit="count", group="size",
    ),
    Feature(
        "tenure_days", SOURCE, "days_since(min(started_at))",
        "{value} days since the first paid day", where="paid", unit="days", direction=-1,
        group="tenure", zero="first paid on the last day", missing="never paid so far",
    ),
    Feature(
        "days_since_change", SOURCE, "days_since(max(started_at))",
        "{value} days since the last start or change of a paid period", where="paid", unit="days",
        group="contract_changes", zero="a paid period begun or changed on the last day",
        missing="no paid period so far",
    ),
    Feature(
        "days_to_renewal", SOURCE, "days_until(min(term_end))",
        "{value} days {before|after} the renewal date",
        where="paid", running=True, unit="days", group="renewal", zero="at the renewal date",
        missing="no renewal date known",
    ),
    Feature(
        "plan", SOURCE, "last(plan)", "the plan {value}", where="paid", since="days_since_change",
        missing="the plan not known",
    ),
    Feature(
        "billing_period", SOURCE, "last(billing_period)", "{value} billing",
        where="paid", unit="term", group="renewal", missing="the billing period not known",
    ),
    Feature(
        "paid_periods", SOURCE, "count(*)", "{value} paid period(s) begun in the last {window}",
        where="paid", windows=(182, 365), unit="count", group="contract_changes",
    ),
    Feature(
        "mrr_begun", SOURCE, "sum(list_price * exchange_rate)",
        "{value} of monthly list price begun in the last {window}",
        where="paid", windows=(91, 182, 365), unit="money", group="contract_changes",
        zero="no paid period begun in the last {window}", missing=NOT_KNOWN,
    ),
    Feature(
        "mrr_ended", SOURCE, "sum(list_price * exchange_rate)",
        "{value} of monthly list price ended in the last {window}",
        where="paid", windows=(91, 182, 365), at="ended_at", unit="money",
        group="contract_changes", zero="no paid period ended in the last {window}",
        missing=NOT_KNOWN,
    ),
    Feature(
        "upgrades", SOURCE, "count(*)", "{value} upgrade(s) in the last {window}",
        where="end_reason = 'upgrade'", windows=(182, 365), at="ended_at",
        unit="count", direction=-1, group="contract_changes",
    ),
    Feature(
        "downgrades", SOURCE, "count(*)", "{value} downgrade(s) in the last {window}",
        where="end_reason = 'downgrade'", windows=(182, 365), at="ended_at",
        unit="count", direction=1, group="contract_changes",
    ),
    Feature(
        "upgrades_ever", SOURCE, "count(*)", "{value} upgrade(s) so far",
        where="end_reason = 'upgrade'", unit="count", direction=-1,
        group="contract_changes",
    ),
    Feature(
        "downgrades_ever", SOURCE, "count(*)", "{value} downgrade(s) so far",
        where="end_reason = 'downgrade'", unit="count", direction=1,
        group="contract_changes",
    ),
    Feature(
        "cancelled_before", SOURCE, "count(*)", "{value} paid period(s) cancelled before",
        where=f"paid and {CANCELLED}", unit="count", direction=1, group="winback",
    ),
    Feature(
        "days_since_cancelled", SOURCE, "days_since(max(ended_at))",
        "{value} days since a paid period was cancelled",
        where=f"paid and {CANCELLED}", unit="days", group="winback",
        zero="a paid period cancelled on the last day", missing="never cancelled so far",
    ),
    Feature(
        "seats_begun", SOURCE, "sum(seats)", "{value} seat(s) begun in {window}",
        where="paid", windows=(182,), unit="count", hidden=True,
    ),
    Feature(
        "seats_ended", SOURCE, "sum(seats)", "{value} seat(s) ended in {window}",
        where="paid", windows=(182,), at="ended_at", unit="count", hidden=True,
    ),
    Feature(
        "days_since_renewal", SOURCE, "days_since(max(term_start))",
        "{value} days since the present term began", where="paid", running=True, unit="days",
        group="renewal", zero="the present term begun on the last day",
        missing="the start of the present term not known",
    ),
    Derived(
        "spell_days", "least(tenure_days, coalesce(days_since_cancelled, tenure_days))",
        "{value} days paid since the start or the last cancellation",
        unit="days", direction=-1, group="tenure",
        zero="paid again or for the first time on the last day", missing="never paid so far",
    ),
    Derived(
        "term_done", "days_since_renewal / (days_since_renewal + days_to_renewal)",
        "{value} of the present term over", unit="share", group="renewal",
        missing="the present term not known",
    ),
    Derived(
        "term_days", "days_since_renewal + days_to_renewal", "a present term of {value} days",
        unit="days", direction=-1, group="renewal", missing="the present term not known",
    ),
    Derived(
        "seats_change_182d", "(seats_begun_182d - seats_ended_182d) / seats",
        "seats {up|down} over the last 182 days by {value} of today's",
        unit="share", direction=-1, group="contract_changes",
        zero="as many seats as 182 days ago",
        missing="the change of the seats not known",
    ),
    Derived(
        "mrr_per_employee", "mrr / employees", "{value} of monthly revenue per employee",
        unit="money", group="price", missing="the number of employees not known",
    ),
    Derived(
        "discount", "1 - mrr / list_mrr", "a price {value} {below|above} the list price",
        unit="share", group="price", zero="no discount off the list price", missing=NOT_KNOWN,
    ),
    Derived(
        "mrr_change_182d", "(mrr_begun_182d - mrr_ended_182d) / list_mrr",
        "the list price {up|down} over the last 182 days by {value} of today's",
        unit="share", direction=-1, group="contract_changes",
        zero="the same list price as 182 days ago",
        missing="the change of the list price not known",
    ),
    Derived(
        "mrr_change_365d", "(mrr_begun_365d - mrr_ended_365d) / list_mrr",
        "the list price {up|down} over the last 365 days by {value} of today's",
        unit="share", direction=-1, group="contract_changes",
        zero="the same list price as 365 days ago",
        missing="the change of the list price not known",
    ),
    Derived(
        "price_per_seat", "mrr / seats", "{value} of monthly revenue per seat", unit="money",
        group="price", missing="the number of paid seats not known",
    ),
    Derived(
        "price_per_active_user_28d", "mrr / active_users_28d",
        "{value} of monthly revenue per user active in the last 28 days",
        unit="money", direction=1, group="seats_used",
        missing="no active users in the last 28 days",
    ),
)

FAMILY = Family("subscription", "Subscription", FEATURES, SIGNALS)
