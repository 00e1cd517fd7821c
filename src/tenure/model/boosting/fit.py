"""Fit one model: encoder, booster and calibrator, and the fitted model that a bundle holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from tenure.core.errors import ModelError, Problem, RefusedError
from tenure.model.boosting.encoder import Encoder
from tenure.model.boosting.estimator import TenureClassifier
from tenure.model.calibration.calibrators import Calibrator, Sigmoid, from_json
from tenure.model.calibration.interval import Interval
from tenure.model.calibration.selection import AUTO, DEFAULT, ForwardPredictions, fit_candidate
from tenure.model.settings import FitSettings

__all__ = [
    "FitSettings",
    "FittedBooster",
    "FittedModel",
    "ForwardPredictions",
    "calibrate",
    "fit_booster",
    "fit_model",
    "monotone_constraints",
    "refit_on_resample",
]

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

Floats = NDArray[np.float64]

SMALL_BATCH = 1_000
"""Rows up to which one thread predicts fastest."""


@dataclass(frozen=True)
class FittedModel:
    """A fitted model of one target and horizon: from feature values to calibrated probabilities.

    Attributes:
        encoder: From feature values to the booster's numbers.
        booster_text: The booster, as LightGBM's text.
        parameters: LightGBM parameters.
        calibrator: From log-odds to probability.
        calibrated_on: Rows that the calibrator was fitted on; 0 where it only
            matches the base rate.
        calibrated_by: Name of the calibrator candidate, or ``base_rate``.
        rows: Training rows.
        positives: Of them, positive.
        base_rate: Positive share of them.
        interval: From probability to its bounds, where it was fitted.
        threads: Threads for large batches; no result depends on it.
    """

    encoder: Encoder
    booster_text: str
    parameters: Mapping[str, Any]
    calibrator: Calibrator
    calibrated_on: int
    calibrated_by: str
    rows: int
    positives: int
    base_rate: float
    interval: Interval | None = None
    threads: int = field(default=1, compare=False)

    @cached_property
    def booster(self) -> lgb.Booster:
        """The booster, read from its text.

        Raises:
            ModelError: If LightGBM cannot read it.
        """
        try:
            return lgb.Booster(model_str=self.booster_text)
        except lgb.basic.LightGBMError as error:
            rule, fix = "is not a booster that LightGBM reads", "train again: `tenure train CONFIG`"
            raise ModelError(Problem("booster", rule, str(error)[:80], fix)) from None

    @property
    def columns(self) -> tuple[str, ...]:
        """Feature columns that the booster reads, in its order."""
        return self.encoder.columns

    def margins(self, values: pd.DataFrame) -> Floats:
        """Return log-odds before calibration, one per row of feature values."""
        return self._predict(self.encoder.transform(values), raw_score=True)

    def probabilities(self, values: pd.DataFrame) -> Floats:
        """Return calibrated probabilities, one per row; the same alone as in a batch."""
        return self.calibrator.probability(self.margins(values))

    def contributions(self, values: pd.DataFrame) -> Floats:
        """Return contributions in log-odds before calibration, shape (rows, columns + 1).

        The last column is the expected log-odds; a row adds up to its margin.
        """
        return self._predict(self.encoder.transform(values), pred_contrib=True)

    def scores_and_contributions(self, values: pd.DataFrame) -> tuple[Floats, Floats]:
        """Return probabilities and contributions; the values are encoded once."""
        matrix = self.encoder.transform(values)
        margins = self._predict(matrix, raw_score=True)
        return self.calibrator.probability(margins), self._predict(matrix, pred_contrib=True)

    def _predict(self, matrix: Floats, **how: bool) -> Floats:
        if not len(matrix):
            return np.empty((0, len(self.columns) + 1)) if "pred_contrib" in how else np.empty(0)
        threads = 1 if len(matrix) <= SMALL_BATCH else self.threads
        return np.asarray(self.booster.predict(matrix, num_threads=threads, **how))

    def to_json(self) -> dict[str, Any]:
        """Return the model as JSON values."""
        names = ("calibrated_on", "calibrated_by", "rows", "positives", "base_rate")
        return {
            "encoder": self.encoder.to_json(),
            "booster": self.booster_text,
            "parameters": dict(self.parameters),
            "calibrator": self.calibrator.to_json(),
            "interval": self.interval.to_json() if self.interval else None,
            **{name: getattr(self, name) for name in names},
        }

    @classmethod
    def from_json(cls, state: Mapping[str, Any], *, threads: int = 1) -> Self:
        """Return the model that `to_json` described."""
        own = ("encoder", "booster", "calibrator", "interval")
        return cls(
            encoder=Encoder.from_json(state["encoder"]),
            booster_text=str(state["booster"]),
            calibrator=from_json(state["calibrator"]),
            interval=Interval.from_json(state["interval"]) if state["interval"] else None,
            threads=threads,
            **{name: value for name, value in state.items() if name not in own},
        )


@dataclass(frozen=True)
class FittedBooster:
    """A fitted encoder and booster, not yet calibrated.

    Attributes:
        encoder: From feature values to the booster's numbers.
        model: The fitted booster.
        training_margins: Log-odds of the training rows.
        labels: Labels of the training rows, 1 or 0.
    """

    encoder: Encoder
    model: TenureClassifier
    training_margins: Floats
    labels: Floats

    @property
    def positives(self) -> int:
        """Positive training rows."""
        return int(self.labels.sum())

    def margins(self, values: pd.DataFrame) -> Floats:
        """Return log-odds, one per row of feature values."""
        return self.model.decision_function(self.encoder.transform(values))


def fit_booster(values: pd.DataFrame, labels: Floats, settings: FitSettings) -> FittedBooster:
    """Fit encoder and booster on training rows.

    Args:
        values: Feature values of the training rows.
        labels: 1 or 0 for each.
        settings: How.

    Raises:
        RefusedError: If no feature varies.
    """
    encoder = Encoder.fit(values, ranked=settings.ranked)
    matrix = encoder.transform(values)
    if not encoder.columns:
        raise RefusedError(
            Problem(
                "features",
                "none of them varies in the training rows",
                ", ".join(map(str, list(values.columns)[:5])),
                "map more tables or columns, or turn on more families",
            )
        )
    how = settings.model
    extra = dict(how.parameters) | monotone_constraints(encoder, settings)
    model = TenureClassifier(seed=how.seed, threads=how.threads, extra=extra)
    model.fit(matrix, labels, categorical=encoder.categorical)
    return FittedBooster(encoder, model, model.decision_function(matrix), labels)


def monotone_constraints(encoder: Encoder, settings: FitSettings) -> dict[str, list[int]]:
    """Return LightGBM's ``monotone_constraints`` for an encoder's columns; empty without any."""
    signs = [
        0 if name in encoder.categories else settings.monotone.get(name, 0)
        for name in encoder.columns
    ]
    return {"monotone_constraints": signs} if any(signs) else {}


def calibrate(
    booster: FittedBooster,
    forward: ForwardPredictions,
    settings: FitSettings,
    candidate: str | None = None,
) -> FittedModel:
    """Fit the calibrator on forward predictions.

    With fewer than 20 positives among them the calibrator keeps the booster's slope and matches
    the base rate of the training rows.

    Args:
        booster: Encoder and booster.
        forward: Forward predictions whose outcome is known.
        settings: How.
        candidate: Which calibrator; by default that of the settings, a sigmoid for ``auto``.
    """
    if candidate is None:
        candidate = DEFAULT if settings.model.calibrator == AUTO else settings.model.calibrator
    base_rate = float(booster.labels.mean())
    calibrator: Calibrator
    if forward.enough:
        calibrator, size = fit_candidate(candidate, forward), len(forward.labels)
    else:
        calibrator, size = Sigmoid.shift(booster.training_margins, base_rate), 0
    return FittedModel(
        encoder=booster.encoder,
        booster_text=booster.model.booster_text,
        parameters=booster.model.parameters_,
        calibrator=calibrator,
        calibrated_on=size,
        calibrated_by=candidate if size else "base_rate",
        rows=len(booster.labels),
        positives=booster.positives,
        base_rate=base_rate,
    )


def fit_model(
    values: pd.DataFrame, labels: Floats, forward: ForwardPredictions, settings: FitSettings
) -> FittedModel:
    """Fit encoder and booster on training rows, and the calibrator on forward predictions."""
    return calibrate(fit_booster(values, labels, settings), forward, settings)


def refit_on_resample(
    booster: FittedBooster,
    matrix: Floats,
    accounts: NDArray[np.intp],
    others: Floats,
    settings: FitSettings,
) -> Floats:
    """Return log-odds of a booster fitted on accounts drawn with replacement.

    Args:
        booster: The booster of all accounts.
        matrix: Its training rows, encoded.
        accounts: Account number of each of them.
        others: Rows to predict, encoded.
        settings: How; the seed decides which accounts are drawn.
    """
    size = int(accounts.max()) + 1
    draw = np.random.default_rng(settings.model.seed).integers(0, size, size)
    rows = np.repeat(np.arange(len(accounts)), np.bincount(draw, minlength=size)[accounts])
    labels = booster.labels[rows]
    if labels.min() == labels.max():
        return booster.model.decision_function(others)
    model = TenureClassifier(seed=settings.model.seed, threads=1, extra=booster.model.extra)
    model.fit(matrix[rows], labels, categorical=booster.encoder.categorical)
    return model.decision_function(others)
