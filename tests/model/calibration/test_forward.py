"""The level is followed only where that has paid beyond chance, over accounts and over months."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from tenure.model.calibration.forward import (
    MIN_OUTCOMES,
    MIN_TIMES,
    EarlyWindows,
    ForwardPredictions,
    hazard_share,
    shortened,
)

TIMES, ACCOUNTS = 14, 800
STARTS = np.datetime64("2023-01-01", "us") + np.arange(TIMES) * np.timedelta64(30, "D")


def windows(level, seed=0):
    """Return early windows, and the log-odds of their rows; months differ by `level(month)`."""
    rng = np.random.default_rng(seed)
    month = np.repeat(np.arange(TIMES), ACCOUNTS)
    margins = rng.normal(-3, 0.7, len(month))
    labels = (rng.random(len(month)) < expit(margins + level(month))).astype(float)
    early = EarlyWindows(
        accounts=np.tile(np.arange(ACCOUNTS), TIMES),
        moments=STARTS[month],
        labels=labels,
        known_at=STARTS[month] + np.timedelta64(60, "D"),
        days=30.0,
        windows=3.0,
    )
    return early, month, margins


def record(early, month, margins, shift):
    for moment in range(TIMES):
        rows = np.flatnonzero(month == moment)
        line = expit(margins[rows])
        early.record(rows, line, expit(margins[rows] + shift(moment)))


def test_a_level_that_stays_pays():
    early, month, margins = windows(lambda month: 0.6 * (month >= 2))
    record(early, month, margins, lambda moment: 0.5 * (moment >= 4))
    assert early.level_pays(None)


def test_following_chance_does_not_pay():
    early, month, margins = windows(lambda month: 0.0 * month)
    rng = np.random.default_rng(1)
    record(early, month, margins, lambda _: rng.normal(0, 0.2))
    assert not early.level_pays(None)


def test_one_good_month_is_not_enough():
    early, month, margins = windows(lambda month: 1.2 * (month == 5))
    record(early, month, margins, lambda moment: 1.0 * (moment == 5))
    assert not early.level_pays(None)


def test_what_is_not_known_has_no_say():
    early, month, margins = windows(lambda month: 0.6 * (month >= 2))
    record(early, month, margins, lambda moment: 0.5 * (moment >= 4))
    assert not early.level_pays(STARTS[MIN_TIMES])
    before = early.level_pays(STARTS[12])
    early.labels[early.known_at > STARTS[12]] = 0.0
    assert early.level_pays(STARTS[12]) == before


def test_nothing_recorded_pays_nothing():
    early, _, _ = windows(lambda month: 0.0 * month)
    assert not early.level_pays(None)


def test_an_outcome_seen_from_several_times_counts_for_its_share():
    rng = np.random.default_rng(2)
    margins = rng.normal(-2, 1, 400)
    labels = (rng.random(400) < expit(0.3 * margins - 1)).astype(float)
    alone = ForwardPredictions(margins, labels, np.ones(400), int(labels.sum()))
    thrice = ForwardPredictions(
        np.tile(margins, 3), np.tile(labels, 3), np.ones(1_200), int(labels.sum())
    )
    slope = alone.line(500).slope
    assert thrice.line(500).slope == pytest.approx(slope, abs=1e-5)
    assert slope < 0.8


def test_so_few_outcomes_teach_no_slope():
    few = ForwardPredictions(np.zeros(9), np.ones(9), np.ones(9), MIN_OUTCOMES - 1)
    assert not few.enough


def test_the_first_days_share_the_hazard():
    rng = np.random.default_rng(3)
    hazard = rng.gamma(2, 0.03, 200_000)
    whole = (rng.random(len(hazard)) < 1 - np.exp(-3 * hazard)).astype(float)
    early = (rng.random(len(hazard)) < 1 - np.exp(-hazard)).astype(float)
    share = hazard_share(early, whole)
    assert share == pytest.approx(1 / 3, abs=0.02)
    assert shortened(1 - np.exp(-3 * hazard), share).mean() == pytest.approx(early.mean(), abs=2e-3)


def test_without_an_outcome_the_first_days_stand_for_the_whole():
    assert hazard_share(np.zeros(3), np.ones(3)) == 1.0
