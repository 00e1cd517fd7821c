"""A small book that reports once a week: how much, and how steadily."""

from __future__ import annotations

import numpy as np
import pandas as pd

from businesses import tables
from businesses.grid import Moment, stamps
from businesses.lives import Lives, State
from businesses.options import Floats, Options
from businesses.shapes import drifting, sigmoid
from businesses.truth import account_ids


class Weekly:
    """One amount a week; the level warns, and so does its unrest."""

    name = "weekly"

    def people(self, options: Options, rng: np.random.Generator) -> State:
        """Return price, size and the day of the week on which an account reports."""
        size = options.n_accounts
        return {
            "annual": (rng.random(size) < 0.3).astype(float),
            "dear": rng.normal(size=size),
            "habit": rng.normal(3, 0.8, size),
            "weekday": np.floor(7 * rng.random(size)) + 0.3 + 0.3 * rng.random(size),
        }

    def begin(self, people: State, rng: np.random.Generator) -> State:
        """Return states drawn from what is usual."""
        return {name: rng.normal(size=people["dear"].size) for name in ("level", "unrest")}

    def advance(
        self, _people: State, state: State, _moment: Moment, rng: np.random.Generator
    ) -> State:
        """Return states one step on."""
        return {
            "level": drifting(state["level"], 0.96, rng),
            "unrest": drifting(state["unrest"], 0.97, rng),
        }

    def log_rates(self, people: State, state: State, _moment: Moment) -> tuple[Floats, Floats]:
        """Return the visible part of the log rates."""
        leave = -0.75 * state["level"] + 0.6 * state["unrest"] + 0.35 * people["dear"]
        return leave, 0.9 * state["level"] - 0.4 * state["unrest"]

    def tables(self, lives: Lives, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
        """Return the contract's tables: one event a week, and a few tickets."""
        people, size = lives.people, lives.options.n_accounts
        price = 400.0 * np.exp(0.4 * people["dear"] + 0.2 * rng.normal(size=size))
        calm = np.zeros((lives.grid.steps, size))
        return {
            "accounts": tables.accounts(lives, rng),
            "subscriptions": tables.subscriptions(lives, price, tables.named(("one",), calm[0])),
            "usage_events": _reports(lives, rng),
            "tickets": tables.tickets(
                lives, 0.008 * np.exp(0.3 * lives.states["unrest"]), calm, rng
            ),
        }


def _reports(lives: Lives, rng: np.random.Generator) -> pd.DataFrame:
    """Return weekly reports with their amounts; some weeks are missed."""
    people, size, grid = lives.people, lives.options.n_accounts, lives.grid
    weeks = int(grid.until // 7)
    day = (7.0 * np.arange(weeks)[:, None] + people["weekday"]).ravel()
    account = np.tile(np.arange(size), weeks)
    step = np.searchsorted(grid.edges, day, "right") - 1
    level, unrest = lives.states["level"][step, account], lives.states["unrest"][step, account]
    spread = np.exp(-1.2 + 0.6 * unrest) * rng.normal(size=day.size)
    amount = grid.usage[step] * np.exp(people["habit"][account] + 0.4 * level + spread)
    missed = rng.random(day.size) < sigmoid(-2.8 - 0.7 * level)
    paid = (day > people["start"][account]) & (day < lives.ended[account])
    chosen = paid & ~missed & (day < grid.until)
    return pd.DataFrame(
        {
            "account_id": account_ids(lives, account[chosen]),
            "event": tables.named(("report",), np.zeros(int(chosen.sum()))),
            "occurred_at": stamps(day[chosen]),
            "quantity": np.round(amount[chosen], 2),
        }
    )
