"""How well a backtest ranks, against the distance to the end of observation.

A table that was made for whole lives tells the more of a life the more of it lies in the data.
Towards the end of observation it tells less and less, and a backtest that lived on it ranks worse
and worse.  So does a model whose signal dies; the report says what tells the two apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tenure.audit.sample import chosen
from tenure.core.arrays import Floats, Moments
from tenure.core.normal import deviations
from tenure.core.records.base import Figure
from tenure.core.records.shape import SkillRecord
from tenure.model.evaluation.bootstrap import Resamples, ranking
from tenure.model.evaluation.over_time import latest_folds

if TYPE_CHECKING:
    import pandas as pd


ACCOUNTS = 10_000
"""Accounts whose predictions are ranked at most; more are sampled."""
RESAMPLES = 200
FEWEST = 5
"""Prediction times before the latest ones that are needed."""
STEEP = 0.15
"""Share of the lead over chance that is surely lost where skill falls steeply."""
SURE = deviations(0.99)
"""Standard errors to either end of an interval of 99 %."""


def skill(
    predictions: pd.DataFrame, gap_trend: Figure, horizon_days: int, seed: int
) -> SkillRecord | None:
    """Return how the AUC of the latest prediction times differs from that of the earlier ones.

    Args:
        predictions: Forward predictions: account_id, as_of, label, probability.
        gap_trend: Change of mean probability minus observed rate over the prediction times.
        horizon_days: Length of the label window; the latest times span one.
        seed: Of the sample of accounts and of the resamples.

    Returns:
        None where there are too few prediction times with both outcomes.
    """
    accounts = predictions["account_id"].to_numpy(dtype=str)
    some = np.isin(accounts, chosen(accounts.tolist(), ACCOUNTS, seed))
    times, areas = _areas(predictions[some], seed)
    late = latest_folds(times, horizon_days)
    if late < 1 or len(times) - late < FEWEST:
        return None
    early = len(times) - late
    weights = np.r_[np.full(early, -1 / early), np.full(late, 1 / late)]
    change = float(weights @ areas[0])
    half = SURE * np.sqrt(weights @ _covariance(areas, times, early, horizon_days) @ weights)
    before = float(areas[0, :early].mean())
    lead = before - 0.5
    figure = Figure(value=change, lo=change - half, hi=change + half)
    return SkillRecord(
        folds=len(times),
        latest=late,
        before=before,
        lately=before + change,
        change=figure,
        lost=-change / lead if lead > 0 else 0.0,
        falls=lead > 0 and change + half < -STEEP * lead,
        drifting=gap_trend.above,
    )


def _areas(predictions: pd.DataFrame, seed: int) -> tuple[Moments, Floats]:
    """Return the times with both outcomes, and their AUC and its resamples, shape (1 + n, times).

    A resample without one of the outcomes at a time counts as the AUC itself.
    """
    labels = predictions["label"].to_numpy(dtype=np.float64)
    scores = predictions["probability"].to_numpy(dtype=np.float64)
    moments = predictions["as_of"].to_numpy(dtype="datetime64[us]")
    draws = Resamples.draw(predictions["account_id"].to_numpy(dtype=str), RESAMPLES, seed)
    times, areas = [], []
    for moment in np.unique(moments):
        own = moments == moment
        if 0 < labels[own].sum() < own.sum():
            part = Resamples(draws.account[own], draws.counts)
            area = ranking(part, labels[own], scores[own], ()).auc
            times.append(moment)
            areas.append(np.where(np.isfinite(area), area, area[0]))
    return np.array(times, dtype="datetime64[us]"), np.array(areas).reshape(len(times), -1).T


def _covariance(areas: Floats, times: Moments, early: int, horizon_days: int) -> Floats:
    """Return the covariance of the AUCs: of accounts, and of shocks that a time shares.

    The size of the shocks is that by which the earlier times scatter around a line of their own,
    beyond what accounts explain; the latest have no part in it: a change would hide itself.
    Windows that overlap share them.

    Args:
        areas: AUCs and their resamples.
        times: Prediction times.
        early: How many of these, from the first, are earlier ones.
        horizon_days: Length of the label window.
    """
    accounts = np.atleast_2d(np.cov(areas[1:], rowvar=False))
    days = np.abs(times[:, None] - times) / np.timedelta64(1, "D")
    overlap = np.maximum(0, 1 - days / horizon_days)
    line = np.column_stack([np.ones(early), days[0, :early]])
    beyond = np.eye(early) - line @ np.linalg.pinv(line)
    scatter = float(np.sum((beyond @ areas[0, :early]) ** 2))
    own, shared = (
        float(np.trace(beyond @ part[:early, :early] @ beyond)) for part in (accounts, overlap)
    )
    size = max(0.0, scatter - own) / max(shared, 1e-9)
    return np.asarray(accounts + size * overlap)
