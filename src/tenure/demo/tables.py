"""The contract's tables but usage, from what the simulation wrote down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tenure.demo import parameters as p
from tenure.demo.calendar import Flags, Floats, Ints, Times, as_times
from tenure.demo.columns import joined, named, numbered, numbers, table, times
from tenure.demo.contracts import REASONS
from tenure.demo.log import Log
from tenure.demo.state import PAID, PAUSED, TRIAL

HOUR = 3600
DAY = 24 * HOUR
OPENS = (14, 7, 8, 7, 7, 14)  # UTC hour at which business opens, by country
BUSINESS_SECONDS = 34_000
STATUSES = ("", "trialing", "active", "paused")
PERIODS = ("monthly", "annual")


@dataclass(frozen=True, slots=True)
class People:
    """What is drawn once per account.

    Attributes:
        segment, industry, country, region, owner: Numbers of names.
        employees: People at the account, 0 where not known.
        second: Second of the day at which its terms begin and end.
        created: Day on which the account was created.
    """

    segment: Ints
    industry: Ints
    country: Ints
    region: Ints
    owner: Ints
    employees: Ints
    second: Ints
    created: Ints

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
            "created_at": times(as_times(people.created, people.second)),
            "segment": named(p.SEGMENTS, people.segment),
            "industry": named(p.INDUSTRIES, people.industry),
            "country": named(p.COUNTRIES, people.country),
            "employees": numbers(people.employees, people.employees > 0),
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
            "started_at": times(as_times(start, second)),
            "ended_at": times(as_times(np.where(ended, end, 0), second), ended),
            "plan": pc.if_else(pa.array(main), named(p.PLANS, rows["plan"]), "Add-on"),
            "mrr": numbers(np.round(price * (1 - rows["discount"]), 2)),
            "list_mrr": numbers(price),
            "discount": numbers(rows["discount"], paid),
            "currency": named(p.CURRENCIES, people.country[account]),
            "seats": numbers(rows["seats"], main),
            "billing_period": named(PERIODS, rows["annual"], paid),
            "renews_at": times(
                as_times(np.where(renew < p.NEVER, renew, 0), second),
                (renew < p.NEVER) & (rows["status"] != PAUSED),
            ),
            "notice_at": times(
                as_times(np.where(noticed, rows["notice"], 0), 17 * HOUR), noticed & paid
            ),
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
            "issued_at": times(as_times(issued, people.second[account] + 300)),
            "due_at": times(as_times(issued + p.CONTRACTS.due_days + 1)),
            "paid_at": times(as_times(np.where(known, paid, 0), people.second[account]), known),
            "amount": numbers(rows["amount"][order]),
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
            "occurred_at": times(as_times(day, second)),
            "kind": named(p.TOUCHPOINTS, rng.integers(0, len(p.TOUCHPOINTS), account.size)),
            "owner": named(p.OWNERS, people.owner[account]),
            "note": pa.nulls(account.size, pa.string()),
        },
        np.lexsort((account, second, day)),
    )


def scattered(log: Log, rate: Floats, last_day: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Scatter facts over the paid days of accounts.

    Args:
        log: What the simulation wrote down.
        rate: Facts a day, by account.
        last_day: First day that is not observed.
        rng: Source of chance.

    Returns:
        Account and day of each fact.
    """
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
    done, resolved = _later_days(rows["resolved"], last_day, people.work_second(account, rng))
    raised, escalated = _later_days(rows["escalated"], last_day, people.work_second(account, rng))
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
            "opened_at": times(opened),
            "first_responded_at": times(answer, answer < end),
            "resolved_at": times(resolved, done),
            "priority": named(p.PRIORITIES, rows["priority"]),
            "category": named(p.CATEGORIES, rng.integers(0, len(p.CATEGORIES), size)),
            "escalated_at": times(escalated, raised),
            "csat_score": numbers(score, rated),
            "csat_at": times(rated_at, rated),
        }
    )


def _later_days(day: Ints, last_day: int, second: Ints) -> tuple[Flags, Times]:
    known = day < last_day
    return known, as_times(np.where(known, day, 0), second)


def _after(time: Times, seconds: Floats) -> Times:
    return np.asarray(time + seconds.astype(np.int64).astype("m8[s]"))
