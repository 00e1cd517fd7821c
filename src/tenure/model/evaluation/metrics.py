"""Metrics of one set of predictions, with intervals on resamples that all metrics share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tenure.core.arrays import Floats
from tenure.model.calibration.losses import TINY, log_loss
from tenure.model.evaluation.bootstrap import Resamples, interval, ranking, safe
from tenure.model.evaluation.capacity import Outcomes, on_list
from tenure.model.evaluation.profit import (
    best_profit,
    best_share,
    chosen_draws,
    gains,
    profit_draws,
)
from tenure.model.settings import EvaluationSettings

if TYPE_CHECKING:
    import pandas as pd


SHARES = (0.05, 0.10, 0.20)
BINS = 10


class Measures:
    """Predictions with the resamples that all metrics share."""

    def __init__(self, predictions: pd.DataFrame, settings: EvaluationSettings) -> None:
        self.labels = predictions["label"].to_numpy(dtype=np.float64)
        self.probabilities = predictions["probability"].to_numpy(dtype=np.float64)
        self.base = predictions["base_rate"].to_numpy(dtype=np.float64)
        self.settings = settings
        self.level = settings.level
        self.times = np.unique(predictions["as_of"].to_numpy(), return_inverse=True)[1]
        self.amounts = _money(predictions)
        accounts = predictions["account_id"].to_numpy(dtype=str)
        self.resamples = Resamples.draw(accounts, settings.resamples, settings.seed)
        self.outcomes = Outcomes.of(predictions)
        self.cache: dict[bytes, dict[str, Floats]] = {}

    def metrics(self, probabilities: Floats) -> dict[str, Any]:
        """Return every metric with its interval, and the counts behind them."""
        draws = self._draws(probabilities)
        counts: dict[str, Any] = {
            "n": len(self.labels),
            "positives": int(self.labels.sum()),
            "observed_rate": safe(self.labels.mean()),
            "mean_probability": safe(probabilities.mean()),
        }
        return counts | {name: interval(values, self.level) for name, values in draws.items()}

    def difference(self, other: Floats) -> dict[str, Any]:
        """Return how much better the model is than another, on the same resamples."""
        mine, theirs = self._draws(self.probabilities), self._draws(other)
        gains = {
            "auc": interval(mine["auc"] - theirs["auc"], self.level),
            "log_loss": interval(theirs["log_loss"] - mine["log_loss"], self.level),
        }
        if "best_profit" in mine:
            gain = mine["best_profit"] - theirs["best_profit"]
            gains["best_profit"] = interval(gain, self.level)
        return gains

    def contacted(self) -> float | None:
        """Return the share of accounts whose contact the best profit asks for."""
        if self.amounts is None or not self.settings.profit:
            return None
        known = ~np.isnan(self.amounts)
        labels, scores, mrr = self.labels[known], self.probabilities[known], self.amounts[known]
        return safe(best_share(labels, scores, mrr, self.settings.evaluation))

    def _draws(self, probabilities: Floats) -> dict[str, Floats]:
        key = probabilities.tobytes()
        if key not in self.cache:
            self.cache[key] = (
                self._ranking(probabilities)
                | self._detection(probabilities)
                | self._profit(probabilities)
                | self._losses(probabilities)
            )
        return self.cache[key]

    def _ranking(self, probabilities: Floats) -> dict[str, Floats]:
        ranks = ranking(self.resamples, self.labels, probabilities, SHARES)
        draws = {"auc": ranks.auc, "average_precision": ranks.average_precision}
        lifts = ranks.capture / np.array(SHARES)
        return draws | {f"lift_at_{_percent(x)}": lifts[:, n] for n, x in enumerate(SHARES)}

    def _detection(self, probabilities: Floats) -> dict[str, Floats]:
        """Return the share of distinct outcomes that lists of several lengths meet in time."""
        lengths: dict[str, float] = {_percent(share): share for share in SHARES}
        if self.settings.capacity is not None:
            lengths["capacity"] = self.settings.capacity
        nobody = np.zeros_like(probabilities)
        met, chance = (
            np.column_stack(
                [self.outcomes.met(on_list(x, self.times, length)) for length in lengths.values()]
            )
            for x in (probabilities, nobody)
        )
        shares = {
            "detection": self.outcomes.means(self.resamples, met),
            "chance": self.outcomes.means(self.resamples, chance),
        }
        if self.amounts is not None:
            money = np.nan_to_num(self.amounts[self.outcomes.last])
            shares["mrr_detection"] = self.outcomes.means(self.resamples, met, money)
        return {
            f"{kind}_at_{name}": draws[:, place]
            for kind, draws in shares.items()
            for place, name in enumerate(lengths)
        }

    def _profit(self, probabilities: Floats) -> dict[str, Floats]:
        """Return the profit of the best cut of the list, and of contacting where one expects it."""
        campaign = self.settings.evaluation
        if self.amounts is None or not self.settings.profit or not self.labels.any():
            return {}
        known = ~np.isnan(self.amounts)
        labels, scores, mrr = self.labels[known], probabilities[known], self.amounts[known]
        draws = Resamples(self.resamples.account[known], self.resamples.counts)
        earned = gains(labels, mrr, campaign)
        best = profit_draws(draws, scores, earned)
        best[0] = best_profit(labels, scores, mrr, campaign)
        expected = gains(scores, mrr, campaign) > 0
        return {"best_profit": best, "profit": chosen_draws(draws, expected, earned)}

    def _losses(self, probabilities: Floats) -> dict[str, Floats]:
        labels, p = self.labels, np.clip(probabilities, TINY, 1 - TINY)
        ones, loss = np.ones_like(labels), log_loss(labels, probabilities)
        columns = np.column_stack([ones, loss, (p - labels) ** 2, (self.base - labels) ** 2])
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


def _percent(share: float) -> str:
    return f"{round(100 * share)}"


def _newton(moments: Floats) -> Floats:
    g0, g1, h00, h01, h11 = moments.T
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = h00 * h11 - h01**2
        return np.column_stack([(h11 * g0 - h01 * g1) / scale, (h00 * g1 - h01 * g0) / scale])


def _money(predictions: pd.DataFrame) -> Floats | None:
    if "amount" not in predictions.columns:
        return None
    money = predictions["amount"].to_numpy(dtype=np.float64, na_value=np.nan)
    return None if np.isnan(money).all() else money
