"""Fit one model: encoder, booster and calibrator, and the fitted model that a bundle holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import lightgbm as lgb
import numpy as np

from tenure.core.arrays import Floats, Places
from tenure.core.config import ModelConfig
from tenure.core.errors import ModelError, Problem, RefusedError
from tenure.features.values import Values
from tenure.model.boosting.encoder import Encoder, Matrix
from tenure.model.boosting.estimator import TenureClassifier
from tenure.model.boosting.sizes import sized_parameters
from tenure.model.calibration.calibrators import Sigmoid, expected_slope
from tenure.model.calibration.forward import ForwardPredictions
from tenure.model.calibration.interval import MEMBERS, Interval
from tenure.model.calibration.level import Level
from tenure.model.settings import FitSettings

if TYPE_CHECKING:
    import pandas as pd


AUTO, IDENTITY = "auto", "identity"
SMALL_BATCH = 1_000
"""Rows up to which one thread predicts fastest."""


class Scores(NamedTuple):
    """What a model says of rows."""

    probability: Floats
    """Calibrated, shape (rows,)."""
    lo: Floats
    """Its lower bound, NaN without an interval."""
    hi: Floats
    contributions: Floats
    """In log-odds, shape (rows, columns + 1), the base value last."""

    def take(self, rows: Places) -> Scores:
        """Return what is said of some of the rows."""
        return Scores(*(values[rows] for values in self))


@dataclass(frozen=True)
class FittedModel:
    """A fitted model of one target and horizon: from feature values to calibrated probabilities."""

    encoder: Encoder
    """From feature values to the booster's numbers."""
    booster_text: str
    """The booster, as LightGBM's text."""
    parameters: Mapping[str, Any]
    calibrator: Sigmoid
    """From log-odds to probability."""
    calibrated_on: int
    """Forward predictions that its slope was learnt from; 0 where it only matches the base rate."""
    calibrated_by: str
    """``sigmoid``, ``level`` where it follows the level of all accounts, ``identity``, or
    ``base_rate``."""
    rows: int
    positives: int
    """Training rows with the outcome."""
    base_rate: float
    """Positive share of the rows whose outcome was known."""
    interval: Interval | None = None
    """From a probability and the columns of its row to bounds, where it was fitted."""
    level: Level | None = None
    """The level of all accounts beside the model, where it was estimated."""
    threads: int = field(default=1, compare=False)
    """Threads for large batches; no result depends on it."""
    members: tuple[lgb.Booster, ...] = field(default=(), compare=False, repr=False)
    """Boosters of resampled accounts that the bounds come from; of a model just fitted."""

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

    def margins(self, values: Values) -> Floats:
        """Return log-odds before calibration, one per row of feature values."""
        return self._predict(self.encoder.transform(values), raw_score=True)

    def probabilities(self, values: Values) -> Floats:
        """Return calibrated probabilities, one per row; the same alone as in a batch."""
        return self.calibrator.probability(self.margins(values))

    def bounds(self, values: Values, probabilities: Floats) -> tuple[Floats, Floats]:
        """Return the lower and the upper bound of probabilities, NaN without an interval.

        There is one row of `values` per probability, shape (rows,); bounds of NaN are NaN.
        """
        return self._bounds(probabilities, self.encoder.transform(values))

    def _bounds(self, probabilities: Floats, matrix: Matrix) -> tuple[Floats, Floats]:
        if self.interval is None:
            return np.full(len(matrix), np.nan), np.full(len(matrix), np.nan)
        return self.interval.bounds(probabilities, matrix)

    def contributions(self, values: Values) -> Floats:
        """Return contributions in log-odds before calibration, shape (rows, columns + 1).

        The last column is the expected log-odds; a row adds up to its margin.
        """
        return self._predict(self.encoder.transform(values), pred_contrib=True)

    def scores(self, values: Values) -> Scores:
        """Return probabilities, their bounds and contributions; the values are encoded once."""
        matrix = self.encoder.transform(values)
        chances = self.calibrator.probability(self._predict(matrix, raw_score=True))
        bounds = self._bounds(chances, matrix)
        return Scores(chances, *bounds, self._predict(matrix, pred_contrib=True))

    def member_contributions(self, values: Values) -> list[Floats]:
        """Return what the boosters of resampled accounts contribute, as `contributions` does."""
        matrix = self.encoder.transform(values)
        return [
            np.asarray(member.predict(matrix, pred_contrib=True, num_threads=self.threads))
            for member in self.members
        ]

    def _predict(self, matrix: Matrix, **how: bool) -> Floats:
        if not len(matrix):
            return np.empty((0, len(self.columns) + 1)) if "pred_contrib" in how else np.empty(0)
        threads = 1 if len(matrix) <= SMALL_BATCH else self.threads
        return np.asarray(self.booster.predict(matrix, num_threads=threads, **how))

    def calibration(self) -> dict[str, Any]:
        """Return the calibrator as JSON values."""
        return self.calibrator.to_json()

    def to_json(self) -> dict[str, Any]:
        """Return the model as JSON values."""
        names = ("calibrated_on", "calibrated_by", "rows", "positives", "base_rate")
        return {
            "encoder": self.encoder.to_json(),
            "booster": self.booster_text,
            "parameters": dict(self.parameters),
            "calibrator": self.calibrator.to_json(),
            "interval": self.interval.to_json() if self.interval else None,
            "level": asdict(self.level) if self.level else None,
            **{name: getattr(self, name) for name in names},
        }

    @classmethod
    def from_json(cls, state: Mapping[str, Any], *, threads: int = 1) -> Self:
        """Return the model that `to_json` described."""
        own = ("encoder", "booster", "calibrator", "interval", "level")
        return cls(
            encoder=Encoder.from_json(state["encoder"]),
            booster_text=str(state["booster"]),
            calibrator=Sigmoid.from_json(state["calibrator"]),
            interval=Interval.from_json(state["interval"]) if state["interval"] else None,
            level=Level(**state["level"]) if state["level"] else None,
            threads=threads,
            **{name: value for name, value in state.items() if name not in own},
        )


