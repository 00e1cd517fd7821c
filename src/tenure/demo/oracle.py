"""The true probabilities: the world replayed from each prediction time with fresh chance.

Every rate of the simulation follows from quantities that the tables show (users, pace and kinds
in use only through counts of events), and what is left of an account's patience is exponential,
hence without memory.  So the future given the past is drawn by copying the state of an account,
redrawing its patience, and living on.  Voluntary churn is not drawn along a path: its rate is
summed up, which gives the chance of it exactly.  The patience before expanding is drawn in
strata.  Both make the estimate far more precise than independent draws of the outcome.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tenure.demo.calendar import Floats, Ints, as_times
from tenure.demo.contracts import Desk
from tenure.demo.parameters import NEVER
from tenure.demo.simulate import World, live
from tenure.demo.state import PAID, State

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

    count: int = 32
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
    desk = Desk(world.calendar, world.others[1], None, np.zeros(0, np.bool_))
    pieces = []
    for day in world.days():
        if day in firsts:
            rows = snapshot_rows(world.state)
            chances = _replays(world.state, rows, day, desk, replay.count)
            for target, probability in zip(("churn", "expansion"), chances, strict=True):
                pieces.append(_frame(world.state.account[rows], day, target, probability))
    return pd.concat(pieces, ignore_index=True)


def snapshot_rows(state: State) -> Ints:
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


def _replays(state: State, rows: Ints, day: int, desk: Desk, count: int) -> tuple[Floats, Floats]:
    """Return the probabilities of churn and of expansion of rows, by `count` replays of each."""
    block = max(1, BLOCK // count)
    chances = [(np.zeros(0), np.zeros(0))]
    for start in range(0, rows.size, block):
        part = rows[start : start + block]
        future = state.take(np.repeat(part, count))
        future.stay = desk.rng.exponential(size=future.account.size)
        future.hold, weight = _strata(part.size, count, desk.rng)
        left, grown = _chances(future, day, desk)
        chances.append((left.reshape(-1, count) @ weight, grown.reshape(-1, count) @ weight))
    left, grown = (np.concatenate(pieces) for pieces in zip(*chances, strict=True))
    return left, grown


def _chances(state: State, day: int, desk: Desk) -> tuple[Floats, Floats]:
    """Live on for the horizon; return the chances of churn and of expansion along each path."""
    rows = np.arange(state.account.size)
    before = state.list_price(rows)
    desk.left, desk.strain = np.zeros(rows.size, np.bool_), np.zeros(rows.size)
    for later in range(day, day + HORIZON_DAYS):
        live(state, later, desk)
    stays = np.where(desk.left, 0.0, np.exp(-desk.strain))
    grown = state.list_price(rows) >= before * (1 + THRESHOLD) * (1 - TOLERANCE)
    return 1 - stays, stays * grown


def _strata(accounts: int, count: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return exponential draws, one of each of `count` strata per account, and their weights.

    The strata are narrow where the draws are small, so that rare events are resolved too.
    """
    edges = (np.arange(count + 1) / count) ** 2
    weight = np.diff(edges)
    share = edges[:-1] + weight * rng.random((accounts, count))
    return np.asarray(-np.log1p(-share).ravel()), weight
