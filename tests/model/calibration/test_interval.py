"""Bounds hold the probability, widen with what is uncertain, and survive JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import norm

from tenure.model.calibration.interval import HIDDEN, MISSED, POWER, RATE, UNLIKE, Interval
from tenure.model.calibration.usual import UsualValues

USUAL = UsualValues((0,), (-1.0,), (1.0,), (False,), (1.0,))
INSIDE, OUTSIDE = np.zeros((1, 1)), np.full((1, 1), 2.0)
CHANCE = np.array([0.1])


def fitted(strength=1.0, apart=0.3, **how):
    rng = np.random.default_rng(0)
    middle = rng.normal(-2, strength, 4_000)
    members = middle + rng.normal(0, apart, (8, len(middle)))
    return Interval.fit(middle, members, USUAL, **{"level": 0.8, "hidden": 0.0, "drift": 0.0} | how)


def width(interval, row=INSIDE):
    lo, hi = interval.bounds(CHANCE, row)
    return float((logit(hi) - logit(lo))[0])


def test_variances_add_up():
    interval = fitted(hidden=0.1, drift=0.2)
    agreement = 1 / (1 + 0.3**2)
    rate = expit(np.random.default_rng(0).normal(-2, 1, 4_000)).mean() ** RATE
    assert interval.missed == pytest.approx(MISSED * (0.3 * agreement) ** POWER * rate, rel=0.05)
    assert interval.hidden == pytest.approx(0.1 * HIDDEN)
    assert interval.drift == pytest.approx(0.04)
    for row, missed in ((INSIDE, interval.missed), (OUTSIDE, (1 + UNLIKE) * interval.missed)):
        deviation = np.sqrt(missed + interval.hidden + interval.drift)
        assert width(interval, row) == pytest.approx(2 * norm.ppf(0.9) * deviation, rel=1e-9)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.floats(-3, 3), st.floats(0.05, 0.99))
def test_bounds_hold_the_probability_and_stay_probabilities(values, column, level):
    probabilities = np.array(values)
    interval = replace(fitted(hidden=0.1), level=level)
    lo, hi = interval.bounds(probabilities, np.full((len(values), 1), column))
    assert ((lo >= 0) & (lo <= probabilities) & (probabilities <= hi) & (hi <= 1)).all()


@pytest.mark.parametrize(
    "wider",
    [
        fitted(level=0.9),
        fitted(strength=2.0),
        fitted(apart=0.5),
        fitted(hidden=0.2),
        fitted(drift=0.5),
    ],
)
def test_what_is_less_certain_is_wider(wider):
    assert width(wider) > 1.05 * width(fitted())


def test_it_covers_what_the_level_says_where_probabilities_are_means_of_the_true_ones():
    rng = np.random.default_rng(1)
    interval = fitted()
    rows = np.where(rng.random((20_000, 1)) < 0.3, 2.0, 0.0)
    deviation = np.sqrt(interval.missed * (1 + UNLIKE * (rows[:, 0] > 1)))
    centre = rng.normal(-2, 1, len(rows))
    true = expit(centre + deviation * rng.normal(size=len(rows)))
    draws = expit(centre + deviation * rng.normal(size=(400, len(rows))))
    lo, hi = interval.bounds(draws.mean(axis=0), rows)
    below, above = (true < lo).mean(), (true > hi).mean()
    assert 1 - below - above == pytest.approx(0.8, abs=0.02)
    assert below == pytest.approx(above, abs=0.03)


def test_what_is_missing_stays_missing():
    lo, hi = fitted().bounds(np.array([np.nan, 0.5]), np.zeros((2, 1)))
    assert np.isnan(lo[0])
    assert np.isnan(hi[0])
    assert lo[1] < 0.5 < hi[1]


def test_a_model_that_tells_nobody_apart_has_bounds():
    nobody = np.zeros((8, 50))
    interval = Interval.fit(nobody[0], nobody, USUAL, level=0.8, hidden=0.1, drift=0.0)
    assert interval.missed == 0
    assert width(interval) > 0


def test_it_survives_json():
    interval = fitted(hidden=0.1, drift=0.1)
    assert Interval.from_json(json.loads(json.dumps(interval.to_json()))) == interval
