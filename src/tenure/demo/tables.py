"""The contract's tables but usage, from what the simulation wrote down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tenure.core.arrays import Flags, Floats, Ints, Moments
from tenure.core.files import replacing
from tenure.demo import parameters as p
from tenure.demo.calendar import as_times
from tenure.demo.contracts import REASONS
from tenure.demo.log import Log
from tenure.demo.state import PAID, PAUSED, TRIAL

ROWS_PER_GROUP = 131_072
HOUR = 3600
DAY = 24 * HOUR
OPENS = (14, 7, 8, 7, 7, 14)  # UTC hour at which business opens, by country
BUSINESS_SECONDS = 34_000
STATUSES = ("", "trialing", "active", "paused")
PERIODS = ("monthly", "annual")


@dataclass(frozen=True, slots=True)
class People:
    """What is drawn once per account."""

    segment: Ints  # numbers of names
    industry: Ints
    country: Ints
    region: Ints
    owner: Ints
    employees: Ints  # people at the account, 0 where not known
    second: Ints  # second of the day at which its terms begin and end
    created: Ints  # day on which the account was created

    @classmethod
    def draw(cls, segment: Ints, log: Log, rng: np.random.Generator) -> People:
        """Draw the attributes of every account."""
        size = segment.size
        first = np.full(size, p.NEVER)
        rows = log.read("subscriptions")
        np.minimum.at(first, rows["account"], rows["start"])
        people = np.exp(rng.normal(np.array([3.2, 4.7, 6.4])[segment], 0.6)).astype(np.int64) + 3
        country = rng.choice(len(p.COUNTRIES), size=size, p=(0.4, 0.2, 0.15, 0.1, 0.08, 0.07))
        return cls(
            segment=segment,
            industry=rng.integers(0, len(p.INDUSTRIES), size),
            country=country,
            region=rng.integers(0, len(p.REGIONS), size),
            owner=rng.integers(0, len(p.OWNERS), size),
            employees=np.where(rng.random(size) < 0.05, 0, people),
            second=np.array(OPENS)[country] * HOUR + rng.integers(0, BUSINESS_SECONDS, size),
            created=first - rng.integers(1, 25, size),
        )

    def work_second(self, account: Ints, rng: np.random.Generator) -> Ints:
        """Draw seconds of the day within the accounts' business hours."""
        share = (rng.random(account.size) + rng.random(account.size)) / 2
        opens = np.array(OPENS)[self.country[account]] * HOUR
        return np.asarray(opens + (share * BUSINESS_SECONDS).astype(np.int64))


def account_ids(account: Ints) -> pa.Array:
    """Return the identifiers of accounts by number."""
    return numbered("acc-", account + 1, 5)


def user_ids(account: Ints, user: Ints) -> pa.Array:
    """Return the identifiers of users by account and number."""
    return joined(numbered("usr-", account + 1, 5), numbered("", user, 3))


def accounts(people: People) -> pa.Table:
    """Return the accounts table; `region` is an attribute beyond the contract's own."""
    number = np.arange(people.segment.size)
    return table(
        {
            "account_id": account_ids(number),
            "created_at": values(as_times(people.created, people.second)),
            "segment": named(p.SEGMENTS, people.segment),
            "industry": named(p.INDUSTRIES, people.industry),
            "country": named(p.COUNTRIES, people.country),
            "employees": values(people.employees, people.employees > 0),
            "owner": named(p.OWNERS, people.owner),
            "region": named(p.REGIONS, people.region),
        }
    )


def subscriptions(log: Log, people: People, last_day: int) -> pa.Table:
    """Return the subscriptions table: one row per term at one price."""
    rows = log.read("subscriptions")
    account, start, end = rows["account"], rows["start"], rows["end"]
    second = people.second[account]
    paid, trial, main = rows["status"] == PAID, rows["status"] == TRIAL, rows["main"]
    ended, noticed = end < last_day, rows["notice"] < last_day
    renew = np.where(trial, start + p.BOOK.trial_days, rows["renew"])
    price = np.where(paid, rows["price"], 0.0)
    identifier = joined(numbered("sub-", account + 1, 5), numbered("", rows["serial"], 1))
    suffix = named(("-addon", ""), main.astype(np.int64))
    return table(
        {
            "subscription_id": pc.binary_join_element_wise(identifier, suffix, ""),
            "account_id": account_ids(account),
            "started_at": values(as_times(start, second)),
            "ended_at": values(as_times(end, second), ended),
            "plan": pc.if_else(pa.array(main), named(p.PLANS, rows["plan"]), "Add-on"),
            "mrr": values(np.round(price * (1 - rows["discount"]), 2)),
            "list_mrr": values(price),
            "discount": values(rows["discount"], paid),
            "currency": named(p.CURRENCIES, people.country[account]),
            "seats": values(rows["seats"], main),
            "billing_period": named(PERIODS, rows["annual"], paid),
            "renews_at": values(
                as_times(renew, second), (renew < p.NEVER) & (rows["status"] != PAUSED)
            ),
            "notice_at": values(as_times(rows["notice"], 17 * HOUR), noticed & paid),
            "end_reason": named(REASONS, rows["reason"], ended & (rows["reason"] > 0)),
            "status": named(STATUSES, rows["status"]),
        },
        np.lexsort((~main, start, account)),
    )


