"""The true probabilities: the world replayed from each prediction time with fresh chance.

Every rate of the simulation follows from quantities that the tables show (users, pace and kinds
in use only through counts of events), and what is left of an account's patience is exponential,
hence without memory.  So the future given the past is drawn by copying the state of an account,
redrawing its patience, and living on.  The patience of an account's replays is drawn in equal
strata, which makes the estimate far more precise than independent draws.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tenure.sources.demo.calendar import Calendar, Flags, Floats, Ints, as_times
from tenure.sources.demo.contracts import Desk
from tenure.sources.demo.parameters import NEVER
from tenure.sources.demo.simulate import World, live
from tenure.sources.demo.state import PAID, State

HORIZON_DAYS = 90
THRESHOLD = 0.1
TOLERANCE = 1e-9
BLOCK = 16_384


@dataclass(frozen=True, slots=True)
class Replay:
    """How the future is drawn.

    Attributes:
        count: Replays of each account and prediction time.
        first_month: First prediction time, in months from the start of the world.
    """

    count: int = 64
    first_month: int = 1


def true_probabilities(world: World, replay: Replay) -> pd.DataFrame:
    """Return account_id number, as_of, target, horizon_days and probability.

    Args:
        world: A world before its first day; it is lived through.
        replay: How the future is drawn.

    Returns:
        One row per account that is paying and has not given notice, first of the month and
        target, ordered by as_of, target and account.
    """
    firsts = set(world.calendar.first_days()[replay.first_month - 1 :].tolist())
    rng = world.others[1]
    pieces = []
    for day in world.days():
        if day in firsts:
            rows = asked(world.state)
            found = _replays(world.state, rows, day, world.calendar, rng, replay.count)
            for target, probability in zip(("churn", "expansion"), found, strict=True):
                pieces.append(_frame(world.state.account[rows], day, target, probability))
    return pd.concat(pieces, ignore_index=True)


def asked(state: State) -> Ints:
    """Return the rows that are paying and have not given notice."""
    return np.flatnonzero((state.status == PAID) & (state.notice == NEVER))


def _frame(account: Ints, day: int, target: str, probability: Floats) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "account": account,
            "as_of": as_times(np.full(account.size, day)),
            "target": target,
            "horizon_days": HORIZON_DAYS,
            "probability": probability,
        }
    )


def _replays(
    state: State,
    rows: Ints,
    day: int,
    calendar: Calendar,
    rng: np.random.Generator,
    count: int,
) -> tuple[Floats, Floats]:
    block = max(1, BLOCK // count)
    left, grown = [], []
    for start in range(0, rows.size, block):
        part = rows[start : start + block]
        future = state.take(np.repeat(part, count))
        future.stay = _strata(part.size, count, rng)
        future.hold = _strata(part.size, count, rng)
        gone, more = _outcomes(future, day, calendar, rng)
        left.append(gone.reshape(-1, count).mean(axis=1))
        grown.append(more.reshape(-1, count).mean(axis=1))
    return np.concatenate([np.zeros(0), *left]), np.concatenate([np.zeros(0), *grown])


def _outcomes(
    state: State, day: int, calendar: Calendar, rng: np.random.Generator
) -> tuple[Flags, Flags]:
    """Live on for the horizon; return who churns and who expands."""
    rows = np.arange(state.account.size)
    before = state.list_price(rows)
    desk = Desk(calendar, rng, None, np.zeros(rows.size, np.bool_))
    for later in range(day, day + HORIZON_DAYS):
        live(state, later, desk)
    grown = state.list_price(rows) >= before * (1 + THRESHOLD) * (1 - TOLERANCE)
    return desk.left, grown & ~desk.left


def _strata(accounts: int, count: int, rng: np.random.Generator) -> Floats:
    """Return exponential draws, one from each of `count` equal strata per account, shuffled."""
    stratum = np.tile(np.arange(count), (accounts, 1))
    rng.permuted(stratum, axis=1, out=stratum)
    return np.asarray(-np.log1p(-(stratum + rng.random(stratum.shape)) / count).ravel())
