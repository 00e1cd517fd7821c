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


def many(ties: bool = False, skill: float = 1.0, seed: int = 3):
    """Return scores, labels, MRR and accounts of 400 rows."""
    rng = np.random.default_rng(seed)
    scores = np.round(rng.normal(size=400), 1 if ties else 9)
    labels = (rng.random(400) < 1 / (1 + np.exp(2 - skill * scores))).astype(float)
    return scores, labels, np.exp(rng.normal(5, 1, 400)), rng.integers(0, 60, 400).astype(str)


@pytest.mark.parametrize("ties", [False, True])
def test_the_first_is_the_best_profit_and_a_resample_takes_the_best_length_of_the_others(ties):
    scores, labels, mrr, accounts = many(ties)
    resamples = Resamples.draw(accounts, 10, 0)
    each = gains(labels, mrr, PLAIN)
    draws = profit_draws(resamples, scores, each)
    assert draws[0] == pytest.approx(best_profit(labels, scores, mrr, PLAIN), rel=1e-12)
    for draw in range(1, 11):
        counts = resamples.counts[draw][resamples.account].astype(float)
        cuts = [np.inf, *np.unique(scores)[::-1]]
        outside = [each[(scores >= cut) & (counts == 0)].sum() for cut in cuts]
        taken = scores >= cuts[int(np.argmax(outside))]
        assert draws[draw] == pytest.approx((each * counts)[taken].sum() / counts.sum())


def test_a_list_in_random_order_promises_nothing_by_its_interval():
    """Contacts cost more than they earn on average: only luck makes some length pay."""
    lows, inside = [], []
    for seed in range(20):
        scores, labels, mrr, accounts = many(skill=0.0, seed=seed)
        each = gains(labels, mrr, PLAIN)
        draws = profit_draws(Resamples.draw(accounts, 100, 0), scores, each)
        lows.append(np.quantile(draws[1:], 0.025))
        inside.append(draws[1:].mean() <= draws[0])
    assert max(lows) <= 0
    assert np.mean(inside) >= 0.9


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
        assert earned[0] <= best[0] + 1e-9
