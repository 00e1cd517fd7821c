"""Calibrators with more freedom than a straight line: beta and Venn-Abers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

if TYPE_CHECKING:
    from collections.abc import Mapping

Floats = NDArray[np.float64]

PRIOR_SD = 0.2
MAX_SLOPE = 20.0
BINS = 200


@dataclass(frozen=True)
class Beta:
    """Two straight lines, one for low and one for high scores (Kull et al. 2017).

    The log-odds of the outcome are ``rise × log p − fall × log(1 − p) + intercept``, where p is the
    booster's own probability.  With rise = fall it is a sigmoid.  The slopes have normal priors
    around 1, and the height over the mean margin around 0.
    """

    rise: float
    fall: float
    intercept: float
    kind: ClassVar[str] = "beta"

    @classmethod
    def fit(cls, margins: Floats, labels: Floats, weights: Floats | None = None) -> Self:
        """Fit both slopes, each within [0, 20], and the intercept."""
        low, high = _parts(np.asarray(margins, np.float64))
        labels = np.asarray(labels, np.float64)
        weights = np.ones_like(labels) if weights is None else np.asarray(weights, np.float64)
        size = weights.sum()
        middle = np.array([(weights * low).sum(), (weights * high).sum()]) / size
        columns = np.column_stack([low - middle[0], high - middle[1], np.ones_like(low)])
        start = np.array([1.0, 1.0, middle.sum()])

        def loss(line: Floats) -> tuple[float, Floats]:
            scores = columns @ line
            fit = (weights * (np.logaddexp(0, scores) - labels * scores)).sum()
            pull = (line - start) / PRIOR_SD**2
            prior = ((line - start) ** 2).sum() / (2 * PRIOR_SD**2)
            step = columns.T @ (weights * (expit(scores) - labels)) + pull
            return float(fit + prior) / size, step / size

        fitted = minimize(
            loss,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=[(0, MAX_SLOPE), (0, MAX_SLOPE), (None, None)],
            options={"gtol": 1e-10, "ftol": 1e-14, "maxiter": 500},
        )
        rise, fall, height = map(float, fitted.x)
        return cls(rise, fall, float(height - rise * middle[0] - fall * middle[1]))

    def probability(self, margins: Floats) -> Floats:
        """Return the logistic function of the two lines' sum."""
        low, high = _parts(np.asarray(margins, np.float64))
        scores = self.rise * low + self.fall * high + self.intercept
        return np.asarray(expit(scores), dtype=np.float64)

    def to_json(self) -> dict[str, Any]:
        """Return kind, slopes and intercept."""
        lines = {"rise": self.rise, "fall": self.fall, "intercept": self.intercept}
        return {"kind": self.kind, **lines}

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> Self:
        """Return the curve of those slopes and that intercept."""
        return cls(float(state["rise"]), float(state["fall"]), float(state["intercept"]))


@dataclass(frozen=True)
class VennAbers:
    """Inductive Venn-Abers prediction (Vovk, Petej and Fedorova 2015) over bins of the scores.

    A new row is added to the past once as a negative and once as a positive; isotonic regression
    gives p0 and p1, and ``p1 / (1 − p0 + p1)`` is the probability.  The past is first put into at
    most 200 bins of equally many rows, so that all answers can be worked out when it is fitted.

    Attributes:
        edges: Log-odds between which a step is level, rising; one fewer than the steps.
        probabilities: Probability of each step, never falling.
    """

    edges: tuple[float, ...]
    probabilities: tuple[float, ...]
    kind: ClassVar[str] = "venn_abers"

    @classmethod
    def fit(cls, margins: Floats, labels: Floats, weights: Floats | None = None) -> Self:
        """Work out the probability of every step."""
        margins, labels = np.asarray(margins, np.float64), np.asarray(labels, np.float64)
        weights = np.ones_like(labels) if weights is None else np.asarray(weights, np.float64)
        weighed = weights > 0
        margins, labels, weights = margins[weighed], labels[weighed], weights[weighed]
        points, group = _binned(margins, weights)
        mass = np.asarray(np.bincount(group, weights=weights), dtype=np.float64)
        hits = np.asarray(np.bincount(group, weights=weights * labels), dtype=np.float64)
        steps = [_merged(mass, hits, place) for place in range(len(points))]
        middles = (points[1:] + points[:-1]) / 2
        return cls(tuple(middles.tolist()), tuple(np.maximum.accumulate(steps).tolist()))

    def probability(self, margins: Floats) -> Floats:
        """Return the height of the step that each margin falls on."""
        place = np.searchsorted(self.edges, np.asarray(margins, np.float64), side="right")
        return np.asarray(self.probabilities, dtype=np.float64)[place]

    def to_json(self) -> dict[str, Any]:
        """Return kind, edges and steps."""
        steps = {"edges": list(self.edges), "probabilities": list(self.probabilities)}
        return {"kind": self.kind, **steps}

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> Self:
        """Return the steps between those edges."""
        return cls(tuple(state["edges"]), tuple(state["probabilities"]))


def _parts(margins: Floats) -> tuple[Floats, Floats]:
    """Return log p and −log(1 − p) of the logistic function, without overflow."""
    return -np.logaddexp(0, -margins), np.logaddexp(0, margins)


def _binned(margins: Floats, weights: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """Return the mean margin of each bin, and the bin of each row; equal margins share a bin."""
    values, codes = np.unique(margins, return_inverse=True)
    mass = np.bincount(codes, weights=weights)
    size = max(1.0, float(mass.sum()) / BINS)
    bins = np.floor((np.cumsum(mass) - mass) / size).astype(np.int64)
    _, bins = np.unique(bins, return_inverse=True)
    means = np.bincount(bins, weights=values * mass) / np.bincount(bins, weights=mass)
    return means, bins[codes]


def _merged(mass: Floats, hits: Floats, place: int) -> float:
    """Return the probability of a row that falls into a bin."""
    from sklearn.isotonic import isotonic_regression

    heavier = mass.copy()
    heavier[place] += 1
    both = []
    for outcome in (0, 1):
        caught = hits.copy()
        caught[place] += outcome
        fitted = isotonic_regression(caught / heavier, sample_weight=heavier)
        both.append(float(fitted[place]))
    return both[1] / (1 - both[0] + both[1])
