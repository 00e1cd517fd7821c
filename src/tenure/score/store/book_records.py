"""What is asked of a book, and what it is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from tenure.score.store.store import StoredRun

MONTH_DAYS = 30
DUE_DAYS = 90
"""Days ahead within which a renewal is near."""


@dataclass(frozen=True)
class BookFilter:
    """Which accounts of a book are looked at; empty conditions leave all in."""

    owner: str = ""
    segment: str = ""
    plan: str = ""
    band: str = ""
    search: str = ""
    """Part of an id or a name, in upper or lower case."""
    reason: str = ""
    """Code of the first reason."""
    due_days: int | None = None
    """Renewal less than so many days after the prediction time, notice not given."""
    accounts: tuple[str, ...] = ()
    """Ids; where nothing else is wanted, the rows are in their order."""


EVERYBODY = BookFilter()


@dataclass(frozen=True)
class BookQuery:
    """A page of a book."""

    where: BookFilter = EVERYBODY
    sort: str = "probability"
    """One of `tenure.score.store.book.SORTS`; rows without a value come last, ties are in the order
    of ids."""
    descending: bool = True
    since: StoredRun | None = None
    """The run that changes are counted from."""
    offset: int = 0
    limit: int | None = 50
    """Rows of the page; None for all."""
    moved: float = 0.0
    """Only accounts whose probability changed by so much or more since that run."""


FIRST_PAGE = BookQuery()


@dataclass(frozen=True)
class BookRow:
    """An account of a book: churn under one horizon, and expansion beside it.

    Times are UTC, money is in `currency` and per month.
    """

    account_id: str
    name: str | None
    owner: str | None
    segment: str | None
    plan: str | None
    mrr: float | None
    currency: str | None
    probability: float | None
    lo: float | None
    hi: float | None
    change: float | None
    """Of the probability, since the run of the query; None without one."""
    rank: int | None
    band: str | None
    abstain_reason: str | None
    amount_at_risk: float | None
    renews_at: datetime | None
    """Renewal date, or end where notice was given."""
    notice_by: datetime | None
    """Until when the contract can be ended."""
    expansion_probability: float | None
    expected_amount: float | None
    driver: dict[str, Any] | None = field(repr=False)
    """The first reason by the fields of `tenure.explain.drivers`, None without a driver.

    The strongest driver that raises the probability, one that a team can act on where there is any;
    else the strongest of all."""


@dataclass(frozen=True)
class BookTotals:
    """What accounts add up to, in one currency."""

    currency: str | None
    """None of accounts without one, or with several."""
    accounts: int = 0
    mrr: float = 0.0
    amount_at_risk: float = 0.0
    """Probability of churn × MRR, over all of them."""
    high: int = 0
    """Those in the band high, `high_mrr` and `high_amount` (at risk) theirs."""
    high_mrr: float = 0.0
    high_amount: float = 0.0
    due: int = 0
    """Those whose contract renews within `DUE_DAYS`; `high_due`: those of both."""
    due_mrr: float = 0.0
    high_due: int = 0
    high_due_mrr: float = 0.0
    high_due_amount: float = 0.0


@dataclass(frozen=True)
class Choices:
    """What a book can be filtered by: value → number of accounts, by value."""

    owners: Mapping[str, int]
    segments: Mapping[str, int]
    reasons: Mapping[tuple[str, str], int]
    """(code, label) of the first reason → accounts, most frequent first."""


def added(totals: Sequence[BookTotals]) -> BookTotals:
    """Return totals of which only the counts are added up over the currencies."""
    counts = ("accounts", "high", "due", "high_due")
    sums = {name: sum(getattr(item, name) for item in totals) for name in counts}
    return replace(BookTotals(None), **sums)


def nearest(runs: Sequence[StoredRun], run: StoredRun, days: int = MONTH_DAYS) -> StoredRun | None:
    """Return the earlier run whose prediction time is nearest to some days before that of a run."""
    wanted = run.as_of - timedelta(days=days)
    earlier = [item for item in runs if item.as_of < run.as_of]
    # Of several runs of one time the last counts.
    return min(reversed(earlier), key=lambda item: abs(item.as_of - wanted), default=None)
