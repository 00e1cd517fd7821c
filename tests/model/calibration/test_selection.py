"""The calibrator is chosen by what was known; a sigmoid stays unless another is surely better."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from tenure.model.calibration.calibrators import ShiftedCalibrator, Sigmoid
from tenure.model.calibration.selection import (
    CANDIDATES,
    DEFAULT,
    SHIFTED,
    CalibratorTrials,
    ForwardPredictions,
    fit_candidate,
    fit_candidates,
)

ROWS, TIMES = 4_000, 8


def forward(seed=0, truth=lambda margins, moment: margins):
    rng = np.random.default_rng(seed)
    margins = rng.normal(-2, 1.5, ROWS)
    moments = np.repeat(np.arange(TIMES), ROWS // TIMES)
    labels = (rng.random(ROWS) < expit(truth(margins, moments))).astype(float)
    return ForwardPredictions(margins, labels, None, moments)


def walked(found):
    """Note what each candidate says at each time, from what lies before it."""
    trials = CalibratorTrials(np.arange(ROWS) // 4)
    for moment in range(1, TIMES):
        past, now = found.moments < moment, np.flatnonzero(found.moments == moment)
        known = ForwardPredictions(
            found.margins[past], found.labels[past], None, found.moments[past]
        )
        trials.record(now, found.margins[now], fit_candidates(known))
    return trials


def test_a_straight_truth_keeps_the_sigmoid():
    found = forward(truth=lambda margins, _: 0.8 * margins - 0.3)
    assert walked(found).best(found.labels, np.ones(ROWS, bool)) == DEFAULT


def test_a_bent_truth_takes_a_bent_curve():
    found = forward(truth=lambda margins, _: np.where(margins > -2, 2 * margins + 3, -1.0))
    assert walked(found).best(found.labels, np.ones(ROWS, bool)) != DEFAULT


def test_a_drifting_rate_is_followed():
    found = forward(truth=lambda margins, moments: margins - 0.5 * moments)
    best = walked(found).best(found.labels, np.ones(ROWS, bool))
    assert best.endswith(SHIFTED)
    calibrator = fit_candidate(best, found)
    assert isinstance(calibrator, ShiftedCalibrator)
    assert calibrator.shift < -0.2


def test_what_is_not_known_has_no_say():
    found = forward(truth=lambda margins, moments: margins - 0.5 * moments)
    trials, early = walked(found), found.moments < 4
    other = np.where(early, found.labels, 1 - found.labels)
    assert trials.best(found.labels, early) == trials.best(other, early)


def test_too_few_outcomes_choose_nothing():
    found = forward()
    few = np.flatnonzero(found.labels)[:49]
    known = np.isin(np.arange(ROWS), few)
    assert walked(found).best(found.labels, known) == DEFAULT
    assert fit_candidates(ForwardPredictions(found.margins[:5], np.ones(5))) == {}


def test_the_latest_times_move_the_calibrator_towards_their_rate():
    found = forward(truth=lambda margins, moments: margins + 1.0 * (moments >= 5))
    base, moved = fit_candidate(DEFAULT, found), fit_candidate(DEFAULT + SHIFTED, found)
    latest = found.latest
    rate = found.labels[latest].mean()
    gaps = [abs(one.probability(found.margins[latest]).mean() - rate) for one in (moved, base)]
    assert gaps[0] < gaps[1]


@pytest.mark.parametrize("name", CANDIDATES)
def test_every_candidate_can_be_fitted(name):
    found = forward()
    probabilities = fit_candidate(name, found).probability(found.margins)
    assert abs(probabilities.mean() - found.labels.mean()) < 0.02


def test_no_shift_where_nothing_moved():
    found = forward()
    moved = ShiftedCalibrator.fit_shift(Sigmoid(1.0, 0.0), found.margins, found.labels)
    assert abs(moved.shift) < 0.15
