"""The life of a subscription: starts, payment, notice, renewal, expansion, pauses and ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenure.core.arrays import Flags, Floats, Ints
from tenure.demo.calendar import Calendar
from tenure.demo.hazards import churn_rate, expansion_rate, late_invoices
from tenure.demo.log import Log, write_invoices, write_rows
from tenure.demo.parameters import BOOK, CHURN, CONTRACTS, EXPANSION, NEVER, PLAN_PRICES
from tenure.demo.state import GONE, PAID, PAUSED, TRIAL, State

REASONS = ("", "voluntary", "involuntary", "non_renewal", "upgrade", "downgrade")
NONE, VOLUNTARY, INVOLUNTARY, NON_RENEWAL, UPGRADE, DOWNGRADE = range(len(REASONS))
GAP_DAYS = 30


@dataclass
class Desk:
    """Everything a day of business needs beside the rows: calendar, chance, and a log of facts."""

    calendar: Calendar
    rng: np.random.Generator
    log: Log

    def spend(self, patience: Floats, rows: Ints, amount: Floats) -> Flags:
        """Use patience up and return whose is at its end; those get fresh patience."""
        patience[rows] -= amount
        out = patience[rows] <= 0
        patience[rows[out]] = self.rng.exponential(size=int(out.sum()))
        return np.asarray(out)

    def tire(self, state: State, rows: Ints, amount: Floats, *, returns_soon: float) -> Flags:
        """Use up patience; return who leaves of their own will, their return decided."""
        leaves = self.spend(state.stay, rows, amount)
        self.decide(state, rows[leaves], CONTRACTS.returns, returns_soon)
        return leaves

    def decide(self, state: State, rows: Ints, returns: float, soon: float) -> None:
        """Draw whether and when those who leave come back."""
        rng, count = self.rng, rows.size
        quick = rng.random(count) < soon
        first, last = CONTRACTS.soon_days
        early = rng.integers(first, last + 1, count)
        first, last = CONTRACTS.later_days
        days = np.where(quick, early, rng.integers(first, last + 1, count))
        state.comeback[rows] = np.where(rng.random(count) < returns, days, NEVER)


def wake(state: State, day: int, desk: Desk) -> None:
    """Start accounts and returns, and end trials and pauses, whose day has come."""
    rows = np.flatnonzero(state.wake == day)
    if not rows.size:
        return
    status = state.status[rows]
    starting = rows[status == GONE]
    state.serial[starting[state.fresh[starting] == 0]] += 1
    on_trial = (state.fresh[starting] > 0) & (state.trial[starting] > 0)
    _begin_trial(state, starting[on_trial], day)
    _begin(state, starting[~on_trial], day, desk)
    tried = rows[status == TRIAL]
    _close(state, tried, day, NONE, desk)
    _begin(state, tried[state.converts[tried] > 0], day, desk)
    _end(state, tried[state.converts[tried] == 0])
    resumed = rows[status == PAUSED]
    _close(state, resumed, day, NONE, desk)
    _begin(state, resumed, day, desk)


def collect(state: State, day: int, desk: Desk) -> None:
    """Receive payments, note late ones, and end what is not paid."""
    rows = np.flatnonzero(state.invoice < day)
    age = day - state.invoice[rows]
    missed = rows[age == CONTRACTS.due_days + 1]
    state.late_before[missed] = state.late[missed]
    state.late[missed] = day
    habit = np.array(CONTRACTS.pay_by_habit)[late_invoices(state, rows, day)]
    chance = np.where(age <= CONTRACTS.due_days, habit, CONTRACTS.pay_overdue)
    pays = desk.rng.random(rows.size) < chance
    _settle(state, rows[pays], np.full(pays.sum(), day), desk)
    lost = rows[~pays & (age >= CONTRACTS.give_up_days)]
    desk.decide(state, lost, CONTRACTS.returns, CONTRACTS.returns_soon)
    _leave(state, lost, day, INVOLUNTARY, desk)


def give_notice(state: State, turn: Flags, day: int, desk: Desk) -> None:
    """Let annual accounts whose week begins give notice, or break off for want of money."""
    open_terms = turn & (state.status == PAID) & (state.annual > 0) & (state.renew > day)
    rows = np.flatnonzero(open_terms & (state.notice == NEVER) & (state.row < day))
    period = state.renew[rows] - day <= CONTRACTS.notice_days
    rate = np.zeros(rows.size)
    rate[period] = CHURN.notice * churn_rate(state, rows[period], day, desk.calendar)
    gone = rows[desk.tire(state, rows, 7 * (rate + CHURN.budget_cut), returns_soon=0.0)]
    late = state.renew[gone] - day <= CONTRACTS.notice_days
    state.notice[gone[late]] = day
    _leave(state, gone[~late], day, VOLUNTARY, desk)


def end_terms(state: State, day: int, desk: Desk) -> None:
    """End or renew the terms that run out."""
    rows = np.flatnonzero((state.status == PAID) & (state.renew == day))
    noticed = state.notice[rows] < NEVER
    _leave(state, rows[noticed], day, NON_RENEWAL, desk)
    rows = rows[~noticed]
    annual = state.annual[rows] > 0
    weight = np.where(annual, CHURN.lapse, 30.4)
    budget = np.where(annual, 7.0, 30.4) * CHURN.budget_cut
    spent = weight * churn_rate(state, rows, day, desk.calendar) + budget
    leaves = desk.tire(state, rows, spent, returns_soon=CONTRACTS.returns_soon)
    _leave(state, rows[leaves & annual], day, NON_RENEWAL, desk)
    _leave(state, rows[leaves & ~annual], day, VOLUNTARY, desk)
    stays, annual = rows[~leaves], annual[~leaves]
    pauses = ~annual & (desk.rng.random(stays.size) < CONTRACTS.pause)
    _pause(state, stays[pauses], day, desk)
    _renew(state, stays[~pauses], day, desk)


def expand(state: State, turn: Flags, day: int, desk: Desk) -> None:
    """Let accounts whose week begins buy seats, a higher plan or the add-on."""
    free = turn & (state.status == PAID) & (state.notice == NEVER) & (state.row < day)
    rows = np.flatnonzero(free & (state.add_on_row != day) & (state.renew > day))
    rate = expansion_rate(state, rows, day, desk.calendar)
    buys = rows[desk.spend(state.hold, rows, 7 * rate)]
    luck = desk.rng.random(buys.size)
    higher = (luck < EXPANSION.upgrade) & (state.plan[buys] < len(PLAN_PRICES) - 1)
    extra = (luck > 1 - EXPANSION.add_on) & (state.add_on[buys] == 0)
    growth = desk.rng.uniform(*EXPANSION.more_seats, buys.size)
    changed = buys[~extra]
    _close_main(state, changed, day, UPGRADE, desk)
    state.row[changed] = day
    plan = state.plan[buys]
    prices = np.array((*PLAN_PRICES, PLAN_PRICES[-1]))
    raised = np.round(state.unit[buys] * prices[plan + 1] / prices[plan], 2)
    state.unit[buys] = np.where(higher, raised, state.unit[buys])
    state.plan[buys] = plan + higher
    more = np.maximum(1, np.rint(state.seats[buys] * growth)).astype(np.int64)
    state.seats[buys] += np.where(higher | extra, 0, more)
    price = np.round(0.2 * state.seats[buys] * state.unit[buys], 2)
    state.add_on[buys] = np.where(extra, price, state.add_on[buys])
    state.add_on_row[buys[extra]] = day


def _begin_trial(state: State, rows: Ints, day: int) -> None:
    state.status[rows], state.fresh[rows], state.row[rows] = TRIAL, 0, day
    state.since[rows], state.wake[rows] = day, day + BOOK.trial_days
    state.users[rows] = np.maximum(1, state.seats[rows] // 2)


def _begin(state: State, rows: Ints, day: int, desk: Desk) -> None:
    """Begin a paid term; what follows within the gap continues the spell."""
    new = rows[(state.status[rows] == GONE) & (state.comeback[rows] >= GAP_DAYS)]
    state.spell[new], state.priced[new] = day, day
    first = rows[(state.status[rows] == TRIAL) | (state.fresh[rows] > 0)]
    state.spell[first], state.priced[first] = day, day
    state.since[rows] = np.minimum(state.since[rows], day)
    empty = rows[state.users[rows] == 0]
    state.users[empty] = np.maximum(1, desk.rng.binomial(state.seats[empty], 0.6))
    state.status[rows], state.fresh[rows], state.comeback[rows] = PAID, 0, NEVER
    state.wake[rows], state.notice[rows] = NEVER, NEVER
    _new_term(state, rows, day, desk)


def _new_term(state: State, rows: Ints, day: int, desk: Desk) -> None:
    annual = state.annual[rows] > 0
    state.row[rows], state.add_on_row[rows] = day, day
    state.renew[rows] = desk.calendar.term_end(np.full(rows.size, day), annual)
    state.invoice[rows] = day
    state.amount[rows] = (state.net_price(rows) * np.where(annual, 12, 1)).round(2)


def _renew(state: State, rows: Ints, day: int, desk: Desk) -> None:
    """Begin the next term: yearly rises, another discount, and for some fewer seats."""
    annual = state.annual[rows] > 0
    chance = CONTRACTS.downgrade * np.where(annual, 1.0, 0.1)
    unused = (state.users[rows] < 0.6 * state.seats[rows]) & (state.seats[rows] >= 4)
    shrinks = unused & (desk.rng.random(rows.size) < chance)
    for reason, part in ((DOWNGRADE, rows[shrinks]), (NONE, rows[~shrinks])):
        _close(state, part, day, reason, desk)
    less = rows[shrinks]
    drops = state.add_on[less] > 0
    seats = np.maximum(state.users[less] + 1, (0.7 * state.seats[less]).astype(np.int64))
    state.seats[less] = np.where(drops, state.seats[less], np.minimum(seats, state.seats[less]))
    state.add_on[less] = 0.0
    due = rows[day - state.priced[rows] >= 360]
    rise = desk.rng.uniform(0, CONTRACTS.uplift, due.size)
    state.unit[due] = np.round(state.unit[due] * (1 + rise), 2)
    state.priced[due] = day
    again = rows[annual]
    change = desk.rng.choice((-0.03, 0.0, 0.0, 0.02), again.size)
    state.discount[again] = np.clip(np.round(state.discount[again] + change, 2), 0.0, 0.4)
    _new_term(state, rows, day, desk)


def _pause(state: State, rows: Ints, day: int, desk: Desk) -> None:
    shortest, longest = CONTRACTS.pause_days
    _close(state, rows, day, NONE, desk)
    state.status[rows], state.row[rows] = PAUSED, day
    state.wake[rows] = day + desk.rng.integers(shortest, longest + 1, rows.size)


def _leave(state: State, rows: Ints, day: int, reason: int, desk: Desk) -> None:
    _close(state, rows, day, reason, desk)
    _settle(state, rows, np.full(rows.size, NEVER), desk)
    _end(state, rows)
    back = state.comeback[rows]
    state.wake[rows] = np.where(back < NEVER, day + back, NEVER)
    state.add_on[rows[back >= GAP_DAYS]] = 0.0


def _end(state: State, rows: Ints) -> None:
    state.status[rows], state.users[rows], state.wake[rows] = GONE, 0, NEVER


def _settle(state: State, rows: Ints, paid: Ints, desk: Desk) -> None:
    open_rows = state.invoice[rows] < NEVER
    write_invoices(state, rows[open_rows], paid[open_rows], desk.log)
    state.invoice[rows] = NEVER


def _close(state: State, rows: Ints, day: int, reason: int, desk: Desk) -> None:
    """Close the rows of the main subscription and of the add-on."""
    _close_main(state, rows, day, reason, desk)
    extra = rows[(state.add_on[rows] > 0) & (state.status[rows] == PAID)]
    write_rows(state, extra, np.full(extra.size, day), reason, desk.log, main=False)


def _close_main(state: State, rows: Ints, day: int, reason: int, desk: Desk) -> None:
    write_rows(state, rows, np.full(rows.size, day), reason, desk.log)
