"""The normal distribution, where bounds are drawn by it."""

from __future__ import annotations

from statistics import NormalDist


def deviations(level: float) -> float:
    """Return how many standard errors either end of an interval lies from its middle.

    Args:
        level: How often the interval holds the truth, in (0, 1).

    >>> round(deviations(0.95), 4)
    1.96
    """
    return NormalDist().inv_cdf((1 + level) / 2)
