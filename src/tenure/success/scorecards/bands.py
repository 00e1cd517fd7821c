"""Risk bands that keep still.

`risk_band` of a flat row is cut by thresholds alone and may change with every run.  The band that
people are shown follows from it and from the runs before: it rises at once, but falls only when
the risk lies a margin (`success.band_margin`) below the threshold and the band has stood for
`success.band_dwell_days`.  So it is never lower than `risk_band`.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tenure.core.config import Config
from tenure.core.flat_row import BANDS
from tenure.core.times import days

if TYPE_CHECKING:
    from tenure.score.store.lists import ListStore

MEMORY_DAYS = 400
"""Days before the prediction time whose kept runs a band follows from, the last 60 at most."""
NEVER = np.datetime64("NaT", "us")


def still_bands(
    store: ListStore, config: Config, as_of: datetime, accounts: Collection[str] | None = None
) -> pd.DataFrame:
    """Return the band of churn of each account that had a probability up to a time, by account_id.

    Columns: band, since (the run from which it has stood) and risen_at (the run in which it last
    rose, or began).
    """
    horizon = str(config.labels.horizon_days)
    span = (as_of - days(MEMORY_DAYS), as_of)
    return bands_over_time(store.levels("churn", horizon, span, accounts), config)


def bands_over_time(levels: pd.DataFrame, config: Config) -> pd.DataFrame:
    """Return the bands after the last of some runs; see `still_bands`.

    `levels` have as_of, account_id, probability, base_rate and rank of the runs, by as_of.
    """
    known = levels.dropna(subset=["rank" if config.score.capacity else "probability"])
    account, names = pd.factorize(known["account_id"])
    (level, unit), thresholds = _levels(known, config)
    state = _BandStates(len(names), thresholds, config)
    moments = known["as_of"].to_numpy(dtype="datetime64[us]")
    edges = np.flatnonzero(moments[1:] != moments[:-1]) + 1
    for part in np.split(np.arange(len(known)), edges):
        if len(part):
            state.see(moments[part[0]], account[part], (level[part], unit[part]))
    return pd.DataFrame(
        {
            "band": pd.array([BANDS[code] for code in state.band], dtype="str"),
            "since": state.since,
            "risen_at": state.risen_at,
        },
        index=pd.Index(names, name="account_id"),
    )


def _levels(known: pd.DataFrame, config: Config) -> tuple[tuple[Any, Any], tuple[float, float]]:
    """Return how high each risk is and in which unit, and from which height it is medium, high."""
    settings = config.score
    if settings.capacity:
        height = (settings.capacity / known["rank"]).to_numpy()
        return (height, np.ones_like(height)), (0.5, 1.0)
    height, unit = known["probability"].to_numpy(), known["base_rate"].to_numpy()
    return (height, unit), (settings.medium_at, settings.high_at)


class _BandStates:
    """The band of each account, as run after run is seen."""

    def __init__(self, size: int, thresholds: tuple[float, float], config: Config) -> None:
        self.band = np.full(size, -1)
        self.since, self.risen_at = np.full(size, NEVER), np.full(size, NEVER)
        self._thresholds = np.asarray(thresholds)
        self._margin = 1 - config.success.band_margin
        self._dwell = np.timedelta64(config.success.band_dwell_days, "D")

    def see(self, moment: Any, account: Any, levels: tuple[Any, Any]) -> None:
        """Take in the levels of some accounts in one run, and the unit of each."""
        before, since = self.band[account], self.since[account]
        level, edges = levels[0][:, None], self._thresholds * levels[1][:, None]
        by_threshold = (level >= edges).sum(axis=1)
        lowest = (level >= edges * self._margin).sum(axis=1)
        rises = by_threshold > before
        falls = ~rises & (lowest < before) & (moment - since >= self._dwell)
        self.band[account] = np.where(rises, by_threshold, np.where(falls, lowest, before))
        self.since[account] = np.where(rises | falls, moment, since)
        self.risen_at[account[rises]] = moment
