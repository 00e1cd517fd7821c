"""Detection: which of the outcomes the lists of a team would have met before they happened.

At each prediction time a list holds the accounts scored highest then: as many as the team can look
after, or a share of all.  An outcome is met where its account stands on at least one list within
the horizon before it; standing on several does not count again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from tenure.core.arrays import Floats, Places
from tenure.model.evaluation.bootstrap import Resamples

TENTH = 0.1
"""Share of the accounts that a list holds where no capacity is set."""


def on_list(scores: Floats, times: Places, length: float) -> Floats:
    """Return which part of each row's group of equal scores its time's list holds, 0 to 1.

    Higher scores are listed sooner; `times` numbers the prediction time of each row.  A `length`
    below 1 is a share of the accounts of the time, one at least.
    """
    order = np.lexsort((-scores, times))
    ranked, moments = scores[order], times[order]
    fresh = np.r_[True, moments[1:] != moments[:-1]]
    changes = np.flatnonzero(fresh | np.r_[True, ranked[1:] != ranked[:-1]])
    width = np.diff(np.r_[changes, len(order)])
    start = np.flatnonzero(fresh)
    size = np.diff(np.r_[start, len(order)])
    longest = np.maximum(np.floor(size * length + 1e-9), 1) if length < 1 else length + 0 * size
    time = np.searchsorted(start, changes, side="right") - 1
    above = changes - start[time]
    part = np.clip(longest[time] - above, 0, width) / width
    listed = np.empty(len(order))
    listed[order] = np.repeat(part, width)
    return listed


@dataclass(frozen=True)
class Outcomes:
    """Distinct outcomes, and the rows at which a list could have met them."""

    rows: Places
    """Rows that come before an outcome, those of one outcome together."""
    begins: Places
    """Where each outcome's rows begin among these."""
    last: Places
    """Row of each outcome that holds its account and its money: the latest prediction."""
    size: int
    """How many rows there are in all."""

    @classmethod
    def of(cls, predictions: pd.DataFrame) -> Self:
        """Return the outcomes of predictions.

        The predictions have as_of, label and, where known, outcome_id and outcome_at of positive
        rows.  Without an id a row is an outcome of its own; a prediction that was not made before
        the outcome meets nothing.
        """
        positive = (predictions["label"] == 1).to_numpy()
        if "outcome_at" in predictions:
            at = predictions["outcome_at"].to_numpy("datetime64[us]")
            early = predictions["as_of"].to_numpy("datetime64[us]") < at
            positive = positive & (np.isnat(at) | early)
        rows = np.flatnonzero(positive)
        codes = np.arange(len(rows))
        if "outcome_id" in predictions:
            codes = pd.factorize(predictions["outcome_id"].to_numpy()[rows])[0]
        order = np.lexsort((predictions["as_of"].to_numpy()[rows], codes))
        rows, codes = rows[order], codes[order]
        begins = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])[: len(rows)]
        ends = np.r_[begins[1:], len(rows)][: len(begins)] - 1
        return cls(rows, begins, rows[ends], len(predictions))

    def met(self, listed: Floats) -> Floats:
        """Return the chance that each outcome is met at least once.

        `listed` is the output of `on_list` for all rows.
        """
        if not len(self.rows):
            return np.empty(0)
        return np.asarray(1 - np.multiply.reduceat(1 - listed[self.rows], self.begins))

    def means(self, draws: Resamples, values: Floats, weights: Floats | None = None) -> Floats:
        """Return means over the outcomes, shape (1 + resamples, columns); the first is of all.

        `values` have the shape (outcomes, columns); outcomes weigh the same by default.
        """
        heavy = np.ones(len(values)) if weights is None else weights
        columns = np.zeros((self.size, values.shape[1] + 1))
        columns[self.last] = np.column_stack([values, np.ones(len(values))]) * heavy[:, None]
        sums = draws.sums(columns)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(sums[:, :-1] / sums[:, -1:])
