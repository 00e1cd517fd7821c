"""The calibrator is monotone, survives JSON and recovers what was put in."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from tenure.core.errors import ModelError
from tenure.model.calibration.calibrators import HALF, Sigmoid, expected_slope

MARGINS = st.floats(-12, 12, allow_nan=False)


def outcomes(margins, seed=0):
    return (np.random.default_rng(seed).random(len(margins)) < expit(margins)).astype(float)


@given(
    margins=st.lists(MARGINS, min_size=4, max_size=60),
    others=st.lists(MARGINS, min_size=2, max_size=30),
    seed=st.integers(0, 1000),
)
@settings(max_examples=60, deadline=None)
def test_monotone_bounded_and_stored_as_json(margins, others, seed):
    points = np.array(margins)
    labels = outcomes(-points, seed)  # even where the outcomes go the wrong way
    labels[:2] = [0, 1]
    calibrator = Sigmoid.fit(points, labels)
    probabilities = calibrator.probability(np.sort(others))
    assert (np.diff(probabilities) >= 0).all()
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    again = Sigmoid.from_json(json.loads(json.dumps(calibrator.to_json())))
    assert again == calibrator
    assert (again.probability(np.sort(others)) == probabilities).all()


def test_the_slope_is_recovered_whatever_the_level():
    margins = np.random.default_rng(1).normal(-2, 1.5, 200_000)
    for level in (-0.5, 0.0, 0.5):
        fitted = Sigmoid.fit(margins, outcomes(0.6 * margins + level))
        assert fitted.slope == pytest.approx(0.6, abs=0.02)


def test_the_mean_probability_stays_the_boosters_own():
    margins = np.random.default_rng(2).normal(-2, 1, 20_000)
    labels = outcomes(0.5 * margins + 0.5)
    mean = Sigmoid.fit(margins, labels).probability(margins).mean()
    assert mean == pytest.approx(expit(margins).mean(), abs=1e-9)
    assert labels.mean() > 1.5 * mean


def test_a_dozen_outcomes_move_the_slope_less_than_a_thousand():
    margins = np.linspace(-4, -1, 120)
    labels = (np.arange(120) % 10 == 0).astype(float)  # a dozen, wherever the margin
    few = Sigmoid.fit(margins, labels)
    many = Sigmoid.fit(np.tile(margins, 100), np.tile(labels, 100))
    assert many.slope < 0.1
    assert few.slope > 0.5
    assert Sigmoid.fit(margins, labels, centre=0.4).slope < few.slope


def test_a_booster_of_few_outcomes_is_expected_to_hold_less():
    slopes = [expected_slope(count) for count in (1, HALF, 100, 10_000)]
    assert slopes == sorted(slopes)
    assert slopes[1] == 0.5
    assert slopes[3] > 0.99


def test_a_weight_of_two_is_a_row_twice():
    margins = np.random.default_rng(4).normal(-1, 1, 300)
    labels, twice = outcomes(margins), np.arange(300) % 3 == 0
    weighted = Sigmoid.fit(margins, labels, 1.0 + twice)
    repeated = Sigmoid.fit(
        np.concatenate([margins, margins[twice]]), np.concatenate([labels, labels[twice]])
    )
    assert weighted.slope == pytest.approx(repeated.slope, abs=1e-5)
    assert weighted.intercept == pytest.approx(repeated.intercept, abs=1e-5)


def test_a_slope_is_never_negative():
    margins = np.linspace(-3, 3, 400)
    assert Sigmoid.fit(margins, outcomes(-2 * margins)).slope == pytest.approx(0.05)


def test_one_class_and_perfect_order_stay_finite():
    margins = np.linspace(-3, 3, 50)
    for labels in (np.zeros(50), np.ones(50), (margins > 0).astype(float)):
        probabilities = Sigmoid.fit(margins, labels).probability(margins)
        assert ((probabilities > 0) & (probabilities < 1)).all()


@given(st.lists(MARGINS, min_size=1, max_size=50), st.floats(0.001, 0.999), st.floats(0.05, 2))
@settings(max_examples=100, deadline=None)
def test_a_line_through_a_rate_meets_it(margins, rate, slope):
    line = Sigmoid.through(np.array(margins), rate, slope=slope)
    assert line.slope == slope
    assert line.probability(np.array(margins)).mean() == pytest.approx(rate, abs=1e-9)


def test_a_shift_moves_log_odds():
    line = Sigmoid(0.7, -0.2).shifted(0.5)
    assert line.slope == 0.7
    assert line.intercept == pytest.approx(0.3)


def test_an_incomplete_state_is_named():
    with pytest.raises(ModelError, match="lacks a number that it needs"):
        Sigmoid.from_json({"kind": "sigmoid", "slope": 1.0})


def test_alone_and_in_a_batch_are_the_same_bits():
    margins = np.random.default_rng(3).normal(0, 3, 1_000)
    calibrator = Sigmoid.fit(margins, outcomes(margins))
    batch = calibrator.probability(margins)
    assert all(calibrator.probability(margins[i : i + 1])[0] == batch[i] for i in range(1_000))
