"""From a booster's log-odds to probabilities that mean what they say.

A calibrator is monotone, so it never changes who stands above whom, and it is a few numbers, so it
is stored as JSON.  To add one, write a class with the members of `Calibrator` and put it in
`CALIBRATORS`.

>>> calibrator = Sigmoid(slope=1.0, intercept=0.0)
>>> float(calibrator.probability(np.array([0.0]))[0])
0.5
>>> from_json(calibrator.to_json()) == calibrator
True
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize
from scipy.special import expit

from tenure.core.errors import ModelError, Problem, suggestion
from tenure.model.calibration.beta_venn_abers import MAX_SLOPE, PRIOR_SD, Beta, VennAbers
from tenure.model.calibration.losses import log_odds

if TYPE_CHECKING:
    from collections.abc import Mapping

Floats = NDArray[np.float64]

MIN_SLOPE = 0.05
DRIFT_SD = 0.3


class Calibrator(Protocol):
    """A monotone map from log-odds to probability."""

    kind: ClassVar[str]

    @classmethod
    def fit(cls, margins: Floats, labels: Floats, weights: Floats | None = None) -> Self:
        """Fit on log-odds of rows that the booster did not see, and their outcomes (0 or 1)."""
        ...

    def probability(self, margins: Floats) -> Floats:
        """Return probabilities in [0, 1], one per margin."""
        ...

    def to_json(self) -> dict[str, Any]:
        """Return the state as JSON values, with its `kind`."""
        ...

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> Self:
        """Return the calibrator that `to_json` described."""
        ...


@dataclass(frozen=True)
class Identity:
    """The booster's own probability."""

    kind: ClassVar[str] = "identity"

    @classmethod
    def fit(  # noqa: D102 - the protocol's
        cls, margins: Floats, labels: Floats, weights: Floats | None = None
    ) -> Self:
        del margins, labels, weights
        return cls()

    def probability(self, margins: Floats) -> Floats:
        """Return the logistic function of the margins."""
        return _expit(margins)

    def to_json(self) -> dict[str, Any]:
        """Return the kind."""
        return {"kind": self.kind}

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> Self:  # noqa: ARG003 - the protocol's
        """Return an identity."""
        return cls()


@dataclass(frozen=True)
class Sigmoid:
    """A straight line in log-odds with a positive slope (Platt 1999, with his smoothed targets).

    The line is drawn towards the booster's own log-odds: its slope and its height over the mean
    margin have normal priors around 1 and 0.  A hundred positives outweigh them; a dozen do not.
    """

    slope: float
    intercept: float
    kind: ClassVar[str] = "sigmoid"

    @classmethod
    def fit(cls, margins: Floats, labels: Floats, weights: Floats | None = None) -> Self:
        """Fit slope and intercept, the slope within [0.05, 20]."""
        margins, labels = np.asarray(margins, np.float64), np.asarray(labels, np.float64)
        weights = np.ones_like(labels) if weights is None else np.asarray(weights, np.float64)
        size, positives = weights.sum(), (weights * labels).sum()
        high, low = (positives + 1) / (positives + 2), 1 / (size - positives + 2)
        targets = np.where(labels > 0.5, high, low)
        mean = (weights * margins).sum() / size
        offsets = margins - mean

        def loss(line: Floats) -> tuple[float, Floats]:
            slope, height = line
            scores = mean + height + slope * offsets
            error = weights * (expit(scores) - targets)
            fit = (weights * (np.logaddexp(0, scores) - targets * scores)).sum()
            prior = ((slope - 1) ** 2 + height**2) / (2 * PRIOR_SD**2)
            pull = np.array([slope - 1, height]) / PRIOR_SD**2
            step = np.array([(error * offsets).sum(), error.sum()]) + pull
            return float(fit + prior) / size, step / size

        fitted = minimize(
            loss,
            np.array([1.0, 0.0]),
            jac=True,
            method="L-BFGS-B",
            bounds=[(MIN_SLOPE, MAX_SLOPE), (None, None)],
            options={"gtol": 1e-10, "ftol": 1e-14, "maxiter": 500},
        )
        slope, height = map(float, fitted.x)
        return cls(slope, float(mean) * (1 - slope) + height)

    @classmethod
    def shift(cls, margins: Floats, base_rate: float) -> Self:
        """Return slope 1 with the intercept that makes the mean probability the base rate."""
        margins = np.asarray(margins, np.float64)
        rate = min(max(base_rate, 1e-6), 1 - 1e-6)

        def gap(intercept: float) -> float:
            return float(np.mean(expit(margins + intercept)) - rate)

        reach = float(np.max(np.abs(margins))) + 20
        return cls(1.0, float(brentq(gap, -reach, reach, xtol=1e-12)))

    def probability(self, margins: Floats) -> Floats:
        """Return the logistic function of slope × margin + intercept."""
        return _expit(self.slope * np.asarray(margins, np.float64) + self.intercept)

    def to_json(self) -> dict[str, Any]:
        """Return kind, slope and intercept."""
        return {"kind": self.kind, "slope": self.slope, "intercept": self.intercept}

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> Self:
        """Return the sigmoid of that slope and intercept."""
        return cls(float(state["slope"]), float(state["intercept"]))


