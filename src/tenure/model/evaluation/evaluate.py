"""How good the predictions of a walk were: metrics with intervals, per fold and pooled.

Every figure comes from rows that were future when they were predicted.  Intervals resample
accounts; differences to a baseline use the same resamples for both.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from tenure.core.times import show
from tenure.labels.splits import distinct_others
from tenure.model.backtest.baselines import BASE_RATE
from tenure.model.evaluation.bootstrap import safe
from tenure.model.evaluation.groups import by_group, distinct
from tenure.model.evaluation.lead_time import lead_summary, lead_times
from tenure.model.evaluation.metrics import BINS, Measures
from tenure.model.evaluation.prediction_detail import currency
from tenure.model.settings import EvaluationSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

Floats = NDArray[np.float64]
PROFIT = {
    *("profit_months", "profit_margin", "profit_contact_cost", "profit_offer", "profit_accepted")
}
"""Settings of what a contact costs and what it may save."""


def evaluate(
    predictions: pd.DataFrame, baselines: pd.DataFrame, settings: EvaluationSettings
) -> dict[str, Any]:
    """Measure the predictions of a walk.

    Args:
        predictions: `WalkForward.predictions`; with the columns of `with_detail` also money, lead
            time and groups are measured.
        baselines: `WalkForward.baselines`.
        settings: Intervals, capacity, costs.

    Returns:
        JSON-safe: ``pooled`` and ``folds`` (metric → value, lo, hi), ``baselines`` (name →
        metrics), ``differences`` (name → model minus baseline in AUC and best profit, baseline
        minus model in log loss: above 0 favours the model), ``reliability`` (the curve),
        ``lead_time``, ``money``, ``groups``, ``lowest`` (lift and capture of rows without the
        outcome among those scored lowest, and the MRR behind them; where asked for), ``resamples``,
        ``level``, ``capacity``.  Without a row every part is empty.
    """
    result: dict[str, Any] = {
        "pooled": {},
        "folds": [],
        "baselines": {},
        "differences": {},
        "reliability": [],
        "lead_time": {},
        "money": {},
        "groups": [],
        "lowest": {},
        "resamples": settings.resamples,
        "level": settings.level,
        "capacity": settings.capacity,
    }
    if predictions.empty:
        return result
    with threadpool_limits(limits=1):  # more threads add up sums in another order
        return result | _measure(predictions, baselines, settings)


def _measure(
    predictions: pd.DataFrame, baselines: pd.DataFrame, settings: EvaluationSettings
) -> dict[str, Any]:
    result: dict[str, Any] = {"baselines": {}, "differences": {}}
    draws = Measures(predictions, settings)
    result["pooled"] = draws.metrics(draws.probabilities)
    result["pooled"]["events"] = distinct(predictions)
    result["pooled"]["others"] = distinct_others(predictions)
    for name in baselines.columns:
        other = baselines[name].to_numpy(dtype=np.float64)
        result["baselines"][name] = draws.metrics(other)
        result["differences"][name] = draws.difference(other)
    result["reliability"] = reliability(draws.labels, draws.probabilities)
    result["folds"] = [_fold(fold, settings) for _, fold in predictions.groupby("as_of", sort=True)]
    result["groups"] = by_group(predictions, settings)
    result["money"] = _money(predictions, draws)
    if settings.lowest:
        result["lowest"] = _lowest(predictions, settings)
    if {"outcome_at", "outcome_id"} <= set(predictions.columns):
        leads = lead_times(predictions)
        result["lead_time"] = found = lead_summary(leads, draws.resamples, settings.level)
        result["pooled"] |= _lead_figures(found)
    return result


def _lead_figures(found: Mapping[str, Any]) -> dict[str, Any]:
    if not found:
        return {}
    return {"warned": found["warned"], "lead_time_days": found["days"]}


def _lowest(predictions: pd.DataFrame, settings: EvaluationSettings) -> dict[str, Any]:
    """Return what the low end of the list holds of the rows without the outcome."""
    names = ("label", "probability", "base_rate")
    turned = predictions.assign(**{name: 1 - predictions[name] for name in names})
    draws = Measures(turned, replace(settings, profit=False))
    found = draws.metrics(draws.probabilities)
    counts = ("n", "positives", "observed_rate")
    shares = [name for name in found if name.startswith(("lift_", "capture_", "mrr_capture_"))]
    return {
        **{name: found[name] for name in (*counts, *shares)},
        "events": distinct_others(predictions),
        "money": _money(turned, draws),
    }


def _money(predictions: pd.DataFrame, draws: Measures) -> dict[str, Any]:
    """Return what the figures in money are about; empty without money."""
    if draws.amounts is None:
        return {}
    told = ~np.isnan(draws.amounts)
    found: dict[str, Any] = {
        "currency": currency(predictions),
        "rows": int(told.sum()),
        "at_stake": safe(np.nansum(draws.amounts * draws.labels)),
    }
    if draws.settings.profit:
        costs = draws.settings.evaluation.model_dump(include=PROFIT)
        campaign = {name.removeprefix("profit_"): value for name, value in costs.items()}
        found |= {"campaign": campaign, "contacted": draws.contacted()}
    return found


def reliability(labels: Floats, probabilities: Floats, bins: int = BINS) -> list[dict[str, Any]]:
    """Return the reliability curve over bins of equally many rows.

    Returns:
        Per bin: n, mean_probability, observed_rate, lowest and highest probability.
    """
    order = np.argsort(probabilities, kind="stable")
    return [
        {
            "n": len(part),
            "mean_probability": float(probabilities[part].mean()),
            "observed_rate": float(labels[part].mean()),
            "lowest": float(probabilities[part[0]]),
            "highest": float(probabilities[part[-1]]),
        }
        for part in np.array_split(order, min(bins, len(order)))
    ]


def _fold(fold: pd.DataFrame, settings: EvaluationSettings) -> dict[str, Any]:
    draws = Measures(fold, settings)
    as_of = pd.Timestamp(fold["as_of"].iloc[0]).to_pydatetime()
    base = np.asarray(fold["base_rate"], dtype=np.float64)
    return {
        "as_of": show(as_of),
        "fold": int(fold["fold"].iloc[0]),
        BASE_RATE: float(base[0]),
        **draws.metrics(draws.probabilities),
    }
