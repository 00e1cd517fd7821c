"""The truth of the demo world: its true probabilities, and what became of its accounts.

Every rate of the simulation follows from quantities that the tables show (users, pace and kinds
in use only through counts of events), and what is left of an account's patience is exponential,
hence without memory.  So the future given the past is drawn by copying the state of an account,
redrawing its patience, and living on.  Voluntary churn is not drawn along a path: its rate is
summed up, which gives the chance of it exactly.  The patience before expanding is drawn in
strata.  Both make the estimate far more precise than independent draws of the outcome.

The outcomes are a slow restatement of the contract's churn and expansion in plain pandas.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from tenure.core.arrays import Flags, Floats, Ints
from tenure.demo import tables
from tenure.demo.calendar import START, Calendar, as_times
from tenure.demo.contracts import GAP_DAYS, Desk
from tenure.demo.log import Log
from tenure.demo.parameters import CONTRACTS, NEVER
from tenure.demo.state import PAID, State
from tenure.demo.world import World, live

HORIZON_DAYS = 90
THRESHOLD = 0.1
TOLERANCE = 1e-9
BLOCK = 16_384
GAP = pd.Timedelta(days=GAP_DAYS)
HORIZON = pd.Timedelta(days=HORIZON_DAYS)


@dataclass(frozen=True, slots=True)
class Replay:
    """How the future is drawn.

    Attributes:
        count: Replays of each account and prediction time.
        first_month: First prediction time, in months from the start of the world.
    """

    count: int = 32
    first_month: int = 1


class NoLog(Log):
    """A log of days whose tables nobody needs."""

    def add(self, table: str, **columns: Any) -> None:
        """Write nothing."""


@dataclass
class ReplayDesk(Desk):
    """The desk of a replay: the rate of leaving is summed up, and nobody then acts on it.

    Attributes:
        left: Per row, whether it has decided to leave for good, or for longer than the gap.
        strain: Per row, the rate of deciding so, summed up.
    """

    left: Flags
    strain: Floats

    def tire(self, state: State, rows: Ints, amount: Floats, *, returns_soon: float) -> Flags:
        """Let those who leave and are back within the gap do so; sum up the rate of the others."""
        back = CONTRACTS.returns * returns_soon
        self.strain[rows] += (1 - back) * amount
        leaves = self.spend(state.stay, rows, back * amount)
        self.decide(state, rows[leaves], 1.0, 1.0)
        return leaves

    def decide(self, state: State, rows: Ints, returns: float, soon: float) -> None:
        """Draw who comes back when, and mark those who leave for good."""
        super().decide(state, rows, returns, soon)
        self.left[rows[state.comeback[rows] >= GAP_DAYS]] = True


def write_oracle(
    out: Path,
    *,
    accounts: int = 1500,
    months: int = 42,
    seed: int = 0,
    replay: Replay | None = None,
) -> Path:
    """Write ``oracle.parquet``: the true probabilities of the world of the same arguments.

    Columns are account_id, as_of (first of the month, the end of the world included), target
    (churn, expansion), horizon_days and probability, for every account that is paying and has
    not given notice.

    Args:
        out: Folder, made if missing.
        accounts: As for `write_world`.
        months: As for `write_world`.
        seed: As for `write_world`.
        replay: How many futures are drawn, and from which month on.

    Returns:
        The path of the file.

    Raises:
        ValueError: If there are too few accounts or months to simulate.
    """
    probabilities = true_probabilities(World.build(accounts, months, seed), replay or Replay())
    content = {
        "account_id": tables.account_ids(probabilities["account"].to_numpy()),
        "as_of": tables.values(probabilities["as_of"].to_numpy()),
        "target": pa.array(probabilities["target"].to_numpy(), pa.string()),
        "horizon_days": pa.array(np.full(len(probabilities), HORIZON_DAYS)),
        "probability": pa.array(probabilities["probability"].to_numpy()),
    }
    tables.write(Path(out), "oracle", tables.table(content))
    return Path(out) / "oracle.parquet"


def true_probabilities(world: World, replay: Replay) -> pd.DataFrame:
    """Return account number, as_of, target and probability.

    Args:
        world: A world before its first day; it is lived through.
        replay: How the future is drawn.

    Returns:
        One row per account that is paying and has not given notice, first of the month and
        target, ordered by as_of, target and account.
    """
    firsts = set(_first_days(world.calendar)[replay.first_month - 1 :].tolist())
    pieces = []
    for day in world.days(NoLog()):
        if day in firsts:
            state = world.state
            rows = np.flatnonzero((state.status == PAID) & (state.notice == NEVER))
            chances = _replays(world, rows, day, replay.count)
            for target, probability in zip(("churn", "expansion"), chances, strict=True):
                piece = {"account": state.account[rows], "as_of": as_times(np.full(rows.size, day))}
                pieces.append(pd.DataFrame({**piece, "target": target, "probability": probability}))
    return pd.concat(pieces, ignore_index=True)


def _first_days(calendar: Calendar) -> Ints:
    """Return the day numbers of each first of the month, the end of the world included."""
    firsts = (START.astype("M8[M]") + np.arange(1, calendar.months + 1)).astype("M8[D]")
    return np.asarray((firsts - START).astype(np.int64))


def _replays(world: World, rows: Ints, day: int, count: int) -> tuple[Floats, Floats]:
    """Return the probabilities of churn and of expansion of rows, by `count` replays of each."""
    block, rng = max(1, BLOCK // count), world.others[1]
    chances = [(np.zeros(0), np.zeros(0))]
    for start in range(0, rows.size, block):
        part = rows[start : start + block]
        future = world.state.take(np.repeat(part, count))
        future.stay = rng.exponential(size=future.account.size)
        future.hold, weight = _strata(part.size, count, rng)
        left, grown = _chances(future, day, world.calendar, rng)
        chances.append((left.reshape(-1, count) @ weight, grown.reshape(-1, count) @ weight))
    left, grown = (np.concatenate(pieces) for pieces in zip(*chances, strict=True))
    return left, grown


def _chances(
    state: State, day: int, calendar: Calendar, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Live on for the horizon; return the chances of churn and of expansion along each path."""
    rows = np.arange(state.account.size)
    before = state.list_price(rows)
    desk = ReplayDesk(calendar, rng, NoLog(), np.zeros(rows.size, np.bool_), np.zeros(rows.size))
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


