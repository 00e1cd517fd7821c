"""Evaluation of a walk's predictions: metrics with intervals, per fold and pooled.

Every figure comes from rows that were future when they were predicted.  Intervals resample
accounts; differences to a baseline use the same resamples for both.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from tenure.core.arrays import Floats
from tenure.core.records.evaluation import Evaluation
from tenure.core.times import show
from tenure.labels.splits import distinct_others
from tenure.model.backtest.baselines import BASE_RATE
from tenure.model.evaluation.bootstrap import safe
from tenure.model.evaluation.bounds_check import bounds_check
from tenure.model.evaluation.by_chance import error_by_chance
from tenure.model.evaluation.capacity import TENTH
from tenure.model.evaluation.groups import by_group, distinct
from tenure.model.evaluation.lead_time import lead_summary, lead_times
from tenure.model.evaluation.metrics import BINS, Measures
from tenure.model.evaluation.over_time import over_time
from tenure.model.evaluation.prediction_detail import currency
from tenure.model.settings import EvaluationSettings

PROFIT = {
    *("profit_months", "profit_margin", "profit_contact_cost", "profit_offer", "profit_accepted")
}
"""Settings of what a contact costs and what it may save."""


def evaluate(
    predictions: pd.DataFrame, baselines: pd.DataFrame, settings: EvaluationSettings
) -> Evaluation:
    """Measure the predictions of a walk.

    Both are those of a `WalkForward`; of predictions with the columns of `with_detail` also money,
    lead time and groups are measured.

    Returns:
        The measured backtest; without a row every part is empty.
    """
    result: dict[str, Any] = {
        "resamples": settings.resamples,
        "level": settings.level,
        "capacity": settings.capacity,
    }
    if not predictions.empty:
        with threadpool_limits(limits=1):  # more threads add up sums in another order
            result |= _measure(predictions, baselines, settings)
    return Evaluation.model_validate(result)


def _measure(
    predictions: pd.DataFrame, baselines: pd.DataFrame, settings: EvaluationSettings
) -> dict[str, Any]:
    draws = Measures(predictions, settings)
    pooled = draws.metrics(draws.probabilities)
    pooled |= {"events": distinct(predictions), "others": distinct_others(predictions)}
    leads = None
    if {"outcome_at", "outcome_id"} <= set(predictions.columns):
        times = lead_times(predictions, settings.capacity or TENTH)
        leads = lead_summary(times, draws.resamples, settings.level) or None
    if leads is not None:
        pooled |= {"warned": leads["warned"], "lead_time_days": leads["days"]}
    others = {str(name): baselines[name].to_numpy(dtype=np.float64) for name in baselines.columns}
    return {
        "pooled": pooled,
        "baselines": {name: draws.metrics(other) for name, other in others.items()},
        "differences": {name: draws.difference(other) for name, other in others.items()},
        "reliability": reliability(draws.labels, draws.probabilities),
        "folds": [_fold(fold, settings) for _, fold in predictions.groupby("as_of", sort=True)],
        "error_by_chance": error_by_chance(predictions, settings.horizon_days, BINS, settings.seed),
        "bounds": bounds_check(predictions, settings.bounds_level),
        "over_time": over_time(predictions, draws, settings.horizon_days),
        "lead_time": leads,
        "money": _money(predictions, draws),
        "groups": by_group(predictions, settings),
        "lowest": _lowest(predictions, settings) if settings.lowest else None,
    }


def _lowest(predictions: pd.DataFrame, settings: EvaluationSettings) -> dict[str, Any]:
    """Return what the low end of the list holds of the rows without the outcome."""
    names = ("label", "probability", "base_rate")
    turned = predictions.assign(**{name: 1 - predictions[name] for name in names})
    turned = turned.drop(columns="outcome_at", errors="ignore")  # an account misses it once
    turned["outcome_id"] = predictions["account_id"]
    draws = Measures(turned, replace(settings, profit=False))
    figures = draws.metrics(draws.probabilities)
    counts = ("n", "positives", "observed_rate")
    top = ("lift_", "detection_", "mrr_detection_", "chance_")
    shares = [name for name in figures if name.startswith(top)]
    return {
        **{name: figures[name] for name in (*counts, *shares)},
        "events": distinct_others(predictions),
        "money": _money(turned, draws),
    }


def _money(predictions: pd.DataFrame, draws: Measures) -> dict[str, Any] | None:
    """Return what the figures in money are about; None without money."""
    if draws.amounts is None:
        return None
    known = ~np.isnan(draws.amounts)
    money: dict[str, Any] = {
        "currency": currency(predictions),
        "rows": int(known.sum()),
        "at_stake": safe(np.nansum(draws.amounts[draws.outcomes.last])),
    }
    if draws.settings.profit:
        costs = draws.settings.evaluation.model_dump(include=PROFIT)
        campaign = {name.removeprefix("profit_"): value for name, value in costs.items()}
        money |= {"campaign": campaign, "contacted": draws.contacted()}
    return money


def reliability(labels: Floats, probabilities: Floats) -> list[dict[str, Any]]:
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
        for part in np.array_split(order, min(BINS, len(order)))
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
