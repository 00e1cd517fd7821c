"""A large book of which only contracts and answers are known: levels and no trends."""

from __future__ import annotations

import numpy as np
import pandas as pd

from businesses import tables
from businesses.grid import Moment
from businesses.lives import Lives, State
from businesses.options import Floats, Options

PLANS = ("mobile", "home", "bundle")
SEGMENTS = ("private", "trade")
RATING = tables.Survey("csat", 1, 5, every_steps=10, share=0.35, noise=0.9)
WORD = tables.Survey("nps", 0, 10, every_steps=24, share=0.3, noise=1.5)


class SurveysOnly:
    """Customers are content or not, once and for all, and are asked now and then."""

    name = "surveys_only"

    def people(self, options: Options, rng: np.random.Generator) -> State:
        """Return how content each is with two things, its plan and its price."""
        size = options.n_accounts
        return {
            "annual": (rng.random(size) < 0.35).astype(float),
            "plan": rng.choice(3, size, p=(0.5, 0.3, 0.2)).astype(float),
            "trade": (rng.random(size) < 0.2).astype(float),
            "service": rng.normal(size=size),
            "value": rng.normal(size=size),
            "price": np.round(np.exp(rng.normal(3.2, 0.3, size))),
        }

    def begin(self, _people: State, _rng: np.random.Generator) -> State:
        """Return no states: nothing moves."""
        return {}

    def advance(
        self, _people: State, _state: State, _moment: Moment, _rng: np.random.Generator
    ) -> State:
        """Return no states."""
        return {}

    def log_rates(self, people: State, _state: State, moment: Moment) -> tuple[Floats, Floats]:
        """Return the visible part of the log rates."""
        years = np.clip(moment.day - people["start"], 0, None) / 365
        service, value = people["service"], people["value"]
        # Only the discontented react to the price.
        leave = (
            -0.65 * service
            - 0.35 * value
            + 0.5 * (value < -0.5) * np.log(people["price"] / 25)
            - 0.45 * np.log1p(years)
            - 0.5 * (people["plan"] == 2)
            + 0.3 * people["trade"]
        )
        return leave, 0.7 * value + 0.6 * (people["plan"] == 0) - 0.3 * np.log1p(years)

    def tables(self, lives: Lives, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
        """Return accounts, subscriptions and answers."""
        people = lives.people
        service = tables.by_step(lives, 3.6 + 0.7 * people["service"])
        value = tables.by_step(lives, 7.0 + 0.6 * people["service"] + 1.4 * people["value"])
        answers = [
            tables.surveys(lives, service, rng, RATING),
            tables.surveys(lives, value, rng, WORD),
        ]
        segment = tables.named(SEGMENTS, people["trade"])
        return {
            "accounts": tables.accounts(lives, rng, segment=segment),
            "subscriptions": tables.subscriptions(
                lives, people["price"], tables.named(PLANS, people["plan"])
            ),
            "survey_responses": pd.concat(answers, ignore_index=True),
        }
