"""The work lists of all owners, and what has to be remembered of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from tenure.core.config import Config
from tenure.core.files import digest
from tenure.core.records.worklist import (
    KnownLoss,
    LeftOff,
    ListMoney,
    ListName,
    OwnerLists,
    WorkItem,
)
from tenure.score.abstain import NOTICE
from tenure.score.store.lists import Listing
from tenure.success.worklist.candidates import (
    FIRST_TIME,
    TARGETS,
    Drivers,
    ListKind,
    Moment,
    days_left,
    with_deadlines,
)

SMALL_BOOK = 25
"""Accounts of which an owner knows each."""
CAPACITY = {"small": 5, "large": 20}
LISTED, HELD_OUT = "listed", "held_out"


@dataclass(frozen=True)
class Memory:
    """What the store knows of the lists that were handed out before."""

    listings: Mapping[str, Listing] = field(default_factory=dict)
    """Account → how it last stood on the list."""
    arms: Mapping[str, str] = field(default_factory=dict)


@dataclass
class HandedOut:
    """One kind of list as it is handed out."""

    items: dict[str, list[WorkItem]] = field(default_factory=lambda: defaultdict(list))
    """Owner → the accounts on it; the owner is empty where there is none."""
    left_off: dict[str, dict[str, int]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(int))
    )
    """Owner → why candidates are not on it, by name of the count."""
    listings: list[tuple[str, str | None, Mapping[str, Any]]] = field(default_factory=list)
    """Account, owner, and what is known of it."""
    arms: dict[str, str] = field(default_factory=dict)
    """Account → arm, of those that had none."""


def sized(book: pd.DataFrame, config: Config, capacity: int | None) -> pd.DataFrame:
    """Return a book with the columns `small` and `capacity`, by the size of its owner's part."""
    settings = config.success.worklist
    owners = book["owner"].fillna("")
    size = owners.groupby(owners).transform("size")
    small = {"small": True, "large": False}.get(settings.book, size <= SMALL_BOOK)
    frame = book.assign(small=small)
    wish = capacity or settings.capacity
    room = np.where(frame["small"], CAPACITY["small"], CAPACITY["large"])
    return frame.assign(capacity=room if wish is None else wish)


def hand_out(
    kind: ListKind,
    book: pd.DataFrame,
    drivers: Drivers,
    memory: Memory,
    about: tuple[Config, Moment],
) -> HandedOut:
    """Return one kind of list for all owners.

    The book is that of `sized`, with the bands that are shown, by account_id; drivers go by account
    and target.
    """
    config, moment = about
    out = HandedOut()
    for row in kind.candidates(with_deadlines(book, moment)).itertuples():
        account, owner = str(row.Index), str(row.own)
        own = drivers.get((account, TARGETS.get(kind.name, "")), ())
        last = memory.listings.get(account)
        news = [FIRST_TIME] if last is None else kind.news(row, last, own)
        if reason := _left_off(row, news, (kind, config), memory, out):
            out.left_off[owner][reason] += 1
            continue
        place = len(out.items[owner]) + 1
        out.items[owner].append(_item(kind, place, row, (own, news), moment))
        out.listings.append((account, owner or None, kind.known(row, own)))
    return out


def _left_off(
    row: Any, news: list[str], about: tuple[ListKind, Config], memory: Memory, out: HandedOut
) -> str:
    """Return why a candidate is not on the list, empty where it is; it gets its arm here."""
    kind, config = about
    account, share = str(row.Index), config.success.worklist.hold_out
    if not news:
        return "nothing_new"
    if len(out.items[row.own]) >= row.capacity:
        return "no_room"
    if not share:
        return ""
    arm = memory.arms.get(account)
    if arm is None:
        arm = HELD_OUT if drawn(config.name, kind.name, account) < share else LISTED
        out.arms[account] = arm
    return "held_out" if arm == HELD_OUT else ""


def drawn(project: str, name: str, account: str) -> float:
    """Return a number in [0, 1) that is chance, and the same for an account at any time."""
    return int(digest("hold-out", project, name, account), 16) / 16**16