@dataclass(frozen=True)
class FittedBooster:
    """A fitted encoder and booster, not yet calibrated."""

    encoder: Encoder
    """From feature values to the booster's numbers."""
    model: TenureClassifier
    training_margins: Floats
    """Log-odds of the training rows."""
    labels: Floats
    """Labels of the training rows, 1 or 0."""
    outcomes: int
    """Distinct outcomes behind the rarer label."""

    @property
    def positives(self) -> int:
        """Positive training rows."""
        return int(self.labels.sum())

    def margins(self, values: Values) -> Floats:
        """Return log-odds, one per row of feature values."""
        return self.model.decision_function(self.encoder.transform(values))


def fit_booster(
    values: pd.DataFrame, labels: Floats, settings: FitSettings, *, outcomes: int | None = None
) -> FittedBooster:
    """Fit encoder and booster on training rows.

    Labels are 1 or 0; `outcomes` are the distinct ones behind the rows of the rarer label, by
    default as many as rows.

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
    rarer = int(min(labels.sum(), len(labels) - labels.sum()))
    outcomes = rarer if outcomes is None else max(outcomes, 1)
    sizes = sized_parameters(rarer, len(labels), outcomes)
    extra = sizes | dict(how.parameters) | monotone_constraints(encoder, settings)
    model = TenureClassifier(seed=how.seed, threads=how.threads, extra=extra)
    model.fit(matrix, labels, categorical=encoder.categorical)
    return FittedBooster(encoder, model, model.decision_function(matrix), labels, outcomes)


def monotone_constraints(encoder: Encoder, settings: FitSettings) -> dict[str, list[int]]:
    """Return LightGBM's ``monotone_constraints`` for an encoder's columns; empty without any."""
    signs = [
        0 if name in encoder.categories else settings.monotone.get(name, 0)
        for name in encoder.columns
    ]
    return {"monotone_constraints": signs} if any(signs) else {}


def calibrate(
    booster: FittedBooster,
    forward: ForwardPredictions | None,
    settings: FitSettings,
    base_rate: float | None = None,
) -> FittedModel:
    """Fit the calibrator on forward predictions.

    Without enough outcomes among them, its slope is the one that a booster of so few outcomes is
    expected to have, and its mean probability over the training rows is the base rate.

    By default the base rate is that of the training rows.
    """
    base_rate = float(booster.labels.mean()) if base_rate is None else base_rate
    name, rows = "base_rate", 0
    if settings.model.calibrator == IDENTITY:
        calibrator, name = Sigmoid(1.0, 0.0), IDENTITY
    elif forward is not None and forward.enough:
        calibrator, name, rows = forward.line(booster.outcomes), "sigmoid", len(forward.labels)
    else:
        slope = expected_slope(booster.outcomes)
        calibrator = Sigmoid.through(booster.training_margins, base_rate, slope=slope)
    return FittedModel(
        encoder=booster.encoder,
        booster_text=booster.model.booster_text,
        parameters=booster.model.parameters_,
        calibrator=calibrator,
        calibrated_on=rows,
        calibrated_by=name,
        rows=len(booster.labels),
        positives=booster.positives,
        base_rate=base_rate,
    )


def fit_model(values: pd.DataFrame, labels: Floats, settings: FitSettings) -> FittedModel:
    """Fit encoder and booster on training rows; the calibrator only matches their base rate."""
    return calibrate(fit_booster(values, labels, settings), None, settings)


def resampled_boosters(
    booster: FittedBooster, matrix: Matrix, accounts: Places, settings: ModelConfig
) -> list[tuple[Floats, lgb.Booster]]:
    """Return boosters fitted on accounts drawn with replacement, each with the draw.

    A draw is a weight for each row: all boosters share one binned data set.

    `matrix` are the encoded training rows, `accounts` the number of the account of each.
    """
    draws = [_drawn(accounts, settings.seed + 1 + number) for number in range(MEMBERS)]
    members = booster.model.refits(
        matrix,
        booster.labels,
        draws,
        categorical=booster.encoder.categorical,
        threads=settings.threads,
    )
    return list(zip(draws, members, strict=True))


def _drawn(accounts: Places, seed: int) -> Floats:
    """Return how often the account of each row is drawn."""
    size = int(accounts.max()) + 1
    draw = np.random.default_rng(seed).integers(0, size, size)
    return np.bincount(draw, minlength=size)[accounts].astype(np.float64)
