"""Small worlds of contract tables for tests: one written by hand, and random ones.

Both return Arrow tables by canonical name, ready for `tenure.sources.load.load_frames`.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Row = dict[str, Any]

TEXT, TIME, NUMBER, WHOLE = pa.string(), pa.timestamp("us"), pa.float64(), pa.int64()

SCHEMAS: dict[str, dict[str, pa.DataType]] = {
    "accounts": {
        "account_id": TEXT,
        "created_at": TIME,
        "segment": TEXT,
        "industry": TEXT,
        "country": TEXT,
        "employees": WHOLE,
    },
    "subscriptions": {
        "subscription_id": TEXT,
        "account_id": TEXT,
        "started_at": TIME,
        "ended_at": TIME,
        "plan": TEXT,
        "mrr": NUMBER,
        "list_mrr": NUMBER,
        "discount": NUMBER,
        "currency": TEXT,
        "seats": WHOLE,
        "billing_period": TEXT,
        "renews_at": TIME,
        "notice_at": TIME,
        "end_reason": TEXT,
        "status": TEXT,
    },
    "usage_events": {
        "event_id": TEXT,
        "account_id": TEXT,
        "user_id": TEXT,
        "event": TEXT,
        "occurred_at": TIME,
        "quantity": NUMBER,
        "known_at": TIME,
    },
    "tickets": {
        "ticket_id": TEXT,
        "account_id": TEXT,
        "opened_at": TIME,
        "first_responded_at": TIME,
        "resolved_at": TIME,
        "priority": TEXT,
        "category": TEXT,
        "escalated_at": TIME,
        "reopened_at": TIME,
        "csat_score": NUMBER,
        "csat_at": TIME,
        "known_at": TIME,
    },
    "survey_responses": {
        "response_id": TEXT,
        "account_id": TEXT,
        "respondent_id": TEXT,
        "survey_type": TEXT,
        "score": NUMBER,
        "scale_min": NUMBER,
        "scale_max": NUMBER,
        "sent_at": TIME,
        "responded_at": TIME,
        "comment": TEXT,
    },
    "invoices": {
        "invoice_id": TEXT,
        "account_id": TEXT,
        "issued_at": TIME,
        "due_at": TIME,
        "paid_at": TIME,
        "failed_at": TIME,
        "disputed_at": TIME,
        "amount": NUMBER,
        "currency": TEXT,
    },
    "touchpoints": {
        "account_id": TEXT,
        "occurred_at": TIME,
        "kind": TEXT,
        "owner": TEXT,
        "note": TEXT,
    },
}

TINY_START = datetime(2022, 1, 1)
TINY_UNTIL = datetime(2024, 4, 1)


def tables(rows: Mapping[str, Iterable[Row]]) -> dict[str, pa.Table]:
    """Return Arrow tables with the schemas above from rows as dictionaries."""
    return {
        name: pa.Table.from_pylist(list(items), schema=pa.schema(list(SCHEMAS[name].items())))
        for name, items in rows.items()
    }


def write_world(world: Mapping[str, pa.Table], folder: Path) -> Path:
    """Write a world as one Parquet file per table, so that a config can point at the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in world.items():
        pq.write_table(table, folder / f"{name}.parquet")
    return folder


