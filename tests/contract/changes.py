"""Changes of a past that no feature before a prediction time may notice."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from features.past import LATE, Past, Row

Change = dict[str, list[Row]]
KEYS = {
    "subscriptions": "subscription_id",
    "usage_events": "event_id",
    "tickets": "ticket_id",
    "survey_responses": "response_id",
    "invoices": "invoice_id",
}


def without_the_future(past: Past, at: datetime, dice: random.Random) -> Past:
    """Drop all rows that were known at or after a time."""
    return past.changed(lambda table, row: row if row["known_at"] < at else None)


def with_more_future(past: Past, at: datetime, dice: random.Random) -> Past:
    """Add rows that happen at or after a time, also exactly then."""
    return past.plus(
        {
            name: [_copy(past, name, row, dice, _later(at, dice)) for row in rows]
            for name, rows in past.rows.items()
        }
    )


def with_more_learnt_later(past: Past, at: datetime, dice: random.Random) -> Past:
    """Add rows that happened before a time and were known at or after it."""
    more: Change = {}
    for name, rows in past.rows.items():
        for row in rows:
            if row["event_time"] < at:
                new = _copy(past, name, row, dice, None)
                more.setdefault(name, []).append(new | {"known_at": _later(at, dice)})
    return past.plus(more)


def with_another_future(past: Past, at: datetime, dice: random.Random) -> Past:
    """Replace all that rows known at or after a time say by what other rows say."""

    def change(table: str, row: Row) -> Row:
        if row["known_at"] < at:
            return row
        other = dict(dice.choice(past.rows[table]))
        kept = {"account_id": dice.choice(past.accounts), "known_at": _later(at, dice)}
        return other | kept

    return past.changed(change)


def with_other_late_columns(past: Past, at: datetime, dice: random.Random) -> Past:
    """Change every late column that was not known before a time; it is still not known then."""

    def change(table: str, row: Row) -> Row:
        for clock, columns in LATE.get(table, {}).items():
            if row[f"{clock}__known"] is not None and row[f"{clock}__known"] < at:
                continue
            moment = dice.choice((None, at, _later(at, dice)))
            row[clock] = row[f"{clock}__known"] = moment
            for column in columns:
                if column != clock:
                    row[column] = None if moment is None else _any(past, table, column, dice)
        return row

    return past.changed(change)


def _later(at: datetime, dice: random.Random) -> datetime:
    return at + dice.choice((timedelta(0), timedelta(microseconds=1), timedelta(days=40)))


def _copy(past: Past, table: str, row: Row, dice: random.Random, at: datetime | None) -> Row:
    """Return a row with a key of its own, for any account, moved in time as a whole."""
    new = row | {"account_id": dice.choice(past.accounts)}
    if table in KEYS:
        new[KEYS[table]] = f"new-{dice.getrandbits(48)}"
    for name in ("user_id", "event"):
        if name in new and dice.random() < 0.5:
            new[name] = f"{name}-{dice.randrange(3)}"
    if at is None:
        return new
    distance = at - row["event_time"]
    return {
        name: value + distance if isinstance(value, datetime) else value
        for name, value in new.items()
    }


def _any(past: Past, table: str, column: str, dice: random.Random) -> object:
    return dice.choice([row[column] for row in past.rows[table]])


CHANGES = {
    change.__name__: change
    for change in (
        without_the_future,
        with_more_future,
        with_more_learnt_later,
        with_another_future,
        with_other_late_columns,
    )
}