def read_outcomes(folder: Path, observed_until: pd.Timestamp) -> pd.DataFrame:
    """Return account_id, as_of, mrr and churn and expansion, null where not yet known.

    Args:
        folder: Where `write_world` has put the tables.
        observed_until: First moment that is not observed.

    Returns:
        One row per account that is paying and has not given notice, and first of the month.
    """
    rows = pd.read_parquet(Path(folder) / "subscriptions.parquet")
    paid = _with_spells(rows[(rows["mrr"] > 0) & (rows["status"] == "active")])
    begin = rows["started_at"].min().normalize() + pd.offsets.MonthBegin()
    pieces = [_at(paid, as_of) for as_of in pd.date_range(begin, observed_until, freq="MS")]
    outcomes = pd.concat(pieces, ignore_index=True)
    late_churn = outcomes["as_of"] + HORIZON + GAP > observed_until
    late_growth = outcomes["as_of"] + HORIZON > observed_until
    outcomes["churn"] = outcomes["churn"].astype(float).mask(late_churn)
    outcomes["expansion"] = outcomes["expansion"].astype(float).mask(late_growth)
    return outcomes


def _with_spells(paid: pd.DataFrame) -> pd.DataFrame:
    """Add the number of the spell, its end and the time of the decision to end it."""
    paid = paid.sort_values(["account_id", "started_at", "subscription_id"])
    paid["end"] = paid["ended_at"].fillna(pd.Timestamp.max.floor("us"))
    reached = paid.groupby("account_id")["end"].cummax().groupby(paid["account_id"]).shift()
    broken = (paid["started_at"] - reached >= GAP) | reached.isna()
    paid["spell"] = broken.cumsum()
    paid["spell_end"] = paid.groupby("spell")["end"].transform("max")
    last = paid[paid["end"] == paid["spell_end"]]
    decided = last["notice_at"].fillna(last["ended_at"]).groupby(last["spell"]).min()
    return paid.assign(decided_at=paid["spell"].map(decided))


def _at(paid: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    running = paid[_runs(paid, as_of)]
    noticed = running["notice_at"] < as_of
    book = running.groupby("account_id").agg(
        mrr=("mrr", "sum"),
        list_mrr=("list_mrr", "sum"),
        spell=("spell", "first"),
        decided_at=("decided_at", "first"),
        spell_end=("spell_end", "first"),
    )
    book = book[~book.index.isin(running.loc[noticed, "account_id"])]
    later = as_of + HORIZON
    churn = (book["decided_at"] >= as_of) & (book["decided_at"] < later)
    after = book["spell"].map(_list_at(paid, later))
    grown = after >= book["list_mrr"] * (1 + THRESHOLD) * (1 - TOLERANCE)
    return pd.DataFrame(
        {
            "account_id": book.index,
            "as_of": as_of,
            "mrr": book["mrr"].to_numpy(),
            "churn": churn.to_numpy(),
            "expansion": (grown & ~churn & (book["spell_end"] >= later)).to_numpy(),
        }
    )


def _list_at(paid: pd.DataFrame, moment: pd.Timestamp) -> pd.Series:
    """Return the list MRR of each spell at a moment; in an interruption, what it was before."""
    begun = paid[paid["started_at"] < moment]
    reach = begun["end"].mask(begun["end"] > moment, moment)
    last = reach.groupby(begun["spell"]).transform("max")
    return begun[np.asarray(reach == last)].groupby("spell")["list_mrr"].sum()


def _runs(paid: pd.DataFrame, moment: pd.Timestamp) -> pd.Series:
    return (paid["started_at"] < moment) & (paid["end"] >= moment)
