"""What `tenure metrics` prints and writes: one metric of one period and group, and all of them."""

from __future__ import annotations

from tenure.core.records.base import Record, Time


class Metric(Record):
    """One metric of a period and a group of accounts."""

    name: str
    """Name of its declaration."""
    method: str
    """How it was computed, one of the named methods."""
    value: float | None = None
    """The value; None where there is none, and `reason` says why."""
    numerator: float | None = None
    """What is divided, or the sum or count itself."""
    denominator: float | None = None
    """What it is divided by; None where nothing is."""
    n: int = 0
    """Accounts, answers, tickets or contracts behind it."""
    lo: float | None = None
    """Lower end of its 95 % interval; None without one."""
    hi: float | None = None
    period_from: Time
    """Start of the period."""
    period_to: Time
    """Its end, exclusive."""
    group: dict[str, str]
    """What splits the accounts → value; empty for all."""
    currency: str | None = None
    """Of money, and of ratios of money; None elsewhere."""
    reason: str | None = None
    """Why there is no value."""


class MetricsRecord(Record):
    """The metrics of a run."""

    as_of: Time
    """When observation stopped; what was known then was used."""
    currency: str | None = None
    """The one currency of all money; None where there are several."""
    metrics: tuple[Metric, ...]
