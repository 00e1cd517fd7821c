"""Who may stand on each work list, in which order, for which reasons, and what is new.

A list takes accounts in the order of their money, those that can soon end their contract first.
Amounts of two currencies are never compared: each has its own order, and they take turns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from tenure.core.records.worklist import ListName
from tenure.core.times import days
from tenure.explain.wording import statement
from tenure.score.abstain import NOTICE
from tenure.score.store.lists import Listing
from tenure.success.worklist.overrides import reason as override_reason

Drivers = Mapping[tuple[str, str], Sequence[Mapping[str, Any]]]

AT_RISK = ("medium", "high")
LEAD_AT = 1.5
"""Multiple of the base rate of expansion from which an account is a lead (CSQL)."""
ADVOCATE_AT = 60.0
"""Likelihood to advocate, 0 to 100, from which an account is an advocate (CSQA)."""
PROMOTER, DETRACTOR = 9, 6
SHOWN = 3
"""Drivers that are shown as reasons."""
FIRST_TIME = "never listed before"


@dataclass(frozen=True)
class Moment:
    """When a list is made."""

    as_of: datetime
    horizon_days: int
    """How far the probabilities look ahead."""
    opt_out_days: int
    """Contracts that can be ended for only so many more days come first."""


def with_deadlines(book: pd.DataFrame, moment: Moment) -> pd.DataFrame:
    """Return a book with `closing`: whether a contract can be ended for only some days more.

    Where no notice period is known it can be ended until its renewal date.
    """
    deadline = pd.to_datetime(book["notice_by"]).fillna(pd.to_datetime(book["renews_at"]))
    soon = (deadline >= moment.as_of) & (deadline < moment.as_of + days(moment.opt_out_days))
    return book.assign(deadline=deadline, closing=soon)


def risk_candidates(book: pd.DataFrame) -> pd.DataFrame:
    """Return the accounts that may stand on the list `risk`, in its order.

    All that have a probability of churn in a small book, those in a risk band in a large one.
    Where a person set the band it decides alone, and those set high come first.
    """
    by_person, at_risk = book["override"].notna(), book["band"].isin(AT_RISK)
    by_model = book["churn_probability"].notna() & (book["small"] | at_risk)
    some = by_model.where(~by_person, at_risk & (book["abstain_reason"] != NOTICE))
    first = book["closing"] | (by_person & (book["band"] == "high"))
    return _ordered(book.assign(amount=book["mrr_at_risk"], first=first)[some])


def expansion_candidates(book: pd.DataFrame) -> pd.DataFrame:
    """Return the leads (CSQL): likely to expand, and in no high band of churn."""
    some = (book["expansion_lift"] >= LEAD_AT) & (book["band"] != "high")
    return _ordered(book.assign(amount=book["expected_expansion_mrr"], first=False)[some])


def advocacy_candidates(book: pd.DataFrame) -> pd.DataFrame:
    """Return the likely advocates (CSQA), likeliest first: no detractor, in no high band."""
    some = (book["advocacy"] >= ADVOCATE_AT) & ~(book["last_nps"] <= DETRACTOR)
    some &= (book["band"] != "high") & book["abstain_reason"].isna()
    return _ordered(book.assign(amount=book["advocacy"], first=False)[some], by_currency=False)


def _ordered(chosen: pd.DataFrame, *, by_currency: bool = True) -> pd.DataFrame:
    """Return candidates in order within each owner, by `first` and `amount`."""
    unit = chosen["currency"].fillna("") if by_currency else ""
    rows = chosen.assign(own=chosen["owner"].fillna(""), unit=unit)
    rows = rows.sort_values(["amount"], ascending=False, kind="stable", na_position="last")
    turn = rows.groupby(["own", "first", "unit"], sort=False).cumcount()
    size = rows.groupby(["own", "unit"])["first"].transform("size")
    rows = rows.assign(turn=turn, size=-size, later=~rows["first"])
    return rows.sort_values(["own", "later", "turn", "size", "unit"], kind="stable")


@dataclass(frozen=True)
class ListKind:
    """One kind of list."""

    name: ListName
    """Its name in outputs."""
    candidates: Callable[[pd.DataFrame], pd.DataFrame]
    """Who may stand on it, in order."""
    known: Callable[[Any, Sequence[Mapping[str, Any]]], dict[str, Any]]
    """What is known of a candidate, as JSON values."""
    news: Callable[[Any, Listing, Sequence[Mapping[str, Any]]], list[str]]
    """What is new of that since a listing."""
    reasons: Callable[[Any, Sequence[Mapping[str, Any]], Moment], list[str]]
    """Why a candidate is on the list."""


def raising(drivers: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the drivers that raise a probability, strongest first, levers before context."""
    chosen = [driver for driver in drivers if driver["direction"] == "raises"]
    return sorted(chosen, key=lambda driver: not driver.get("lever"))


def _codes(drivers: Sequence[Mapping[str, Any]]) -> list[str]:
    return sorted(driver["code"] for driver in raising(drivers))


