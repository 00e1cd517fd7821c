"""A score weighted by hand, as customer-success tools offer it: something to beat.

Each part turns one column into points between 0 (bad) and 1 (good) along a straight line; the score
is their weighted mean times 100.  Parts that the data cannot give, or that an account has no value
for, are left out and the other weights are scaled up.  The weights are declared, not fitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tenure.core.arrays import Floats

if TYPE_CHECKING:
    import pandas as pd


HAND_WEIGHTED = "hand_weighted"


@dataclass(frozen=True)
class Part:
    """One part of the score."""

    name: str
    weight: float
    """Its share, in points of 100."""
    columns: tuple[str, ...]
    """Features that measure it, the best first; the first that the data have is taken."""
    bad: float
    """Value that gives no points."""
    good: float
    """Value that gives all of them."""
    points_if_missing: float | None = None
    """Points of an account without a value; None leaves the part out for it."""

    def points(self, values: Floats) -> Floats:
        """Return points for the values of a column, missing where the part is left out.

        >>> Part("recency", 20, ("days_since_last_event",), 30, 2).points(np.array([1.0, 16, 90]))
        array([1. , 0.5, 0. ])
        """
        points = np.clip((values - self.bad) / (self.good - self.bad), 0, 1)
        return (
            points
            if self.points_if_missing is None
            else np.where(np.isnan(values), self.points_if_missing, points)
        )


PARTS = (
    Part("usage trend", 30, ("events_trend_28d_vs_84d", "events_change_28d"), 0.5, 1.0, 0.0),
    Part("recency", 20, ("days_since_last_event",), 30, 2, 0.0),
    Part("seat use", 20, ("seat_utilisation",), 0.1, 0.7),
    Part("support", 10, ("open_tickets_urgent", "tickets_urgent_84d", "open_tickets"), 3, 0),
    Part("survey", 10, ("nps_last", "satisfaction_last"), 0.0, 1.0),
    Part("payment", 10, ("invoices_late_182d", "payments_failed_182d"), 2, 0),
)
SCALES = {"nps_last": 10.0}  # what a column is divided by to lie between 0 and 1


def hand_weighted_score(values: pd.DataFrame, parts: Sequence[Part] = PARTS) -> Floats | None:
    """Return a score from 0 to 100 per row, high is good; None where no part has a column.

    Returns:
        Scores; 50 for a row without any value.
    """
    usable = [(part, name) for part in parts for name in _first(part, values)]
    if not usable:
        return None
    points = np.column_stack([part.points(_scaled(values, name)) for part, name in usable])
    weights = np.where(np.isnan(points), 0.0, [part.weight for part, _ in usable])
    whole = weights.sum(axis=1)
    score = (np.nan_to_num(points) * weights).sum(axis=1) / np.where(whole > 0, whole, 1)
    return np.where(whole > 0, 100 * score, 50.0)


def _first(part: Part, values: pd.DataFrame) -> list[str]:
    return [name for name in part.columns if name in values.columns][:1]


def _scaled(values: pd.DataFrame, name: str) -> Floats:
    column = values[name].to_numpy(dtype=np.float64, na_value=np.nan)
    return np.asarray(column / SCALES.get(name, 1.0))
