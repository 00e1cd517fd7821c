"""The weighted bootstrap agrees with scikit-learn, with brute force and with theory."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from tenure.model.evaluation.bootstrap import Resamples, interval, ranking


def sample(n=600, accounts=90, *, ties=False, seed=0):
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=n)
    labels = (rng.random(n) < 1 / (1 + np.exp(2 - scores))).astype(float)
    if ties:
        scores = np.round(scores)
    return rng.integers(0, accounts, n).astype(str), labels, scores


@pytest.mark.parametrize("ties", [False, True])
def test_every_resample_equals_the_metric_on_its_repeated_rows(ties):
    accounts, labels, scores = sample(ties=ties)
    resamples = Resamples.draw(accounts, 20, seed=3)
    found = ranking(resamples, labels, scores, [0.1])
    for draw in range(21):
        times = resamples.counts[draw][resamples.account].astype(int)
        rows = np.repeat(np.arange(len(labels)), times)
        auc = roc_auc_score(labels[rows], scores[rows])
        precision = average_precision_score(labels[rows], scores[rows])
        assert found.auc[draw] == pytest.approx(auc, abs=1e-12)
        assert found.average_precision[draw] == pytest.approx(precision, abs=1e-12)
    assert (resamples.counts[0] == 1).all()
    assert (resamples.counts.sum(axis=1) == resamples.counts.shape[1]).all()


def test_capture_counts_the_top_and_shares_ties():
    labels = np.array([1.0, 0, 1, 0, 0, 0, 0, 0, 0, 0])
    scores = np.arange(10, 0, -1.0)
    resamples = Resamples.draw(np.arange(10).astype(str), 0, seed=0)
    np.testing.assert_allclose(
        ranking(resamples, labels, scores, [0.1, 0.2, 0.25, 0.3, 1.0]).capture[0],
        [0.5, 0.5, 0.75, 1.0, 1.0],
    )
    np.testing.assert_allclose(
        ranking(resamples, labels, np.zeros(10), [0.1, 0.5]).capture[0], [0.1, 0.5]
    )


def width_of(found) -> float:
    return float(found["hi"] - found["lo"])


def test_interval_of_a_mean_has_the_width_theory_gives():
    values = np.random.default_rng(5).normal(size=4_000)
    resamples = Resamples.draw(np.arange(4_000).astype(str), 2_000, seed=1)
    sums = resamples.sums(np.column_stack([values, np.ones(4_000)]))
    found = interval(sums[:, 0] / sums[:, 1], 0.95)
    half = 1.96 * values.std() / np.sqrt(4_000)
    assert found["value"] == pytest.approx(values.mean())
    assert width_of(found) == pytest.approx(2 * half, rel=0.08)


def test_accounts_with_repeated_rows_widen_the_interval():
    values = np.repeat(np.random.default_rng(6).normal(size=500), 8)
    ones = np.ones(len(values))

    def width(accounts):
        sums = Resamples.draw(accounts, 1_000, seed=1).sums(np.column_stack([values, ones]))
        found = interval(sums[:, 0] / sums[:, 1], 0.95)
        return width_of(found)

    by_account = width(np.repeat(np.arange(500), 8).astype(str))
    by_row = width(np.arange(4_000).astype(str))
    assert by_account == pytest.approx(by_row * np.sqrt(8), rel=0.15)


def test_interval_of_the_auc_is_close_to_the_analytical_one():
    accounts, labels, scores = sample(3_000, 3_000, seed=7)
    accounts = np.arange(3_000).astype(str)
    found = interval(ranking(Resamples.draw(accounts, 800, 2), labels, scores, []).auc, 0.95)
    positive, negative = scores[labels == 1], scores[labels == 0]
    wins = (positive[:, None] > negative).astype(float)  # DeLong's structural components
    variance = wins.mean(axis=1).var() / len(positive) + wins.mean(axis=0).var() / len(negative)
    assert width_of(found) == pytest.approx(2 * 1.96 * np.sqrt(variance), rel=0.1)


def test_an_interval_holds_its_value():
    assert interval(np.array([1.0, 2.0, 3.0]), 0.5) == {"value": 1.0, "lo": 1.0, "hi": 2.75}


def test_a_single_class_has_no_value():
    accounts, _, scores = sample(50)
    found = ranking(Resamples.draw(accounts, 10, 0), np.zeros(50), scores, [0.1])
    assert interval(found.auc, 0.95) == {"value": None, "lo": None, "hi": None}


def test_the_seed_decides():
    accounts, *_ = sample()
    assert (Resamples.draw(accounts, 5, 1).counts == Resamples.draw(accounts, 5, 1).counts).all()
    assert (Resamples.draw(accounts, 5, 1).counts != Resamples.draw(accounts, 5, 2).counts).any()
