"""What a perfect model would show on the same rows: the calibration error that chance alone makes.

Outcomes are drawn from the predicted probabilities.  Rows of one account whose label windows have
days in common share a part of their chance, as they share an outcome.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from tenure.labels.windows import cadence

DRAWS = 200
BAND = (0.05, 0.95)


def error_by_chance(
    predictions: pd.DataFrame, horizon_days: int, bins: int, seed: int
) -> dict[str, Any]:
    """Return the mean calibration error of true probabilities, and its 5th and 95th percentile.

    The predictions have account_id, as_of and probability; each of the bins holds equally many.
    """
    rng = np.random.default_rng(seed)
    p = predictions["probability"].to_numpy(dtype=np.float64)
    times, time = np.unique(predictions["as_of"].to_numpy("datetime64[us]"), return_inverse=True)
    account = pd.factorize(predictions["account_id"])[0]
    shared = 1
    if len(times) > 1:
        shared = max(1, min(round(horizon_days / cadence(times)), len(times)))
    order = np.argsort(p, kind="stable")
    starts = np.array([part[0] for part in np.array_split(np.arange(len(p)), min(bins, len(p)))])
    p, time, account = p[order], time[order], account[order]
    threshold = ndtri(p)
    errors = np.empty(DRAWS)
    for place in range(DRAWS):
        steps = rng.standard_normal((account.max() + 1, len(times) + shared))
        sums = np.cumsum(steps, axis=1)
        fate = (sums[account, time + shared] - sums[account, time]) / np.sqrt(shared)
        errors[place] = np.abs(np.add.reduceat(p - (fate < threshold), starts)).sum() / len(p)
    lo, hi = np.quantile(errors, BAND)
    return {"value": float(errors.mean()), "lo": float(lo), "hi": float(hi)}
