"""The contract's tables from lives: what every business writes alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from businesses.grid import stamps
from businesses.lives import TERM, Lives
from businesses.options import Flags, Floats, Ints
from businesses.truth import account_ids

MONTH = 365.0 / 12
DUE_DAYS = 14.0
FAILED_PAYMENTS = 0.15  # share of ends of monthly terms


def named(names: Sequence[str], number: Floats | Ints) -> pd.Series[str]:
    """Return names by number."""
    return pd.Series(names, dtype="str").take(number.astype(np.int64)).reset_index(drop=True)


def accounts(lives: Lives, rng: np.random.Generator, **attributes: pd.Series[str]) -> pd.DataFrame:
    """Return the accounts table with any attributes."""
    created = lives.people["start"] - rng.exponential(10.0, lives.options.n_accounts) - 0.1
    keys = {"account_id": account_ids(lives), "created_at": stamps(created)}
    return pd.DataFrame(keys | attributes)


def subscriptions(
    lives: Lives, price: Floats, plan: pd.Series[str], seats: Floats | None = None
) -> pd.DataFrame:
    """Return the subscriptions table: one row per term and price.

    Args:
        lives: The lives.
        price: First MRR of each account.
        plan: Name of the plan of each account.
        seats: First seats of each account; they rise with the price.
    """
    people, until = lives.people, lives.grid.until
    start, annual, last = people["start"], people["annual"] > 0, np.minimum(lives.ended, until)
    terms = np.where(annual, np.ceil((last - 1e-6 - start) / TERM) - 1, 0).astype(np.int64)
    renewed = np.repeat(np.arange(start.size), terms)
    number = np.arange(renewed.size) - np.repeat(np.cumsum(terms) - terms, terms) + 1
    rise, rise_day, factor = lives.rises
    seen = rise_day < until
    every = np.arange(start.size)
    account = np.concatenate([every, renewed, rise[seen]])
    day = np.concatenate([start, start[renewed] + TERM * number, rise_day[seen]])
    growth = np.concatenate([np.zeros(start.size + renewed.size), np.log(factor[seen])])
    order = np.lexsort((day, account))
    account, day, growth = account[order], day[order], growth[order]
    final = np.append(account[1:] != account[:-1], True)
    total = np.cumsum(growth)
    level = np.exp(total - total[np.searchsorted(account, account)])
    ended = np.where(final, lives.ended[account], np.append(day[1:], np.inf))
    ended = np.where(ended < until, ended, np.inf)
    noticed = final & annual[account] & (lives.decided[account] < until)
    upgraded = ~final & np.append(growth[1:] > 0, False)
    left, failed = final & np.isfinite(ended), lives.options.rng("reasons").random(start.size)
    payment = left & ~annual[account] & (failed[account] < FAILED_PAYMENTS)
    reason = np.select([upgraded, payment, left], ["upgrade", "involuntary", "voluntary"], "")
    due = start[account] + TERM * (np.floor((day - start[account] + 1e-6) / TERM) + 1)
    columns = {
        "subscription_id": "s" + account_ids(lives, account),
        "account_id": account_ids(lives, account),
        "started_at": stamps(day),
        "ended_at": stamps(ended),
        "plan": plan.take(account).reset_index(drop=True),
        "mrr": np.round(price[account] * level, 2),
        "billing_period": named(("monthly", "annual"), annual[account].astype(np.int64)),
        "renews_at": stamps(np.where(annual[account], due, np.inf)),
        "notice_at": stamps(np.where(noticed, lives.decided[account], np.inf)),
        "end_reason": pd.Series(reason, dtype="str").replace("", None),
    }
    if seats is not None:
        columns["seats"] = np.maximum(1, np.rint(seats[account] * level)).astype(np.int64)
    return pd.DataFrame(columns)


def counts(lives: Lives, daily: Floats, rng: np.random.Generator) -> Ints:
    """Draw how often something happens in each step of the history at daily rates."""
    observed = slice(0, lives.grid.observed_steps)
    days = np.diff(lives.grid.edges)[observed, None]
    return np.asarray(rng.poisson(daily[observed] * days), np.int64)


def scattered(
    lives: Lives, number: Ints | Floats, rng: np.random.Generator
) -> tuple[Ints, Ints, Floats]:
    """Scatter counts by step and account over their steps.

    Returns:
        Step, account and day of what falls into paid and observed time, by day.
    """
    number = number[: lives.grid.observed_steps].astype(np.int64)
    step, account = np.nonzero(number)
    repeats = number[step, account]
    step, account = np.repeat(step, repeats), np.repeat(account, repeats)
    day = lives.grid.edges[step] + rng.random(step.size) * np.diff(lives.grid.edges)[step]
    real = (day > lives.people["start"][account]) & (day < lives.ended[account])
    step, account, day = step[real], account[real], day[real]
    order = np.argsort(day, kind="stable")
    return step[order], account[order], day[order]


def events(lives: Lives, day: Floats, account: Ints, event: pd.Series[str]) -> pd.DataFrame:
    """Return usage events."""
    columns = {
        "account_id": account_ids(lives, account),
        "event": event,
        "occurred_at": stamps(day),
    }
    return pd.DataFrame(columns)


def tickets(lives: Lives, daily: Floats, trouble: Floats, rng: np.random.Generator) -> pd.DataFrame:
    """Return the tickets table.

    Args:
        lives: The lives.
        daily: Tickets a day, by step and account.
        trouble: How badly they go, about 0, by step and account.
        rng: Source of chance.
    """
    step, account, day = scattered(lives, counts(lives, daily, rng), rng)
    bad, size, until = trouble[step, account], day.size, lives.grid.until
    answered = day + rng.lognormal(-1.6, 0.9, size)
    resolved = answered + np.exp(0.2 + 0.35 * bad + 0.9 * rng.normal(size=size))
    rated = resolved + rng.exponential(0.8, size) + 0.01
    rated = np.where((rng.random(size) < 0.4) & (rated < until), rated, np.inf)
    resolved = np.where(resolved < until, resolved, np.inf)
    score = np.clip(np.rint(4.1 - 0.7 * bad + 0.9 * rng.normal(size=size)), 1, 5)
    urgent = rng.random(size) < 0.15 / (1 + np.exp(-bad))
    return pd.DataFrame(
        {
            "ticket_id": numbered("t", size),
            "account_id": account_ids(lives, account),
            "opened_at": stamps(day),
            "first_responded_at": stamps(np.where(answered < until, answered, np.inf)),
            "resolved_at": stamps(resolved),
            "priority": named(("normal", "urgent"), urgent.astype(np.int64)),
            "category": named(("how_to", "bug", "billing"), rng.integers(0, 3, size)),
            "csat_score": np.where(np.isfinite(rated), score, np.nan),
            "csat_at": stamps(rated),
        }
    )


@dataclass(frozen=True, slots=True)
class Survey:
    """How a survey is asked.

    Attributes:
        kind: Survey type of the contract.
        low, high: Ends of its scale.
        every_steps: Steps between two surveys of an account.
        share: Share that answers.
        noise: Standard deviation of an answer.
    """

    kind: str = "nps"
    low: float = 0
    high: float = 10
    every_steps: int = 12
    share: float = 0.5
    noise: float = 1.6


NPS = Survey()


def surveys(
    lives: Lives, mean: Floats, rng: np.random.Generator, form: Survey = NPS
) -> pd.DataFrame:
    """Return survey responses, asked of every account in turn.

    Args:
        lives: The lives.
        mean: Expected score, by step and account.
        rng: Source of chance.
        form: How it is asked.
    """
    steps, size = lives.grid.observed_steps, lives.options.n_accounts
    turn = rng.integers(0, form.every_steps, size)
    sent = (np.arange(steps)[:, None] - turn) % form.every_steps == 0
    step, account, day = scattered(lives, sent.astype(np.int64), rng)
    score = np.rint(mean[step, account] + form.noise * rng.normal(size=day.size))
    answered = day + rng.exponential(2.5, day.size) + 0.02
    answers = (rng.random(day.size) < form.share) & (answered < lives.grid.until)
    return pd.DataFrame(
        {
            "response_id": numbered(f"{form.kind}-", day.size),
            "account_id": account_ids(lives, account),
            "survey_type": named((form.kind,), np.zeros(day.size)),
            "score": np.where(answers, np.clip(score, form.low, form.high), np.nan),
            "sent_at": stamps(day),
            "responded_at": stamps(np.where(answers, answered, np.inf)),
        }
    )


def invoices(lives: Lives, price: Floats, delay: Floats, rng: np.random.Generator) -> pd.DataFrame:
    """Return the invoices table.

    Args:
        lives: The lives.
        price: First MRR of each account.
        delay: Mean logarithm of the days until an invoice is paid, by account.
        rng: Source of chance.
    """
    start, until = lives.people["start"], lives.grid.until
    period = np.where(lives.people["annual"] > 0, TERM, MONTH)
    number = np.maximum(0, np.ceil((np.minimum(lives.ended, until) - start) / period)).astype(int)
    account = np.repeat(np.arange(start.size), number)
    turn = np.arange(account.size) - np.repeat(np.cumsum(number) - number, number)
    issued = start[account] + period[account] * turn + 0.01
    observed: Flags = (issued >= 0) & (issued < until)
    account, issued = account[observed], issued[observed]
    paid = issued + np.exp(delay[account] + 0.5 * rng.normal(size=issued.size))
    amount = price[account] * risen(lives, account, issued) * (period[account] / MONTH)
    return pd.DataFrame(
        {
            "invoice_id": numbered("i", issued.size),
            "account_id": account_ids(lives, account),
            "issued_at": stamps(issued),
            "due_at": stamps(issued + DUE_DAYS),
            "paid_at": stamps(np.where(paid < until, paid, np.inf)),
            "amount": np.round(amount, 2),
        }
    )


def risen(lives: Lives, account: Ints, day: Floats) -> Floats:
    """Return by what factor the MRR of accounts had risen before a day."""
    who, when, factor = lives.rises
    total, span = np.append(0.0, np.cumsum(np.log(factor))), 100_000.0
    keys = who * span + when
    begin = np.searchsorted(keys, account * span)
    return np.asarray(np.exp(total[np.searchsorted(keys, account * span + day)] - total[begin]))


def touchpoints(lives: Lives, daily: Floats, rng: np.random.Generator) -> pd.DataFrame:
    """Return the touchpoints table."""
    _, account, day = scattered(lives, counts(lives, daily, rng), rng)
    kind = named(("call", "email", "meeting"), rng.integers(0, 3, day.size))
    who = {"account_id": account_ids(lives, account), "occurred_at": stamps(day)}
    return pd.DataFrame(who | {"kind": kind})


def numbered(prefix: str, size: int) -> pd.Series[str]:
    """Return that many identifiers."""
    return prefix + pd.Series(np.arange(size)).astype("str")


def by_step(lives: Lives, values: Floats) -> Floats:
    """Return values by account as a row for every step."""
    return np.broadcast_to(values, (lives.grid.steps, values.size))
