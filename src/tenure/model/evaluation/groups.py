"""Metrics of the predictions within groups of accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tenure.labels.splits import distinct_events, distinct_others
from tenure.model.calibration.losses import log_loss
from tenure.model.evaluation.bootstrap import Resamples, interval, ranking, safe
from tenure.model.evaluation.prediction_detail import GROUP
from tenure.model.settings import EvaluationSettings

if TYPE_CHECKING:
    import pandas as pd

FEWEST_EVENTS = 30


def by_group(predictions: pd.DataFrame, settings: EvaluationSettings) -> list[dict[str, Any]]:
    """Measure each group that a ``group:<name>`` column makes.

    The predictions are those of `with_detail`.

    Returns:
        Per group: by (what makes it), group, n, positives, events (distinct outcomes),
        observed_rate, mean_probability, and with at least 30 events and as many accounts without
        one auc, log_loss_gain (over the base rate of its folds) and calibration_gap (mean
        probability minus observed rate), each with its interval.
    """
    entries = []
    for column in predictions.columns:
        if not str(column).startswith(GROUP):
            continue
        by = str(column).removeprefix(GROUP)
        for name, part in predictions.groupby(column, observed=True, sort=True):
            entries.append({"by": by, "group": str(name), **_measured(part, settings)})
    return entries


def _measured(part: pd.DataFrame, settings: EvaluationSettings) -> dict[str, Any]:
    labels = part["label"].to_numpy(dtype=np.float64)
    scores = part["probability"].to_numpy(dtype=np.float64)
    events = distinct(part)
    figures: dict[str, Any] = {
        "n": len(part),
        "positives": int(labels.sum()),
        "events": events,
        "observed_rate": safe(labels.mean()),
        "mean_probability": safe(scores.mean()),
    }
    if min(events, distinct_others(part)) < FEWEST_EVENTS:
        return figures
    draws = Resamples.draw(
        part["account_id"].to_numpy(dtype=str), settings.resamples, settings.seed
    )
    base = part["base_rate"].to_numpy(dtype=np.float64)
    gain = log_loss(labels, base) - log_loss(labels, scores)
    columns = np.column_stack([np.ones_like(labels), gain, scores - labels])
    rows, gains, gaps = draws.sums(columns).T
    measured = {
        "auc": ranking(draws, labels, scores, ()).auc,
        "log_loss_gain": gains / rows,
        "calibration_gap": gaps / rows,
    }
    return figures | {name: interval(values, settings.level) for name, values in measured.items()}


def distinct(predictions: pd.DataFrame) -> int:
    """Return how many distinct outcomes stand behind the positive rows."""
    if "outcome_id" not in predictions.columns:
        return int((predictions["label"] == 1).sum())
    return distinct_events(predictions)
