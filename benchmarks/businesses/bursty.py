"""Use and tickets that excite themselves: risk lies in bursts, and in the silence after them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from businesses import tables
from businesses.grid import Moment, stamps
from businesses.lives import Lives, State
from businesses.options import Floats, Options
from businesses.shapes import drifting
from businesses.truth import account_ids

DECAY, BRANCHING = 0.6, 0.6  # of use: what remains after a step, and followers of one use
TICKET_DECAY, TICKET_BRANCHING = 0.9, 0.75
BURST = 6.0  # mean uses with which a burst begins
PULSE_KEPT, PULSE_SD = 0.975, 1.0  # of the slow logarithm of how often bursts begin
USUAL_DAYS, USUAL_PACE = 7.6, 0.05
USUAL_HEAT = USUAL_PACE * USUAL_DAYS * BURST / (1 - BRANCHING) / (1 - DECAY)
WARM_STEPS = 60
PER_SESSION = 0.7  # chance that a session ends after an event
PLANS = ("starter", "studio")


class Bursty:
    """Hawkes processes in steps; what has just been counted moves both use and risk."""

    name = "bursty"

    def people(self, options: Options, rng: np.random.Generator) -> State:
        """Return how often each account uses and complains of itself."""
        size = options.n_accounts
        return {
            "annual": np.zeros(size),
            "plan": (rng.random(size) < 0.4).astype(float),
            "pace": np.exp(rng.normal(np.log(USUAL_PACE), 0.4, size)),
            "complains": np.exp(rng.normal(np.log(0.005), 0.5, size)),
        }

    def begin(self, people: State, rng: np.random.Generator) -> State:
        """Return states after a while of living."""
        names = ("pulse", "heat", "anger", "peak", "quiet", "run", "used", "opened")
        state: State = {name: np.zeros(people["pace"].size) for name in names}
        for _ in range(WARM_STEPS):
            state = self.advance(people, state, Moment(0, 0.0, USUAL_DAYS, 1.0, 1.0), rng)
        return state

    def advance(
        self, people: State, state: State, moment: Moment, rng: np.random.Generator
    ) -> State:
        """Return states one step on, with what was counted in the step."""
        days, usage, heat = moment.days, moment.usage, state["heat"]
        bursts = rng.poisson(days * usage * people["pace"] * np.exp(PULSE_SD * state["pulse"]))
        some, begun = bursts > 0, bursts.copy()
        begun[some] += rng.negative_binomial(bursts[some], 1 / BURST)
        followed = rng.poisson(usage * BRANCHING * (1 - DECAY) * days / USUAL_DAYS * heat)
        used = np.minimum(begun + followed, 400).astype(float)
        upset = TICKET_BRANCHING * (1 - TICKET_DECAY) / USUAL_DAYS * state["anger"]
        calm = people["complains"] * (1 + 0.15 * np.log1p(heat)) / usage
        opened = rng.poisson(np.minimum(days * (calm + upset), 50)).astype(float)
        heat = DECAY * heat + used
        return {
            "pulse": drifting(state["pulse"], PULSE_KEPT, rng),
            "heat": heat,
            "anger": TICKET_DECAY * state["anger"] + opened,
            "peak": np.maximum(0.96 * state["peak"], heat),
            "quiet": np.where(used > 0, 0.0, state["quiet"] + 1),
            "run": np.where(heat > USUAL_HEAT, state["run"] + 1, 0.0),
            "used": used,
            "opened": opened,
        }

    def log_rates(self, people: State, state: State, _moment: Moment) -> tuple[Floats, Floats]:
        """Return the visible part of the log rates."""
        # Silence says more of those who were loud.
        silence = np.minimum(state["quiet"], 6) * np.log1p(state["peak"]) / 4
        fall = np.clip(np.log1p(state["peak"]) - np.log1p(state["heat"]), 0, 3)
        leave = 0.65 * silence + 1.1 * np.log1p(state["anger"]) + 0.3 * fall**2
        grow = 0.35 * np.minimum(state["run"], 6) + 0.4 * np.tanh(state["heat"] / USUAL_HEAT - 1)
        return leave, grow + 0.4 * (people["plan"] == 0)

    def tables(self, lives: Lives, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
        """Return the contract's tables: sessions of events, and tickets."""
        people = lives.people
        price = np.where(people["plan"] > 0, 180.0, 60.0)
        _, account, day = tables.scattered(lives, lives.states["opened"][1:], rng)
        tickets = {
            "ticket_id": tables.numbered("t", day.size),
            "account_id": account_ids(lives, account),
            "opened_at": stamps(day),
        }
        solved = day + np.exp(0.5 * rng.normal(size=day.size))
        tickets["resolved_at"] = stamps(np.where(solved < lives.grid.until, solved, np.inf))
        return {
            "accounts": tables.accounts(lives, rng),
            "subscriptions": tables.subscriptions(
                lives, price, tables.named(PLANS, people["plan"])
            ),
            "usage_events": _sessions(lives, rng),
            "tickets": pd.DataFrame(tickets),
        }


def _sessions(lives: Lives, rng: np.random.Generator) -> pd.DataFrame:
    """Return the events of sessions, minutes apart."""
    _, account, day = tables.scattered(lives, lives.states["used"][1:], rng)
    length = rng.geometric(PER_SESSION, day.size)
    account, day = np.repeat(account, length), np.repeat(day, length)
    day = day + rng.exponential(0.004, day.size)
    real = (day < lives.ended[account]) & (day < lives.grid.until)
    order = np.argsort(day[real], kind="stable")
    account, day = account[real][order], day[real][order]
    kind = rng.choice(3, day.size, p=(0.6, 0.3, 0.1))
    return tables.events(lives, day, account, tables.named(("render", "upload", "share"), kind))
