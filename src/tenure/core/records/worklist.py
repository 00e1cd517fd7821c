"""What `tenure worklist` prints: whom each owner is to call, and why now."""

from __future__ import annotations

from typing import Literal

from tenure.core.records.base import Record, Time

ListName = Literal["risk", "expansion", "advocacy"]


class WorkItem(Record):
    """One account on a work list.

    Attributes:
        list: ``risk``; ``expansion`` (a lead for sales, CSQL); ``advocacy`` (likely to advocate,
            CSQA).
        place: 1 is first.
        account_id: Whom to call.
        name: What it is called, where that is known.
        segment: Its segment.
        plan: Its plan.
        mrr: What it pays per month, in `currency`.
        currency: Of all money of the item; None where it has none or several.
        probability: Of churn, or of expansion; None on the list of advocates.
        band: Risk band as it is shown, see `docs/scorecards.md`.
        amount: MRR at risk, or expected expansion MRR; None on the list of advocates.
        advocacy: Likelihood to advocate, 0 to 100, on that list.
        renews_at: When its term ends.
        notice_by: Until when it can end its contract.
        days_to_notice: Days from the prediction time to then, below 0 where it has passed.
        reasons: Why it is on the list, strongest first.
        new: What is new since it last stood on the list.
    """

    list: ListName
    place: int
    account_id: str
    name: str | None = None
    segment: str | None = None
    plan: str | None = None
    mrr: float | None = None
    currency: str | None = None
    probability: float | None = None
    band: str | None = None
    amount: float | None = None
    advocacy: float | None = None
    renews_at: Time | None = None
    notice_by: Time | None = None
    days_to_notice: int | None = None
    reasons: tuple[str, ...]
    new: tuple[str, ...]


class LeftOff(Record):
    """How many candidates of one list do not stand on it, and why.

    Attributes:
        nothing_new: Nothing is known since they last stood on it.
        no_room: The list is full.
        held_out: Left off on purpose, to measure what the list brings.
    """

    nothing_new: int = 0
    no_room: int = 0
    held_out: int = 0


class KnownLoss(Record):
    """An account that has given notice: no work list saves it."""

    account_id: str
    mrr: float | None = None
    currency: str | None = None
    ends_at: Time | None = None


class OwnerLists(Record):
    """The work lists of one owner.

    Attributes:
        owner: Who; None for accounts without an owner.
        accounts: Accounts of the book that pay.
        book: ``small`` (all accounts are candidates) or ``large`` (those in a risk band are).
        capacity: Accounts that each list holds at most.
        why: Both in words.
        items: The accounts, list by list.
        left_off: List → candidates that are not on it.
        losses: Accounts that have given notice.
    """

    owner: str | None = None
    accounts: int
    book: Literal["small", "large"]
    capacity: int
    why: str
    items: tuple[WorkItem, ...]
    left_off: dict[ListName, LeftOff]
    losses: tuple[KnownLoss, ...]


class ListMoney(Record):
    """Money of all owners in one currency; amounts of two currencies are never added.

    Attributes:
        currency: None for accounts without one.
        mrr: Of all accounts that pay.
        mrr_at_risk: Of those without a notice.
        listed_at_risk: Of those on the list ``risk``.
        listed_expansion: Expected expansion MRR of those on the list ``expansion``.
        lost: MRR of accounts that have given notice.
    """

    currency: str | None = None
    mrr: float
    mrr_at_risk: float
    listed_at_risk: float
    listed_expansion: float
    lost: float


class WorkListRecord(Record):
    """The work lists of all owners.

    Attributes:
        as_of: Prediction time of the scores.
        scored_at: When they were scored.
        run_id: The kept run that they are of.
        horizon_days: How far the probabilities look ahead.
        owners: By owner, those without one last.
        money: By currency.
        absent: List → why it cannot be made.
    """

    as_of: Time
    scored_at: Time
    run_id: str
    horizon_days: int
    owners: tuple[OwnerLists, ...]
    money: tuple[ListMoney, ...]
    absent: dict[ListName, str]
