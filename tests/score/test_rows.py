from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from tenure.core.sections import ScoreConfig
from tenure.score.rows import bands, rank

RISK = np.array([0.50, 0.10, np.nan, 0.05, 0.10])
BASE = np.full(len(RISK), 0.0625)
NOBODY = np.empty(0)


def test_equal_risks_share_the_better_rank_and_the_higher_percentile() -> None:
    place, percentile = rank(RISK, RISK)
    assert_array_equal(place, [1, 2, np.nan, 4, 2])
    assert_array_equal(percentile, [100, 75, np.nan, 25, 75])


def test_nobody_has_a_rank_in_an_empty_book() -> None:
    assert np.isnan(rank(RISK, NOBODY)).all()


def test_a_band_begins_at_its_multiple_of_the_base_rate() -> None:
    ranks, _ = rank(RISK, RISK)
    found = bands(RISK, BASE, ranks, ScoreConfig(high_at=8.0, medium_at=1.6))
    assert found.tolist() == ["high", "medium", None, "low", "medium"]


@pytest.mark.parametrize(
    ("capacity", "expected"),
    [(1, ["high", "medium", None, "low", "medium"]), (2, ["high", "high", None, "medium", "high"])],
)
def test_bands_by_capacity_need_a_rank(capacity: int, expected: list[str | None]) -> None:
    settings = ScoreConfig(capacity=capacity)
    assert bands(RISK, BASE, rank(RISK, RISK)[0], settings).tolist() == expected
    none, _ = rank(RISK, NOBODY)
    assert bands(RISK, BASE, none, settings).tolist() == [None] * len(RISK)
