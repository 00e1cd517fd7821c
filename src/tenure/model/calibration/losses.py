"""Log loss and log-odds of probabilities, kept off 0 and 1."""

from __future__ import annotations

import numpy as np
from scipy.special import logit

from tenure.core.arrays import Floats

TINY = 1e-12
NEAR = 1e-9  # log-odds need more distance from 0 and 1 than a loss does


def log_loss(labels: Floats, probabilities: Floats, floor: float = TINY) -> Floats:
    """Return the log loss of each row, its probability kept within [floor, 1 − floor]."""
    p = np.clip(probabilities, floor, 1 - floor)
    return np.asarray(-(labels * np.log(p) + (1 - labels) * np.log1p(-p)))


def log_odds(probabilities: Floats) -> Floats:
    """Return the log-odds of each probability; NaN stays NaN."""
    clipped = np.clip(np.asarray(probabilities, dtype=np.float64), NEAR, 1 - NEAR)
    return np.asarray(logit(clipped), dtype=np.float64)
