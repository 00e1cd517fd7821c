"""Scores as they might have been a month before, and of accounts with names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from tenure.score.scored import Scored


def moved(scored: Scored) -> Scored:
    """Return scores with other probabilities of churn, and none of the last account."""
    rows = scored.rows.copy()
    rows["churn_probability"] = rows["churn_probability"].to_numpy()[::-1] * 0.9 + 0.01
    gone = rows["account_id"] == rows["account_id"].iloc[-1]
    rows.loc[gone, "churn_probability"] = np.nan
    return replace(scored, rows=rows)


def named(scored: Scored) -> Scored:
    """Return scores whose accounts have names, but for one in three."""
    rows = scored.rows.copy()
    names = [f"{'Ab'[n % 2]}cme & Söhne {n:03}" if n % 3 else None for n in range(len(rows))]
    rows["name"] = pd.array(names, dtype="str")
    first = rows.drop_duplicates("account_id").set_index("account_id")["name"]
    return replace(scored, rows=rows.assign(name=rows["account_id"].map(first).array))
