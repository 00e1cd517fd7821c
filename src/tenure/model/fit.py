"""Fit one model: encoder, booster, calibrator and interval, each from rows that may be seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from tenure.core.errors import Problem, RefusedError
from tenure.model.calibrate import Calibrator, Sigmoid
from tenure.model.choice import AUTO, DEFAULT, Forward, fit_candidate
from tenure.model.encode import Encoder
from tenure.model.estimator import TenureClassifier
from tenure.model.interval import Interval

__all__ = [
    "Boosted",
    "FitSettings",
    "Fitted",
    "Forward",
    "boost",
    "calibrate",
    "constraints",
    "fit_model",
    "resampled",
]

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from tenure.core.config import Config
    from tenure.core.spec import Ranked

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FitSettings:
    """How a model is fitted.

    Attributes:
        seed: Seed of the booster.
        threads: Threads of the booster; the result does not depend on it.
        calibrator: A candidate of `tenure.model.choice`, or ``auto`` for the best on later rows.
        parameters: Parameters of the booster that replace the sized ones.
        ranked: Percentiles among peers that are learnt from the training rows.
        level: Share of the true probabilities that an interval should hold.
        outcome: Kind of outcome of the target.
        monotone: Column → 1 where the probability may only rise with it, -1 where only fall.
    """

    seed: int = 0
    threads: int = 1
    calibrator: str = AUTO
    parameters: Mapping[str, Any] = field(default_factory=dict)
    ranked: tuple[Ranked, ...] = ()
    level: float = 0.8
    outcome: str = "churn"
    monotone: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def from_config(
        cls, config: Config, ranked: tuple[Ranked, ...] = (), outcome: str = "churn"
    ) -> Self:
        """Return the settings of a run."""
        model = config.model
        return cls(
            model.seed,
            model.threads,
            calibrator=model.calibrator,
            parameters=model.parameters,
            ranked=ranked,
            level=model.interval_level,
            outcome=outcome,
        )


@dataclass(frozen=True)
class Fitted:
    """A booster, its encoder and its calibrator, and what they learnt from.

    Attributes:
        encoder: From feature values to the booster's numbers.
        booster_text: The booster, as text.
        parameters: LightGBM parameters.
        calibrator: From log-odds to probability.
        calibrated_on: Rows behind the calibrator; 0 where it only matches the base rate.
        calibrated_by: The candidate that was taken.
        rows: Training rows.
        positives: Of them, positive.
        base_rate: Positive share of them.
        interval: From probability to its bounds, where it was fitted.
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
    extra = dict(settings.parameters) | constraints(encoder, settings)
    model = TenureClassifier(seed=settings.seed, threads=settings.threads, extra=extra)
    model.fit(matrix, labels, categorical=encoder.categorical)
    return Boosted(encoder, model, model.decision_function(matrix), labels)


def constraints(encoder: Encoder, settings: FitSettings) -> dict[str, list[int]]:
    """Return the parameter that holds an encoder's columns monotone, if any is; never text."""
    signs = [
        0 if name in encoder.categories else settings.monotone.get(name, 0)
        for name in encoder.columns
    ]
    return {"monotone_constraints": signs} if any(signs) else {}


def calibrate(
    boosted: Boosted, forward: Forward, settings: FitSettings, candidate: str | None = None
) -> Fitted:
    """Fit the calibrator on forward predictions.

    With fewer than 20 positives among them the calibrator keeps the booster's slope and matches
    the base rate of the training rows.

    Args:
        boosted: Encoder and booster.
        forward: Forward predictions whose outcome is known.
        settings: How.
        candidate: Which calibrator; by default that of the settings, a sigmoid for ``auto``.
    """
    if candidate is None:
        candidate = DEFAULT if settings.calibrator == AUTO else settings.calibrator
    base_rate = float(boosted.labels.mean())
    calibrator: Calibrator
    if forward.enough:
        calibrator, size = fit_candidate(candidate, forward), len(forward.labels)
    else:
        calibrator, size = Sigmoid.shift(boosted.margins, base_rate), 0
    return Fitted(
        encoder=boosted.encoder,
        booster_text=boosted.model.booster_text,
        parameters=boosted.model.parameters_,
        calibrator=calibrator,
        calibrated_on=size,
        calibrated_by=candidate if size else "base_rate",
        rows=len(boosted.labels),
        positives=boosted.positives,
        base_rate=base_rate,
    )


def fit_model(
    values: pd.DataFrame, labels: Floats, forward: Forward, settings: FitSettings
) -> Fitted:
    """Fit encoder and booster on training rows, and the calibrator on forward predictions."""
    return calibrate(boost(values, labels, settings), forward, settings)


def resampled(
    boosted: Boosted,
    matrix: Floats,
    accounts: NDArray[np.intp],
    asked: Floats,
    settings: FitSettings,
) -> Floats:
    """Return log-odds of a booster fitted on accounts drawn with replacement.

    Args:
        boosted: The booster of all accounts.
        matrix: Its training rows, encoded.
        accounts: Number of the account of each of them.
        asked: Rows to predict, encoded.
        settings: How; the seed decides which accounts are drawn.
    """
    size = int(accounts.max()) + 1
    draw = np.random.default_rng(settings.seed).integers(0, size, size)
    rows = np.repeat(np.arange(len(accounts)), np.bincount(draw, minlength=size)[accounts])
    labels = boosted.labels[rows]
    if labels.min() == labels.max():
        return boosted.model.decision_function(asked)
    model = TenureClassifier(seed=settings.seed, threads=1, extra=boosted.model.extra)
    model.fit(matrix[rows], labels, categorical=boosted.encoder.categorical)
    return model.decision_function(asked)
