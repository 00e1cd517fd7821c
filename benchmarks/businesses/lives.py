"""The lives of accounts: states that move, rates that follow from them, and what then happens.

A business says who its accounts are, how their states move and how high the logarithms of the
rates are in a state; states do not depend on what happens to an account, so that the same rates
decide its life and, averaged over drawn futures, its true probabilities.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from businesses.grid import Grid, Moment, month_days
from businesses.options import Flags, Floats, Ints, Options

if TYPE_CHECKING:
    import pandas as pd

State = dict[str, Floats]
TERM = 365.0
NEAR_RENEWAL = 60.0
FAR_WEIGHT, NEAR_WEIGHT = 0.4, 3.0  # on the rate of deciding to leave, for annual terms
OLD_SHARE = 0.55  # accounts that paid before the history begins
WARM_MONTHS = 3  # left out when the level is set
MAIN_DAYS = 90


class Business(Protocol):
    """One kind of business."""

    @property
    def name(self) -> str:
        """Its name."""

    def people(self, options: Options, rng: np.random.Generator, /) -> State:
        """Return what stays as it is, by account; ``annual`` says who has yearly terms."""

    def begin(self, people: State, rng: np.random.Generator, /) -> State:
        """Return the states in which accounts begin."""

    def advance(
        self, people: State, state: State, moment: Moment, rng: np.random.Generator, /
    ) -> State:
        """Return the states after a step."""

    def log_rates(self, people: State, state: State, moment: Moment, /) -> tuple[Floats, Floats]:
        """Return the visible part of the log rates of leaving and of expansion, up to a level."""

    def tables(self, lives: Lives, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
        """Return the contract's tables, as observed at the end of the history."""


@dataclass(frozen=True, slots=True)
class Rates:
    """How the log rates of a business become daily rates.

    Attributes:
        options: Options of the world.
        churn: Daily rate of leaving at a log rate of 0.
        expansion: Daily rate of expansion at a log rate of 0.
    """

    options: Options
    churn: float = 1.0
    expansion: float = 1.0

    def daily(
        self, business: Business, people: State, state: State, moment: Moment
    ) -> tuple[Floats, Floats]:
        """Return the daily rates of leaving, without the level of a shock, and of expansion."""
        leave, expand = business.log_rates(people, state, moment)
        signal = self.options.signal
        churn = self.churn * np.exp(signal * leave + people["hidden"])
        left = (people["start"] - moment.day - moment.days / 2) % TERM
        weight = np.where(left < NEAR_RENEWAL, NEAR_WEIGHT, FAR_WEIGHT)
        churn = churn * np.where(people["annual"] > 0, weight, 1.0)
        return churn, self.expansion * np.exp(signal * expand + people["hidden_growth"])


@dataclass(frozen=True)
class Lives:
    """What happened to every account.

    Attributes:
        options: Options of the world.
        grid: The steps.
        rates: How log rates become rates.
        people: What stays, by account; ``start`` is the day on which its paid time begins.
        states: States by step and account.
        churn_rate: Daily rate of leaving, the shock included, by step and account.
        expansion_rate: Daily rate of expansion, likewise.
        decided: Day on which the account decides to leave; infinite where it does not.
        ended: Day on which it ends: the day it decides, or the end of its yearly term.
        rises: Account, day and factor of every rise of MRR, by account and day.
    """

    options: Options
    grid: Grid
    rates: Rates
    people: State
    states: State
    churn_rate: Floats
    expansion_rate: Floats
    decided: Floats
    ended: Floats
    rises: tuple[Ints, Floats, Floats]

    def paying(self, day: float) -> Flags:
        """Return who pays at a day and has not decided to leave."""
        return np.asarray((self.people["start"] < day) & (self.decided >= day))


def live(business: Business, options: Options) -> Lives:
    """Simulate a business.

    Raises:
        ValueError: If there are too few accounts or months to simulate.
    """
    if options.n_accounts < 20 or options.months < 6:
        raise ValueError(
            "a world needs at least 20 accounts and 6 months"
            f" (here: {options.n_accounts} accounts, {options.months} months)"
        )
    grid = Grid.of(options)
    people = _people(business, options, grid)
    states, relative = _run(business, options, grid, people)
    exposed = _exposure(grid, people["start"])
    patience = options.rng("patience").exponential(size=options.n_accounts)
    quiet, growth = (rate * exposed for rate in relative)
    rates = _levels(options, grid, people, patience, (quiet, growth))
    leaving = rates.churn * quiet * grid.levels[:, None]
    decided = _crossing(grid, leaving, exposed, patience)
    chance = rates.expansion * growth
    return Lives(
        options=options,
        grid=grid,
        rates=rates,
        people=people,
        states=states,
        churn_rate=rates.churn * relative[0] * grid.levels[:, None],
        expansion_rate=rates.expansion * relative[1],
        decided=decided,
        ended=_ends(people, decided),
        rises=_rises(grid, chance, people["start"], decided, options.rng("rises")),
    )


