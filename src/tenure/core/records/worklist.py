"""What `tenure worklist` prints: whom each owner is to call, and why now."""

from __future__ import annotations

from typing import Literal

from tenure.core.records.base import Record, Time

ListName = Literal["risk", "expansion", "advocacy"]


class WorkItem(Record):
    """One account on a work list."""

    list: ListName
    """``risk``; ``expansion`` (a lead for sales, CSQL); ``advocacy`` (likely to advocate, CSQA)."""
    place: int
    """1 is first."""
    account_id: str
    """Whom to call."""
    name: str | None = None
    """What it is called, where that is known."""
    segment: str | None = None
    plan: str | None = None
    mrr: float | None = None
    """What it pays per month, in `currency`."""
    currency: str | None = None
    """Of all money of the item; None where it has none or several."""
    probability: float | None = None
    """Of churn, or of expansion; None on the list of advocates."""
    band: str | None = None
    """Risk band as it is shown, see `docs/scorecards.md`."""
    amount: float | None = None
    """MRR at risk, or expected expansion MRR; None on the list of advocates."""
    advocacy: float | None = None
    """Likelihood to advocate, 0 to 100, on that list."""
    renews_at: Time | None = None
    """When its term ends."""
    notice_by: Time | None = None
    """Until when it can end its contract."""
    days_to_notice: int | None = None
    """Days from the prediction time to then, below 0 where it has passed."""
    reasons: tuple[str, ...]
    """Why it is on the list, strongest first."""
    new: tuple[str, ...]
    """What is new since it last stood on the list."""


class LeftOff(Record):
    """How many candidates of one list do not stand on it, and why."""

    nothing_new: int = 0
    """Nothing is known since they last stood on it."""
    no_room: int = 0
    """The list is full."""
    held_out: int = 0
    """Left off on purpose, to measure what the list brings."""


class KnownLoss(Record):
    """An account that has given notice: no work list saves it."""

    account_id: str
    mrr: float | None = None
    currency: str | None = None
    ends_at: Time | None = None


class OwnerLists(Record):
    """The work lists of one owner."""

    owner: str | None = None
    """Who; None for accounts without an owner."""
    accounts: int
    """Accounts of the book that pay."""
    book: Literal["small", "large"]
    """``small`` (all accounts are candidates) or ``large`` (those in a risk band are)."""
    capacity: int
    """Accounts that each list holds at most."""
    why: str
    """Both in words."""
    items: tuple[WorkItem, ...]
    """The accounts, list by list."""
    left_off: dict[ListName, LeftOff]
    """List → candidates that are not on it."""
    losses: tuple[KnownLoss, ...]
    """Accounts that have given notice."""


class ListMoney(Record):
    """Money of all owners in one currency; amounts of two currencies are never added."""

    currency: str | None = None
    """None for accounts without one."""
    mrr: float
    """Of all accounts that pay."""
    mrr_at_risk: float
    """Of those without a notice."""
    listed_at_risk: float
    """Of those on the list ``risk``."""
    listed_expansion: float
    """Expected expansion MRR of those on the list ``expansion``."""
    lost: float
    """MRR of accounts that have given notice."""


class WorkListRecord(Record):
    """The work lists of all owners."""

    as_of: Time
    """Prediction time of the scores."""
    scored_at: Time
    run_id: str
    """The kept run that they are of."""
    horizon_days: int
    """How far the probabilities look ahead."""
    owners: tuple[OwnerLists, ...]
    """By owner, those without one last."""
    money: tuple[ListMoney, ...]
    """By currency."""
    absent: dict[ListName, str]
    """List → why it cannot be made."""
