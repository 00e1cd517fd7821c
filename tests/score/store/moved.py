"""Scores as they might have been a month before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tenure.score.scored import Scored


def moved(scored: Scored) -> Scored:
    """Return scores with other probabilities of churn, and none of the last account."""
    rows = scored.rows.copy()
    rows["churn_probability"] = rows["churn_probability"].to_numpy()[::-1] * 0.9 + 0.01
    gone = rows["account_id"] == rows["account_id"].iloc[-1]
    rows.loc[gone, "churn_probability"] = np.nan
    return replace(scored, rows=rows)
