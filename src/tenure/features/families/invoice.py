"""Invoices: what was paid late, what failed or was disputed, and what is owed."""

from __future__ import annotations

from tenure.core.spec import Declared, Derived, Family, Feature

SOURCE = "invoices"

FEATURES: tuple[Declared, ...] = (
    Feature(
        "invoices", SOURCE, "count(*)", "{value} invoices in the last {window}",
        windows=(182,), unit="count",
    ),
    Feature(
        "invoices_late", SOURCE, "count(*)", "{value} invoices paid late in the last {window}",
        where="paid_at > due_by", windows=(91, 182), unit="count", direction=1, lever=True,
    ),
    Feature(
        "mean_days_to_pay", SOURCE, "avg(date_diff('second', issued_at, paid_at) / 86400.0)",
        "{value} days to pay an invoice on average in the last {window}",
        windows=(91, 182), unit="days", direction=1, lever=True,
    ),
    Feature(
        "mean_days_late", SOURCE, "avg(date_diff('second', due_at, paid_at) / 86400.0)",
        "late invoices paid {value} days beyond their due date on average in the last {window}",
        where="paid_at > due_by", windows=(182,), unit="days", direction=1, lever=True,
        group="invoices_late",
    ),
    Feature(
        "payments_failed", SOURCE, "count(*)", "{value} failed payments in the last {window}",
        at="failed_at", windows=(91, 182), unit="count", direction=1, lever=True,
    ),
    Feature(
        "days_since_failed_payment", SOURCE, "days_since(max(failed_at))",
        "{value} days since the last failed payment",
        unit="days", direction=-1, lever=True, group="payments_failed",
    ),
    Feature(
        "invoices_disputed", SOURCE, "count(*)", "{value} invoices disputed in the last {window}",
        at="disputed_at", windows=(182,), unit="count", direction=1, lever=True,
    ),
    Feature(
        "unpaid_invoices", SOURCE, "count(*)", "{value} invoices not yet paid",
        running=True, unit="count", direction=1, lever=True,
    ),
    Feature(
        "unpaid_amount", SOURCE, "sum(amount * exchange_rate)", "{value} invoiced and not yet paid",
        running=True, unit="money", direction=1, lever=True,
    ),
    Feature(
        "days_overdue", SOURCE, "days_since(min(due_at))",
        "the oldest unpaid invoice past its due date by {value} days",
        running=True, unit="days", direction=1, lever=True,
    ),
    Derived(
        "unpaid_months", "unpaid_amount / mrr", "{value} months of revenue not yet paid",
        direction=1, lever=True, group="unpaid_amount",
    ),
    Derived(
        "invoices_late_share_182d", "invoices_late_182d / invoices_182d",
        "{value} of the invoices of the last 182 days paid late",
        unit="share", direction=1, lever=True, group="invoices_late",
    ),
)

FAMILY = Family("invoice", "Invoices", FEATURES)
