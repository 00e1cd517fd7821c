"""Gain and calibration in the large over the prediction times: of all, of the latest, the trend.

A bootstrap of accounts does not know that a month may be unlike others for all accounts at once.
So each resample also draws an effect of time for every prediction time.  Its assumptions:

* An effect moves the log-odds of all accounts (their level), or scales all of them (the strength of
  the signal); the two are estimated apart.
* Shocks of different days are independent, so that the effects of two label windows correlate by
  the share of days that they have in common.  What stays is no shock: it is what is looked for.
* The standard deviation of the effects is averaged over a grid, each value weighed by the
  likelihood of the figures of *earlier* prediction times around their own mean, beyond what
  accounts explain, and by a prior that holds it small.  The latest times have no part in it: a
  change would hide itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from tenure.core.arrays import Array, Floats, Moments
from tenure.core.times import show
from tenure.labels.windows import cadence
from tenure.model.calibration.losses import TINY, log_loss
from tenure.model.evaluation.bootstrap import Resamples, interval
from tenure.model.evaluation.metrics import Measures

FEWEST = 3
"""Prediction times that are looked at as the latest, where there are more."""
SIZES = np.array([0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.45, 0.65, 1.0])
"""Standard deviations of effects of time: of log-odds, or of what multiplies them."""
LEVEL_PRIOR, SIGNAL_PRIOR = 0.15, 0.1
"""Scales of the half-normal priors of these."""


def latest_folds(times: Moments, horizon_days: int) -> int:
    """Return how many of the latest prediction times count as lately.

    They span one horizon and are at least `FEWEST`, but no more than half of all where that is
    more; at least one earlier time has to be left, else there are none.

    The times are distinct and rising.
    """
    if len(times) <= 1:
        return 0
    spanning = max(FEWEST, round(horizon_days / cadence(times)))
    return min(spanning, max(FEWEST, len(times) // 2), len(times) - 1)


def over_time(predictions: pd.DataFrame, draws: Measures, horizon_days: int) -> dict[str, Any]:
    """Return the JSON values of `OverTime`.

    The predictions have as_of and fold.
    """
    folds = _Folds.of(predictions["as_of"].to_numpy(dtype="datetime64[us]"), draws, horizon_days)
    late = latest_folds(folds.times, horizon_days)
    rng = np.random.default_rng(draws.settings.seed)
    gap = folds.gap.with_effects(folds, len(folds.times) - late, LEVEL_PRIOR, rng)
    gain = folds.gain.with_effects(folds, len(folds.times) - late, SIGNAL_PRIOR, rng)

    def span(first: int) -> dict[str, Any]:
        rows = folds.rows[first:]
        weights = np.r_[np.zeros(first), rows / rows.sum()]
        return {
            "since": show(pd.Timestamp(folds.times[first]).to_pydatetime()),
            "until": show(pd.Timestamp(folds.times[-1]).to_pydatetime()),
            "folds": len(rows),
            "n": int(rows.sum()),
            "positives": int(folds.positives[first:].sum()),
            "observed_rate": float(folds.positives[first:].sum() / rows.sum()),
            "mean_probability": float(weights @ folds.expected),
            "log_loss_gain": interval(gain @ weights, draws.level),
            "calibration_gap": interval(gap @ weights, draws.level),
        }

    result: dict[str, Any] = {"overall": span(0)}
    if late:
        line = folds.line()
        result |= {
            "lately": span(len(folds.times) - late),
            "gain_trend": interval(gain @ line, draws.level),
            "gap_trend": interval(gap @ line, draws.level),
        }
    return result


def paired_gain(as_of: Array, pair: Measures, horizon_days: int) -> Floats:
    """Return the gain in log loss of one model over another, then that of each resample.

    Also here a resample draws effects of time: on the level of all accounts, which favour the model
    that predicts more or less, and on what the two models differ by.

    `as_of` is the prediction time of each row; the base rate of the `pair` of measures is the
    probability of the other model.
    """
    p, other = (np.clip(x, TINY, 1 - TINY) for x in (pair.probabilities, pair.base))
    if np.array_equal(p, other):
        return np.zeros(len(pair.resamples.counts))
    folds = _Folds.of(as_of.astype("datetime64[us]"), pair, horizon_days)
    rng, every = np.random.default_rng(pair.settings.seed), len(folds.times)
    gain = folds.gain.with_effects(folds, every, SIGNAL_PRIOR, rng)
    apart = np.log(p / (1 - p)) - np.log(other / (1 - other))
    tilt = np.bincount(np.unique(as_of, return_inverse=True)[1], p * (1 - p) * apart) / folds.rows
    gain[1:] += folds.gap.effects(folds, every, LEVEL_PRIOR, rng) * tilt
    return np.asarray(gain @ (folds.rows / folds.rows.sum()))


@dataclass(frozen=True)
class _Series:
    """One figure at each prediction time, and how it answers to an effect of time."""

    draws: Floats
    """The figure, then its resamples, shape (1 + resamples, folds)."""
    load: Floats
    """Its change with an effect of 1, shape (folds,); divided by the rows it is also its binomial
    variance."""

    def with_effects(
        self, folds: _Folds, earlier: int, prior: float, rng: np.random.Generator
    ) -> Floats:
        """Return the draws, each with effects of time added.

        The first `earlier` prediction times tell the size of the effects, whose prior has the scale
        `prior`.
        """
        effects = self.effects(folds, earlier, prior, rng) * self.load
        chance = rng.standard_normal(effects.shape) @ folds.root.T * self._lacking(folds)
        return np.vstack([self.draws[:1], self.draws[1:] + effects + chance])

    def effects(
        self, folds: _Folds, earlier: int, prior: float, rng: np.random.Generator
    ) -> Floats:
        """Return drawn effects of time, shape (resamples, folds); arguments as `with_effects`."""
        rest = self.draws[1:]
        lacking = self._lacking(folds)
        covariance = self._covariance() + folds.overlap * np.outer(lacking, lacking)
        scaled = covariance / np.outer(self.load, self.load)
        figures = self.draws[0] / self.load
        weights = _size_weights(
            figures[:earlier],
            scaled[:earlier, :earlier],
            folds.overlap[:earlier, :earlier],
            prior,
        )
        size = rng.choice(SIZES, p=weights, size=(len(rest), 1))
        return np.asarray(rng.standard_normal(rest.shape) @ folds.root.T * size)

    def _covariance(self) -> Floats:
        return np.atleast_2d(np.cov(self.draws[1:], rowvar=False))

    def _lacking(self, folds: _Folds) -> Floats:
        """Return the deviation that resampling few outcomes lacks: with none at all, all of it."""
        lacking = self.load / folds.rows - np.diag(self._covariance())
        return np.asarray(np.sqrt(np.maximum(lacking, 0)))


@dataclass(frozen=True)
class _Folds:
    """Predictions summed up by prediction time."""

    times: Moments
    """Distinct prediction times, rising, shape (folds,)."""
    rows: Floats
    positives: Floats
    """Those followed by the outcome."""
    expected: Floats
    overlap: Floats
    """Share of days that two label windows have in common, shape (folds, folds)."""
    gap: _Series
    """Mean probability minus observed rate."""
    gain: _Series
    """Gain in log loss over the base rate."""

    @classmethod
    def of(cls, as_of: Moments, draws: Measures, horizon_days: int) -> _Folds:
        times, fold = np.unique(as_of, return_inverse=True)
        p, base = (np.clip(x, TINY, 1 - TINY) for x in (draws.probabilities, draws.base))
        saved = log_loss(draws.labels, base) - log_loss(draws.labels, p)
        apart = np.log(p / (1 - p)) - np.log(base / (1 - base))
        columns = np.column_stack([np.ones_like(p), p - draws.labels, saved])
        rows = np.bincount(fold).astype(np.float64)
        means = np.empty((2, len(draws.resamples.counts), len(times)))
        for number in range(len(times)):
            own = fold == number
            part = Resamples(draws.resamples.account[own], draws.resamples.counts)
            size, *sums = part.sums(columns[own]).T
            means[:, :, number] = np.array(sums) / np.maximum(size, 1)
        loads = (np.bincount(fold, p * (1 - p) * by) / rows for by in (np.ones_like(p), apart**2))
        gap, gain = map(_Series, means, (np.maximum(load, TINY) for load in loads))
        days = np.abs(times[:, None] - times) / np.timedelta64(1, "D")
        return cls(
            times=times,
            rows=rows,
            positives=np.bincount(fold, draws.labels).astype(np.float64),
            expected=np.bincount(fold, draws.probabilities) / rows,
            overlap=np.maximum(0, 1 - days / horizon_days),
            gap=gap,
            gain=gain,
        )

    @cached_property
    def root(self) -> Floats:
        """Return a root of `overlap`, which turns independent effects into overlapping ones."""
        return np.asarray(np.linalg.cholesky(self.overlap + 1e-9 * np.eye(len(self.rows))))

    def line(self) -> Floats:
        """Return weights whose sum over the folds is the change along the fitted line."""
        days = (self.times - self.times[0]) / np.timedelta64(1, "D")
        away = self.rows * (days - np.average(days, weights=self.rows))
        return np.asarray(away / (away @ days) * days[-1])


def _size_weights(figures: Floats, covariance: Floats, overlap: Floats, prior: float) -> Floats:
    """Return the posterior weight of each of `SIZES`, by restricted likelihood.

    `figures`, of earlier prediction times, are in units of an effect of 1; accounts explain their
    `covariance`, and `overlap` is the correlation of the effects of time, both of shape (times,
    times).  `prior` is the scale of a half-normal one.
    """
    logs = -((SIZES / prior) ** 2) / 2
    if len(figures) > 1:
        for place, size in enumerate(SIZES):
            inverse = np.linalg.inv(covariance + size**2 * overlap)
            total = inverse.sum()
            away = figures - inverse.sum(axis=0) @ figures / total
            fit = np.linalg.slogdet(inverse)[1] - np.log(total) - away @ inverse @ away
            logs[place] += fit / 2
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum())
