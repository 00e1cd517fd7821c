"""What happened to an account lately, in words, from the rows that were known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from tenure.core.records.account import TimelineEntry
from tenure.core.times import DAY

Row = Mapping[str, Any]
Happening = tuple["datetime", str, str]
"""When, of which kind, and what."""


def timeline(
    tables: Mapping[str, Sequence[Row]], since: datetime, until: datetime, most: int
) -> tuple[tuple[TimelineEntry, ...], int]:
    """Return what happened in a span of time, latest first, and how many entries are left out.

    `tables` are the account's rows as they were known at `until`, by table.  The span begins at
    `since` and ends before `until`; the `most` recent entries are returned.
    """
    every = [item for read in READERS for item in read(tables)]
    inside = sorted((item for item in every if since <= item[0] < until), reverse=True)
    entries = [TimelineEntry(at=at, kind=kind, text=text) for at, kind, text in inside[:most]]
    return tuple(entries), len(inside) - len(entries)


def _contracts(tables: Mapping[str, Sequence[Row]]) -> Iterator[Happening]:
    """Yield starts, changes, ends and notices; a term that goes on unchanged is no event."""
    rows = [row for row in tables["subscriptions"] if row["paid"]]
    continued: set[int] = set()
    for row in rows:
        before = _predecessor(row, rows, continued)
        if before is None:
            yield row["started_at"], "contract", f"began to pay {_price(row)}"
        elif change := _change(before, row):
            yield row["started_at"], "contract", change
    for place, row in enumerate(rows):
        if row["ended_at"] is not None and place not in continued:
            why = f" ({row['end_reason'].replace('_', ' ')})" if row.get("end_reason") else ""
            yield row["ended_at"], "contract", f"stopped paying {_price(row)}{why}"
        if row.get("notice_at") is not None:
            yield row["notice_at"], "contract", f"gave notice of {_price(row)}"


def _predecessor(row: Row, rows: Sequence[Row], continued: set[int]) -> Row | None:
    """Return the row that this one takes the place of, and mark that it goes on."""
    for place, other in enumerate(rows):
        ended = other["ended_at"]
        if other is row or ended is None or place in continued:
            continue
        if abs(ended - row["started_at"]) < DAY and other["started_at"] < row["started_at"]:
            continued.add(place)
            return other
    return None


def _change(before: Row, row: Row) -> str:
    """Return how a row differs from the one before it; empty where it does not."""
    parts = []
    if before["mrr"] != row["mrr"]:
        parts.append(f"MRR {_money(before, before['mrr'])} → {_money(row, row['mrr'])}")
    for name in ("plan", "seats", "billing_period"):
        if before.get(name) != row.get(name):
            word = name.replace("_", " ")
            parts.append(f"{word} {_shown(before.get(name))} → {_shown(row.get(name))}")
    return ", ".join(parts)


def _tickets(tables: Mapping[str, Sequence[Row]]) -> Iterator[Happening]:
    for row in tables["tickets"]:
        words = " ".join(filter(None, (row.get("priority"), "ticket")))
        about = f" about {row['category']}" if row.get("category") else ""
        name = f"{words} {row['ticket_id']}{about}"
        yield row["opened_at"], "ticket", f"opened {name}"
        for column, verb in (("escalated_at", "escalated"), ("resolved_at", "resolved")):
            if row.get(column) is not None:
                yield row[column], "ticket", f"{name} {verb}"


def _surveys(tables: Mapping[str, Sequence[Row]]) -> Iterator[Happening]:
    for row in tables["survey_responses"]:
        if row.get("responded_at") is None:
            continue
        score = "no score" if row.get("score") is None else scored(row)
        comment = f": {row['comment']}" if row.get("comment") else ""
        yield (
            row["responded_at"],
            "survey",
            f"answered {row['survey_type'].upper()}: {score}{comment}",
        )


def scored(row: Row) -> str:
    """Return a score with the scale that it stands on."""
    low, high = row.get("scale_low"), row.get("scale_high")
    scale = f" on {low:g}–{high:g}" if low is not None and high is not None else ""
    return f"{row['score']:g}{scale}"


def _invoices(tables: Mapping[str, Sequence[Row]]) -> Iterator[Happening]:
    events = (("paid_at", "paid"), ("failed_at", "failed to be paid"), ("disputed_at", "disputed"))
    for row in tables["invoices"]:
        name = f"invoice {row['invoice_id']} of {_money(row, row.get('amount'))}"
        yield row["issued_at"], "invoice", f"{name} issued"
        for column, verb in events:
            if row.get(column) is not None:
                yield row[column], "invoice", f"{name} {verb}"


def _touchpoints(tables: Mapping[str, Sequence[Row]]) -> Iterator[Happening]:
    for row in tables["touchpoints"]:
        who = f" by {row['owner']}" if row.get("owner") else ""
        note = f": {row['note']}" if row.get("note") else ""
        yield row["occurred_at"], "touchpoint", f"{row['kind'].replace('_', ' ')}{who}{note}"


READERS = (_contracts, _tickets, _surveys, _invoices, _touchpoints)


def _price(row: Row) -> str:
    plan = f" for {row['plan']}" if row.get("plan") else ""
    return f"{_money(row, row['mrr'])} a month{plan}"


def _money(row: Row, amount: float | None) -> str:
    unit = f" {row['currency']}" if row.get("currency") else ""
    return "an unknown amount" if amount is None else f"{amount:,.2f}{unit}"


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    return f"{value:g}" if isinstance(value, int | float) else str(value)
