"""A day of using the product, asking for help and answering surveys."""

from __future__ import annotations

import numpy as np

from tenure.core.arrays import Floats, Ints
from tenure.demo.calendar import BEFORE, Calendar
from tenure.demo.hazards import open_late, trend
from tenure.demo.log import Log, write_tickets
from tenure.demo.parameters import ACTIVITY, EVENTS, NEVER
from tenure.demo.state import LATE_DAYS, LATE_LAG, PAID, TRIAL, USE_DAYS, State

WORKING = ("account", "users", "first_user", "kinds")
PRIORITY_SHARES = np.cumsum((0.25, 0.45, 0.22, 0.08))


def use(state: State, day: int, calendar: Calendar, rng: np.random.Generator, log: Log) -> None:
    """Let the users work for a day, and keep the sums of their events."""
    active = (state.status == PAID) | (state.status == TRIAL)
    crowd = state.users**ACTIVITY.crowding
    rate = ACTIVITY.events_per_user * crowd * np.exp(state.pace) * calendar.usage[day + BEFORE]
    events = rng.poisson(np.where(active, rate, 0.0))
    state.used_168 += events - state.used[day % USE_DAYS]
    state.used_84 += events - state.used[(day - 84) % USE_DAYS]
    state.used_28 += events - state.used[(day - 28) % USE_DAYS]
    state.used[day % USE_DAYS] = events
    rows = np.flatnonzero(events)
    log.add(
        "use",
        day=np.full(rows.size, day),
        events=events[rows],
        **{name: getattr(state, name)[rows] for name in WORKING},
    )


def weekly_change(state: State, rows: Ints, rng: np.random.Generator) -> None:
    """Let users come and go, and habits change, for rows whose week begins."""
    count = rows.size
    users, seats = state.users[rows], state.seats[rows]
    joined = rng.binomial(np.maximum(seats - users, 0), ACTIVITY.join)
    luck = rng.random(count)
    came = luck > 1 - ACTIVITY.roll_out
    joined[came] = rng.binomial(np.maximum(seats - users, 0)[came], 0.8)
    left = rng.binomial(users, np.where(luck < ACTIVITY.reorganise, 0.5, ACTIVITY.leave))
    state.users[rows] = np.minimum(users + joined - left, seats)
    state.first_user[rows] += rng.binomial(left, 0.5)
    shift = rng.normal(0, ACTIVITY.shift_size, count) * (rng.random(count) < ACTIVITY.shift)
    noise = rng.normal(0, ACTIVITY.pace_noise, count)
    state.pace[rows] += shift + noise - ACTIVITY.pace_return * state.pace[rows]
    kinds = state.kinds[rows]
    more = rng.binomial(len(EVENTS) - kinds, ACTIVITY.adopt)
    less = rng.binomial(kinds, ACTIVITY.abandon)
    state.kinds[rows] = np.clip(kinds + more - less, 1, len(EVENTS))


def support(state: State, day: int, rng: np.random.Generator, log: Log) -> None:
    """Resolve, escalate and open tickets, and count those that become late."""
    slot, row = np.nonzero(state.opened < NEVER)
    age = day - state.opened[slot, row]
    chance = np.where(age <= 2, ACTIVITY.resolve_fresh, ACTIVITY.resolve_stale)
    done = rng.random(row.size) < chance
    write_tickets(state, slot[done], row[done], np.full(int(done.sum()), day), log)
    state.opened[slot[done], row[done]] = NEVER
    state.escalated[slot[done], row[done]] = NEVER
    slot, row, age = slot[~done], row[~done], age[~done]
    grave = (age > ACTIVITY.late_after) & (state.priority[slot, row] >= 2)
    raised = grave & (state.escalated[slot, row] == NEVER) & (rng.random(row.size) < 0.15)
    state.escalated[slot[raised], row[raised]] = day
    became = np.bincount(row[age == ACTIVITY.late_after], minlength=state.account.size)
    state.late_sum += state.lates[(day - LATE_LAG) % LATE_DAYS] - state.lates[day % LATE_DAYS]
    state.lates[day % LATE_DAYS] = became
    base, more = ACTIVITY.ticket
    asks = rng.random(state.account.size) < base + more * state.users
    asking = np.flatnonzero(asks & (state.status == PAID) & (state.opened == NEVER).any(axis=0))
    free = (state.opened[:, asking] == NEVER).argmax(axis=0)
    state.opened[free, asking] = day
    state.priority[free, asking] = np.searchsorted(PRIORITY_SHARES, rng.random(asking.size))


def ask(state: State, day: int, rng: np.random.Generator, log: Log) -> None:
    """Send the NPS wave to accounts whose turn it is, and keep the answers."""
    turn = (day + 17 * state.account) % ACTIVITY.survey_every == 0
    rows = np.flatnonzero(turn & (state.status == PAID) & (day - state.spell > 30))
    score = np.clip(np.rint(_mood(state, rows, day) + rng.normal(0, 1.7, rows.size)), 0, 10)
    answers = rng.random(rows.size) < ACTIVITY.answer
    score = np.where(answers, score, -1).astype(np.int64)
    state.nps[rows] = np.where(answers, score, state.nps[rows])
    log.add("nps", account=state.account[rows], day=np.full(rows.size, day), score=score)


def _mood(state: State, rows: Ints, day: int) -> Floats:
    last = state.nps[rows]
    habit = np.where(last >= 0, 0.5 * (last - 7.6), 0.0)
    trouble = np.minimum(state.late_sum[rows] + open_late(state, rows, day), 2)
    return np.asarray(7.8 + habit - 0.5 * trouble + 0.4 * trend(state, rows, day))
