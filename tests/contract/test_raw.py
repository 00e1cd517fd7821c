"""The cut from raw tables on: what was not known before a time changes nothing, loading included.

Rows and late columns of the tables as a user hands them in are changed; everything is loaded anew.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pyarrow as pa
import pytest

from features.past import LATE, Row, differences, load
from worlds import month, random_world

AT = month(9, 10, 7)
TIMES = {
    "accounts": "created_at",
    "subscriptions": "started_at",
    "usage_events": "occurred_at",
    "tickets": "opened_at",
    "survey_responses": "sent_at",
    "invoices": "issued_at",
    "touchpoints": "occurred_at",
}
World = dict[str, pa.Table]
DAY = timedelta(days=1) - timedelta(microseconds=1)


def known(row: Row, column: str | None) -> datetime | None:
    """A time that may be a date is known at the end of that day."""
    moment = row.get(column) if column else None
    if moment is None:
        return None
    return moment + DAY if moment.time() == datetime.min.time() else moment


def row_known(table: str, row: Row) -> datetime | None:
    moment = known(row, TIMES[table])
    if table == "survey_responses" and row["sent_at"] is None:
        moment = known(row, "responded_at")
    given = known(row, "known_at")
    return max(given, row[TIMES[table]]) if given and row[TIMES[table]] else moment


def rewritten(world: World, seed: int, *, rows: bool, late: bool) -> World:
    dice = random.Random(seed)
    found: World = {}
    for name, table in world.items():
        items = []
        for row in table.to_pylist():
            if (moment := row_known(name, row)) is not None and moment >= AT:
                if rows and dice.random() < 0.5:
                    continue
                items += [_other(name, row, dice)] if rows else [row]
                continue
            items.append(_later_told(name, dict(row), dice) if late else row)
        if rows:
            items += [_other(name, row, dice) for row in dice.sample(items, len(items) // 2)]
        dice.shuffle(items)
        found[name] = pa.Table.from_pylist(items, schema=table.schema)
    return found


def _other(table: str, row: Row, dice: random.Random) -> Row:
    """Return a row of the future: after the time, with other values and a key of its own."""
    new = dict(row)
    for key in ("subscription_id", "event_id", "ticket_id", "response_id", "invoice_id"):
        if key in new:
            new[key] = f"{new[key]}-{dice.getrandbits(40)}"
    if table == "accounts":
        new["account_id"] = f"new-{dice.getrandbits(40)}"
    start = AT + dice.choice((timedelta(0), timedelta(microseconds=1), timedelta(days=20)))
    moved = {name: value for name, value in new.items() if isinstance(value, datetime)}
    first = row[TIMES[table]] or min(moved.values(), default=start)
    new |= {name: value + (start - first) for name, value in moved.items()}
    if "known_at" in new:
        new["known_at"] = start
    for name in ("mrr", "quantity", "amount", "score"):
        if new.get(name) is not None:
            new[name] = float(dice.choice((0, 1, 4)))
    return new


def _later_told(table: str, row: Row, dice: random.Random) -> Row:
    if row[TIMES[table]] is None:
        return row
    for clock, columns in LATE.get(table, {}).items():
        moment = known(row, clock)
        if moment is not None and moment < AT:
            continue
        # A midnight is known at the end of its day: after the time, though not itself after it.
        times = (None, AT, AT + timedelta(days=3), datetime(AT.year, AT.month, AT.day))
        row[clock] = dice.choice(times)
        if row[clock] is not None and row[clock] < row[TIMES[table]]:
            row[clock] = None
        for column in columns:
            if column == "end_reason":
                row[column] = row[clock] and dice.choice(("voluntary", "upgrade", "downgrade"))
            elif column != clock:
                row[column] = row[clock] and (dice.choice("xy") if column == "comment" else 1.0)
    return row


@pytest.mark.parametrize(
    ("seed", "rows", "late"), [(31, True, False), (32, False, True), (33, True, True)]
)
def test_what_was_not_known_changes_nothing(seed: int, rows: bool, late: bool) -> None:
    world = random_world(seed, 40, dirty=False)
    before, after = load(world), load(rewritten(world, seed, rows=rows, late=late))
    cutoffs = [month(4), month(7), AT - timedelta(days=28), AT]
    accounts = sorted({row["account_id"] for row in world["accounts"].to_pylist()})
    assert before.rows != after.rows
    assert differences(before.matrix(cutoffs, accounts), after.matrix(cutoffs, accounts)) == {}
    later = [AT + timedelta(days=60)]
    assert differences(before.matrix(later, accounts), after.matrix(later, accounts))
