"""Snapshots and labels once more, slowly, in plain Python, from the text of CONTRACT.md alone.

Written without looking at the SQL's shape: one account at a time, lists and loops.  Rows are
dictionaries with the canonical column names.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True)
class Settings:
    horizon_days: int = 90
    gap_days: int = 0
    winback_gap_days: int = 30
    dated_by: str = "decided"
    threshold: float = 0.10
    has_list_prices: bool = True


@dataclass(frozen=True)
class Known:
    """A row as it looked to someone at a moment."""

    row: Row
    ended_at: datetime | None
    notice_at: datetime | None

    def runs_at(self, moment: datetime) -> bool:
        return self.row["started_at"] < moment and (
            self.ended_at is None or self.ended_at >= moment
        )


def months_later(moment: datetime, months: int) -> datetime:
    """The same day some months later, or the last of the month where it has no such day."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    day = min(moment.day, monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def term_end(row: Row, moment: datetime) -> datetime | None:
    """The first end of a term at or after a moment, counting whole periods from the anchor."""
    anchor, months = row["term_anchor"], row["term_months"]
    if anchor is None:
        return None
    ends = [anchor] if months is None else (months_later(anchor, months * n) for n in range(2000))
    return next((end for end in ends if end >= moment and end > row["started_at"]), None)


def effective_notice(row: Row) -> datetime | None:
    """When a notice would end the row: at the end of the term it was given in."""
    return None if row["notice_at"] is None else term_end(row, row["notice_at"])


def seen_at(rows: list[Row], moment: datetime) -> list[Known]:
    """Return the paid rows that existed for someone at a moment, as they looked then."""
    result = []
    for row in rows:
        if not row["paid"]:
            continue
        if not (
            row["started_at"] < moment and row["event_time"] < moment and row["known_at"] < moment
        ):
            continue
        ended = row["ended_at"]
        if ended is not None and not (ended < moment and row["ended_at__known"] < moment):
            ended = None
        notice = row["notice_at"]
        if notice is not None and not (notice < moment and row["notice_at__known"] < moment):
            notice = None
        booked = row["successor_known"]
        if booked is not None and booked < moment:
            notice = None  # a row that follows is booked: it moves, and is not lost
        if notice is not None and ended is None:
            effect = effective_notice(row)
            if effect is not None and effect < moment:
                notice = None  # it should have ended by now: the notice was withdrawn
        result.append(Known(row, ended, notice))
    return result


def snapshot(rows: list[Row], as_of: datetime) -> dict[str, Any] | None:
    """Return what is asked of one account at a prediction time, or None."""
    running = [known for known in seen_at(rows, as_of) if known.ended_at is None]
    if not running:
        return None
    currencies = {known.row["currency"] for known in running}
    notice = all(known.notice_at is not None for known in running)
    ends = [effective_notice(known.row) for known in running]
    dated = [end for end in ends if end is not None]
    terms = [end for known in running if (end := term_end(known.row, as_of)) is not None]
    seats = [known.row["seats"] for known in running if known.row["seats"] is not None]
    return {
        "mrr": sum(known.row["mrr"] for known in running),
        "list_mrr": sum(known.row["list_price"] for known in running),
        "seats": sum(seats) if seats else None,
        "currency": currencies.pop() if len(currencies) == 1 else None,
        "renews_at": min(terms, default=None),
        "notice_given": notice,
        "ends_at": max(dated) if notice and len(dated) == len(ends) else None,
    }


def spell(rows: list[Row], as_of: datetime, settings: Settings) -> list[Known]:
    """Return the rows of the spell that runs at `as_of`, as known when the label is."""
    until = known_when(as_of, settings)
    seen_before = {
        id(known.row): known.ended_at for known in seen_at(rows, as_of)
    }  # ends that were past at as_of
    alive = [
        known
        for known in seen_at(rows, until)
        if seen_before.get(id(known.row)) is None
        and not _ended_before(known.row, as_of)
        and (known.ended_at is None or known.ended_at > known.row["started_at"])
    ]
    alive.sort(key=lambda known: (known.row["started_at"], known.row["subscription_id"]))
    result: list[Known] = []
    for known in alive:
        if result and all(other.ended_at is not None for other in result):
            last_end = max(other.ended_at for other in result if other.ended_at is not None)
            pause = known.row["started_at"] - last_end
            if pause > timedelta(0) and pause >= timedelta(days=settings.winback_gap_days):
                break
        result.append(known)
    return result


def _ended_before(row: Row, moment: datetime) -> bool:
    return (
        row["ended_at"] is not None and row["ended_at"] < moment and row["ended_at__known"] < moment
    )


def known_when(as_of: datetime, settings: Settings) -> datetime:
    return as_of + timedelta(
        days=settings.gap_days + settings.horizon_days + settings.winback_gap_days
    )


