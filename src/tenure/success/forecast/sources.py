"""Where the risks of accounts come from: the probabilities of a model, or one rate for all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tenure.core.arrays import Floats
from tenure.core.records.forecast import PeriodName, Rule
from tenure.success.forecast.components import RENEWAL, Component
from tenure.success.forecast.periods import nearest_horizon, same_length, scaled

Predictions = Mapping[str, Mapping[int, pd.DataFrame]]
"""Target → horizon in days → rows of account_id, as_of and probability; those of a backtest also
have label and label_known_at."""


@dataclass(frozen=True)
class Source:
    """Where the risks of a component come from."""

    rule: Rule
    target: str | None = None
    horizon_days: int | None = None


def sources(component: Component, predictions: Predictions, period: PeriodName) -> list[Source]:
    """Return where the risks of a component may come from, the preferred first."""
    for target in component.targets:
        horizon = nearest_horizon(period, list(predictions.get(target, ())))
        if horizon is not None:
            rule: Rule = "model" if same_length(horizon, period) else "constant_hazard"
            return [Source(rule, target, horizon), Source("historic_rate")]
    return [Source("historic_rate")]


@dataclass(frozen=True)
class Risks:
    """How likely each row of some books is to meet an outcome, and which did."""

    risk: Floats
    """Probability within the period; NaN where no account of the time has one."""
    called: Floats | None = None
    """The part of the outcome that falls to the period: 0 without an outcome, 1 with one where the
    horizon is as long as the period; None where nothing tells."""
    known: pd.Series[Any] | None = None
    """Time → when all outcomes of the time are known; None likewise."""


def risks_from(
    rows: pd.DataFrame, source: Source, predictions: Predictions, period: PeriodName
) -> Risks:
    """Return the risk of each row within a period.

    Rows without a prediction have the mean of those of the same time that have one.  Where all
    accounts share a rate the risk is 1, and so is what is called: what comes of it is the rate.

    `rows` have account_id and as_of; the predictions are of the same times.
    """
    if source.target is None or source.horizon_days is None:
        return Risks(np.ones(len(rows)), np.ones(len(rows)))
    keys = ["account_id", "as_of"]
    predicted = predictions[source.target][source.horizon_days]
    merged = rows[keys].merge(predicted, how="left", on=keys)
    probability = merged["probability"].to_numpy(dtype=np.float64)
    if source.target == RENEWAL:
        probability = 1 - probability
    merged["risk"] = scaled(probability, source.horizon_days, period)
    mean = merged.groupby("as_of")["risk"].transform("mean")
    risk = merged["risk"].fillna(mean).to_numpy(dtype=np.float64)
    if "label" not in merged:
        return Risks(risk)
    label = merged["label"].to_numpy(dtype=np.float64, na_value=np.nan)
    outcome = 1 - label if source.target == RENEWAL else label
    part = np.divide(
        merged["risk"].to_numpy(np.float64),
        probability,
        out=np.ones(len(rows)),
        where=probability > 0,
    )
    called = np.nan_to_num(outcome * part)
    return Risks(risk, called, predicted.groupby("as_of")["label_known_at"].max())
