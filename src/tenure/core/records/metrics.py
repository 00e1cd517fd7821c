"""What `tenure metrics` prints and writes: one metric of one period and group, and all of them."""

from __future__ import annotations

from tenure.core.records.base import Record, Time


class Metric(Record):
    """One metric of a period and a group of accounts.

    Attributes:
        name: Name of its declaration.
        method: How it was computed, one of the named methods.
        value: The value; None where there is none, and `reason` says why.
        numerator: What is divided, or the sum or count itself.
        denominator: What it is divided by; None where nothing is.
        n: Accounts, answers, tickets or contracts behind it.
        lo: Lower end of its 95 % interval; None without one.
        hi: Upper end.
        period_from: Start of the period.
        period_to: Its end, exclusive.
        group: What splits the accounts → value; empty for all.
        currency: Of money, and of ratios of money; None elsewhere.
        reason: Why there is no value.
    """

    name: str
    method: str
    value: float | None = None
    numerator: float | None = None
    denominator: float | None = None
    n: int = 0
    lo: float | None = None
    hi: float | None = None
    period_from: Time
    period_to: Time
    group: dict[str, str]
    currency: str | None = None
    reason: str | None = None


class MetricsRecord(Record):
    """The metrics of a run.

    Attributes:
        as_of: When observation stopped; what was known then was used.
        currency: The one currency of all money; None where there are several.
        metrics: The metrics.
    """

    as_of: Time
    currency: str | None = None
    metrics: tuple[Metric, ...]