def label(
    rows: list[Row], as_of: datetime, target: str, settings: Settings, observed_until: datetime
) -> dict[str, Any]:
    """Return label (1, 0, None), drop_reason, outcome_at and amount for one snapshot."""
    asked = snapshot(rows, as_of)
    assert asked is not None
    if known_when(as_of, settings) > observed_until:
        return _answer(None, "censored")
    if asked["notice_given"]:
        return _answer(None, "notice_given")
    first = as_of + timedelta(days=settings.gap_days)
    last = first + timedelta(days=settings.horizon_days)
    due = asked["renews_at"]
    if target == "renewal" and (due is None or not first <= due < last):
        return _answer(None, "not_due")
    mine = spell(rows, as_of, settings)
    if not mine or min(known.row["started_at"] for known in mine) >= as_of:
        return _answer(None, "already_decided")
    decided = _decided(mine, settings)
    if decided is not None and decided < as_of:
        return _answer(None, "already_decided")
    if decided is not None and decided < first:
        return _answer(None, "ended_in_gap")
    churned = decided is not None and first <= decided < last
    if target == "churn":
        return _answer(1, "", decided) if churned else _answer(0, "")
    if target in ("churn_voluntary", "churn_involuntary"):
        kind = _kind(mine, settings)
        if churned and kind is None:
            return _answer(None, "churn_type_unknown")
        left_so = churned and target == f"churn_{kind}"
        return _answer(1, "", decided) if left_so else _answer(0, "")
    if target == "renewal":
        begun = _next_term(rows, as_of, asked["renews_at"], settings)
        return _answer(0, "") if begun is None else _answer(1, "", begun, 0.0)
    if churned:
        return _answer(0, "")
    return _change(mine, as_of, last, 1 if target == "expansion" else -1, settings)


def _answer(
    value: int | None, reason: str, at: datetime | None = None, amount: float | None = None
) -> dict[str, Any]:
    return {"label": value, "drop_reason": reason, "outcome_at": at, "amount": amount}


def _decided(mine: list[Known], settings: Settings) -> datetime | None:
    latest = None
    for known in mine:
        closed = known.ended_at
        if settings.dated_by == "decided" and known.notice_at is not None:
            closed = known.notice_at if closed is None else min(known.notice_at, closed)
        if closed is None:
            return None
        latest = closed if latest is None else max(latest, closed)
    return latest


def _kind(mine: list[Known], settings: Settings) -> str | None:
    """How the account left, by its last row: the failed payment, or a decision of its own."""

    def place(known: Known) -> tuple[datetime, datetime, str]:
        end = known.ended_at or datetime(9000, 1, 1)
        return (end, known.row["started_at"], known.row["subscription_id"])

    last = max(mine, key=place)
    reason = None if last.ended_at is None else last.row["end_reason"]
    if reason == "involuntary":
        return "involuntary"
    return "voluntary" if reason is not None or last.notice_at is not None else None


def _next_term(
    rows: list[Row], as_of: datetime, due: datetime, settings: Settings
) -> datetime | None:
    """When the first paid term began that carries the account over its renewal date."""
    running = {id(known.row) for known in seen_at(rows, as_of) if known.ended_at is None}
    gone = {id(known.row) for known in seen_at(rows, as_of) if known.ended_at is not None}
    grace = timedelta(days=settings.winback_gap_days)
    running_rows = [known.row for known in seen_at(rows, as_of) if id(known.row) in running]
    due_names = {row["subscription_id"] for row in running_rows if term_end(row, as_of) == due}
    others = {row["subscription_id"] for row in running_rows} - due_names
    begun = []
    for known in seen_at(rows, known_when(as_of, settings)):
        start, end = known.row["started_at"], known.ended_at
        beyond = end is None or end > due
        if id(known.row) in gone or not beyond:
            continue
        if id(known.row) in running:
            if term_end(known.row, as_of) != due:
                continue
            after = term_end(known.row, due + timedelta(microseconds=1))
            if end is None or end >= due + grace or (after is not None and end >= after):
                begun.append(due)
        elif known.row["subscription_id"] in others:
            continue
        elif (start <= due or start < due + grace) and (end is None or end > start):
            begun.append(start)
    return min(begun, default=None)


def _at(mine: list[Known], moment: datetime) -> list[Known]:
    """Return the rows running at a moment or, in a pause, at the last paid moment before it."""
    begun = [known for known in mine if known.row["started_at"] < moment]
    running = [known for known in begun if known.runs_at(moment)]
    if running:
        return running
    end = max(known.ended_at for known in begun if known.ended_at is not None)
    return [known for known in begun if known.ended_at == end]


def _change(
    mine: list[Known], as_of: datetime, last: datetime, sign: int, settings: Settings
) -> dict[str, Any]:
    before, after = _at(mine, as_of), _at(mine, last)
    currencies = {
        known.row["currency"] for known in before + after if known.row["currency"] is not None
    }
    if len(currencies) > 1:
        return _answer(None, "currency_changed")
    old = sum(known.row["list_price"] for known in before)
    new = sum(known.row["list_price"] for known in after)
    enough = settings.threshold * old * (1 - 1e-9)
    if not (sign * (new - old) > 0 and sign * (new - old) >= enough):
        return _answer(0, "")
    if not settings.has_list_prices and _only_term_changed(before, after):
        return _answer(0, "")
    return _answer(1, "", None, new - old)


def _only_term_changed(before: list[Known], after: list[Known]) -> bool:
    def members(rows: list[Known], column: str) -> set[Any]:
        return {known.row[column] for known in rows}

    def seats(rows: list[Known]) -> int | None:
        counts = [known.row["seats"] for known in rows if known.row["seats"] is not None]
        return sum(counts) if counts else None

    return (
        members(before, "billing_period") != members(after, "billing_period")
        and members(before, "plan") == members(after, "plan")
        and seats(before) == seats(after)
    )
