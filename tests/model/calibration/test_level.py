"""The level is followed where it moves and stays, and hardly where months differ by chance."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from tenure.model.calibration.level import MOST, LevelHistory

MONTHS, ACCOUNTS = 24, 1_500
STARTS = np.datetime64("2022-01-01", "us") + np.arange(MONTHS) * np.timedelta64(30, "D")


def history(level, seed=0, accounts=ACCOUNTS, rate=0.03):
    """Return what months say whose true log-odds lie `level(month)` above the expected."""
    rng = np.random.default_rng(seed)
    month = np.repeat(np.arange(MONTHS), accounts)
    margins = rng.normal(np.log(rate / (1 - rate)), 0.8, len(month))
    labels = (rng.random(len(month)) < expit(margins + level(month))).astype(float)
    return LevelHistory.observed(STARTS[month], expit(margins), labels, 30.0)


def ahead(past, months=2, windows=3):
    start = STARTS[-1] + months * np.timedelta64(30, "D")
    return past.over(start, windows)


def test_calm_months_move_nothing():
    shifts = [ahead(history(lambda month: 0.0 * month, seed))[0] for seed in range(20)]
    assert abs(np.mean(shifts)) < 0.01
    assert np.std(shifts) < 0.05


def test_a_level_that_moved_and_stays_is_followed():
    mean, _ = ahead(history(lambda month: 0.7 * (month >= 16)))
    assert 0.25 < mean < 0.8


def test_a_shock_that_has_passed_leaves_little():
    mean, _ = ahead(history(lambda month: 0.7 * ((month >= 16) & (month < 18))))
    assert abs(mean) < 0.1


def test_a_shock_of_the_last_month_is_not_taken_for_what_stays():
    mean, spread = ahead(history(lambda month: 0.7 * (month == MONTHS - 1)))
    assert mean < 0.2
    assert spread > ahead(history(lambda month: 0.0 * month))[1]


def test_the_farther_ahead_the_less_is_followed():
    past = history(lambda month: 0.7 * (month >= 18))
    means, spreads = zip(*(ahead(past, months) for months in (1, 8)), strict=True)
    assert means[1] < means[0]
    assert spreads[1] > spreads[0]


def test_few_accounts_say_less():
    many = ahead(history(lambda month: 0.7 * (month >= 16)))[0]
    few = ahead(history(lambda month: 0.7 * (month >= 16), accounts=60))[0]
    assert few < many


def test_windows_that_overlap_count_once():
    weeks = np.datetime64("2022-01-03", "us") + np.arange(20) * np.timedelta64(7, "D")
    row = np.repeat(np.arange(20), 50)
    labels = np.tile(np.arange(50) < 3, 20).astype(float)
    past = LevelHistory.observed(weeks[row], np.full(len(row), 0.05), labels, 30.0)
    assert np.diff(past.at).min() >= 0.9
    assert past.at[-1] == pytest.approx(19 * 7 / 30)
    assert len(past.gap) == 5


def test_one_window_without_any_outcome_expected_is_not_believed_too_much():
    labels, expected = np.ones(3), np.full(3, 1e-6)
    past = LevelHistory.observed(STARTS[[0, 0, 0]], expected, labels, 30.0)
    assert past.gap.tolist() == [MOST]
