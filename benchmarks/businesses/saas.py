"""A plain B2B product: usage, tickets, surveys and invoices of independent accounts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from businesses import tables
from businesses.grid import Moment
from businesses.lives import Lives, State
from businesses.options import Floats, Options
from businesses.shapes import drifting, sigmoid

EVENTS = ("session", "document", "export", "invite")
PLANS = ("basic", "pro", "max")
SEGMENTS = ("smb", "mid", "enterprise")


class Saas:
    """Engagement, friction and growth drift; risk bends where engagement has gone."""

    name = "saas"

    def people(self, options: Options, rng: np.random.Generator) -> State:
        """Return size, plan, term, habit of paying, and how much each uses anyway."""
        size = options.n_accounts
        segment = rng.choice(3, size, p=(0.5, 0.35, 0.15)).astype(float)
        return {
            "segment": segment,
            "plan": np.clip(np.floor(segment + rng.normal(0.3, 0.8, size)), 0, 2),
            "annual": (rng.random(size) < 0.25 + 0.2 * segment).astype(float),
            "seats": np.ceil(np.exp(rng.normal(1.6 + segment, 0.5))),
            "late": rng.normal(size=size),
            "habit": rng.normal(0, 0.6, size),
        }

    def begin(self, people: State, rng: np.random.Generator) -> State:
        """Return states drawn from what is usual."""
        return {name: rng.normal(size=people["plan"].size) for name in ("use", "trouble", "growth")}

    def advance(
        self, _people: State, state: State, _moment: Moment, rng: np.random.Generator
    ) -> State:
        """Return states one step on."""
        return {
            "use": drifting(state["use"], 0.95, rng),
            "trouble": drifting(state["trouble"], 0.86, rng),
            "growth": drifting(state["growth"], 0.97, rng),
        }

    def log_rates(self, people: State, state: State, moment: Moment) -> tuple[Floats, Floats]:
        """Return the visible part of the log rates."""
        use, trouble = state["use"], state["trouble"]
        age = np.clip(moment.day - people["start"], 0, None)
        leave = (
            -0.55 * use
            + 0.9 * sigmoid(-4 * (use + 1.2))
            + 0.45 * np.clip(trouble, 0, None) * (1 + 0.6 * (use < 0))
            + 0.30 * people["late"]
            + 0.45 * (people["plan"] == 0)
            - 0.35 * (people["segment"] == 2)
            + 0.8 * np.exp(-age / 120)
        )
        grow = 0.9 * state["growth"] + 0.35 * use - 0.5 * (people["plan"] == 2)
        return leave, grow - 0.3 * (age > 500)

    def tables(self, lives: Lives, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
        """Return the contract's tables."""
        people, price = lives.people, 20.0 * lives.people["seats"] * (1 + lives.people["plan"])
        trouble, usage = lives.states["trouble"], lives.grid.usage[:, None]
        score = 7.2 + 1.0 * lives.states["use"] - 0.7 * trouble
        strain = 0.018 / usage * np.exp(0.7 * trouble + 0.15 * people["segment"])
        plan = tables.named(PLANS, people["plan"])
        return {
            "accounts": tables.accounts(
                lives, rng, segment=tables.named(SEGMENTS, people["segment"])
            ),
            "subscriptions": tables.subscriptions(lives, price, plan, people["seats"]),
            "usage_events": _usage(lives, rng),
            "tickets": tables.tickets(lives, strain, trouble, rng),
            "survey_responses": tables.surveys(lives, score, rng),
            "invoices": tables.invoices(lives, price, 1.9 + 0.35 * people["late"], rng),
            "touchpoints": tables.touchpoints(
                lives, tables.by_step(lives, np.full(price.size, 0.02)), rng
            ),
        }


def _usage(lives: Lives, rng: np.random.Generator) -> pd.DataFrame:
    """Return usage: how often follows engagement, by how many users follows growth."""
    people, use, growth = lives.people, lives.states["use"], lives.states["growth"]
    level = lives.grid.usage[:, None] * np.exp(people["habit"] + 0.25 * people["segment"])
    daily = (
        0.45 * level * np.exp(0.6 * use),
        0.25 * level * np.exp(0.7 * use),
        0.06 * level * np.exp(0.25 * use + 0.1 * people["plan"]),
        0.08 * level * np.exp(0.9 * growth),
    )
    parts = []
    for kind, rate in enumerate(daily):
        step, account, day = tables.scattered(lives, tables.counts(lives, rate, rng), rng)
        breadth = people["seats"][account] * sigmoid(0.3 + 0.6 * growth[step, account])
        user = np.floor(rng.random(day.size) ** 1.5 * np.maximum(breadth, 1)).astype(np.int64)
        frame = tables.events(lives, day, account, tables.named(EVENTS, np.full(day.size, kind)))
        frame["user_id"] = frame["account_id"] + "-" + pd.Series(user).astype("str")
        parts.append(frame)
    return pd.concat(parts).sort_values("occurred_at", kind="stable", ignore_index=True)
