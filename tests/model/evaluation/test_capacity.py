"""Lists of each prediction time, and the outcomes that they meet, beside those made by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tenure.model.evaluation.bootstrap import Resamples
from tenure.model.evaluation.capacity import Outcomes, on_list

# Two prediction times of four accounts.
SCORES = np.array([0.9, 0.2, 0.1, 0.3, 0.1, 0.2, 0.8, 0.9])
TIMES = np.array([0, 0, 0, 0, 1, 1, 1, 1])


def months(*names: str) -> pd.DatetimeIndex:
    return pd.to_datetime([f"2024-{name}" for name in names])


def test_each_prediction_time_has_a_list_of_its_own():
    assert on_list(SCORES, TIMES, 2).tolist() == [1, 0, 0, 1, 0, 0, 1, 1]


def test_more_capacity_than_accounts_lists_all():
    assert on_list(SCORES, TIMES, 9).tolist() == [1] * 8


def test_equal_scores_are_listed_in_proportion():
    assert on_list(np.zeros(8), TIMES, 1).tolist() == [0.25] * 8
    assert on_list(
        np.array([2.0, 1, 1, 1, 0]), np.zeros(5, dtype=int), 2
    ).tolist() == pytest.approx([1, 1 / 3, 1 / 3, 1 / 3, 0])


def test_a_share_lists_whole_accounts_and_one_at_least():
    times = np.repeat([0, 1], [20, 5])
    assert np.bincount(times, on_list(np.arange(25.0), times, 0.1)).tolist() == [2, 1]


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("length", [13, 0.2])
def test_lists_equal_a_slow_restatement(ties, length):
    rng = np.random.default_rng(1)
    scores = np.round(rng.normal(size=300), 1 if ties else 9)
    times = rng.integers(0, 5, 300)
    listed = on_list(scores, times, length)
    for row in range(300):
        own = scores[times == times[row]]
        longest = length if length >= 1 else max(1, int(length * len(own) + 1e-9))
        above, level = (own > scores[row]).sum(), (own == scores[row]).sum()
        assert listed[row] == pytest.approx(min(max(longest - above, 0), level) / level)


def frame() -> pd.DataFrame:
    """Return two churns seen three times and once, and an account that stays."""
    return pd.DataFrame(
        {
            "account_id": ["a", "a", "a", "b", "c", "c"],
            "as_of": months("01-01", "02-01", "03-01", "02-01", "01-01", "02-01"),
            "label": [1.0, 1, 1, 1, 0, 0],
            "outcome_at": months("03-20", "03-20", "03-20", "02-20", "01-01", "01-01").where(
                [True] * 4 + [False] * 2
            ),
            "outcome_id": ["a@03-20"] * 3 + ["b@02-20", None, None],
        }
    )


def test_an_outcome_counts_once_however_many_lists_hold_it():
    outcomes = Outcomes.of(frame())
    assert outcomes.met(np.array([1.0, 1, 1, 0, 1, 1])).tolist() == [1, 0]
    assert outcomes.met(np.array([0.0, 1, 0, 0, 1, 1])).tolist() == [1, 0]
    assert outcomes.met(np.array([0.0, 0, 0, 1, 1, 1])).tolist() == [0, 1]
    assert outcomes.met(np.full(6, 0.5)).tolist() == [1 - 0.5**3, 0.5]


def test_its_money_is_that_of_the_last_prediction_before_it():
    assert sorted(Outcomes.of(frame()).last.tolist()) == [2, 3]
    shuffled = frame().iloc[[2, 0, 1, 5, 4, 3]]
    assert sorted(Outcomes.of(shuffled).last.tolist()) == [0, 5]


def test_a_prediction_at_the_time_of_the_outcome_is_too_late():
    late = frame().assign(outcome_at=lambda x: x["as_of"])
    assert not len(Outcomes.of(late).rows)
    assert Outcomes.of(late).met(np.ones(6)).tolist() == []


def test_without_an_id_each_row_is_an_outcome():
    outcomes = Outcomes.of(frame()[["account_id", "as_of", "label"]])
    assert outcomes.met(np.array([0.0, 1, 1, 0, 0, 0])).tolist() == [0, 1, 1, 0]


def test_means_weigh_and_follow_the_resamples():
    rows = frame()
    outcomes = Outcomes.of(rows)
    draws = Resamples.draw(rows["account_id"].to_numpy(dtype=str), 50, 0)
    values, weights = np.array([[1.0, 0.25], [0.0, 0.75]]), np.array([30.0, 10.0])
    means = outcomes.means(draws, values)
    assert means[0].tolist() == [0.5, 0.5]
    assert outcomes.means(draws, values, weights)[0].tolist() == [0.75, (7.5 + 7.5) / 40]
    a, b, _ = draws.counts.T
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(means[:, 0], a / (a + b))