def month(index: int, day: int = 1, hour: int = 0) -> datetime:
    """Return a day of the month that is `index` months after January 2022."""
    return datetime(2022 + index // 12, index % 12 + 1, day, hour)


def tiny_world() -> dict[str, pa.Table]:
    """Return twelve accounts with known stories, January 2022 to the end of March 2024.

    a01 steady · a02 adds seats twice (expansion June 2023) · a03 gives notice on 10 May 2023 and
    ends on 1 July 2023 · a04 ends without notice on 15 September 2023, involuntary · a05 trial in
    March 2022, then paid · a06 pauses for 20 days in 2023 (no churn) · a07 ends 1 March 2023 and
    is back after 60 days (churn, then win-back) · a08 annual terms, renewed each January ·
    a09 loses half its seats in October 2023 (contraction) · a10 two subscriptions, one of them
    ends in August 2023 (contraction) · a11 loses a discount and moves to an annual term (no
    change of list price) · a12 pays and is never heard of.
    """
    rows: dict[str, list[Row]] = {name: [] for name in SCHEMAS}
    for number in range(1, 13):
        rows["accounts"].append(_tiny_account(number))
    rows["subscriptions"] = _tiny_subscriptions()
    for index in range(27):
        for number in range(1, 12):
            _tiny_activity(rows, number, index)
    return tables(rows)


def _tiny_account(number: int) -> Row:
    return {
        "account_id": f"a{number:02d}",
        "created_at": month(number % 3, 1 + number),
        "segment": ("smb", "mid", "enterprise")[number % 3],
        "industry": ("retail", "software")[number % 2],
        "country": ("CA", "DE", "US")[number % 3],
        "employees": 10 * number,
    }


def _period(
    account: str, started_at: datetime, mrr: float, ended_at: datetime | None = None, **other: Any
) -> Row:
    row: Row = {
        "subscription_id": f"s-{account}",
        "account_id": account,
        "started_at": started_at,
        "ended_at": ended_at,
        "plan": "pro",
        "mrr": mrr,
        "list_mrr": mrr,
        "discount": 0.0,
        "currency": "USD",
        "seats": int(mrr // 10),
        "billing_period": "monthly",
        "status": "active",
    }
    return row | other


def _tiny_subscriptions() -> list[Row]:
    return [
        _period("a01", month(0, 10), 100.0),
        _period("a02", month(0, 12), 100.0, month(9), end_reason="upgrade"),
        _period("a02", month(9), 105.0, month(17), end_reason="upgrade"),
        _period("a02", month(17), 200.0),
        _period(
            "a03",
            month(1, 5),
            300.0,
            month(18),
            notice_at=month(16, 10, 9),
            end_reason="voluntary",
            status="canceled",
        ),
        _period("a04", month(1, 7), 80.0, month(20, 15), end_reason="involuntary"),
        _period("a05", month(2, 8), 0.0, month(3, 8), status="trialing"),
        _period("a05", month(3, 8), 120.0),
        _period("a06", month(0, 20), 90.0, month(14, 10)),
        _period("a06", month(14, 30), 90.0, subscription_id="s-a06-2"),
        _period("a07", month(1, 11), 150.0, month(14), end_reason="voluntary"),
        _period("a07", month(14) + timedelta(days=60), 150.0, subscription_id="s-a07-2"),
        *(
            _period(
                "a08",
                month(12 * year),
                500.0,
                None if year == 2 else month(12 * (year + 1)),
                billing_period="annual",
                renews_at=month(12 * (year + 1)),
            )
            for year in range(3)
        ),
        _period("a09", month(0, 25), 400.0, month(21), end_reason="downgrade"),
        _period("a09", month(21), 200.0),
        _period("a10", month(1, 14), 100.0),
        _period("a10", month(2), 100.0, month(19), subscription_id="s-a10-2"),
        _period("a11", month(2, 15), 70.0, month(15), list_mrr=100.0, discount=0.3, seats=10),
        _period("a11", month(15), 100.0, month(18), seats=10),
        _period("a11", month(18), 85.0, list_mrr=100.0, billing_period="annual", seats=10),
        _period("a12", month(0, 16), 60.0),
    ]


def _tiny_activity(rows: dict[str, list[Row]], number: int, index: int) -> None:
    account = f"a{number:02d}"
    fading = number in (3, 4) and index >= 14
    for turn in range(1 if fading else 2 + number % 3):
        at = month(index, 3 + 7 * turn, (number * 5 + turn) % 24)
        rows["usage_events"].append(
            {
                "event_id": f"e-{account}-{index}-{turn}",
                "account_id": account,
                "user_id": f"u-{account}-{turn % 2}",
                "event": ("login", "export", "share")[(number + index + turn) % 3],
                "occurred_at": at,
                "quantity": float(1 + (number + turn) % 4),
                "known_at": at + timedelta(days=5) if (index + turn) % 11 == 0 else at,
            }
        )
    if (number + index) % 4 == 0:
        _tiny_ticket(rows, account, number, index)
    if (number + index) % 6 == 0:
        _tiny_survey(rows, account, number, index)
    issued = month(index, 2)
    rows["invoices"].append(
        {
            "invoice_id": f"i-{account}-{index}",
            "account_id": account,
            "issued_at": issued,
            "due_at": issued + timedelta(days=14),
            "paid_at": None if fading else issued + timedelta(days=number, hours=9),
            "failed_at": issued + timedelta(days=2, hours=6) if (number + index) % 7 == 0 else None,
            "disputed_at": issued + timedelta(days=5, hours=1) if number == 3 else None,
            "amount": 10.0 * number,
            "currency": "USD",
        }
    )
    if (number + index) % 9 == 0:
        rows["touchpoints"].append(
            {
                "account_id": account,
                "occurred_at": month(index, 18, 15),
                "kind": ("call", "qbr")[index % 2],
                "owner": "sam",
            }
        )


def _tiny_ticket(rows: dict[str, list[Row]], account: str, number: int, index: int) -> None:
    opened = month(index, 20, 10)
    still_open = number == 3 and index > 12
    resolved = None if still_open else opened + timedelta(days=1 + 3 * (number % 5), hours=2)
    rated = index % 2 == 0 and resolved is not None
    rows["tickets"].append(
        {
            "ticket_id": f"t-{account}-{index}",
            "account_id": account,
            "opened_at": opened,
            "first_responded_at": opened + timedelta(hours=number),
            "resolved_at": resolved,
            "priority": ("low", "normal", "high", "urgent")[index % 4],
            "category": ("bug", "billing")[number % 2],
            "escalated_at": opened + timedelta(days=2) if index % 5 == 0 else None,
            "reopened_at": resolved + timedelta(days=3) if resolved and index % 4 == 0 else None,
            "csat_score": float(1 + (number + index) % 5) if rated else None,
            "csat_at": resolved + timedelta(days=1) if rated and resolved else None,
            "known_at": opened,
        }
    )


def _tiny_survey(rows: dict[str, list[Row]], account: str, number: int, index: int) -> None:
    sent = month(index, 5)
    kind, low, high = (("nps", 0, 10), ("csat", 1, 5), ("ces", 1, 7))[(number + index) // 6 % 3]
    answered = (number + index) % 12 == 0
    rows["survey_responses"].append(
        {
            "response_id": f"r-{account}-{index}",
            "account_id": account,
            "respondent_id": f"u-{account}-0",
            "survey_type": kind,
            "score": float(low + (number * 3 + index) % (high - low + 1)) if answered else None,
            "scale_min": float(low),
            "scale_max": float(high),
            "sent_at": sent,
            "responded_at": sent + timedelta(days=2, hours=11) if answered else None,
            "comment": "fine" if answered and index % 2 else None,
        }
    )


def random_world(
    seed: int, accounts: int = 20, months: int = 14, *, dirty: bool = True
) -> dict[str, pa.Table]:
    """Return small random contract tables that are rich in the cases that break a cut.

    Many times fall exactly on the first of a month (the default calendar) or on another midnight,
    facts become known late (`known_at` up to 45 days after), late columns resolve after months or
    never, prices change, accounts leave, pause and come back, hold two subscriptions or none.

    Args:
        seed: Same seed, same world.
        accounts: How many accounts.
        months: Length of history, from January 2022.
        dirty: Also duplicates of keys with other values, rows without a time or an account,
            unknown accounts, and ends before starts.
    """
    maker = _Maker(random.Random(seed), random.Random(~seed), months)
    rows: dict[str, list[Row]] = {name: [] for name in SCHEMAS}
    for number in range(accounts):
        maker.account(rows, f"r{number:03d}")
    if dirty:
        maker.soil(rows)
    for items in rows.values():
        maker.dice.shuffle(items)
    return tables(rows)


class _Maker:
    def __init__(self, dice: random.Random, more: random.Random, months: int) -> None:
        self.dice = dice
        # Draws of its own for columns that came later: the others stay as they were.
        self.more = more
        self.months = months
        self.serial = 0

    def id(self, prefix: str) -> str:
        self.serial += 1
        return f"{prefix}{self.serial}"

    def maybe(self, share: float) -> bool:
        return self.dice.random() < share

    def time(self, first: int = 0) -> datetime:
        index = self.dice.randrange(min(first, self.months - 1), self.months)
        kind = self.dice.random()
        if kind < 0.25:
            return month(index)
        day = self.dice.randint(1, 28)
        if kind < 0.5:
            return month(index, day)
        at = month(index, day, self.dice.randrange(24))
        return at + timedelta(microseconds=self.dice.choice((0, 1, 59_999_999)))

    def after(self, at: datetime, days: int) -> datetime:
        if self.maybe(0.2):
            return datetime(at.year + at.month // 12, at.month % 12 + 1, 1)
        return at + timedelta(days=self.dice.randint(0, days), hours=self.dice.randrange(24))

    def late(self, at: datetime) -> datetime | None:
        kind = self.dice.random()
        return None if kind < 0.4 else at if kind < 0.7 else self.after(at, 45)

    def sometime(self, at: datetime | None, share: float) -> datetime | None:
        if at is None or self.more.random() >= share:
            return None
        return at + timedelta(days=self.more.randint(0, 30), hours=self.more.choice((0, 0, 5)))

    def account(self, rows: dict[str, list[Row]], account: str) -> None:
        dice = self.dice
        created = month(dice.randrange(max(1, self.months // 2)), dice.randint(1, 28))
        rows["accounts"].append(
            {
                "account_id": account,
                "created_at": created,
                "segment": dice.choice(("smb", "mid", None)),
                "industry": dice.choice(("retail", "software")),
                "country": dice.choice(("CA", "DE", "US")),
                "employees": dice.choice((None, 5, 50, 500)),
            }
        )
        for _ in range(dice.choice((0, 1, 1, 1, 1, 2))):
            self.subscription(rows, account, created)
        for _ in range(dice.choice((0, 0, 5, 20, 60))):
            self.usage(rows, account)
        for _ in range(dice.choice((0, 0, 1, 4))):
            self.ticket(rows, account)
        for _ in range(dice.choice((0, 0, 1, 3))):
            self.survey(rows, account)
        for _ in range(dice.choice((0, 2, 6))):
            self.invoice(rows, account)
        for _ in range(dice.choice((0, 0, 2))):
            rows["touchpoints"].append(
                {
                    "account_id": account,
                    "occurred_at": self.time(),
                    "kind": self.more.choice(("call", "call", "mail")),
                    "owner": "sam",
                }
            )

    def subscription(self, rows: dict[str, list[Row]], account: str, created: datetime) -> None:
        dice = self.dice
        start, end = created, month(self.months)
        identity = self.id("s")
        mrr, seats = float(dice.choice((0, 50, 100, 250))), dice.randint(1, 40)
        currency = dice.choice(("USD", "USD", "EUR"))
        while start < end:
            last = self.maybe(0.35)
            stop = None if last and self.maybe(0.6) else self.after(start, 200)
            gone = last and stop is not None
            rows["subscriptions"].append(
                {
                    "subscription_id": identity,
                    "account_id": account,
                    "started_at": start,
                    "ended_at": stop,
                    "plan": dice.choice(("basic", "pro")),
                    "mrr": mrr,
                    "list_mrr": dice.choice((None, mrr, mrr * 1.25)),
                    "discount": dice.choice((None, 0.0, 0.2)),
                    "currency": currency,
                    "seats": seats,
                    "billing_period": dice.choice(("monthly", "annual", "3", None)),
                    "renews_at": None if self.maybe(0.5) else self.after(start, 365),
                    "notice_at": self.after(start, 60) if gone and self.maybe(0.5) else None,
                    "end_reason": dice.choice(("voluntary", "involuntary")) if gone else None,
                    "status": "trialing" if mrr == 0 and self.maybe(0.5) else "active",
                }
            )
            if stop is None or (last and self.maybe(0.7)):
                break
            start = stop + timedelta(days=dice.choice((0, 0, 0, 10, 29, 30, 31, 70)))
            mrr = max(0.0, mrr * dice.choice((1.0, 1.0, 1.1, 1.5, 0.9, 0.5)))

    def usage(self, rows: dict[str, list[Row]], account: str) -> None:
        at = self.time()
        rows["usage_events"].append(
            {
                "event_id": self.id("e"),
                "account_id": account,
                "user_id": self.dice.choice((None, f"{account}-1", f"{account}-2", "shared")),
                "event": self.dice.choice(("login", "export", "share")),
                "occurred_at": at,
                "quantity": self.dice.choice((None, 0.0, 1.0, 2.5)),
                "known_at": self.late(at),
            }
        )

    def ticket(self, rows: dict[str, list[Row]], account: str) -> None:
        opened = self.time()
        resolved = self.after(opened, 90) if self.maybe(0.7) else None
        rated = self.after(resolved, 30) if resolved and self.maybe(0.6) else None
        rows["tickets"].append(
            {
                "ticket_id": self.id("t"),
                "account_id": account,
                "opened_at": opened,
                "first_responded_at": self.after(opened, 10) if self.maybe(0.8) else None,
                "resolved_at": resolved,
                "priority": self.dice.choice(("low", "high", "urgent", None)),
                "category": self.dice.choice(("bug", "billing")),
                "escalated_at": self.after(opened, 20) if self.maybe(0.2) else None,
                "reopened_at": self.sometime(resolved, 0.4),
                "csat_score": float(self.dice.randint(1, 5)) if rated else None,
                "csat_at": rated,
                "known_at": self.late(opened),
            }
        )

    def survey(self, rows: dict[str, list[Row]], account: str) -> None:
        sent = self.time() if self.maybe(0.8) else None
        answered = self.after(sent, 40) if sent and self.maybe(0.6) else None
        if sent is None:
            answered = self.time()
        kind, low, high = self.dice.choice((("nps", 0, 10), ("csat", 1, 5), ("ces", 1, 7)))
        rows["survey_responses"].append(
            {
                "response_id": self.id("v"),
                "account_id": account,
                "respondent_id": self.dice.choice((None, f"{account}-1", f"{account}-2")),
                "survey_type": kind,
                "score": float(self.dice.randint(low, high)) if answered else None,
                "scale_min": float(low),
                "scale_max": float(high),
                "sent_at": sent,
                "responded_at": answered,
                "comment": "text" if answered and self.maybe(0.3) else None,
            }
        )

    def invoice(self, rows: dict[str, list[Row]], account: str) -> None:
        issued = self.time()
        rows["invoices"].append(
            {
                "invoice_id": self.id("i"),
                "account_id": account,
                "issued_at": issued,
                "due_at": issued + timedelta(days=14) if self.maybe(0.9) else None,
                "paid_at": self.after(issued, 60) if self.maybe(0.8) else None,
                "failed_at": self.sometime(issued, 0.4),
                "disputed_at": self.sometime(issued, 0.3),
                "amount": self.dice.choice((-10.0, 0.0, 99.5, 500.0)),
                "currency": "USD",
            }
        )

    def soil(self, rows: dict[str, list[Row]]) -> None:
        times = {
            "subscriptions": "started_at",
            "usage_events": "occurred_at",
            "tickets": "opened_at",
            "invoices": "issued_at",
        }
        for name, time in times.items():
            items = rows[name]
            for row in self.dice.sample(items, min(len(items), 3)):
                items.append(row | {"known_at": None} if "known_at" in row else dict(row))
            for row in self.dice.sample(items, min(len(items), 2)):
                items.append(row | {time: None})
                items.append(row | {"account_id": "nobody"})
                items.append(row | {"account_id": None})
        for row in self.dice.sample(rows["subscriptions"], min(len(rows["subscriptions"]), 2)):
            if row["started_at"] is not None:
                row["ended_at"] = row["started_at"] - timedelta(days=3)
        for row in self.dice.sample(
            rows["survey_responses"], min(len(rows["survey_responses"]), 2)
        ):
            row["score"] = 99.0