def _day(moment: Any) -> str:
    return f"{moment.day} {moment:%B %Y}"


def days_left(deadline: Any, as_of: datetime) -> int:
    """Return the days until a time, rounded as in the sentences of features."""
    left = (deadline - as_of) / days(1)
    return round(left) if abs(left) >= 1 else 0


def _new_reasons(last: Listing, drivers: Sequence[Mapping[str, Any]]) -> list[str]:
    known = set(last.known.get("drivers", ()))
    fresh = [driver for driver in raising(drivers)[:SHOWN] if driver["code"] not in known]
    return [f"new reason: {statement(driver['sentence'])}" for driver in fresh]


def _risk_known(row: Any, drivers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    deadline = None if pd.isna(row.deadline) else row.deadline.isoformat()
    return {
        "band": None if pd.isna(row.band) else row.band,
        "closing": bool(row.closing),
        "deadline": deadline,
        "drivers": _codes(drivers),
        "override": row.override and row.override.at.isoformat(),
    }


def _risk_news(row: Any, last: Listing, drivers: Sequence[Mapping[str, Any]]) -> list[str]:
    news = []
    if row.override is not None:
        if row.override.at.isoformat() != last.known.get("override"):
            news.append(f"put in the band {row.band} by {row.override.author}")
    elif row.band in AT_RISK and row.risen_at > last.as_of:
        news.append(f"risk band {row.band} since {_day(row.risen_at)}")
    if row.closing and not last.known.get("closing"):
        news.append("its opt-out date has come near")
    before = last.known.get("deadline")
    if before and not pd.isna(row.deadline) and row.deadline < pd.Timestamp(before):
        news.append(f"its opt-out date has moved up to {_day(row.deadline)}")
    return news + _new_reasons(last, drivers)


def _risk_reasons(row: Any, drivers: Sequence[Mapping[str, Any]], moment: Moment) -> list[str]:
    first = "no probability"
    if pd.notna(row.churn_probability):
        times = f", {row.churn_probability / row.base_rate:.1f} × the base rate"
        first = f"{row.churn_probability:.0%} to leave within {moment.horizon_days} days{times}"
    reasons = [first]
    if row.override is not None:
        reasons.append(override_reason(row.override, row.own_band))
    if row.closing:
        left = days_left(row.deadline, moment.as_of)
        when = {0: "today", 1: "tomorrow"}.get(left, f"in {left} days")
        what = "its contract can be ended" if pd.notna(row.notice_by) else "its term ends"
        link = "until" if pd.notna(row.notice_by) else "on"
        reasons.append(f"{what} {link} {_day(row.deadline)}, {when}")
    return reasons + [statement(driver["sentence"]) for driver in raising(drivers)[:SHOWN]]


def _lead_known(row: Any, drivers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"multiple": int(row.expansion_lift), "drivers": _codes(drivers)}


def _lead_news(row: Any, last: Listing, drivers: Sequence[Mapping[str, Any]]) -> list[str]:
    multiple, before = int(row.expansion_lift), last.known.get("multiple", 0)
    risen = [f"now {multiple} × the base rate, then {before} ×"] if multiple > before else []
    return risen + _new_reasons(last, drivers)


def _lead_reasons(row: Any, drivers: Sequence[Mapping[str, Any]], moment: Moment) -> list[str]:
    times = f", {row.expansion_lift:.1f} × the base rate"
    chance = f"{row.expansion_probability:.0%} to expand within {moment.horizon_days} days{times}"
    return [chance, *(statement(driver["sentence"]) for driver in raising(drivers)[:SHOWN])]


def _advocate_known(row: Any, _drivers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    references = 0 if pd.isna(row.references) else int(row.references)
    return {"promoter": bool(row.last_nps >= PROMOTER), "references": references}


def _advocate_news(row: Any, last: Listing, drivers: Sequence[Mapping[str, Any]]) -> list[str]:
    state = _advocate_known(row, drivers)
    news = []
    if state["promoter"] and not last.known.get("promoter"):
        news.append("has become a promoter")
    if state["references"] > last.known.get("references", 0):
        news.append("has given another reference")
    return news


def _advocate_reasons(row: Any, drivers: Sequence[Mapping[str, Any]], _moment: Moment) -> list[str]:
    state = _advocate_known(row, drivers)
    reasons = []
    if pd.notna(row.last_nps):
        reasons.append(f"last NPS answer {row.last_nps:.0f}")
    if state["references"]:
        reasons.append(f"{state['references']} references so far")
    return [*reasons, f"used on {row.active_days:.0f} of 28 days"]


KINDS = (
    ListKind("risk", risk_candidates, _risk_known, _risk_news, _risk_reasons),
    ListKind("expansion", expansion_candidates, _lead_known, _lead_news, _lead_reasons),
    ListKind("advocacy", advocacy_candidates, _advocate_known, _advocate_news, _advocate_reasons),
)
TARGETS: Mapping[ListName, str] = {"risk": "churn", "expansion": "expansion"}
"""List → the target whose drivers are its reasons."""
