"""A countdown that shows: who is on the way out sinks for months, and little else matters."""

from __future__ import annotations

import numpy as np
import pandas as pd

from businesses import tables
from businesses.grid import Moment
from businesses.lives import Lives, State
from businesses.options import Floats, Options

ENTERS, SINKS, RECOVERS = 0.016, 0.6, 0.025  # chances in a step
DEEPEST = 14
PER_LEVEL = 0.42  # log rate of leaving
ROLLS, RESTS = 0.006, 0.02  # chances in a step that growth begins, and that it ends
PLANS = ("standard", "plus")


class Strong:
    """Accounts sink level by level, use less at each, and leave from the bottom."""

    name = "strong"

    def people(self, options: Options, rng: np.random.Generator) -> State:
        """Return plan, and how much each uses anyway."""
        size = options.n_accounts
        return {
            "annual": np.zeros(size),
            "plan": (rng.random(size) < 0.3).astype(float),
            "habit": rng.normal(0, 0.4, size),
        }

    def begin(self, people: State, rng: np.random.Generator) -> State:
        """Return levels as they are in a running book; new accounts begin at the top."""
        size = people["plan"].size
        depth = np.where(rng.random(size) < 0.25, rng.integers(1, 9, size), 0)
        return {
            "depth": np.where(people["start"] < 0, depth, 0).astype(float),
            "rolling": (rng.random(size) < 0.2).astype(float),
        }

    def advance(
        self, people: State, state: State, moment: Moment, rng: np.random.Generator
    ) -> State:
        """Return levels one step on."""
        depth, chance = state["depth"], rng.random(people["plan"].size)
        enters = (depth == 0) & (chance < ENTERS * (1 - 0.5 * people["plan"]))
        sinks = (depth > 0) & (chance < SINKS)
        moved = np.minimum(depth + (enters | sinks), DEEPEST)
        moved = np.where((depth > 0) & (chance > 1 - RECOVERS), 0.0, moved)
        turn = np.where(state["rolling"] > 0, RESTS, ROLLS)
        turns = rng.random(depth.size) < turn
        return {
            "depth": np.where(people["start"] < moment.day + moment.days, moved, 0.0),
            "rolling": np.where(turns, 1 - state["rolling"], state["rolling"]),
        }

    def log_rates(self, people: State, state: State, _moment: Moment) -> tuple[Floats, Floats]:
        """Return the visible part of the log rates."""
        return PER_LEVEL * state["depth"], 3.5 * state["rolling"] - 0.5 * people["plan"]

    def tables(self, lives: Lives, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
        """Return the contract's tables: use, tickets, invoices."""
        people, usage = lives.people, lives.grid.usage[:, None]
        depth = lives.states["depth"]
        price = 90.0 * (1 + people["plan"])
        daily = {
            "work": 1.2 * usage * np.exp(people["habit"] - 0.22 * depth),
            "export_page": 0.004 + 0.012 * depth,
            "workspace_created": 0.004 + 0.12 * lives.states["rolling"],
        }
        parts = []
        for name, rate in daily.items():
            _, account, day = tables.scattered(lives, tables.counts(lives, rate, rng), rng)
            event = tables.named((name,), np.zeros(day.size))
            parts.append(tables.events(lives, day, account, event))
        # Complaints come while it begins; later nobody asks any more.
        strain = 0.01 / usage * np.where((depth > 0) & (depth < 5), 4.0, 1.0)
        return {
            "accounts": tables.accounts(lives, rng),
            "subscriptions": tables.subscriptions(
                lives, price, tables.named(PLANS, people["plan"])
            ),
            "usage_events": pd.concat(parts).sort_values(
                "occurred_at", kind="stable", ignore_index=True
            ),
            "tickets": tables.tickets(lives, strain, 1.0 * (depth > 0), rng),
            "invoices": tables.invoices(lives, price, np.full(price.size, 1.8), rng),
        }
