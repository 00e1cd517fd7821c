"""Choice of a calibrator: the one whose probabilities have been best on later rows.

Every candidate is fitted at every prediction time on the forward predictions whose outcome was
known by then, and gives probabilities to the rows of that time.  By a later prediction time some of
those outcomes are known: the mean log loss over them chooses.  A sigmoid is the default: another
candidate has to be better by more than chance explains, measured by a standard error over accounts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tenure.model.calibration.calibrators import ShiftedCalibrator, fit_calibrator
from tenure.model.calibration.losses import NEAR, log_loss

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tenure.model.calibration.calibrators import Calibrator

Floats = NDArray[np.float64]

AUTO = "auto"
DEFAULT = "sigmoid"
KINDS = ("sigmoid", "isotonic", "beta", "venn_abers")
SHIFTED = " drifted"
CANDIDATES = (*KINDS, *(kind + SHIFTED for kind in KINDS))
RECENT = 3  # latest prediction times with an outcome, which show a drift of the base rate
MIN_CALIBRATION_POSITIVES = 20
MIN_POSITIVES = 50


@dataclass(frozen=True)
class ForwardPredictions:
    """Predictions of earlier boosters on rows that were future to them, and what happened.

    Attributes:
        margins: Log-odds.
        labels: 1 or 0.
        weights: How much each counts; alike by default.
        moments: Prediction time of each, as numbers that rise with time; alike by default.
    """

    margins: Floats
    labels: Floats
    weights: Floats | None = None
    moments: NDArray[np.int64] | None = None

    @property
    def enough(self) -> bool:
        """Whether a calibrator can be fitted on them."""
        return bool(self.labels.sum() >= MIN_CALIBRATION_POSITIVES)

    @property
    def latest(self) -> NDArray[np.bool_]:
        """Which belong to the latest prediction times."""
        if self.moments is None:
            return np.ones(len(self.labels), dtype=bool)
        first = np.unique(self.moments)[-RECENT:][0]
        return np.asarray(self.moments >= first)


def fit_candidate(name: str, forward: ForwardPredictions) -> Calibrator:
    """Fit one candidate: a kind, moved by the latest outcomes where its name says so."""
    kind = name.removesuffix(SHIFTED)
    fitted = fit_calibrator(kind, forward.margins, forward.labels, forward.weights)
    return fitted if kind == name else drift_adjusted(fitted, forward)


def fit_candidates(forward: ForwardPredictions) -> dict[str, Calibrator]:
    """Fit every candidate; none where too few outcomes are known."""
    if not forward.enough:
        return {}
    fitted = {kind: fit_candidate(kind, forward) for kind in KINDS}
    return fitted | {kind + SHIFTED: drift_adjusted(fitted[kind], forward) for kind in KINDS}


def drift_adjusted(calibrator: Calibrator, forward: ForwardPredictions) -> Calibrator:
    """Return a calibrator shifted towards the outcomes of the latest prediction times."""
    latest = forward.latest
    return ShiftedCalibrator.fit_shift(calibrator, forward.margins[latest], forward.labels[latest])


@dataclass
class CalibratorTrials:
    """Probabilities of each candidate calibrator on later rows, to choose the best by log loss.

    Attributes:
        accounts: Number of the account of each row.
        probabilities: Candidate → probability of each row; NaN where it gave none.
    """

    accounts: NDArray[np.intp]
    probabilities: dict[str, Floats] = field(default_factory=dict)

    def record(
        self, rows: NDArray[np.intp], margins: Floats, candidates: Mapping[str, Calibrator]
    ) -> None:
        """Record the probabilities that candidates give to some rows.

        Args:
            rows: Positions.
            margins: Log-odds of these rows.
            candidates: Calibrators by name.
        """
        for name, calibrator in candidates.items():
            column = self.probabilities.setdefault(name, np.full(len(self.accounts), np.nan))
            column[rows] = calibrator.probability(margins)

    def best(self, labels: Floats, known: NDArray[np.bool_]) -> str:
        """Return the candidate to use, judged by rows whose outcome is known.

        Args:
            labels: 1 or 0 for each row.
            known: Whether the outcome of a row is known.
        """
        if DEFAULT not in self.probabilities:
            return DEFAULT
        judged = known & ~np.isnan(self.probabilities[DEFAULT])
        outcomes = labels[judged]
        if outcomes.sum() < MIN_POSITIVES:
            return DEFAULT
        owners = self.accounts[judged]
        losses = {
            name: log_loss(outcomes, column[judged], NEAR)
            for name, column in self.probabilities.items()
        }
        best, gain = DEFAULT, 0.0
        for name, loss in losses.items():
            better = losses[DEFAULT] - loss
            error = np.sqrt((np.bincount(owners, weights=better - better.mean()) ** 2).sum())
            if better.sum() > error and better.sum() > gain:
                best, gain = name, float(better.sum())
        return best
