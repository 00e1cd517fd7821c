"""Shapes of states and effects that several businesses share."""

from __future__ import annotations

import numpy as np

from businesses.options import Floats


def drifting(values: Floats, keep: float, rng: np.random.Generator) -> Floats:
    """Return one step of a stationary walk of standard deviation 1."""
    return np.asarray(keep * values + np.sqrt(1 - keep**2) * rng.normal(size=values.size))


def sigmoid(values: Floats) -> Floats:
    """Return the logistic function."""
    return np.asarray(1 / (1 + np.exp(-values)))
