"""Rates of leaving and of expanding, from what has been observed of each row until the day."""

from __future__ import annotations

import numpy as np

from tenure.core.arrays import Floats, Ints
from tenure.demo.calendar import BEFORE, Calendar
from tenure.demo.parameters import ACTIVITY, CHURN, CONTRACTS, EXPANSION, SEASON
from tenure.demo.state import USE_DAYS, State

NEAR_RENEWAL = 90
NEW_DAYS = 120
USUAL_USE = 0.72  # share of seats in use
USUAL_KINDS = 4


def trend(state: State, rows: Ints, day: int) -> Floats:
    """Return how usage changes, as logs of ratios of daily events; 0 is steady.

    The sum of two: the last 28 days against the 56 before, and the last 84 against the 84 before;
    each is 0 where less than two weeks of the earlier period are observed.
    """
    seen = np.clip(day - state.since[rows], 0, USE_DAYS)
    month, quarter, half = state.used_28[rows], state.used_84[rows], state.used_168[rows]
    sudden = _log_ratio(month, quarter - month, 28, np.minimum(seen, 84) - 28)
    gradual = _log_ratio(quarter, half - quarter, 84, seen - 84)
    return np.asarray(np.clip(sudden + gradual, -2.0, 1.5))


def _log_ratio(recent: Ints, earlier: Ints, days: int, earlier_days: Ints) -> Floats:
    ratio = (recent + 1) / days * np.maximum(earlier_days, 1) / (earlier + 1)
    return np.where(earlier_days >= 14, np.log(ratio), 0.0)


def seat_utilisation(state: State, rows: Ints) -> Floats:
    """Return the share of seats in use."""
    return np.minimum(1.0, state.users[rows] / state.seats[rows])


def open_late(state: State, rows: Ints, day: int) -> Ints:
    """Return how many tickets are open and late."""
    age = day - state.opened[:, rows]
    return np.asarray((age > ACTIVITY.late_after).sum(axis=0))


def late_invoices(state: State, rows: Ints, day: int) -> Ints:
    """Return how many of the last two invoices paid late fell late within half a year."""
    recent = (day - state.late[rows] <= CONTRACTS.habit_days).astype(np.int64)
    return recent + (day - state.late_before[rows] <= CONTRACTS.habit_days)


def churn_rate(state: State, rows: Ints, day: int, calendar: Calendar) -> Floats:
    """Return the daily rate of voluntary churn, before the weight of the term."""
    near = (state.annual[rows] > 0) & (state.renew[rows] - day <= NEAR_RENEWAL)
    new = day - state.spell[rows] < NEW_DAYS
    support = CHURN.late_tickets * np.minimum(state.late_sum[rows], 2)
    support = support + CHURN.open_late * np.minimum(open_late(state, rows, day), 2)
    idle = np.clip(USUAL_USE - seat_utilisation(state, rows), -0.28, 0.6)
    effect = (
        CHURN.falling_use * np.clip(-trend(state, rows, day), -0.8, 1.6)
        + CHURN.idle_seats * idle
        + support * np.where(near | new, CHURN.exposed, 1.0)
        + _opinion(state.nps[rows], CHURN.detractor, CHURN.promoter)
        + CHURN.late_invoices * late_invoices(state, rows, day)
        + SEASON.churn_drift_per_year * calendar.years[day + BEFORE]
    )
    return np.asarray(np.minimum(CHURN.rate * np.exp(effect), 0.02))


def expansion_rate(state: State, rows: Ints, day: int, calendar: Calendar) -> Floats:
    """Return the daily rate of expansion."""
    young = day - state.spell[rows] < 365
    effect = (
        EXPANSION.full_seats * np.clip(seat_utilisation(state, rows) - USUAL_USE, -0.5, 0.28)
        + EXPANSION.rising_use * np.clip(trend(state, rows, day), -1.2, 1.0)
        + EXPANSION.broad_use * (state.kinds[rows] - USUAL_KINDS)
        + _opinion(state.nps[rows], EXPANSION.detractor, EXPANSION.promoter)
        + EXPANSION.young * young
        + SEASON.expansion_drift_per_year * calendar.years[day + BEFORE]
    )
    return np.asarray(np.minimum(EXPANSION.rate * np.exp(effect), 0.02) + EXPANSION.windfall)


def _opinion(score: Ints, detractor: float, promoter: float) -> Floats:
    low = (score >= 0) & (score <= 6)
    return np.where(low, detractor, np.where(score >= 9, promoter, 0.0))
