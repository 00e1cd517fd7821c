"""Interval around a probability: its lower and its upper bound.

The booster is fitted again on resampled accounts, and the spread of the calibrated log-odds between
these boosters and the model is taken as a function of the score.  That is what chance in the choice
of accounts does; it says nothing of what all boosters miss alike.  On simulated worlds, where the
true probability of every row is known, the spread has to be widened by a factor to hold as many of
them as the level says (`WIDENING`, measured by ``benchmarks/intervals.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import norm

from tenure.model.calibration.losses import log_odds

Floats = NDArray[np.float64]

MEMBERS = 8
BINS = 5
FEWEST = 20  # rows of a bin
WIDENING = {"churn": 2.0, "change": 2.6, "renewal": 2.0}
"""Kind of outcome → true distance to the spread between boosters, both in log-odds."""


@dataclass(frozen=True)
class Interval:
    """Bounds around a probability that depend on the probability alone.

    Attributes:
        level: Share of the true probabilities that should lie inside.
        logits: Log-odds of the knots, rising.
        spread: Standard deviation of the log-odds at each knot; straight between them.
    """

    level: float
    logits: tuple[float, ...]
    spread: tuple[float, ...]

    @classmethod
    def fit(cls, probabilities: Floats, members: Floats, *, level: float, outcome: str) -> Self:
        """Learn the spread from the model and its refitted members on the same rows.

        Args:
            probabilities: The model's, shape (rows,).
            members: Those of boosters fitted on resampled accounts, shape (members, rows).
            level: Share of the true probabilities that should lie inside, e.g. 0.8.
            outcome: Kind of outcome of the target, a key of `WIDENING`.
        """
        middle = log_odds(probabilities)
        squares = ((log_odds(members) - middle) ** 2).mean(axis=0)
        order = np.argsort(middle, kind="stable")
        parts = np.array_split(order, max(1, min(BINS, len(order) // FEWEST)))
        factor = WIDENING[outcome]
        return cls(
            level,
            tuple(float(middle[part].mean()) for part in parts),
            tuple(float(factor * np.sqrt(squares[part].mean())) for part in parts),
        )

    def bounds(self, probabilities: Floats) -> tuple[Floats, Floats]:
        """Return the lower and the upper bound of each probability; NaN stays NaN."""
        middle = log_odds(probabilities)
        width = self._deviations * np.interp(middle, self.logits, self.spread)
        probabilities = np.asarray(probabilities, dtype=np.float64)
        lo = np.minimum(expit(middle - width), probabilities)
        return lo, np.maximum(expit(middle + width), probabilities)

    @cached_property
    def _deviations(self) -> float:
        """How many standard deviations the level lies from the middle."""
        return float(norm.ppf((1 + self.level) / 2))

    def to_json(self) -> dict[str, Any]:
        """Return level and knots."""
        return {"level": self.level, "logits": list(self.logits), "spread": list(self.spread)}

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Self:
        """Return the interval that `to_json` described."""
        return cls(float(state["level"]), tuple(state["logits"]), tuple(state["spread"]))