@dataclass(frozen=True)
class Isotonic:
    """A rising curve through knots, straight between them and level outside.

    Attributes:
        margins: Log-odds of the knots, rising.
        probabilities: Probability at each knot, never falling, strictly between 0 and 1.
    """

    margins: tuple[float, ...]
    probabilities: tuple[float, ...]
    kind: ClassVar[str] = "isotonic"

    @classmethod
    def fit(cls, margins: Floats, labels: Floats, weights: Floats | None = None) -> Self:
        """Fit by isotonic regression, kept off 0 and 1 by one part in rows + 2."""
        from sklearn.isotonic import IsotonicRegression

        floor = 1 / (len(labels) + 2)
        curve = IsotonicRegression(y_min=floor, y_max=1 - floor, out_of_bounds="clip")
        curve.fit(np.asarray(margins, np.float64), np.asarray(labels, np.float64), weights)
        return cls(tuple(curve.X_thresholds_.tolist()), tuple(curve.y_thresholds_.tolist()))

    def probability(self, margins: Floats) -> Floats:
        """Return the curve's height at each margin."""
        return np.interp(np.asarray(margins, np.float64), self.margins, self.probabilities)

    def to_json(self) -> dict[str, Any]:
        """Return kind and knots."""
        return {
            "kind": self.kind,
            "margins": list(self.margins),
            "probabilities": list(self.probabilities),
        }

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> Self:
        """Return the curve through those knots."""
        return cls(tuple(state["margins"]), tuple(state["probabilities"]))


@dataclass(frozen=True)
class ShiftedCalibrator:
    """A calibrator plus a constant shift in log-odds, fitted on the latest outcomes.

    Attributes:
        base: The calibrator that is moved.
        shift: Log-odds added; its prior is normal around 0.
    """

    base: Calibrator
    shift: float
    kind: ClassVar[str] = "drifted"

    @classmethod
    def fit(cls, margins: Floats, labels: Floats, weights: Floats | None = None) -> Self:
        """Fit a sigmoid without a shift; `fit_shift` fits the shift, on the latest rows."""
        return cls(Sigmoid.fit(margins, labels, weights), 0.0)

    @classmethod
    def fit_shift(cls, base: Calibrator, margins: Floats, labels: Floats) -> Self:
        """Fit the shift that brings a calibrator to the outcomes of some rows, under its prior."""
        logits = log_odds(base.probability(margins))

        def gap(shift: float) -> float:
            return float((expit(logits + shift) - labels).sum() + shift / DRIFT_SD**2)

        reach = 1 + DRIFT_SD**2 * len(labels)
        return cls(base, float(brentq(gap, -reach, reach, xtol=1e-12)))

    def probability(self, margins: Floats) -> Floats:
        """Return the base's probabilities, moved."""
        return _expit(log_odds(self.base.probability(margins)) + self.shift)

    def to_json(self) -> dict[str, Any]:
        """Return kind, shift and the base's state."""
        return {"kind": self.kind, "shift": self.shift, "base": self.base.to_json()}

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> Self:
        """Return the moved calibrator."""
        return cls(from_json(state["base"]), float(state["shift"]))


CALIBRATORS: dict[str, type[Calibrator]] = {
    kind.kind: kind for kind in (Identity, Sigmoid, Isotonic, Beta, VennAbers, ShiftedCalibrator)
}


def fit_calibrator(
    kind: str, margins: Floats, labels: Floats, weights: Floats | None = None
) -> Calibrator:
    """Fit a calibrator of a registered kind.

    Raises:
        ModelError: If the kind is unknown.
    """
    return _kind(kind).fit(margins, labels, weights)


def from_json(state: Mapping[str, Any]) -> Calibrator:
    """Return the calibrator that `to_json` described.

    Raises:
        ModelError: If its kind is unknown or its numbers are missing.
    """
    chosen = _kind(str(state.get("kind")))
    try:
        return chosen.restore(state)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            Problem("calibrator", f"lacks a number that `{chosen.kind}` needs", str(error))
        ) from error


def _kind(kind: str) -> type[Calibrator]:
    if kind not in CALIBRATORS:
        raise ModelError(Problem("calibrator", "unknown kind", kind, suggestion(kind, CALIBRATORS)))
    return CALIBRATORS[kind]


def _expit(values: Floats) -> Floats:
    return np.asarray(expit(np.asarray(values, np.float64)), dtype=np.float64)
