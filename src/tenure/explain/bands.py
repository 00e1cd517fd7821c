"""Where a risk stands: its rank within a book, and its band."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from tenure.core.config import ScoreConfig


def rank(risk: pd.Series[float], book: pd.Series[float]) -> pd.DataFrame:
    """Return rank (1 is the highest risk) and percentile of each risk within a book of risks.

    Both are empty where the book is, or the risk.
    """
    known = np.sort(book.dropna().to_numpy(dtype=np.float64))
    values = risk.to_numpy(dtype=np.float64)
    above = len(known) - np.searchsorted(known, values, side="right")
    below = np.searchsorted(known, values, side="right")
    empty = np.isnan(values) | (len(known) == 0)
    return pd.DataFrame(
        {
            "churn_rank": pd.arrays.IntegerArray(np.where(empty, 0, above + 1), empty),
            "churn_percentile": np.where(empty, np.nan, 100 * below / max(len(known), 1)),
        },
        index=risk.index,
    )


def bands(
    risk: pd.Series[float], base_rate: pd.Series[float], ranks: pd.Series[Any], config: ScoreConfig
) -> pd.Series[Any]:
    """Return ``high``, ``medium`` or ``low``: by capacity where it is set, else by base rate."""
    if config.capacity is not None:
        place = ranks.astype("float64")
        high, medium = place <= config.capacity, place <= 2 * config.capacity
    else:
        high, medium = risk >= config.high_at * base_rate, risk >= config.medium_at * base_rate
    band = np.where(high, "high", np.where(medium, "medium", "low"))
    known = risk.notna() & (ranks.notna() if config.capacity is not None else True)
    return pd.Series(band, index=risk.index, dtype=object).where(known, None)
