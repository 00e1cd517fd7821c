"""Risk bands keep still: sequences worked by hand, and what holds of every sequence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.core.config import Config, make_config
from tenure.core.flat_row import BANDS
from tenure.score.rows import bands
from tenure.success.scorecards.bands import bands_over_time

START = datetime(2025, 1, 1)
BASE = 0.1


def settings(**sections: Any) -> Config:
    return make_config({"data": {"path": "."}, **sections}, base=Path())


def levels(risks: Sequence[float | None], days: int = 7) -> pd.DataFrame:
    """One account, scored every so many days."""
    return pd.DataFrame(
        {
            "as_of": [START + timedelta(days * turn) for turn in range(len(risks))],
            "account_id": "a",
            "probability": np.asarray(risks, dtype=np.float64),
            "base_rate": BASE,
            "rank": np.nan,
        }
    )


def over_time(risks: Sequence[float | None], config: Config, days: int = 7) -> list[str]:
    rows = levels(risks, days)
    shown = (bands_over_time(rows[: end + 1], config)["band"] for end in range(len(rows)))
    return [str(band.iloc[0]) if len(band) else "none" for band in shown]


@pytest.mark.parametrize(
    ("risks", "days", "expected"),
    [
        ([0.29, 0.31, 0.29, 0.31], 30, ["medium", "high", "high", "high"]),
        ([0.31, 0.26, 0.26], 30, ["high", "high", "high"]),  # within 15 % of the threshold
        ([0.31, 0.25, 0.25], 30, ["high", "medium", "medium"]),
        ([0.31, 0.25, 0.25, 0.25, 0.25], 7, ["high", "high", "high", "high", "medium"]),
        ([0.31, 0.01, 0.01], 28, ["high", "low", "low"]),
        ([0.31, 0.09, 0.09], 30, ["high", "medium", "medium"]),  # 0.09 is near `medium`
        ([0.31, 0.25, 0.01], 14, ["high", "high", "low"]),
        ([0.01, 0.31], 1, ["low", "high"]),
        ([None, 0.31, None, 0.25], 30, ["none", "high", "high", "medium"]),
    ],
)
def test_a_sequence(risks: list[float | None], days: int, expected: list[str]) -> None:
    assert over_time(risks, settings(), days) == expected


def test_no_margin_and_no_dwell_is_the_threshold() -> None:
    still = settings(success={"band_margin": 0, "band_dwell_days": 0})
    risks = [0.31, 0.29, 0.1, 0.0999, 0.301]
    assert over_time(risks, still, 1) == ["high", "medium", "medium", "low", "high"]


def test_a_capacity_counts_ranks() -> None:
    rows = levels([0.1, 0.1, 0.1, 0.1], days=40).assign(rank=[5.0, 6.0, 5.9, 12.5])
    config = settings(score={"capacity": 5})
    shown = [bands_over_time(rows[:end], config)["band"].iloc[0] for end in range(1, 5)]
    assert shown == ["high", "medium", "medium", "low"]
    assert bands_over_time(rows[:2], settings(score={"capacity": 5}, success={"band_margin": 0.2}))[
        "band"
    ].tolist() == ["high"]


def test_it_says_since_when_and_when_it_rose() -> None:
    last = bands_over_time(levels([0.31, 0.01, 0.15, 0.16], days=30), settings()).iloc[0]
    assert (last["band"], last["since"], last["risen_at"]) == (
        "medium",
        START + timedelta(60),
        START + timedelta(60),
    )
    fallen = bands_over_time(levels([0.31, 0.15], days=30), settings()).iloc[0]
    assert (fallen["since"], fallen["risen_at"]) == (START + timedelta(30), START)


@given(
    risks=st.lists(st.floats(0, 1), min_size=1, max_size=12),
    days=st.integers(1, 40),
    margin=st.floats(0, 0.9),
    dwell=st.integers(0, 60),
)
def test_it_is_never_lower_than_the_threshold_says_and_falls_rarely(
    risks: list[float], days: int, margin: float, dwell: int
) -> None:
    config = settings(success={"band_margin": margin, "band_dwell_days": dwell})
    shown = [BANDS.index(band) for band in over_time(risks, config, days)]
    known = np.asarray(risks)
    flat = bands(known, np.full(len(known), BASE), np.full(len(known), np.nan), config.score)
    assert all(one >= BANDS.index(other) for one, other in zip(shown, flat, strict=True))
    moves = [place for place in range(1, len(shown)) if shown[place] != shown[place - 1]]
    for place in moves:
        if shown[place] < shown[place - 1]:
            before = max((move for move in moves if move < place), default=0)
            assert (place - before) * days >= dwell
            edge = (config.score.medium_at, config.score.high_at)[shown[place - 1] - 1] * BASE
            assert risks[place] < edge * (1 - margin) or edge * (1 - margin) == 0
