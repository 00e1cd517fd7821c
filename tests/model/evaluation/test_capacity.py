"""A fixed number of accounts at each prediction time, beside a list made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tenure.model.evaluation.bootstrap import Resamples
from tenure.model.evaluation.capacity import at_capacity

# Two prediction times of four accounts; at each the two scored highest are met.
LABELS = np.array([1.0, 0, 0, 1, 1, 1, 0, 0])
SCORES = np.array([0.9, 0.2, 0.1, 0.3, 0.1, 0.2, 0.8, 0.9])
TIMES = np.array([0, 0, 0, 0, 1, 1, 1, 1])
AMOUNTS = np.array([10.0, 5, 5, 30, 40, 20, 1, 1])


def alone(n):
    return Resamples.draw(np.arange(n).astype(str), 0, 0)


def test_each_prediction_time_has_a_list_of_its_own():
    met = at_capacity(alone(8), LABELS, SCORES, TIMES, 2, AMOUNTS)
    assert met.capture[0] == 2 / 4  # both of the first time, none of the second
    assert met.lift[0] == (2 / 4) / (4 / 8)
    assert met.amount_capture[0] == (10 + 30) / 100


def test_more_capacity_than_accounts_meets_all():
    met = at_capacity(alone(8), LABELS, SCORES, TIMES, 9, AMOUNTS)
    assert (met.capture[0], met.lift[0], met.amount_capture[0]) == (1, 1, 1)


def test_equal_scores_are_met_in_proportion():
    met = at_capacity(alone(8), LABELS, np.zeros(8), TIMES, 1)
    assert met.capture[0] == pytest.approx(1 / 4)
    assert met.lift[0] == pytest.approx(1)
    assert np.isnan(met.amount_capture[0])


def slow(labels, scores, times, capacity, amounts):
    """Restate capture and money one account at a time."""
    caught = money = 0.0
    for time in np.unique(times):
        rows = np.flatnonzero(times == time)
        for row in rows:
            above = (scores[rows] > scores[row]).sum()
            level = (scores[rows] == scores[row]).sum()
            part = min(max(capacity - above, 0), level) / level
            caught += part * labels[row]
            money += part * labels[row] * amounts[row]
    return caught / labels.sum(), money / (labels * amounts).sum()


@pytest.mark.parametrize("ties", [False, True])
def test_every_resample_equals_a_slow_restatement(ties):
    rng = np.random.default_rng(1)
    n = 300
    scores = np.round(rng.normal(size=n), 1 if ties else 9)
    labels = (rng.random(n) < 0.3).astype(float)
    times, amounts = rng.integers(0, 5, n), rng.random(n)
    resamples = Resamples.draw(rng.integers(0, 70, n).astype(str), 8, 0)
    met = at_capacity(resamples, labels, scores, times, 13, amounts)
    for draw in range(9):
        rows = np.repeat(np.arange(n), resamples.counts[draw][resamples.account].astype(int))
        capture, held = slow(labels[rows], scores[rows], times[rows], 13, amounts[rows])
        assert met.capture[draw] == pytest.approx(capture)
        assert met.amount_capture[draw] == pytest.approx(held)
