"""Whether bounds hold: on groups formed without the score, and on what a month adds up to.

The true probability of one account is never seen, but that of a group is, by its outcomes.  The
bounds say how far the mean of a group may lie from its prediction, if all its accounts err
together; beyond that its outcomes vary by chance.  Their number is beta-binomial, and should lie
within its middle for the share of groups that the level names, or more where errors differ within a
group.  Fewer means that the bounds are too narrow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import betabinom, norm

from tenure.core.arrays import Floats
from tenure.model.evaluation.prediction_detail import GROUP

if TYPE_CHECKING:
    import pandas as pd


FEWEST_ROWS = 20
"""Predictions that a group needs to be looked at."""
BOUNDS = ["probability_lo", "probability_hi"]


def bounds_check(predictions: pd.DataFrame, level: float) -> dict[str, Any] | None:
    """Count groups whose outcomes lie within what the bounds allow; None without bounds.

    The predictions have as_of, label, probability, probability_lo, probability_hi and, as far as
    there are any, the columns ``group:segment`` and ``group:tenure``; bounds should hold the share
    `level` of the true probabilities.

    Returns:
        level; groups (segment × tenure × prediction time) and months (prediction times), each with
        n and inside.
    """
    if not set(BOUNDS) <= set(predictions.columns):
        return None
    bounded = predictions.dropna(subset=["probability", *BOUNDS])
    named = [GROUP + name for name in ("segment", "tenure") if GROUP + name in bounded]
    return {
        "level": level,
        "groups": _tally(bounded, ["as_of", *named], level),
        "months": _tally(bounded, ["as_of"], level),
    }


def _tally(rows: pd.DataFrame, by: Sequence[str], level: float) -> dict[str, int]:
    sums = rows.groupby(list(by), observed=True).agg(
        n=("label", "size"),
        events=("label", "sum"),
        middle=("probability", "mean"),
        lo=(BOUNDS[0], "mean"),
        hi=(BOUNDS[1], "mean"),
    )
    sums = sums[sums["n"] >= FEWEST_ROWS]
    n, events, middle, lo, hi = sums.to_numpy(dtype=np.float64).T
    place = place_among(n, events, middle, (hi - lo) / (2 * norm.ppf((1 + level) / 2)))
    return {"n": len(sums), "inside": int((np.abs(place - 0.5) <= level / 2).sum())}


def place_among(n: Floats, events: Floats, mean: Floats, deviation: Floats) -> Floats:
    """Return how much of what may happen lies below what happened, half of the same counted.

    Of `n` rows of each group so many had the outcome; `deviation` is that of the true mean
    probability around the predicted `mean`.

    Returns:
        Shape (groups,), between 0 and 1; even over groups where the deviations are right.
    """
    mean = np.clip(mean, 1e-9, 1 - 1e-9)
    # A mean between 0 and 1 cannot vary as much as its own two ends would.
    variance = np.clip(deviation**2, 1e-12, 0.99 * mean * (1 - mean))
    size = mean * (1 - mean) / variance - 1
    spread = betabinom(n, mean * size, (1 - mean) * size)
    below: Floats = spread.cdf(events) - 0.5 * spread.pmf(events)
    return below
