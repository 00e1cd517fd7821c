"""Invoices: what was paid late, what failed or was disputed, and what is owed."""

from __future__ import annotations

from tenure.core.spec import Declared, Derived, Family, Feature, Signal

SOURCE = "invoices"

SIGNALS = (
    Signal("late_payment", "Invoices paid late", "Ask who approves invoices, and what delays it."),
    Signal("unpaid", "Unpaid invoices", "Ask whether the open invoices are in order."),
    Signal("failed_payments", "Failed payments", "Ask for another way to pay."),
    Signal("disputes", "Disputed invoices", "Ask what is wrong with the invoice."),
    Signal("invoices", "Invoices"),
)

FEATURES: tuple[Declared, ...] = (
    Feature(
        "invoices", SOURCE, "count(*)", "{value} invoice(s) in the last {window}",
        windows=(182,), unit="count", group="invoices",
    ),
    Feature(
        "invoices_late", SOURCE, "count(*)", "{value} invoice(s) of the last {window} paid late",
        where="paid_at > due_by", windows=(91, 182), unit="count", direction=1, lever=True,
        group="late_payment",
    ),
    Feature(
        "mean_days_to_pay", SOURCE, "avg(date_diff('second', issued_at, paid_at) / 86400.0)",
        "{value} days to pay an invoice of the last {window} on average",
        windows=(91, 182), unit="days", direction=1, lever=True, group="late_payment",
        zero="invoices of the last {window} paid within a day on average",
        missing="no invoice of the last {window} paid",
    ),
    Feature(
        "mean_days_late", SOURCE, "avg(date_diff('second', due_at, paid_at) / 86400.0)",
        "late invoices of the last {window} paid {value} days after their due date on average",
        where="paid_at > due_by", windows=(182,), unit="days", direction=1, lever=True,
        group="late_payment",
        zero="late invoices of the last {window} paid within a day of their due date",
        missing="no invoice of the last {window} paid late",
    ),
    Feature(
        "payments_failed", SOURCE, "count(*)", "{value} failed payment(s) in the last {window}",
        at="failed_at", windows=(91, 182), unit="count", direction=1, lever=True,
        group="failed_payments",
    ),
    Feature(
        "days_since_failed_payment", SOURCE, "days_since(max(failed_at))",
        "{value} days since the last failed payment",
        unit="days", direction=-1, lever=True, group="failed_payments",
        zero="a payment failed on the last day", missing="no payment failed so far",
    ),
    Feature(
        "invoices_disputed", SOURCE, "count(*)", "{value} invoice(s) disputed in the last {window}",
        at="disputed_at", windows=(182,), unit="count", direction=1, lever=True, group="disputes",
    ),
    Feature(
        "unpaid_invoices", SOURCE, "count(*)", "{value} invoice(s) not yet paid",
        running=True, unit="count", direction=1, lever=True, group="unpaid",
    ),
    Feature(
        "unpaid_amount", SOURCE, "sum(amount * exchange_rate)", "{value} invoiced and not yet paid",
        running=True, unit="money", direction=1, lever=True, group="unpaid",
        zero="nothing invoiced and not yet paid", missing="every invoice paid",
    ),
    Feature(
        "days_overdue", SOURCE, "days_since(min(due_at))",
        "the oldest unpaid invoice {value} days {past|before} its due date",
        running=True, unit="days", direction=1, lever=True, group="unpaid",
        zero="the oldest unpaid invoice due on the last day", missing="every invoice paid",
    ),
    Derived(
        "unpaid_months", "unpaid_amount / mrr",
        "{value} month(s) of revenue invoiced and not yet paid",
        unit="number", direction=1, lever=True, group="unpaid",
        zero="nothing invoiced and not yet paid", missing="every invoice paid",
    ),
    Derived(
        "invoices_late_share_182d", "invoices_late_182d / invoices_182d",
        "{value} of the invoices of the last 182 days paid late",
        unit="share", direction=1, lever=True, group="late_payment",
        missing="no invoice in the last 182 days",
    ),
)

FAMILY = Family("invoice", "Invoices", FEATURES, SIGNALS)
