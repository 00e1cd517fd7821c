"""Calibration on forward predictions: on rows that were future to the boosters that scored them.

The line is fitted on the outcomes known by a prediction time.  Whether the level of all accounts is
followed as well (`tenure.model.calibration.level`) is decided by what it would have brought so far.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tenure.core.arrays import Flags, Floats, Moments, Places
from tenure.model.calibration.calibrators import Sigmoid, expected_slope
from tenure.model.calibration.level import LevelHistory
from tenure.model.calibration.losses import NEAR, log_loss

MIN_OUTCOMES = 7
"""Distinct outcomes among forward predictions below which no slope is learnt from them."""
MIN_TIMES = 8
"""Prediction times that judge whether following the level pays."""
BAR = 2.0
"""Standard errors by which it has to pay: over accounts, and over prediction times."""


@dataclass(frozen=True)
class ForwardPredictions:
    """Predictions of earlier boosters on rows that were future to them, and what happened."""

    margins: Floats
    """Log-odds, shape (n,)."""
    labels: Floats
    """1 or 0."""
    weights: Floats
    """How much each counts beside the others."""
    outcomes: int
    """Distinct outcomes behind the positive ones."""

    @property
    def enough(self) -> bool:
        """Whether a slope can be learnt from them."""
        return self.outcomes >= MIN_OUTCOMES

    def line(self, booster_outcomes: int) -> Sigmoid:
        """Fit the line; a row of an outcome seen from several times counts for its share."""
        share = self.outcomes / self.labels.sum()
        centre = expected_slope(booster_outcomes)
        return Sigmoid.fit(self.margins, self.labels, self.weights * share, centre=centre)


@dataclass
class EarlyWindows:
    """The first days of the windows of forward predictions: their outcomes are known early."""

    accounts: Places
    """Number of the account of each row, shape (n,)."""
    moments: Moments
    """Prediction time of each row."""
    labels: Floats
    """1 or 0 within the first days; missing where it is not known."""
    known_at: Moments
    days: float
    """Length of the first days."""
    windows: float
    """Length of the whole windows, in first days."""
    _line: Floats = field(init=False)
    _level: Floats = field(init=False)

    def __post_init__(self) -> None:
        """Start without a prediction that could be judged."""
        self._line = np.full(len(self.labels), np.nan)
        self._level = self._line.copy()

    def known(self, moment: np.datetime64 | None) -> Flags:
        """Return which outcomes were known at a time; at last, without one."""
        return known_by(moment, self.labels, self.known_at)

    def history(self, rows: Places, expected: Floats) -> LevelHistory:
        """Return what the outcomes of some rows say of the level beside their probabilities."""
        return LevelHistory.observed(self.moments[rows], expected, self.labels[rows], self.days)

    def record(self, rows: Places, line: Floats, level: Floats) -> None:
        """Record the probabilities, over the first days, by the line alone and by the level too."""
        self._line[rows], self._level[rows] = line, level

    def level_pays(self, moment: np.datetime64 | None) -> bool:
        """Return whether the level has paid beyond chance on outcomes known at a time."""
        judged = self.known(moment) & ~np.isnan(self._line)
        times = np.unique(self.moments[judged], return_inverse=True)[1]
        if not judged.any() or times.max() + 1 < MIN_TIMES:
            return False
        labels = self.labels[judged]
        gain = log_loss(labels, self._line[judged]) - log_loss(labels, self._level[judged])
        apart = gain - gain.mean()
        errors = [
            np.sqrt((np.bincount(cluster, apart) ** 2).sum())
            for cluster in (self.accounts[judged], times)
        ]
        return bool(gain.sum() > BAR * max(errors))


def known_by(moment: np.datetime64 | None, labels: Floats, known_at: Moments) -> Flags:
    """Return which labels were known at a time; at last, without one."""
    known = ~np.isnan(labels)
    return known if moment is None else np.asarray(known & (known_at <= moment))


def shortened(probabilities: Floats, power: float) -> Floats:
    """Return the probability within the first days, for that within the whole window.

    `power` is the output of `hazard_share`.
    """
    return np.asarray(-np.expm1(power * np.log1p(-np.minimum(probabilities, 1 - NEAR))))


def hazard_share(early: Floats, whole: Floats) -> float:
    """Return the cumulative hazard of the first days over that of the whole window.

    Both are labels of the same rows: over the first days, and over the whole window.
    """
    first, last = early.mean(), whole.mean()
    return float(np.log1p(-first) / np.log1p(-last)) if 0 < first <= last < 1 else 1.0
