"""The usage events: from daily counts to single events with user, kind and second."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tenure.core.arrays import Ints
from tenure.demo import parameters as p
from tenure.demo.calendar import as_times
from tenure.demo.log import Log
from tenure.demo.tables import (
    DAY,
    HOUR,
    People,
    account_ids,
    named,
    numbered,
    scattered,
    table,
    user_ids,
    values,
)

LATE_SHARE = 0.03
LATE_MEAN_DAYS = 1.5
LATE_MOST_DAYS = 12
NOISE_RATE = 0.05  # median of an account's noise events a day


def usage(log: Log, people: People, last_day: int, rng: np.random.Generator) -> pa.Table:
    """Return the usage events table; a few rows arrive hours or days after they happened."""
    account, day, kind, user = _with_noise(log, people, last_day, rng)
    second = people.work_second(account, rng)
    delay = HOUR + (rng.exponential(LATE_MEAN_DAYS * DAY, account.size)).astype(np.int64)
    late = rng.random(account.size) < LATE_SHARE
    delay = np.where(late, np.minimum(delay, LATE_MOST_DAYS * DAY), 0)
    arrived = day * DAY + second + delay < last_day * DAY
    order = np.argsort(day * DAY + second, kind="stable")
    order = order[arrived[order]]
    account, kind, user = account[order], kind[order], user[order]
    happened = as_times(day[order], second[order])
    return table(
        {
            "event_id": numbered("evt-", np.arange(1, account.size + 1), 7),
            "account_id": account_ids(account),
            "user_id": _users(account, user),
            "event": named((*p.EVENTS, p.NOISE_EVENT), kind),
            "occurred_at": values(happened),
            "quantity": values(_quantity(kind, rng)),
            "known_at": values(happened + delay[order].astype("m8[s]")),
        }
    )


def _with_noise(
    log: Log, people: People, last_day: int, rng: np.random.Generator
) -> tuple[Ints, Ints, Ints, Ints]:
    """Return account, day, kind and user (0 for none) of every event, noise at the end."""
    rows = log.read("use")
    count = rows["events"]
    account, day, first = (
        np.repeat(rows[name], count) for name in ("account", "day", "first_user")
    )
    users, kinds = np.repeat(rows["users"], count), np.repeat(rows["kinds"], count)
    habit = _habits(people.segment.size, rng)
    kind = habit[account, (rng.random(account.size) * kinds).astype(np.int64)]
    user = first + (rng.random(account.size) * users).astype(np.int64)
    rate = NOISE_RATE * np.exp(rng.normal(0, 0.8, people.segment.size))
    noisy, noise_day = scattered(log, rate, last_day, rng)
    return (
        np.concatenate([account, noisy]),
        np.concatenate([day, noise_day]),
        np.concatenate([kind, np.full(noisy.size, len(p.EVENTS))]),
        np.concatenate([user, np.zeros(noisy.size, np.int64)]),
    )


def _habits(accounts: int, rng: np.random.Generator) -> Ints:
    """Return in which order each account takes up the kinds of events; all begin with a login."""
    rest = np.tile(np.arange(1, len(p.EVENTS)), (accounts, 1))
    return np.hstack([np.zeros((accounts, 1), np.int64), rng.permuted(rest, axis=1)])


def _users(account: Ints, user: Ints) -> pa.Array:
    known = user > 0
    identifiers = user_ids(account, user)
    return pc.if_else(pa.array(known), identifiers, pa.scalar(None, pa.string()))


def _quantity(kind: Ints, rng: np.random.Generator) -> Ints:
    """Return how much an event stands for: rows exported or synced, else one."""
    bulk = np.isin(kind, (p.EVENTS.index("export_run"), p.EVENTS.index("integration_synced")))
    return np.where(bulk, 1 + rng.poisson(20, kind.size), 1)
