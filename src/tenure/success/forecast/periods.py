"""The periods that are forecast: a calendar month and a calendar quarter from a time on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
import pandas as pd

from tenure.core.arrays import Floats
from tenure.core.records.forecast import PeriodName
from tenure.core.times import days

MONTHS: Mapping[PeriodName, int] = {"month": 1, "quarter": 3}
MONTH_DAYS = 365.25 / 12
SETTLED = days(28)
"""How long after the end of a period what happened in it counts as known."""
APART = 27
"""Days that the starts of past periods lie apart at least."""
SAME_LENGTH = 0.1
"""Relative difference of a horizon and a period that are taken for the same length."""
MOST_SCALED = 4.0
"""Factor by which a horizon may be longer or shorter than a period that it stands in for."""


def period_end(start: datetime, period: PeriodName) -> datetime:
    """Return the end of a period, exclusive: the same day of a later month."""
    end: datetime = (pd.Timestamp(start) + pd.DateOffset(months=MONTHS[period])).to_pydatetime()
    return end


def period_days(period: PeriodName) -> float:
    """Return the mean length of a period in days."""
    return MONTHS[period] * MONTH_DAYS


def spaced(times: Sequence[datetime], apart: float) -> list[datetime]:
    """Return times that lie some days apart at least, from the latest back, in order.

    >>> from datetime import datetime
    >>> [time.day for time in spaced([datetime(2024, 1, day) for day in (1, 8, 15, 22)], 10)]
    [8, 22]
    """
    chosen: list[datetime] = []
    for time in sorted(set(times), reverse=True):
        if not chosen or chosen[-1] - time >= days(apart):
            chosen.append(time)
    return chosen[::-1]


def nearest_horizon(period: PeriodName, horizons: Sequence[int]) -> int | None:
    """Return the horizon that stands in for a period: the shortest that is as long, or the longest.

    >>> nearest_horizon("month", [30, 90]), nearest_horizon("quarter", [30]), nearest_horizon(
    ...     "month", [365])
    (30, 30, None)

    Returns:
        None where all are far longer or shorter.
    """
    length = period_days(period)
    usable = sorted(one for one in horizons if 1 / MOST_SCALED < one / length < MOST_SCALED)
    long = [one for one in usable if one >= (1 - SAME_LENGTH) * length]
    return long[0] if long else usable[-1] if usable else None


def scaled(probabilities: Floats, horizon: int, period: PeriodName) -> Floats:
    """Return probabilities within a period from those within a horizon; its hazard is constant.

    Those of a horizon of about the same length stay as they are.
    """
    if same_length(horizon, period):
        return probabilities
    return np.asarray(1 - (1 - probabilities) ** (period_days(period) / horizon))


def same_length(horizon: int, period: PeriodName) -> bool:
    """Return whether a horizon is taken to be as long as a period."""
    return abs(period_days(period) / horizon - 1) <= SAME_LENGTH
