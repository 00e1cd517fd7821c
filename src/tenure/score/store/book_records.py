"""What is asked of a book, and what it is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tenure.score.store.store import StoredRun

if TYPE_CHECKING:
    from datetime import datetime

MONTH_DAYS = 30
DUE_DAYS = 90
"""Days ahead within which a renewal is near."""


@dataclass(frozen=True)
class BookFilter:
    """Which accounts of a book are looked at; empty conditions leave all in.

    Attributes:
        search: Part of an id or a name, in upper or lower case.
        reason: Code of the first driver.
        due_days: Renewal less than so many days after the prediction time, notice not given.
        accounts: Ids; where nothing else is wanted, the rows are in their order.
    """

    owner: str = ""
    segment: str = ""
    plan: str = ""
    band: str = ""
    search: str = ""
    reason: str = ""
    due_days: int | None = None
    accounts: tuple[str, ...] = ()


EVERYBODY = BookFilter()


@dataclass(frozen=True)
class BookQuery:
    """A page of a book.

    Attributes:
        sort: One of `tenure.score.store.book.SORTS`; rows without a value come last, ties are in
            the order of ids.
        since: The run that changes are counted from.
        limit: Rows of the page; None for all.
        moved: Only accounts whose probability changed by so much or more since then.
    """

    where: BookFilter = EVERYBODY
    sort: str = "probability"
    descending: bool = True
    since: StoredRun | None = None
    offset: int = 0
    limit: int | None = 50
    moved: float = 0.0


FIRST_PAGE = BookQuery()


@dataclass(frozen=True)
class BookRow:
    """An account of a book: churn under one horizon, and expansion beside it.

    Times are UTC, money is in `currency` and per month.

    Attributes:
        change: Of the probability, since the run of the query; None without one.
        renews_at: Renewal date, or end where notice was given.
        notice_by: Until when the contract can be ended.
        driver: The first driver by the fields of `tenure.explain.drivers`, None without one.
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
    rank: int | None
    band: str | None
    abstain_reason: str | None
    amount_at_risk: float | None
    renews_at: datetime | None
    notice_by: datetime | None
    expansion_probability: float | None
    expected_amount: float | None
    driver: dict[str, Any] | None = field(repr=False)


@dataclass(frozen=True)
class BookTotals:
    """What accounts add up to, in one currency.

    Attributes:
        currency: None of accounts without one, or with several.
        accounts: How many; `mrr`: theirs.
        amount_at_risk: Probability of churn × MRR, over all of them.
        high: Those in the band high, `high_mrr` and `high_amount` (at risk) theirs.
        due: Those whose contract renews within `DUE_DAYS`; `high_due`: those of both.
    """

    currency: str | None
    accounts: int = 0
    mrr: float = 0.0
    amount_at_risk: float = 0.0
    high: int = 0
    high_mrr: float = 0.0
    high_amount: float = 0.0
    due: int = 0
    due_mrr: float = 0.0
    high_due: int = 0
    high_due_mrr: float = 0.0
    high_due_amount: float = 0.0


@dataclass(frozen=True)
class Choices:
    """What a book can be filtered by: value → number of accounts, by value.

    Attributes:
        reasons: (code, label) of the first driver → accounts, most frequent first.
    """

    owners: Mapping[str, int]
    segments: Mapping[str, int]
    reasons: Mapping[tuple[str, str], int]


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
