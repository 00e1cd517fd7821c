"""Invoices: what was paid late, and what is owed."""

from __future__ import annotations

from tenure.core.spec import Derived, Family, Feature

SOURCE = "invoices"

FEATURES: tuple[Feature | Derived, ...] = (
    Feature(
        "invoices", SOURCE, "count(*)", "{value} invoices in the last {window}",
        windows=(182,), unit="count",
    ),
    Feature(
        "invoices_late", SOURCE, "count(*)", "{value} invoices paid late in the last {window}",
        where="paid_at > due_at", windows=(91, 182), unit="count", direction=1, lever=True,
    ),
    Feature(
        "mean_days_to_pay", SOURCE, "avg(date_diff('second', issued_at, paid_at) / 86400.0)",
        "{value} days to pay an invoice on average in the last {window}",
        windows=(91, 182), unit="days", direction=1, lever=True,
    ),
    Feature(
        "unpaid_invoices", SOURCE, "count(*)", "{value} invoices not yet paid",
        running=True, unit="count", direction=1, lever=True,
    ),
    Feature(
        "unpaid_amount", SOURCE, "sum(amount)", "{value} invoiced and not yet paid",
        running=True, unit="money", direction=1, lever=True,
    ),
    Feature(
        "days_overdue", SOURCE, "days_since(min(due_at))",
        "the oldest unpaid invoice past its due date by {value} days",
        running=True, unit="days", direction=1, lever=True,
    ),
    Derived(
        "invoices_late_share_182d", "invoices_late_182d / invoices_182d",
        "{value} of the invoices of the last 182 days paid late",
        unit="share", direction=1, lever=True, group="invoices_late",
    ),
)

FAMILY = Family("invoice", "Invoices", FEATURES)
