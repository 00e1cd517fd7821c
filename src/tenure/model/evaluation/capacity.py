"""Capture and lift at capacity: what the top accounts of each prediction time contain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tenure.model.evaluation.bootstrap import Resamples

Floats = NDArray[np.float64]
Whole = NDArray[np.intp]


@dataclass(frozen=True)
class CapacityFigures:
    """One value per resample; the first is the metric itself.

    Attributes:
        capture: Share of the positives that are met.
        lift: Rate of positives among the accounts met, as a multiple of the rate among all.
        amount_capture: Share of the positives' amounts that are met; NaN without amounts.
    """

    capture: Floats
    lift: Floats
    amount_capture: Floats


def at_capacity(
    resamples: Resamples,
    labels: Floats,
    scores: Floats,
    times: Whole,
    capacity: int,
    amounts: Floats | None = None,
) -> CapacityFigures:
    """Return capture and lift of the `capacity` highest-scored accounts of each time.

    Args:
        resamples: Draws over the rows.
        labels: 1 or 0.
        scores: Higher is met sooner; tied accounts are met in proportion.
        times: Number of the prediction time of each row.
        capacity: Accounts met at each.
        amounts: What each positive row weighs in `CapacityFigures.amount_capture`.
    """
    lists = _Lists(labels, scores, times)
    size = len(resamples.counts)
    out = CapacityFigures(np.empty(size), np.empty(size), np.full(size, np.nan))
    with np.errstate(divide="ignore", invalid="ignore"):
        for part, weights in resamples.weights(lists.order):
            seen = np.cumsum(weights, axis=1)
            met = weights[:, lists.positives] * lists.met(seen, capacity)
            every = weights[:, lists.positives]
            out.capture[part] = met.sum(axis=1) / every.sum(axis=1)
            contacted = np.minimum(lists.lengths(seen), capacity).sum(axis=1)
            rate = every.sum(axis=1) / seen[:, -1]
            out.lift[part] = met.sum(axis=1) / contacted / rate
            if amounts is not None:
                weighed = amounts[lists.order][lists.positives]
                out.amount_capture[part] = (met @ weighed) / (every @ weighed)
    return out


class _Lists:
    """Rows in the order of prediction times, each from the highest score down."""

    def __init__(self, labels: Floats, scores: Floats, times: Whole) -> None:
        self.order = np.lexsort((-scores, times))
        ranked, moments = scores[self.order], times[self.order]
        fresh = np.r_[True, moments[1:] != moments[:-1]]
        changes = fresh | np.r_[True, ranked[1:] != ranked[:-1]]
        first = np.flatnonzero(changes)
        last = np.r_[first[1:], len(ranked)] - 1
        group = np.cumsum(changes) - 1
        self.start = np.flatnonzero(fresh)
        self.end = np.r_[self.start[1:], len(ranked)] - 1
        self.positives = np.flatnonzero(labels[self.order] > 0.5)
        held = group[self.positives]
        self.first, self.last = first[held], last[held]
        self.opening = self.start[np.cumsum(fresh)[self.positives] - 1]

    def lengths(self, seen: Floats) -> Floats:
        """Return the accounts of each prediction time, from running sums of weights."""
        return seen[:, self.end] - _before(seen, self.start)

    def met(self, seen: Floats, capacity: int) -> Floats:
        """Return which part of each positive row's group of equal scores is met."""
        outside = _before(seen, self.first)
        above = outside - _before(seen, self.opening)
        width = seen[:, self.last] - outside
        part = np.clip(capacity - above, 0, width) / np.where(width > 0, width, 1)
        return np.asarray(part)


def _before(seen: Floats, places: Whole) -> Floats:
    """Return running sums just before some places."""
    return np.where(places > 0, seen[:, places - 1], 0.0)
