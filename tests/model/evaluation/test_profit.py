"""Profit of a campaign: by hand, by empulse, and per resample."""

from __future__ import annotations

import numpy as np
import pytest

from tenure.core.sections import EvaluationConfig
from tenure.model.evaluation.bootstrap import Resamples
from tenure.model.evaluation.profit import (
    best_profit,
    best_share,
    chosen_draws,
    gains,
    profit_draws,
)

PLAIN = EvaluationConfig(
    profit_months=10,
    profit_margin=1.0,
    profit_contact_cost=10,
    profit_offer=0.1,
    profit_accepted=0.5,
)


def test_the_gain_of_one_contact_by_hand():
    earned = gains(np.array([1.0, 0.0, 0.5]), np.array([20.0, 20.0, 20.0]), PLAIN)
    # Worth 200: half accept and leave 180 of it; who would have stayed takes 20; each costs 10.
    np.testing.assert_allclose(earned, [80.0, -30.0, 25.0])


def test_the_best_number_of_contacts_by_hand():
    labels, mrr = np.array([1.0, 0, 1, 0]), np.full(4, 20.0)
    scores = np.array([0.9, 0.8, 0.7, 0.1])
    assert best_profit(labels, scores, mrr, PLAIN) == pytest.approx((80 - 30 + 80) / 4)
    assert best_share(labels, scores, mrr, PLAIN) == 0.75


def test_a_list_that_only_costs_is_not_worked_through():
    labels, mrr = np.zeros(5), np.full(5, 20.0)
    assert best_profit(labels, np.arange(5.0), mrr, PLAIN) == 0


@pytest.mark.parametrize("ties", [False, True])
def test_each_resample_is_the_measure_of_its_repeated_rows(ties):
    rng = np.random.default_rng(3)
    n = 400
    scores = np.round(rng.normal(size=n), 1 if ties else 9)
    labels = (rng.random(n) < 1 / (1 + np.exp(2 - scores))).astype(float)
    mrr = np.exp(rng.normal(5, 1, n))
    resamples = Resamples.draw(rng.integers(0, 60, n).astype(str), 10, 0)
    found = profit_draws(resamples, scores, gains(labels, mrr, PLAIN))
    for draw in range(11):
        rows = np.repeat(np.arange(n), resamples.counts[draw][resamples.account].astype(int))
        expected = best_profit(labels[rows], scores[rows], mrr[rows], PLAIN)
        assert found[draw] == pytest.approx(expected, rel=1e-12)


def test_no_threshold_earns_more_than_the_best_one():
    rng = np.random.default_rng(5)
    scores, labels = rng.random(200), (rng.random(200) < 0.2).astype(float)
    mrr = np.exp(rng.normal(5, 1, 200))
    each = gains(labels, mrr, PLAIN)
    resamples = Resamples.draw(np.arange(200).astype(str), 5, 0)
    best = profit_draws(resamples, scores, each)
    for threshold in (0.0, 0.5, 0.9):
        earned = chosen_draws(resamples, scores > threshold, each)
        assert earned[0] == pytest.approx(each[scores > threshold].sum() / 200)
        assert (earned <= best + 1e-9).all()
