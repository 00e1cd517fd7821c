"""Bounds hold the probability, widen with the level and with the spread, and survive JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import norm

from tenure.model.calibration.interval import WIDENING, Interval


def fitted(spread, level=0.8, outcome="churn", rows=4_000, members=40):
    rng = np.random.default_rng(0)
    middle = rng.normal(-2, 1, rows)
    others = middle + rng.normal(0, spread, (members, rows))
    return Interval.fit(expit(middle), expit(others), level=level, outcome=outcome)


@pytest.mark.parametrize("outcome", sorted(WIDENING))
def test_the_width_is_the_spread_times_level_and_factor(outcome):
    lo, hi = fitted(0.3, outcome=outcome).bounds(np.array([0.1]))
    width = (np.log(hi / (1 - hi)) - np.log(lo / (1 - lo))) / 2
    assert width[0] == pytest.approx(0.3 * WIDENING[outcome] * norm.ppf(0.9), rel=0.05)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.floats(0.05, 0.99))
def test_bounds_hold_the_probability_and_stay_probabilities(values, level):
    probabilities = np.array(values)
    lo, hi = fitted(0.4, level, rows=200, members=3).bounds(probabilities)
    assert ((lo >= 0) & (lo <= probabilities) & (probabilities <= hi) & (hi <= 1)).all()


def test_a_higher_level_is_wider():
    narrow, wide = (fitted(0.3, level).bounds(np.array([0.2])) for level in (0.5, 0.9))
    assert wide[0] < narrow[0]
    assert narrow[1] < wide[1]


def test_it_covers_what_the_level_says_where_the_factor_is_right():
    rng = np.random.default_rng(1)
    middle = rng.normal(-2, 1, 20_000)
    true = middle + rng.normal(0, 0.3 * WIDENING["churn"], 20_000)
    lo, hi = fitted(0.3).bounds(expit(middle))
    assert ((lo <= expit(true)) & (expit(true) <= hi)).mean() == pytest.approx(0.8, abs=0.03)


def test_what_is_missing_stays_missing():
    lo, hi = fitted(0.3).bounds(np.array([np.nan, 0.5]))
    assert np.isnan(lo[0])
    assert np.isnan(hi[0])
    assert lo[1] < 0.5 < hi[1]


def test_it_survives_json():
    interval = fitted(0.3)
    assert Interval.from_json(json.loads(json.dumps(interval.to_json()))) == interval


def test_few_rows_make_one_knot():
    assert len(fitted(0.3, rows=30).logits) == 1
