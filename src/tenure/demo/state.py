"""The state of the simulated accounts: one array per quantity, one entry per row.

A row is an account, or, when the world is replayed, one replay of an account.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from tenure.core.arrays import Floats, Ints
from tenure.demo.calendar import BEFORE, Calendar, Shorts
from tenure.demo.parameters import ACTIVITY, BOOK, EVENTS, NEVER, PLAN_PRICES

GONE, TRIAL, PAID, PAUSED = range(4)
USE_DAYS = 168
LATE_DAYS = 98
LATE_LAG = 14
SLOTS = 4


@dataclass(slots=True)
class State:
    """Every row at the end of a day."""

    account: Ints  # number of the account
    status: Ints  # GONE (not begun, or ended), TRIAL, PAID or PAUSED
    wake: Ints  # day on which the status changes by itself: a start, a trial's or a pause's end
    fresh: Ints  # whether the account never had a subscription
    trial: Ints  # whether it begins with a trial,
    converts: Ints  # and whether that trial pays
    serial: Ints  # number of the account's current subscription
    annual: Ints  # the contract: its term,
    plan: Ints
    seats: Ints
    unit: Floats  # the list price of a seat per month,
    discount: Floats
    add_on: Floats  # and the list price of the add-on per month
    spell: Ints  # days on which the spell began,
    row: Ints  # the current row,
    add_on_row: Ints  # and that of the add-on;
    renew: Ints  # days of the next renewal,
    priced: Ints  # of the last yearly rise,
    notice: Ints  # and of notice
    comeback: Ints  # days from the end to a return
    invoice: Ints  # day of the open invoice,
    amount: Floats  # and its amount
    late: Ints  # days of the last two late invoices: the last,
    late_before: Ints  # and the one before
    users: Ints  # users who work with it
    first_user: Ints  # number of the user who has been there longest
    pace: Floats  # log of the events per user
    kinds: Ints  # kinds of events in use
    since: Ints  # day since which usage is observed
    used: Shorts  # events by day,
    used_28: Ints  # and their sums over 28,
    used_84: Ints  # 84
    used_168: Ints  # and 168 days
    opened: Ints  # open tickets, by slot: day,
    priority: Ints
    escalated: Ints  # and day of escalation
    lates: Shorts  # tickets that became late, by day,
    late_sum: Ints  # and those 14 to 98 days ago
    nps: Ints  # last NPS answer, -1 before the first
    stay: Floats  # what is left of the patience before leaving,
    hold: Floats  # and before expanding

    def take(self, rows: Ints) -> State:
        """Return a copy of some rows, in that order and as often as named."""
        return State(*(getattr(self, field.name)[..., rows] for field in fields(self)))

    def list_price(self, rows: Ints) -> Floats:
        """Return the list MRR: what the seats and the add-on cost before any discount."""
        return np.round(self.seats[rows] * self.unit[rows], 2) + self.add_on[rows]

    def net_price(self, rows: Ints) -> Floats:
        """Return the MRR after the discount, in whole cents for each part."""
        share = 1 - self.discount[rows]
        main = np.round(np.round(self.seats[rows] * self.unit[rows], 2) * share, 2)
        return np.asarray(main + np.round(self.add_on[rows] * share, 2))


def first_state(segment: Ints, calendar: Calendar, rng: np.random.Generator) -> State:
    """Return the book at the start of the first day; later accounts wait for theirs."""
    count = segment.size
    running = rng.random(count) < BOOK.running_at_start
    arrives = np.sort(rng.integers(0, calendar.last_day, count))
    annual = (rng.random(count) < BOOK.annual).astype(np.int64)
    begun = -1 - np.minimum(rng.exponential(300, count), 900).astype(np.int64)
    seats = np.array(BOOK.seats_from)[segment] + rng.poisson(np.array(BOOK.seats_more)[segment])
    plan = np.minimum(rng.integers(0, 2, count) + (rng.random(count) < 0.25), 2)
    trial = rng.random(count) < BOOK.trial
    term = _current_term(begun, annual, calendar)
    blank = np.full(count, NEVER)
    return State(
        account=np.arange(count),
        status=np.where(running, PAID, GONE),
        wake=np.where(running, NEVER, arrives),
        fresh=(~running).astype(np.int64),
        trial=(trial & ~running).astype(np.int64),
        converts=(rng.random(count) >= BOOK.trial_lost).astype(np.int64),
        serial=np.ones(count, np.int64),
        annual=annual,
        plan=plan,
        seats=seats,
        unit=np.round(np.array(PLAN_PRICES)[plan] * rng.uniform(0.9, 1.1, count), 2),
        discount=np.round(np.maximum(0, rng.normal(0.04, 0.06, count)) + 0.1 * annual, 2),
        add_on=np.zeros(count),
        spell=np.where(running, begun, NEVER),
        row=np.where(running, term, NEVER),
        add_on_row=blank.copy(),
        renew=np.where(running, calendar.term_end(term, annual > 0), NEVER),
        priced=np.where(running, -1 - rng.integers(0, 360, count), NEVER),
        notice=blank.copy(),
        comeback=blank.copy(),
        invoice=blank.copy(),
        amount=np.zeros(count),
        late=-blank,
        late_before=-blank,
        users=np.where(running, _spread(seats, rng), 0),
        first_user=np.ones(count, np.int64),
        pace=rng.normal(0, 0.35, count),
        kinds=rng.binomial(len(EVENTS), 0.5, count).clip(1),
        since=np.where(running, 0, NEVER),
        used=np.zeros((USE_DAYS, count), np.int16),
        used_28=np.zeros(count, np.int64),
        used_84=np.zeros(count, np.int64),
        used_168=np.zeros(count, np.int64),
        opened=np.full((SLOTS, count), NEVER),
        priority=np.zeros((SLOTS, count), np.int64),
        escalated=np.full((SLOTS, count), NEVER),
        lates=np.zeros((LATE_DAYS, count), np.int16),
        late_sum=np.zeros(count, np.int64),
        nps=np.full(count, -1),
        stay=rng.exponential(size=count),
        hold=rng.exponential(size=count),
    )


def _spread(seats: Ints, rng: np.random.Generator) -> Ints:
    share = ACTIVITY.join / (ACTIVITY.join + ACTIVITY.leave)
    return rng.binomial(seats, rng.beta(6 * share, 6 * (1 - share), len(seats)))


def _current_term(begun: Ints, annual: Ints, calendar: Calendar) -> Ints:
    """Return when the term that runs on day 0 began, for spells begun earlier."""
    term = np.maximum(begun, 31 - BEFORE)
    while True:
        end = calendar.term_end(term, annual > 0)
        if (end >= 0).all():
            return term
        term = np.where(end >= 0, term, end)
