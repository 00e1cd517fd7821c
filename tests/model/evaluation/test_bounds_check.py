"""Bounds of the right width hold as often as they say; narrow ones show on groups and months."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from scipy.stats import norm

from tenure.model.evaluation.bounds_check import FEWEST_ROWS, bounds_check, place_among

LEVEL = 0.8


def book(width: float, *, seed: int, groups: int = 12, months: int = 40) -> pd.DataFrame:
    """Rows whose groups err together by a standard deviation of 0.5 in log-odds."""
    rng = np.random.default_rng(seed)
    rows = 60
    parts = []
    for month in range(months):
        for group in range(groups):
            p = expit(logit(rng.uniform(0.05, 0.3)) + rng.normal(0, 0.3, rows))
            truth = expit(logit(p) + rng.normal(0, 0.5))
            reach = width * norm.ppf((1 + LEVEL) / 2)
            parts.append(
                pd.DataFrame(
                    {
                        "as_of": pd.Timestamp("2024-01-01") + pd.DateOffset(months=month),
                        "group:segment": f"s{group}",
                        "label": (rng.random(rows) < truth).astype(float),
                        "probability": p,
                        "probability_lo": expit(logit(p) - reach),
                        "probability_hi": expit(logit(p) + reach),
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def share(check: dict[str, dict[str, int]], name: str) -> float:
    return check[name]["inside"] / check[name]["n"]


def test_bounds_of_the_right_width_hold_as_often_as_they_say() -> None:
    check = bounds_check(book(0.5, seed=1), LEVEL)
    assert check is not None
    assert check["groups"]["n"] == 480
    assert share(check, "groups") == pytest.approx(LEVEL, abs=0.06)
    assert share(check, "months") > LEVEL, "errors of groups that differ cancel in a month"


def test_narrow_bounds_are_seen() -> None:
    check = bounds_check(book(0.1, seed=2), LEVEL)
    assert check is not None
    assert share(check, "groups") < LEVEL - 0.15


def test_a_level_that_is_off_everywhere_shows_in_the_months() -> None:
    rows = book(0.1, seed=3)
    names = ("probability", "probability_lo", "probability_hi")
    off = rows.assign(**{name: rows[name] * 1.6 for name in names})
    check = bounds_check(off, LEVEL)
    assert check is not None
    assert share(check, "months") < 0.2


def test_small_groups_are_left_out_and_no_bounds_are_no_check() -> None:
    rows = book(0.5, seed=4, groups=1, months=2)
    few = rows.groupby("as_of").head(FEWEST_ROWS - 1)
    check = bounds_check(few, LEVEL)
    assert check == {
        "level": LEVEL,
        "groups": {"n": 0, "inside": 0},
        "months": {"n": 0, "inside": 0},
    }
    assert bounds_check(rows.drop(columns="probability_lo"), LEVEL) is None


def test_the_place_is_even_where_chance_is_right() -> None:
    rng = np.random.default_rng(5)
    mean, deviation = np.full(4_000, 0.2), np.full(4_000, 0.05)
    size = 0.2 * 0.8 / 0.05**2 - 1
    truth = rng.beta(0.2 * size, 0.8 * size, 4_000)
    n = np.full(4_000, 200.0)
    place = place_among(n, rng.binomial(200, truth).astype(float), mean, deviation)
    counts, _ = np.histogram(place, bins=10, range=(0, 1))
    assert counts.min() > 330
    assert counts.max() < 470
