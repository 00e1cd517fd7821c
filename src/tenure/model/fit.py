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
    """

    seed: int = 0
    threads: int = 1
    calibrator: str = "sigmoid"
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """Return the settings of a run."""
        model = config.model
        return cls(seed=model.seed, threads=model.threads, parameters=model.parameters)


@dataclass(frozen=True)
class Forward:
    """Predictions of earlier boosters on rows that were future to them, and what happened.

    Attributes:
        margins: Log-odds.
        labels: 1 or 0.
    """

    margins: Floats
    labels: Floats


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


def fit_model(
    values: pd.DataFrame, labels: Floats, forward: Forward, settings: FitSettings
) -> Fitted:
    """Fit encoder and booster on training rows, and the calibrator on forward predictions.

    With fewer than 20 positives among the forward predictions the calibrator keeps the booster's
    slope and matches the base rate of the training rows.

    Args:
        values: Feature values of the training rows.
        labels: 1 or 0 for each.
        forward: Forward predictions whose outcome is known.
        settings: How.

    Raises:
        RefusedError: If no feature varies.
    """
    encoder = Encoder.fit(values)
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
    base_rate = float(labels.mean())
    if forward.labels.sum() >= MIN_CALIBRATION_POSITIVES:
        calibrator = fit_calibrator(settings.calibrator, forward.margins, forward.labels)
        size = len(forward.labels)
    else:
        calibrator, size = Sigmoid.shift(model.decision_function(matrix), base_rate), 0
    return Fitted(
        encoder=encoder,
        booster_text=model.booster_text,
        parameters=model.parameters_,
        calibrator=calibrator,
        calibrated_on=size,
        rows=len(labels),
        positives=int(labels.sum()),
        base_rate=base_rate,
    )
