"""From a booster's log-odds to probabilities that mean what they say.

A calibrator is a straight line in log-odds: it never changes who stands above whom, and it is two
numbers.  Its slope says how far the booster's differences hold on later rows.  Its height is the
booster's own: the share of outcomes among all training rows is known from more months than there
are predictions of later rows, and a month that was bad for everybody moves it less.

>>> calibrator = Sigmoid(slope=1.0, intercept=0.0)
>>> float(calibrator.probability(np.array([0.0]))[0])
0.5
>>> Sigmoid.from_json(calibrator.to_json()) == calibrator
True
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from scipy.optimize import brentq, minimize
from scipy.special import expit

from tenure.core.arrays import Floats
from tenure.core.errors import ModelError, Problem

SLOPES = (0.05, 20.0)
PRIOR_SD = 0.2
HALF = 15.0
"""Outcomes behind a booster from which its prior slope is a half."""


def expected_slope(outcomes: float) -> float:
    """Return the slope that a booster of so many distinct outcomes has on later rows, at a guess.

    >>> expected_slope(HALF)
    0.5
    """
    return outcomes / (outcomes + HALF)


@dataclass(frozen=True)
class Sigmoid:
    """A straight line in log-odds with a positive slope (Platt 1999)."""

    slope: float
    """Log-odds per log-odds of the booster."""
    intercept: float
    """Log-odds where the booster's are 0."""

    @classmethod
    def fit(
        cls, margins: Floats, labels: Floats, weights: Floats | None = None, *, centre: float = 1.0
    ) -> Self:
        """Fit the slope, and the height at which the mean probability is the booster's own.

        `margins` are log-odds of rows that the booster did not see, `labels` what happened, 1 or 0;
        a weight of 1 stands for a distinct outcome.  The prior of the slope is normal around
        `centre`; its standard deviation is `PRIOR_SD`.
        """
        margins, labels = np.asarray(margins, np.float64), np.asarray(labels, np.float64)
        weights = np.ones_like(labels) if weights is None else np.asarray(weights, np.float64)
        size = weights.sum()
        mean = (weights * margins).sum() / size
        offsets = margins - mean

        def loss(line: Floats) -> tuple[float, Floats]:
            slope, height = line
            scores = mean + height + slope * offsets
            error = weights * (expit(scores) - labels)
            fit = (weights * (np.logaddexp(0, scores) - labels * scores)).sum()
            prior = (slope - centre) ** 2 / (2 * PRIOR_SD**2)
            step = np.array([(error * offsets).sum() + (slope - centre) / PRIOR_SD**2, error.sum()])
            return float(fit + prior) / size, step / size

        fitted = minimize(
            loss,
            np.array([centre, 0.0]),
            jac=True,
            method="L-BFGS-B",
            bounds=[SLOPES, (None, None)],
            options={"gtol": 1e-10, "ftol": 1e-14, "maxiter": 500},
        )
        own = float((weights * expit(margins)).sum() / size)
        return cls.through(margins, own, slope=float(fitted.x[0]), weights=weights)

    @classmethod
    def through(
        cls, margins: Floats, rate: float, *, slope: float = 1.0, weights: Floats | None = None
    ) -> Self:
        """Return the line of a slope whose mean probability over some rows is a rate."""
        weights = np.ones_like(margins) if weights is None else weights

        def gap(intercept: float) -> float:
            return float(np.average(expit(slope * margins + intercept), weights=weights)) - rate

        reach = slope * float(np.max(np.abs(margins))) + 40
        return cls(slope, float(brentq(gap, -reach, reach, xtol=1e-12)))

    def shifted(self, shift: float) -> Self:
        """Return the line moved up by some log-odds."""
        return replace(self, intercept=self.intercept + shift)

    def probability(self, margins: Floats) -> Floats:
        """Return the logistic function of slope × margin + intercept, one per margin."""
        scores = self.slope * np.asarray(margins, np.float64) + self.intercept
        return np.asarray(expit(scores), dtype=np.float64)

    def to_json(self) -> dict[str, Any]:
        """Return slope and intercept as JSON values."""
        return {"kind": "sigmoid", "slope": self.slope, "intercept": self.intercept}

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Self:
        """Return the calibrator that `to_json` described.

        Raises:
            ModelError: If a number is missing.
        """
        try:
            return cls(float(state["slope"]), float(state["intercept"]))
        except (KeyError, TypeError, ValueError) as error:
            rule, fix = "lacks a number that it needs", "train again: `tenure train CONFIG`"
            raise ModelError(Problem("calibrator", rule, str(error), fix)) from error
