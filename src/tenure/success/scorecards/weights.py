"""Weighted means in which what has no data drops out and its weight spreads over the rest."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from tenure.core.arrays import Floats


def weighted(points: Any, weights: Any) -> tuple[Floats, Floats]:
    """Return the weighted mean of each row, and the share of the weights that has data.

    >>> scores, coverage = weighted([[100, 0, np.nan], [np.nan] * 3], [1, 1, 2])
    >>> scores.tolist(), coverage.tolist()
    ([50.0, nan], [0.5, 0.0])

    Points are missing where a part has no data, shape (rows, parts); weights are above 0, shape
    (parts,).

    Returns:
        Means (missing where no part has data) and shares in [0, 1], each of shape (rows,).
    """
    values = np.asarray(points, dtype=np.float64)
    whole = np.asarray(weights, dtype=np.float64)
    present = np.where(np.isnan(values), 0.0, whole)
    total = present.sum(axis=1)
    with np.errstate(invalid="ignore"):
        mean = (np.nan_to_num(values) * present).sum(axis=1) / np.where(total > 0, total, np.nan)
    return mean, total / max(whole.sum(), np.finfo(np.float64).tiny)


def joined(
    experience: Any, outcomes: Any, rule: Literal["arithmetic", "geometric", "minimum"]
) -> Floats:
    """Return customer success in [0, 1] from two scores in [0, 1]; missing where one of them is.

    >>> joined([0.5], [0.8], "arithmetic"), joined([0.5], [0.8], "geometric")
    (array([0.65]), array([0.4]))
    """
    ce, co = np.asarray(experience, dtype=np.float64), np.asarray(outcomes, dtype=np.float64)
    if rule == "geometric":
        return np.asarray(ce * co)
    return np.asarray((ce + co) / 2 if rule == "arithmetic" else np.minimum(ce, co))