def _people(business: Business, options: Options, grid: Grid) -> State:
    rng, size = options.rng("accounts"), options.n_accounts
    old = np.arange(size) < OLD_SHARE * size
    before = -np.minimum(rng.exponential(400.0, size), 1_000.0) - 1.0
    hidden = options.hidden_sd * rng.normal(size=(2, size))
    people = {
        "future": np.zeros(size),
        "start": np.where(old, before, rng.random(size) * (grid.until - 10.0)),
        "hidden": hidden[0],
        "hidden_growth": hidden[1],
    }
    return people | business.people(options, options.rng("people"))


def _run(
    business: Business, options: Options, grid: Grid, people: State
) -> tuple[State, tuple[Floats, Floats]]:
    """Return the states and the relative daily rates, by step and account."""
    rng, unit = options.rng("states"), Rates(options)
    state = business.begin(people, rng)
    shape = (grid.steps, options.n_accounts)
    history = {name: np.empty(shape, np.float32) for name in state}
    leaving, growing = np.empty(shape), np.empty(shape)
    for step in range(grid.steps):
        moment = grid.moment(step)
        for name, values in state.items():
            history[name][step] = values
        leaving[step], growing[step] = unit.daily(business, people, state, moment)
        state = business.advance(people, state, moment, rng)
    return {name: np.asarray(values) for name, values in history.items()}, (leaving, growing)


def _exposure(grid: Grid, start: Floats) -> Floats:
    """Return the days of each step that lie in an account's paid time."""
    begin, end = grid.edges[:-1, None], grid.edges[1:, None]
    return np.asarray(np.clip(end - np.maximum(begin, start), 0.0, None))


def _levels(
    options: Options,
    grid: Grid,
    people: State,
    patience: Floats,
    hazards: tuple[Floats, Floats],
) -> Rates:
    """Return the levels at which the book has its base rates where no shock moves it."""
    months = np.arange(min(WARM_MONTHS, options.months - 3), options.months)
    days = month_days(months)
    sums, ahead = zip(*(_windows(grid, hazard, days) for hazard in hazards), strict=True)
    old = people["start"] < days[:, None]

    def leaves(scale: float) -> float:
        alive = old & (scale * sums[0] < patience)
        return float((1 - np.exp(-scale * ahead[0]))[alive].mean()) if alive.any() else 1.0

    churn = _solved(options.base_rate, leaves)
    alive = old & (churn * sums[0] < patience)
    stays = np.exp(-churn * ahead[0])[alive]

    def grows(scale: float) -> float:
        return float((stays * (1 - np.exp(-scale * ahead[1][alive]))).mean())

    return Rates(options, churn, _solved(options.expansion_rate, grows))


def _solved(rate: float, share: Callable[[float], float]) -> float:
    """Return the scale at which a share that rises with it reaches a rate."""
    low, high = -25.0, 5.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if share(float(np.exp(middle))) < rate else (low, middle)
    return float(np.exp((low + high) / 2))


def _windows(grid: Grid, hazard: Floats, days: Floats) -> tuple[Floats, Floats]:
    """Return the hazard summed to each day, and from it over the main horizon."""
    total = np.vstack([np.zeros(hazard.shape[1]), np.cumsum(hazard, axis=0)])

    def at(day: Floats) -> Floats:
        step = np.clip(np.searchsorted(grid.edges, day, "right") - 1, 0, grid.steps - 1)
        share = (day - grid.edges[step]) / np.diff(grid.edges)[step]
        return np.asarray(total[step] + share[:, None] * hazard[step])

    begin = at(days)
    return begin, at(days + MAIN_DAYS) - begin


def _crossing(grid: Grid, hazard: Floats, exposed: Floats, patience: Floats) -> Floats:
    """Return the day on which the summed hazard of an account reaches its patience."""
    total = np.cumsum(hazard, axis=0)
    step = np.minimum((total < patience).sum(axis=0), grid.steps - 1)
    every = np.arange(patience.size)
    over = (total[step, every] - patience) / np.maximum(hazard[step, every], 1e-300)
    day = grid.edges[step + 1] - over * exposed[step, every]
    return np.where(total[-1] >= patience, day, np.inf)


def _ends(people: State, decided: Floats) -> Floats:
    """Return when accounts end: yearly terms run on to their end."""
    start = people["start"]
    terms = np.ceil((np.where(np.isfinite(decided), decided, 0.0) - start) / TERM)
    term_end = start + TERM * np.maximum(terms, 1.0)
    return np.where((people["annual"] > 0) & np.isfinite(decided), term_end, decided)


def _rises(
    grid: Grid, hazard: Floats, start: Floats, decided: Floats, rng: np.random.Generator
) -> tuple[Ints, Floats, Floats]:
    """Return account, day and factor of the rises of MRR: at most one in a step."""
    step, account = np.nonzero(rng.random(hazard.shape) < 1 - np.exp(-hazard))
    begin = np.maximum(grid.edges[step], start[account])
    day = begin + rng.random(step.size) * (grid.edges[step + 1] - begin)
    factor = 1.12 + 0.5 * rng.beta(1.2, 2.5, step.size)
    real = (day < decided[account]) & (day > start[account] + 1.0)
    order = np.lexsort((day[real], account[real]))
    return account[real][order], day[real][order], factor[real][order]
