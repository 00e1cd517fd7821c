"""How good the predictions of a walk were: metrics with intervals, per fold and pooled.

Every figure comes from rows that were future when they were predicted.  Intervals resample
accounts; differences to a baseline use the same resamples for both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from tenure.core.times import show
from tenure.model.baselines import BASE_RATE
from tenure.model.bootstrap import Resamples, interval, ranking, safe

if TYPE_CHECKING:
    from tenure.core.config import Config

Floats = NDArray[np.float64]

SHARES = (0.05, 0.10, 0.20)
BINS = 10
TINY = 1e-12


@dataclass(frozen=True)
class EvaluationSettings:
    """How predictions are measured.

    Attributes:
        resamples: Account-clustered bootstrap resamples.
        level: Coverage of intervals.
        seed: Seed of the resamples.
    """

    resamples: int = 500
    level: float = 0.95
    seed: int = 0

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """Return the settings of a run."""
        evaluation = config.evaluation
        return cls(evaluation.bootstrap, evaluation.level, config.model.seed)


def evaluate(
    predictions: pd.DataFrame, baselines: pd.DataFrame, settings: EvaluationSettings
) -> dict[str, Any]:
    """Measure the predictions of a walk.

    Args:
        predictions: `WalkForward.predictions`.
        baselines: `WalkForward.baselines`.
        settings: Intervals.

    Returns:
        JSON-safe: ``pooled`` and ``folds`` (metric → value, lo, hi), ``baselines`` (name →
        metrics), ``differences`` (name → model minus baseline in AUC, baseline minus model in log
        loss: above 0 favours the model), ``reliability`` (the curve), ``resamples``, ``level``.
        Without a row every part is empty.
    """
    result: dict[str, Any] = {
        "pooled": {},
        "folds": [],
        "baselines": {},
        "differences": {},
        "reliability": [],
        "resamples": settings.resamples,
        "level": settings.level,
    }
    if predictions.empty:
        return result
    with threadpool_limits(limits=1):  # more threads add up sums in another order
        return result | _measure(predictions, baselines, settings)


def _measure(
    predictions: pd.DataFrame, baselines: pd.DataFrame, settings: EvaluationSettings
) -> dict[str, Any]:
    result: dict[str, Any] = {"baselines": {}, "differences": {}}
    draws = _Draws(predictions, settings)
    result["pooled"] = draws.metrics(draws.probabilities)
    for name in baselines.columns:
        other = baselines[name].to_numpy(dtype=np.float64)
        result["baselines"][name] = draws.metrics(other)
        result["differences"][name] = draws.difference(other)
    result["reliability"] = reliability(draws.labels, draws.probabilities)
    result["folds"] = [_fold(fold, settings) for _, fold in predictions.groupby("as_of", sort=True)]
    return result


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


class _Draws:
    """Predictions with the resamples that all metrics share."""

    def __init__(self, predictions: pd.DataFrame, settings: EvaluationSettings) -> None:
        self.labels = predictions["label"].to_numpy(dtype=np.float64)
        self.probabilities = predictions["probability"].to_numpy(dtype=np.float64)
        self.base = predictions["base_rate"].to_numpy(dtype=np.float64)
        self.level = settings.level
        accounts = predictions["account_id"].to_numpy(dtype=str)
        self.resamples = Resamples.draw(accounts, settings.resamples, settings.seed)
        self.cache: dict[bytes, dict[str, Floats]] = {}

    def metrics(self, probabilities: Floats) -> dict[str, Any]:
        """Return every metric with its interval, and the counts behind them."""
        draws = self._draws(probabilities)
        found: dict[str, Any] = {
            "n": len(self.labels),
            "positives": int(self.labels.sum()),
            "observed_rate": safe(self.labels.mean()),
            "mean_probability": safe(probabilities.mean()),
        }
        return found | {name: interval(values, self.level) for name, values in draws.items()}

    def difference(self, other: Floats) -> dict[str, Any]:
        """Return how much better the model is than another, on the same resamples."""
        mine, theirs = self._draws(self.probabilities), self._draws(other)
        return {
            "auc": interval(mine["auc"] - theirs["auc"], self.level),
            "log_loss": interval(theirs["log_loss"] - mine["log_loss"], self.level),
        }

    def _draws(self, probabilities: Floats) -> dict[str, Floats]:
        key = probabilities.tobytes()
        if key not in self.cache:
            self.cache[key] = self._ranking(probabilities) | self._losses(probabilities)
        return self.cache[key]

    def _ranking(self, probabilities: Floats) -> dict[str, Floats]:
        ranks = ranking(self.resamples, self.labels, probabilities, SHARES)
        found = {"auc": ranks.auc, "average_precision": ranks.average_precision}
        for column, share in enumerate(SHARES):
            name = f"{round(100 * share)}"
            found[f"lift_at_{name}"] = ranks.capture[:, column] / share
            found[f"capture_at_{name}"] = ranks.capture[:, column]
        return found

    def _losses(self, probabilities: Floats) -> dict[str, Floats]:
        labels, p = self.labels, np.clip(probabilities, TINY, 1 - TINY)
        ones = np.ones_like(labels)
        log_loss = -(labels * np.log(p) + (1 - labels) * np.log1p(-p))
        columns = np.column_stack([ones, log_loss, (p - labels) ** 2, (self.base - labels) ** 2])
        rows, losses, brier, base = self.resamples.sums(columns).T
        slope, intercept = self._line(np.log(p) - np.log1p(-p))
        with np.errstate(divide="ignore", invalid="ignore"):
            skill = np.where(base > 0, 1 - brier / base, np.nan)
        return {
            "log_loss": losses / rows,
            "brier": brier / rows,
            "brier_skill": skill,
            "calibration_error": self._calibration_error(probabilities, rows),
            "calibration_slope": slope,
            "calibration_intercept": intercept,
        }

    def _calibration_error(self, probabilities: Floats, rows: Floats) -> Floats:
        """Return the mean gap of bins of equally many rows, each weighted by its rows."""
        order = np.argsort(probabilities, kind="stable")
        gap = probabilities - self.labels
        parts = np.array_split(order, min(BINS, len(order)))
        columns = np.zeros((len(gap), len(parts)))
        for number, part in enumerate(parts):
            columns[part, number] = gap[part]
        return np.asarray(np.abs(self.resamples.sums(columns)).sum(axis=1) / rows)

    def _line(self, logits: Floats) -> tuple[Floats, Floats]:
        """Return slope and intercept of the outcome on the predicted log-odds, per resample.

        The full rows are solved by Newton's method; a resample takes one further step from there.
        """
        missing = np.full(len(self.resamples.counts), np.nan)
        if np.ptp(logits) < 1e-9 or np.ptp(self.labels) == 0:
            return missing, missing
        line = np.array([0.0, 1.0])
        for _ in range(50):
            step = _newton(self._moments(logits, line)[:1])[0]
            line = line + np.clip(step, -2, 2)
            if np.abs(step).max() < 1e-10:
                break
        lines = line + _newton(self._moments(logits, line))
        lines[0] = line
        return lines[:, 1], lines[:, 0]

    def _moments(self, logits: Floats, line: Floats) -> Floats:
        fitted = 1 / (1 + np.exp(-np.clip(line[0] + line[1] * logits, -40, 40)))
        error, spread = self.labels - fitted, fitted * (1 - fitted)
        columns = [error, error * logits, spread, spread * logits, spread * logits**2]
        return self.resamples.sums(np.column_stack(columns))


def _newton(moments: Floats) -> Floats:
    g0, g1, h00, h01, h11 = moments.T
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = h00 * h11 - h01**2
        return np.column_stack([(h11 * g0 - h01 * g1) / scale, (h00 * g1 - h01 * g0) / scale])


def _fold(fold: pd.DataFrame, settings: EvaluationSettings) -> dict[str, Any]:
    draws = _Draws(fold, settings)
    as_of = pd.Timestamp(fold["as_of"].iloc[0]).to_pydatetime()
    base = np.asarray(fold["base_rate"], dtype=np.float64)
    return {
        "as_of": show(as_of),
        "fold": int(fold["fold"].iloc[0]),
        BASE_RATE: float(base[0]),
        **draws.metrics(draws.probabilities),
    }
