"""The level: how far the rate of all accounts stands above what a model expects, month by month.

A release that annoys everybody or a change of the market moves the log-odds of all accounts at
once.  Part of such a shock is gone before its outcomes are known.  So the level is a random effect
of time that returns to its mean: an autoregressive process, observed through the outcomes of short
windows, which are known early and do not overlap.  How large the shocks are and how fast they pass
is averaged over a grid, each point weighed by how well it explains the history; a prior holds the
shocks small, so that a short or calm history moves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Self

import numpy as np

from tenure.core.arrays import Floats, Moments, Places

PERSISTENCE = (0.0, 0.3, 0.6, 0.8, 0.9, 0.97)
"""Correlation of the level with that of a window later."""
SIZES = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.45, 0.65)
"""Standard deviation of what passes, in log-odds."""
OFFSETS = (0.03, 0.1, 0.2)
"""Standard deviation of what stays: of all months alike the model may be off."""
PRIOR_SIZE, PRIOR_OFFSET = 0.1, 0.05
MOST = 1.5  # log-odds beyond which one window is not believed


@dataclass(frozen=True)
class Level:
    """The level that is expected at a prediction time."""

    shift: float
    """Log-odds by which all accounts stand above what the model says."""
    spread: float
    followed: bool
    """Whether the probabilities are moved by it."""

    @property
    def applied(self) -> float:
        """Return the log-odds by which the probabilities are moved."""
        return self.shift if self.followed else 0.0


@dataclass(frozen=True)
class LevelHistory:
    """What short windows of the past say about the level."""

    at: Floats
    """Start of each window in windows since some time, rising, shape (n,); windows do not
    overlap."""
    gap: Floats
    """Outcomes above the expected, in log-odds, shape (n,)."""
    variance: Floats
    """Binomial variance of each gap, shape (n,)."""
    origin: np.datetime64
    """The time from which windows are counted."""
    days: float

    @classmethod
    def observed(cls, moments: Moments, expected: Floats, labels: Floats, days: float) -> Self:
        """Sum up outcomes and expectations by window.

        A window of so many days begins at the moment of each row; `expected` is the probability of
        the outcome within it, the label 1 or 0.
        """
        starts, row = np.unique(moments, return_inverse=True)
        happened = np.bincount(row, labels)
        mean = np.bincount(row, expected)
        spread = np.bincount(row, expected * (1 - expected))
        chosen = _apart(starts, days)
        gap = np.clip((happened - mean)[chosen] / spread[chosen], -MOST, MOST)
        at = (starts - starts[0]) / np.timedelta64(1, "D") / days
        return cls(at[chosen], gap, 1 / spread[chosen], starts[0], days)

    def over(self, start: np.datetime64, windows: float) -> tuple[float, float]:
        """Return the mean level over a longer window and its standard deviation, in log-odds.

        It begins at `start` and is so many windows of this history long.
        """
        begin = (start - self.origin) / np.timedelta64(1, "D") / self.days
        steps = np.arange(max(1, round(windows)))
        apart = np.abs((begin + steps)[:, None] - self.at)
        within = np.abs(steps[:, None] - steps)
        means, variances = [], []
        for persistence, size, offset, inverse in self._fits:
            near = offset**2 + size**2 * _power(persistence, apart).mean(axis=0)
            own = offset**2 + size**2 * _power(persistence, within).mean()
            means.append(near @ inverse @ self.gap)
            variances.append(own - near @ inverse @ near)
        mean = self._weights @ np.array(means)
        second = self._weights @ (np.array(variances) + np.array(means) ** 2)
        return float(mean), float(np.sqrt(max(second - mean**2, 0)))

    @cached_property
    def _fits(self) -> list[tuple[float, float, float, Floats]]:
        """Persistence, size, offset and inverse covariance of each point of the grid."""
        apart, noise = np.abs(self.at[:, None] - self.at), np.diag(self.variance)
        return [
            (
                persistence,
                size,
                offset,
                np.asarray(np.linalg.inv(offset**2 + size**2 * _power(persistence, apart) + noise)),
            )
            for persistence, size, offset in product(PERSISTENCE, SIZES, OFFSETS)
        ]

    @cached_property
    def _weights(self) -> Floats:
        """Posterior weight of each point of the grid."""
        logs = np.array(
            [
                np.linalg.slogdet(inverse)[1]
                - self.gap @ inverse @ self.gap
                - (size / PRIOR_SIZE) ** 2
                - (offset / PRIOR_OFFSET) ** 2
                for _, size, offset, inverse in self._fits
            ]
        )
        weights = np.exp((logs - logs.max()) / 2)
        return np.asarray(weights / weights.sum())


def _power(persistence: float, apart: Floats) -> Floats:
    return np.where(apart == 0, 1.0, persistence**apart)


def _apart(starts: Moments, days: float) -> Places:
    """Return the positions of windows that do not overlap, from the latest back.

    Months are of unequal length: a window may overlap the next by a tenth.
    """
    chosen = [len(starts) - 1]
    for place in range(len(starts) - 2, -1, -1):
        if (starts[chosen[-1]] - starts[place]) / np.timedelta64(1, "D") >= 0.9 * days:
            chosen.append(place)
    return np.array(chosen[::-1], dtype=np.intp)