def invoices(log: Log, people: People, last_day: int) -> pa.Table:
    """Return the invoices table; an invoice is late when paid at or after `due_at`."""
    rows = log.read("invoices")
    order = np.lexsort((rows["account"], rows["issued"]))
    account, issued, paid = (rows[name][order] for name in ("account", "issued", "paid"))
    known = paid < last_day
    return table(
        {
            "invoice_id": numbered("inv-", np.arange(1, account.size + 1), 6),
            "account_id": account_ids(account),
            "issued_at": values(as_times(issued, people.second[account] + 300)),
            "due_at": values(as_times(issued + p.CONTRACTS.due_days + 1)),
            "paid_at": values(as_times(paid, people.second[account]), known),
            "amount": values(rows["amount"][order]),
            "currency": named(p.CURRENCIES, people.country[account]),
        }
    )


def touchpoints(log: Log, people: People, last_day: int, rng: np.random.Generator) -> pa.Table:
    """Return the touchpoints table: calls and mails by routine, which move nothing."""
    account, day = scattered(log, np.full(people.segment.size, 1 / 45), last_day, rng)
    second = people.work_second(account, rng)
    return table(
        {
            "account_id": account_ids(account),
            "occurred_at": values(as_times(day, second)),
            "kind": named(p.TOUCHPOINTS, rng.integers(0, len(p.TOUCHPOINTS), account.size)),
            "owner": named(p.OWNERS, people.owner[account]),
            "note": pa.nulls(account.size, pa.string()),
        },
        np.lexsort((account, second, day)),
    )


def scattered(log: Log, rate: Floats, last_day: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Return account and day of facts scattered over the paid days, at a daily rate by account."""
    rows = log.read("subscriptions")
    paid = rows["main"] & (rows["status"] == PAID)
    start = np.maximum(rows["start"][paid] + 1, 0)
    length = np.maximum(np.minimum(rows["end"][paid], last_day) - start, 0)
    account = rows["account"][paid]
    count = rng.poisson(rate[account] * length)
    spread = rng.random(int(count.sum()))
    day = np.repeat(start, count) + (spread * np.repeat(length, count)).astype(np.int64)
    return np.repeat(account, count), day


def tickets(log: Log, people: People, last_day: int, rng: np.random.Generator) -> pa.Table:
    """Return the tickets table."""
    rows = log.read("tickets")
    order = np.lexsort((rows["account"], rows["opened"]))
    rows = {name: column[order] for name, column in rows.items()}
    account, size = rows["account"], order.size
    opened = as_times(rows["opened"], people.work_second(account, rng))
    resolved = as_times(rows["resolved"], people.work_second(account, rng))
    escalated = as_times(rows["escalated"], people.work_second(account, rng))
    done, raised = rows["resolved"] < last_day, rows["escalated"] < last_day
    end = as_times(np.full(size, last_day))
    wait = rng.lognormal(1.2 - 0.3 * rows["priority"], 0.9, size)
    answer = _after(opened, np.minimum(wait, 90) * HOUR)
    answer = np.where(done & (answer > resolved), resolved, answer)
    rated_at = _after(resolved, rng.exponential(20, size) * HOUR + 60)
    rated = done & (rng.random(size) < 0.4) & (rated_at < end)
    late = rows["resolved"] - rows["opened"] > p.ACTIVITY.late_after
    score = np.clip(np.rint(rng.normal(4.4 - 1.3 * late, 0.9)), 1, 5).astype(np.int64)
    return table(
        {
            "ticket_id": numbered("tic-", np.arange(1, size + 1), 6),
            "account_id": account_ids(account),
            "opened_at": values(opened),
            "first_responded_at": values(answer, answer < end),
            "resolved_at": values(resolved, done),
            "priority": named(p.PRIORITIES, rows["priority"]),
            "category": named(p.CATEGORIES, rng.integers(0, len(p.CATEGORIES), size)),
            "escalated_at": values(escalated, raised),
            "csat_score": values(score, rated),
            "csat_at": values(rated_at, rated),
        }
    )


def _after(time: Moments, seconds: Floats) -> Moments:
    return np.asarray(time + seconds.astype(np.int64).astype("m8[s]"))


def numbered(prefix: str, number: Ints, width: int) -> pa.Array:
    """Return identifiers such as ``acc-00012``."""
    digits = pc.utf8_lpad(pa.array(number).cast(pa.string()), width, "0")
    return pc.binary_join_element_wise(pa.scalar(prefix), digits, "")


def joined(left: pa.Array, right: pa.Array) -> pa.Array:
    """Return two identifiers joined by a hyphen; null where one is."""
    return pc.binary_join_element_wise(left, right, "-")


def named(names: Sequence[str], number: Ints, known: Flags | None = None) -> pa.Array:
    """Return names by number, null where not known."""
    mask = None if known is None else ~known
    codes = pa.array(number.astype(np.int32), mask=mask)
    return pa.DictionaryArray.from_arrays(codes, pa.array(names)).cast(pa.string())


def values(value: npt.NDArray[Any], known: Flags | None = None) -> pa.Array:
    """Return numbers or times, null where not known."""
    return pa.array(value, mask=None if known is None else ~known)


def table(columns: Mapping[str, pa.Array], order: Ints | None = None) -> pa.Table:
    """Return a table, its rows in a given order."""
    whole = pa.table(dict(columns))
    return whole if order is None else whole.take(pa.array(order))


def write(folder: Path, name: str, content: pa.Table) -> None:
    """Write a table as Parquet, by a temporary name; equal tables give equal bytes."""
    with replacing(folder / f"{name}.parquet") as temporary:
        pq.write_table(
            content,
            temporary,
            compression="zstd",
            row_group_size=ROWS_PER_GROUP,
            store_schema=False,
        )
