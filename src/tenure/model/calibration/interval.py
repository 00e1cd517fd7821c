"""Interval around a probability: its lower and its upper bound.

How far the true log-odds of a row may lie from the model's is a variance of three parts.

* What the boosters miss: the more, the further boosters and calibrators of resampled accounts lie
  apart, the more the model tells accounts apart, and the more these boosters agree on who stands
  above whom.  A model of a strong signal misses more of it than chance in the choice of accounts
  shows.  It is more for an account unlike those it learnt from
  (`tenure.model.calibration.usual`).
* What no column shows: effects of accounts that outcomes betray
  (`tenure.model.calibration.account_effects`).
* How far the level of all accounts may have moved (`tenure.model.calibration.level`).

`MISSED`, `POWER`, `RATE`, `UNLIKE` and `HIDDEN` weigh the parts.  They were chosen on simulated
worlds of several makers, where the true probability of every row is known.
``benchmarks/intervals_fit.py`` fits them on such worlds, all but `RATE` and `UNLIKE`, and holds
each maker out in turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import norm

from tenure.core.arrays import Floats
from tenure.model.calibration.losses import log_odds
from tenure.model.calibration.usual import UsualValues

Matrix = NDArray[np.floating[Any]]

MEMBERS = 8
MISSED, POWER, RATE = 6.8, 1.25, 0.3
"""Variance that the boosters miss, over powers of strength × spread × agreement and of the rate."""
UNLIKE = 5.0
"""How many times as much they miss more of a row of which every value is unusual; one of which a
tenth is unusual has half as much variance again."""
HIDDEN = 7.0
"""Variance from effects of accounts, over the variance that outcomes are expected to have."""


@dataclass(frozen=True)
class Interval:
    """Bounds around a probability, in log-odds."""

    level: float
    """Share of the true probabilities that should lie inside."""
    missed: float
    """Variance that the boosters miss of a usual row."""
    hidden: float
    """Variance from effects of accounts that no column shows."""
    drift: float
    """Variance of the level of all accounts."""
    usual: UsualValues
    """The usual values of the columns."""

    @classmethod
    def fit(
        cls,
        middle: Floats,
        members: Floats,
        usual: UsualValues,
        *,
        level: float,
        hidden: float,
        drift: float,
    ) -> Self:
        """Learn how wide bounds are from the model and its refitted members on the same rows.

        `middle` are log-odds of the model, shape (rows,); `members` those of boosters and
        calibrators fitted on resampled accounts, shape (members, rows).  Bounds should hold the
        share `level` of the true probabilities, e.g. 0.8; `hidden` is the variance of effects of
        accounts, as their outcomes show it, and `drift` the standard deviation of the level of all
        accounts.
        """
        vary = members[members.std(axis=1) > 0]
        count = len(vary)
        apart = np.corrcoef(vary).sum() - count if count > 1 else 0.0
        agreement = max(apart / (count * (count - 1)), 0.0) if count > 1 else 0.0
        spread = np.sqrt(((members - middle) ** 2).mean())
        missed = MISSED * float(np.std(middle) * spread * agreement) ** POWER
        missed *= float(expit(middle).mean()) ** RATE
        return cls(level, missed, HIDDEN * hidden, drift**2, usual)

    def bounds(self, probabilities: Floats, matrix: Matrix) -> tuple[Floats, Floats]:
        """Return the lower and the upper bound of each probability; NaN stays NaN.

        A probability is the mean over what it may truly be; in log-odds the middle of that lies
        further from a half.

        `probabilities` have the shape (rows,), the encoded columns of the same rows (rows,
        columns).
        """
        probabilities = np.asarray(probabilities, dtype=np.float64)
        missed = self.missed * (1 + UNLIKE * self.usual.unusual(matrix))
        variance = missed + self.hidden + self.drift
        middle = log_odds(probabilities) * np.sqrt(1 + np.pi / 8 * variance)
        width = self._deviations * np.sqrt(variance)
        lo = np.minimum(expit(middle - width), probabilities)
        return lo, np.maximum(expit(middle + width), probabilities)

    @cached_property
    def _deviations(self) -> float:
        """How many standard deviations the level lies from the middle."""
        return float(norm.ppf((1 + self.level) / 2))

    def to_json(self) -> dict[str, Any]:
        """Return the level, the variances and the usual values."""
        return asdict(self) | {"usual": self.usual.to_json()}

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Self:
        """Return the interval that `to_json` described."""
        return cls(**(dict(state) | {"usual": UsualValues.from_json(state["usual"])}))
