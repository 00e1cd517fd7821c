"""Children of parent companies: shared slow states, and effects of region and plan together."""

from __future__ import annotations

import numpy as np
import pandas as pd

from businesses import tables
from businesses.grid import Moment
from businesses.lives import Lives, State
from businesses.options import Floats, Options
from businesses.shapes import drifting

PARENTS = 0.2  # parents per account
REGIONS = ("amer", "apac", "dach", "france", "iberia", "nordics")
PLANS = ("site", "campus", "global")
HUB_EFFECT = 0.7
SLOW, OWN = 0.985, 0.96


class Hierarchical:
    """A state of the parent moves all its children; the level of the book differs by cell."""

    name = "hierarchical"

    def people(self, options: Options, rng: np.random.Generator) -> State:
        """Return who belongs where, and the effects of where it belongs."""
        size = options.n_accounts
        weight = rng.pareto(1.5, max(2, int(PARENTS * size))) + 1
        parent = rng.choice(weight.size, size, p=weight / weight.sum())
        region = rng.integers(0, len(REGIONS), weight.size)[parent]
        plan = rng.choice(3, size, p=(0.45, 0.35, 0.2))
        hub = np.zeros(size)
        hub[np.unique(parent, return_index=True)[1]] = 1.0
        cell, region_effect = rng.normal(0, 0.45, (len(REGIONS), 3)), rng.normal(0, 0.35, 6)
        return {
            "parent": parent.astype(float),
            "region": region.astype(float),
            "plan": plan.astype(float),
            "annual": (rng.random(size) < 0.6).astype(float),
            "hub": hub,
            "cell": cell[region, plan],
            "growth_cell": region_effect[region] + 0.25 * plan,
            "habit": rng.normal(0, 0.5, size),
        }

    def begin(self, people: State, rng: np.random.Generator) -> State:
        """Return states drawn from what is usual."""
        return {"shared": _shared(people, rng), "own": rng.normal(size=people["parent"].size)}

    def advance(
        self, people: State, state: State, _moment: Moment, rng: np.random.Generator
    ) -> State:
        """Return states one step on; children of one parent move together."""
        move = np.sqrt(1 - SLOW**2) * _shared(people, rng)
        return {"shared": SLOW * state["shared"] + move, "own": drifting(state["own"], OWN, rng)}

    def log_rates(self, people: State, state: State, _moment: Moment) -> tuple[Floats, Floats]:
        """Return the visible part of the log rates."""
        shared, own = state["shared"], state["own"]
        # A child in trouble is safe while its parent is well, and the other way round.
        worst = np.maximum(-shared, 0) * np.maximum(-own, 0)
        leave = people["cell"] - 0.5 * shared - 0.3 * own + 0.5 * worst
        grow = people["growth_cell"] + 0.8 * own + 0.2 * shared
        return leave - HUB_EFFECT * people["hub"], grow + 0.5 * people["hub"]

    def tables(self, lives: Lives, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
        """Return the contract's tables: amounts used, tickets and satisfaction."""
        people, shared, own = lives.people, lives.states["shared"], lives.states["own"]
        size, usage = people["plan"].size, lives.grid.usage[:, None]
        price = 300.0 * (1 + people["plan"]) * np.exp(rng.normal(0, 0.4, size))
        use = usage * np.exp(people["habit"] + 0.35 * shared + 0.5 * own)
        step, account, day = tables.scattered(lives, tables.counts(lives, 0.5 * use, rng), rng)
        named = tables.named(("shipment",), np.zeros(day.size))
        usage_events = tables.events(lives, day, account, named)
        amount = np.exp(2 + 0.3 * own[step, account] + 0.8 * rng.normal(size=day.size))
        usage_events["quantity"] = np.round(amount, 1)
        strain = 0.012 / usage * np.exp(-0.7 * shared)
        rating = tables.Survey("csat", 1, 5, every_steps=8, share=0.45, noise=0.8)
        return {
            "accounts": tables.accounts(
                lives,
                rng,
                region=tables.named(REGIONS, people["region"]),
                parent="p" + pd.Series(people["parent"].astype(np.int64)).astype("str"),
            ),
            "subscriptions": tables.subscriptions(
                lives, price, tables.named(PLANS, people["plan"])
            ),
            "usage_events": usage_events,
            "tickets": tables.tickets(lives, strain, -shared, rng),
            "survey_responses": tables.surveys(lives, 3.7 + 0.6 * shared, rng, rating),
        }


def _shared(people: State, rng: np.random.Generator) -> Floats:
    """Draw one number for the children of each parent, in each drawn future apart."""
    parent, future = people["parent"].astype(np.int64), people["future"].astype(np.int64)
    drawn = rng.normal(size=(parent.max() + 1, future.max() + 1))
    return np.asarray(drawn[parent, future])
