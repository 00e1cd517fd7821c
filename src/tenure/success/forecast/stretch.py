"""How much wider, or narrower, intervals are than the model of amounts makes them.

How far an amount may lie from what is expected is itself an estimate, of few periods.  So the
deviation is held against how far past forecasts of the same length were off, and an interval takes
the quantile of Student's distribution with the degrees of freedom that this leaves.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from statistics import NormalDist

import numpy as np

from tenure.core.records.forecast import PeriodName
from tenure.success.forecast.periods import SAME_LENGTH, period_days, spaced

PRIOR = 12.0
"""Past periods that the deviation of the model counts for."""
MOST_OFF = 4.0
"""Deviations beyond which one forecast is not believed."""


def stretch(off: Mapping[datetime, float], period: PeriodName, share: float) -> float:
    """Return what the deviation of an amount is multiplied with.

    >>> from tenure.core.times import days
    >>> starts = [datetime(2024, 1, 1) + days(31 * number) for number in range(12)]
    >>> wrong = dict.fromkeys(starts, 2.0)
    >>> [round(stretch(one, "month", 0.8), 2) for one in ({}, wrong, dict.fromkeys(starts, 0.5))]
    [1.06, 1.63, 0.81]

    `off` tells by start of a past period by how many deviations more happened than was expected; of
    periods that overlap each counts in part.  An interval should hold the `share` of outcomes.
    """
    windows = len(spaced(list(off), (1 - SAME_LENGTH) * period_days(period)))
    squares = np.clip(list(off.values()), -MOST_OFF, MOST_OFF) ** 2
    square = float(squares.mean()) if windows else 1.0
    degrees = PRIOR + windows
    scale = float(np.sqrt((PRIOR + windows * square) / degrees))
    return scale * _tail(share, degrees)


def _tail(share: float, degrees: float) -> float:
    """Return the quantile of Student's distribution over the normal one, by Fisher's expansion."""
    z = NormalDist().inv_cdf((1 + share) / 2)
    second = (5 * z**4 + 16 * z**2 + 3) / 96
    return 1 + (z**2 + 1) / (4 * degrees) + second / degrees**2
