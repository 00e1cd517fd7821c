"""What boosters said of rows that were future to them, and the calibrators learnt from that."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from tenure.core.arrays import Flags, Floats, Places
from tenure.labels.splits import Origin, outcome_codes
from tenure.labels.windows import EARLY_DAYS
from tenure.model.boosting.fit import AUTO, FittedBooster, FittedModel, calibrate
from tenure.model.calibration.account_effects import effect_variance
from tenure.model.calibration.calibrators import Sigmoid
from tenure.model.calibration.forward import (
    EarlyWindows,
    ForwardPredictions,
    hazard_share,
    known_by,
    shortened,
)
from tenure.model.calibration.level import Level
from tenure.model.settings import FitSettings


class ForwardLog:
    """Forward predictions of a walk, as far as it has come.

    Args:
        rows: account_id, as_of, label (1, 0 or missing), label_known_at, outcome_id.
        early: The same rows under a shorter horizon, whose labels are known sooner; by default
            `rows` stand in.
        settings: How models are fitted.

    Attributes:
        margins: Log-odds of each row; NaN where no booster has predicted it.
    """

    def __init__(
        self, rows: pd.DataFrame, early: pd.DataFrame | None, settings: FitSettings
    ) -> None:
        self.settings = settings
        self.labels = rows["label"].to_numpy(dtype=np.float64, na_value=np.nan)
        self.moments = rows["as_of"].to_numpy(dtype="datetime64[us]")
        self.known_at = rows["label_known_at"].to_numpy(dtype="datetime64[us]")
        self.outcomes = outcome_codes(rows)
        self.margins = np.full(len(rows), np.nan)
        self._learnt = np.zeros(len(rows))  # outcomes that the booster of each row learnt from
        horizon = float(settings.horizon_days)
        days = horizon if early is None else min(float(EARLY_DAYS), horizon)
        shorter = rows if early is None else early
        self.early = EarlyWindows(
            accounts=pd.factorize(rows["account_id"])[0],
            moments=self.moments,
            labels=shorter["label"].to_numpy(dtype=np.float64, na_value=np.nan),
            known_at=shorter["label_known_at"].to_numpy(dtype="datetime64[us]"),
            days=days,
            windows=horizon / days,
        )

    def record(self, rows: Places, margins: Floats, outcomes: int) -> None:
        """Record the log-odds of some rows, by a booster that learnt from so many outcomes."""
        self.margins[rows], self._learnt[rows] = margins, outcomes

    def calibrate(self, booster: FittedBooster, origin: Origin | None) -> FittedModel:
        """Calibrate as of a prediction time, or on everything known.

        A forward prediction weighs as much as the outcomes of its booster are of this one's: a
        booster of few outcomes ranks worse, and its log-odds mean less.
        """
        now = None if origin is None else np.datetime64(origin.as_of, "us")
        past, predicted = known_by(now, self.labels, self.known_at), ~np.isnan(self.margins)
        known = predicted & past
        forward = self._forward(np.flatnonzero(known), booster)
        base_rate = float(self.labels[past].mean())
        fitted = calibrate(booster, forward, self.settings, base_rate)
        if not forward.enough or self.settings.model.calibrator != AUTO:
            return fitted
        return self._levelled(fitted, predicted & self.early.known(now), known, now, origin)

    def redrawn(
        self, fitted: FittedModel, booster: FittedBooster, rows: Places, draw: Floats
    ) -> Sigmoid:
        """Return the line of a fitted model, fitted again on some rows as often as they are drawn.

        A line that was not learnt from forward predictions is its own.  The label of each row is
        known; `draw` is how often it counts.
        """
        drawn = ~np.isnan(self.margins[rows]) & (draw > 0)
        forward = self._forward(rows[drawn], booster)
        if not fitted.calibrated_on or not forward.enough:
            return fitted.calibrator
        line = replace(forward, weights=forward.weights * draw[drawn]).line(booster.outcomes)
        return line.shifted(fitted.level.applied) if fitted.level else line

    def account_effects(self, fitted: FittedModel, rows: Places) -> float:
        """Return the variance of effects of accounts that outcomes of some rows betray."""
        rows = rows[~np.isnan(self.margins[rows])]
        frame = pd.DataFrame(
            {
                "account": self.early.accounts[rows],
                "at": (self.moments[rows] - self.moments.min()) / np.timedelta64(1, "D"),
                "probability": fitted.calibrator.probability(self.margins[rows]),
                "label": self.labels[rows],
                "outcome": self.outcomes[rows],
            }
        )
        return effect_variance(frame, self.settings.horizon_days)

    def _forward(self, rows: Places, booster: FittedBooster) -> ForwardPredictions:
        """Return what boosters have said of some rows, and what happened."""
        labels = self.labels[rows]
        return ForwardPredictions(
            margins=self.margins[rows],
            labels=labels,
            weights=np.minimum(self._learnt[rows] / booster.outcomes, 1),
            outcomes=len(np.unique(self.outcomes[rows][labels == 1])),
        )

    def _levelled(
        self,
        fitted: FittedModel,
        early: Flags,
        known: Flags,
        now: np.datetime64 | None,
        origin: Origin | None,
    ) -> FittedModel:
        """Follow the level of all accounts, where that has paid so far."""
        both = known & early
        if not both.any():
            return fitted
        power = hazard_share(self.early.labels[both], self.labels[both])
        rows = np.flatnonzero(early)
        expected = shortened(fitted.calibrator.probability(self.margins[rows]), power)
        history = self.early.history(rows, expected)
        start = self.moments.max() if now is None else now
        level = Level(*history.over(start, self.early.windows), followed=False)
        moved = fitted.calibrator.shifted(level.shift)
        if origin is not None:
            margins = self.margins[origin.test]
            both_ways = (fitted.calibrator.probability(margins), moved.probability(margins))
            self.early.record(origin.test, *(shortened(p, power) for p in both_ways))
        if not self.early.level_pays(now):
            return replace(fitted, level=level)
        followed = replace(level, followed=True)
        return replace(fitted, calibrator=moved, calibrated_by="level", level=followed)
