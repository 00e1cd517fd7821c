"""Fit one model: encoder, booster and calibrator, each from rows that may be seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from tenure.core.errors import Problem, RefusedError
from tenure.model.calibrate import Calibrator, Sigmoid, fit_calibrator
from tenure.model.encode import Encoder
from tenure.model.estimator import TenureClassifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from tenure.core.config import Config
    from tenure.core.spec import Ranked

Floats = NDArray[np.float64]

MIN_CALIBRATION_POSITIVES = 20


@dataclass(frozen=True)
class FitSettings:
    """How a model is fitted.

    Attributes:
        seed: Seed of the booster.
        threads: Threads of the booster; the result does not depend on it.
        calibrator: Kind of calibrator.
        parameters: Parameters of the booster that replace the sized ones.
        ranked: Percentiles among peers that are learnt from the training rows.
    """

    seed: int = 0
    threads: int = 1
    calibrator: str = "sigmoid"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    ranked: tuple[Ranked, ...] = ()

    @classmethod
    def from_config(cls, config: Config, ranked: tuple[Ranked, ...] = ()) -> Self:
        """Return the settings of a run."""
        model = config.model
        return cls(model.seed, model.threads, parameters=model.parameters, ranked=ranked)


@dataclass(frozen=True)
class Forward:
    """Predictions of earlier boosters on rows that were future to them, and what happened.

    Attributes:
        margins: Log-odds.
        labels: 1 or 0.
        weights: How much each counts; alike by default.
    """

    margins: Floats
    labels: Floats
    weights: Floats | None = None


@dataclass(frozen=True)
class Fitted:
    """A booster, its encoder and its calibrator, and what they learnt from.

    Attributes:
        encoder: From feature values to the booster's numbers.
        booster_text: The booster, as text.
        parameters: LightGBM parameters.
        calibrator: From log-odds to probability.
        calibrated_on: Rows behind the calibrator; 0 where it only matches the base rate.
        rows: Training rows.
        positives: Of them, positive.
        base_rate: Positive share of them.
    """

    encoder: Encoder
    booster_text: str
    parameters: Mapping[str, Any]
    calibrator: Calibrator
    calibrated_on: int
    rows: int
    positives: int
    base_rate: float

    def margins(self, values: pd.DataFrame, threads: int = 1) -> Floats:
        """Return log-odds of the booster, before calibration, one per row of feature values."""
        model = TenureClassifier.from_text(self.booster_text, threads=threads)
        return model.decision_function(self.encoder.transform(values))

    def contributions(self, values: pd.DataFrame, threads: int = 1) -> Floats:
        """Return contributions in log-odds, shape (rows, columns + 1), the base value last."""
        model = TenureClassifier.from_text(self.booster_text, threads=threads)
        return model.contributions(self.encoder.transform(values))


@dataclass(frozen=True)
class Boosted:
    """An encoder and a booster that wait for a calibrator.

    Attributes:
        encoder: From feature values to the booster's numbers.
        model: The fitted booster.
        margins: Log-odds of the training rows.
        labels: Labels of the training rows, 1 or 0.
    """

    encoder: Encoder
    model: TenureClassifier
    margins: Floats
    labels: Floats

    @property
    def positives(self) -> int:
        """Positive training rows."""
        return int(self.labels.sum())

    def predict(self, values: pd.DataFrame) -> Floats:
        """Return log-odds, one per row of feature values."""
        return self.model.decision_function(self.encoder.transform(values))


def boost(values: pd.DataFrame, labels: Floats, settings: FitSettings) -> Boosted:
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
    model = TenureClassifier(
        seed=settings.seed, threads=settings.threads, extra=settings.parameters
    )
    model.fit(matrix, labels, categorical=encoder.categorical)
    return Boosted(encoder, model, model.decision_function(matrix), labels)


def calibrate(boosted: Boosted, forward: Forward, settings: FitSettings) -> Fitted:
    """Fit the calibrator on forward predictions.

    With fewer than 20 positives among them the calibrator keeps the booster's slope and matches
    the base rate of the training rows.

    Args:
        boosted: Encoder and booster.
        forward: Forward predictions whose outcome is known.
        settings: How.
    """
    base_rate = float(boosted.labels.mean())
    if forward.labels.sum() >= MIN_CALIBRATION_POSITIVES:
        calibrator = fit_calibrator(
            settings.calibrator, forward.margins, forward.labels, forward.weights
        )
        size = len(forward.labels)
    else:
        calibrator, size = Sigmoid.shift(boosted.margins, base_rate), 0
    return Fitted(
        encoder=boosted.encoder,
        booster_text=boosted.model.booster_text,
        parameters=boosted.model.parameters_,
        calibrator=calibrator,
        calibrated_on=size,
        rows=len(boosted.labels),
        positives=boosted.positives,
        base_rate=base_rate,
    )


def fit_model(
    values: pd.DataFrame, labels: Floats, forward: Forward, settings: FitSettings
) -> Fitted:
    """Fit encoder and booster on training rows, and the calibrator on forward predictions."""
    return calibrate(boost(values, labels, settings), forward, settings)