def _item(
    kind: ListKind, place: int, row: Any, why: tuple[Any, list[str]], moment: Moment
) -> WorkItem:
    drivers, news = why
    chances = {"risk": "churn_probability", "expansion": "expansion_probability"}
    notice = None if pd.isna(row.notice_by) else row.notice_by
    name = kind.name
    return WorkItem(
        list=name,
        place=place,
        account_id=str(row.Index),
        **{part: _plain(getattr(row, part)) for part in ("name", "segment", "plan", "band")},
        mrr=_plain(row.mrr),
        currency=_plain(row.currency),
        probability=_plain(getattr(row, chances[name])) if name in chances else None,
        amount=_plain(row.amount) if name in chances else None,
        advocacy=None if name in chances else _plain(row.amount),
        renews_at=_plain(row.renews_at),
        notice_by=_plain(notice),
        days_to_notice=None if notice is None else days_left(notice, moment.as_of),
        reasons=tuple(kind.reasons(row, drivers, moment)),
        new=tuple(news),
    )


def owner_lists(book: pd.DataFrame, handed: Mapping[ListName, HandedOut]) -> tuple[OwnerLists, ...]:
    """Return the lists owner by owner, those without an owner last.

    The book is that of `sized`; what is `handed` out goes by list.
    """
    owners = book["owner"].fillna("")
    parts = {str(owner): part for owner, part in book.groupby(owners, sort=True)}
    return tuple(
        _of_owner(owner, parts[owner], handed)
        for owner in sorted(parts, key=lambda one: (not one, one))
    )


def _of_owner(owner: str, part: pd.DataFrame, handed: Mapping[ListName, HandedOut]) -> OwnerLists:
    small, capacity, size = bool(part["small"].iloc[0]), int(part["capacity"].iloc[0]), len(part)
    losses = part[part["abstain_reason"] == NOTICE]
    counts = {name: out.left_off.get(owner, {}) for name, out in handed.items()}
    return OwnerLists(
        owner=owner or None,
        accounts=size,
        book="small" if small else "large",
        capacity=capacity,
        why=_why(size, capacity, small=small),
        items=tuple(item for out in handed.values() for item in out.items.get(owner, ())),
        left_off={name: LeftOff(**count) for name, count in counts.items()},
        losses=tuple(
            KnownLoss(
                account_id=str(row.Index),
                mrr=_plain(row.mrr),
                currency=_plain(row.currency),
                ends_at=_plain(row.renews_at),
            )
            for row in losses.itertuples()
        ),
    )


def _why(size: int, capacity: int, *, small: bool) -> str:
    accounts = f"{size} account{'s' * (size != 1)}"
    if small:
        return (
            f"{accounts}, a small book: its owner knows each of them, so any may be listed, "
            f"{capacity} at most on each list"
        )
    return (
        f"{accounts}, a large book: nobody reads all of it, so at risk are listed only those in "
        f"the band medium or high, {capacity} at most on each list"
    )


def money(book: pd.DataFrame, handed: Mapping[ListName, HandedOut]) -> tuple[ListMoney, ...]:
    """Return the money of all owners, currency by currency; what has none comes last."""
    lost = (book["abstain_reason"] == NOTICE).to_numpy()
    listed = {
        name: {item.account_id for items in out.items.values() for item in items}
        for name, out in handed.items()
    }
    totals = []
    for currency, part in book.groupby("currency", dropna=False, sort=True):
        gone = lost[book.index.get_indexer(part.index)]
        at_risk, growth = part["mrr_at_risk"], part["expected_expansion_mrr"]
        totals.append(
            ListMoney(
                currency=_plain(currency),
                mrr=float(part["mrr"].sum()),
                mrr_at_risk=float(at_risk[~gone].sum()),
                listed_at_risk=float(at_risk[part.index.isin(listed.get("risk", ()))].sum()),
                listed_expansion=float(growth[part.index.isin(listed.get("expansion", ()))].sum()),
                lost=float(part["mrr"][gone].sum()),
            )
        )
    return tuple(totals)


def _plain(value: Any) -> Any:
    """Return a value of a frame as plain Python, None where it is missing."""
    if value is None or pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime()
    return value.item() if hasattr(value, "item") else value
