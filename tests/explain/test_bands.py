from __future__ import annotations

import pandas as pd
import pytest

from tenure.core.config import ScoreConfig
from tenure.explain.bands import bands, rank

RISK = pd.Series([0.50, 0.10, None, 0.05, 0.10], index=[9, 8, 7, 6, 5])
BASE = pd.Series(0.0625, index=RISK.index)


def test_equal_risks_share_the_better_rank_and_the_higher_percentile() -> None:
    found = rank(RISK, RISK)
    assert found["churn_rank"].tolist() == [1, 2, pd.NA, 4, 2]
    assert found["churn_percentile"].dropna().tolist() == [100, 75, 25, 75]


def test_nobody_has_a_rank_in_an_empty_book() -> None:
    assert rank(RISK, RISK.head(0)).isna().all(axis=None)


def test_a_band_begins_at_its_multiple_of_the_base_rate() -> None:
    ranks = rank(RISK, RISK)["churn_rank"]
    found = bands(RISK, BASE, ranks, ScoreConfig(high_at=8.0, medium_at=1.6))
    assert found.tolist() == ["high", "medium", None, "low", "medium"]


@pytest.mark.parametrize(
    ("capacity", "expected"),
    [(1, ["high", "medium", None, "low", "medium"]), (2, ["high", "high", None, "medium", "high"])],
)
def test_bands_by_capacity_need_a_rank(capacity: int, expected: list[str | None]) -> None:
    settings = ScoreConfig(capacity=capacity)
    assert bands(RISK, BASE, rank(RISK, RISK)["churn_rank"], settings).tolist() == expected
    none = rank(RISK, RISK.head(0))["churn_rank"]
    assert bands(RISK, BASE, none, settings).isna().all()
