"""The flat rows: their columns, and those that follow from the probabilities."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd

from tenure.core.arrays import Array, Floats
from tenure.core.config import Config
from tenure.core.flat_row import COLUMNS, MAIN, SLIM
from tenure.core.sections import ScoreConfig
from tenure.labels.windows import RENEWAL
from tenure.score.horizons import ScoreEntries

Selection = Literal["all", "slim"]


def selected(rows: pd.DataFrame, columns: Selection) -> pd.DataFrame:
    """Return flat rows with all their columns, or with those of `SLIM` alone."""
    return rows if columns == "all" else rows[list(SLIM)]


def complete_rows(
    flat: dict[str, Any], entries: ScoreEntries, config: Config, book: pd.DataFrame | None
) -> pd.DataFrame:
    """Return flat rows with what follows from the probabilities, in the order of the contract.

    `flat` are columns by name, one value per entry; health, money at risk, rank and band are added
    where there is a probability of churn.  Rank and percentile refer to the rows of `book`, by
    default to these.

    Returns:
        All of `COLUMNS`, empty where nothing is known, then those of further targets.
    """
    size = len(entries.row)
    if f"{MAIN}_probability" in flat:
        risk = flat[f"{MAIN}_probability"]
        flat["health_score"] = 100 * (1 - risk)
        flat["mrr_at_risk"] = risk * flat["mrr"].to_numpy()
        place, percentile = np.full(size, np.nan), np.full(size, np.nan)
        for name, part in entries.horizon.items():
            among = _ranked_among(risk[part], name, book)
            place[part], percentile[part] = rank(risk[part], among)
        unknown = np.isnan(place)
        ranks = np.where(unknown, 0, place).astype(np.int64)
        flat["churn_rank"] = pd.arrays.IntegerArray(ranks, unknown)
        flat["churn_percentile"] = percentile
        flat["risk_band"] = bands(risk, flat["base_rate"], place, config.score)
    nothing = np.full(size, np.nan)
    further = [name for name in flat if name not in COLUMNS]
    return pd.DataFrame({name: flat.get(name, nothing) for name in (*COLUMNS, *further)})


def _ranked_among(risk: Array, name: str, book: pd.DataFrame | None) -> Array:
    """Return the risks that the rows of one horizon are ranked among.

    Under the horizon ``renewal`` each row looks ahead as far as its own date: there is no order.
    """
    if name == RENEWAL or book is None:
        return risk[:0] if name == RENEWAL else risk
    same = book["horizon_days"] == int(name) if "horizon_days" in book else slice(None)
    risks: Array = book.loc[same, f"{MAIN}_probability"].to_numpy(dtype=np.float64)
    return risks


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


def bands(risk: Floats, base_rate: Floats, ranks: Floats, config: ScoreConfig) -> Array:
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


def with_change(rows: pd.DataFrame, earlier: pd.Series[float]) -> pd.DataFrame:
    """Return flat rows whose `probability_change` is filled.

    `earlier` is the probability of churn in an earlier run, by account_id and horizon_days.

    Returns:
        The rows; the change is empty where one of the two probabilities is.
    """
    index = pd.MultiIndex.from_frame(rows[["account_id", "horizon_days"]])
    before = earlier.reindex(index).to_numpy()
    return rows.assign(probability_change=rows[f"{MAIN}_probability"].to_numpy() - before)
