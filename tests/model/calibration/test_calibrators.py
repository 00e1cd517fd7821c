"""Calibrators are monotone, survive JSON and recover what was put in."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from tenure.core.errors import ModelError
from tenure.model.calibration.calibrators import CALIBRATORS, Sigmoid, fit_calibrator, from_json

MARGINS = st.floats(-12, 12, allow_nan=False)


def outcomes(margins, seed=0):
    return (np.random.default_rng(seed).random(len(margins)) < expit(margins)).astype(float)


@pytest.mark.parametrize("kind", sorted(CALIBRATORS))
@given(
    margins=st.lists(MARGINS, min_size=4, max_size=60),
    asked=st.lists(MARGINS, min_size=2, max_size=30),
    seed=st.integers(0, 1000),
)
@settings(max_examples=60, deadline=None)
def test_monotone_bounded_and_stored_as_json(kind, margins, asked, seed):
    points = np.array(margins)
    labels = outcomes(-points, seed)  # even where the outcomes go the wrong way
    labels[:2] = [0, 1]
    calibrator = fit_calibrator(kind, points, labels)
    found = calibrator.probability(np.sort(asked))
    assert (np.diff(found) >= 0).all()
    assert ((found >= 0) & (found <= 1)).all()
    again = from_json(json.loads(json.dumps(calibrator.to_json())))
    assert again == calibrator
    assert (again.probability(np.sort(asked)) == found).all()


def test_sigmoid_recovers_slope_and_intercept():
    margins = np.random.default_rng(1).normal(-2, 1.5, 200_000)
    fitted = Sigmoid.fit(margins, outcomes(0.6 * margins - 0.5))
    assert fitted.slope == pytest.approx(0.6, abs=0.02)
    assert fitted.intercept == pytest.approx(-0.5, abs=0.05)


def test_sigmoid_meets_the_observed_rate():
    margins = np.random.default_rng(2).normal(-2, 1, 20_000)
    labels = outcomes(margins + 0.5)
    found = Sigmoid.fit(margins, labels).probability(margins).mean()
    assert found == pytest.approx(labels.mean(), abs=1e-3)


def test_a_dozen_positives_move_the_booster_less_than_a_thousand():
    margins = np.linspace(-4, -1, 120)
    labels = (np.arange(120) % 10 == 0).astype(float)  # a dozen, wherever the margin
    few = Sigmoid.fit(margins, labels)
    many = Sigmoid.fit(np.tile(margins, 100), np.tile(labels, 100))
    assert many.slope < 0.1
    assert few.slope > 0.5


@pytest.mark.parametrize("kind", sorted(CALIBRATORS))
def test_a_weight_of_two_is_a_row_twice(kind):
    margins = np.random.default_rng(4).normal(-1, 1, 300)
    labels, twice = outcomes(margins), np.arange(300) % 3 == 0
    weighted = fit_calibrator(kind, margins, labels, 1.0 + twice)
    repeated = fit_calibrator(
        kind, np.concatenate([margins, margins[twice]]), np.concatenate([labels, labels[twice]])
    )
    found = weighted.probability(margins)
    np.testing.assert_allclose(found, repeated.probability(margins), atol=2e-3)


def test_a_slope_is_never_negative():
    margins = np.linspace(-3, 3, 400)
    assert Sigmoid.fit(margins, outcomes(-2 * margins)).slope == pytest.approx(0.05)


def test_one_class_and_perfect_order_stay_finite():
    margins = np.linspace(-3, 3, 50)
    for labels in (np.zeros(50), np.ones(50), (margins > 0).astype(float)):
        for kind in CALIBRATORS:
            found = fit_calibrator(kind, margins, labels).probability(margins)
            assert ((found > 0) & (found < 1)).all()


@given(st.lists(MARGINS, min_size=1, max_size=50), st.floats(0.001, 0.999))
@settings(max_examples=100, deadline=None)
def test_shift_meets_the_base_rate_with_slope_one(margins, rate):
    shifted = Sigmoid.shift(np.array(margins), rate)
    assert shifted.slope == 1
    assert shifted.probability(np.array(margins)).mean() == pytest.approx(rate, abs=1e-9)


def test_isotonic_follows_the_observed_rates():
    margins = np.repeat([-1.0, 0.0, 1.0], 100)
    labels = np.concatenate([np.arange(100) < k for k in (10, 30, 60)]).astype(float)
    found = fit_calibrator("isotonic", margins, labels).probability(np.array([-9, -1, 0, 1, 9]))
    np.testing.assert_allclose(found, [0.1, 0.1, 0.3, 0.6, 0.6])


def test_unknown_or_incomplete_state_is_named():
    with pytest.raises(ModelError, match="did you mean `sigmoid`"):
        fit_calibrator("sigmod", np.zeros(2), np.zeros(2))
    with pytest.raises(ModelError, match="lacks a number that `sigmoid` needs"):
        from_json({"kind": "sigmoid", "slope": 1.0})


def test_alone_and_in_a_batch_are_the_same_bits():
    margins = np.random.default_rng(3).normal(0, 3, 1_000)
    for kind in CALIBRATORS:
        calibrator = fit_calibrator(kind, margins, outcomes(margins))
        batch = calibrator.probability(margins)
        assert all(calibrator.probability(margins[i : i + 1])[0] == batch[i] for i in range(1_000))
