"""Where a risk stands: its rank within a book, and its band."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tenure.core.sections import ScoreConfig

Floats = NDArray[np.float64]


def rank(risk: Floats, book: Floats) -> tuple[Floats, Floats]:
    """Return rank (1 is the highest risk) and percentile of each risk within a book of risks.

    Both are missing where the book is empty, or the risk is missing; missing risks of the book do
    not count.
    """
    known = np.sort(book[~np.isnan(book)])
    below = np.searchsorted(known, risk, side="right")
    empty = np.isnan(risk) | (len(known) == 0)
    above = len(known) - below
    return (
        np.where(empty, np.nan, above + 1),
        np.where(empty, np.nan, 100 * below / max(len(known), 1)),
    )


def bands(
    risk: Floats, base_rate: Floats, ranks: Floats, config: ScoreConfig
) -> np.ndarray[Any, Any]:
    """Return ``high``, ``medium`` or ``low``: by capacity where it is set, else by base rate.

    None where the risk is missing, or the rank that is needed.
    """
    unknown = np.isnan(risk)
    if config.capacity is not None:
        high, medium = ranks <= config.capacity, ranks <= 2 * config.capacity
        unknown = unknown | np.isnan(ranks)
    else:
        high, medium = risk >= config.high_at * base_rate, risk >= config.medium_at * base_rate
    band = np.where(high, "high", np.where(medium, "medium", "low")).astype(object)
    band[unknown] = None
    return band
