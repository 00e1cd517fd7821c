"""Drift on values made by hand."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.audited import small_plan
from tenure.audit.drift import feature_drift
from tenure.core.spec import Feature
from tenure.features.compute.matrix import FeatureMatrix

TIMES = [datetime(2024, month, 1) for month in range(1, 7)]
EACH = 100


def matrix(**columns: Any) -> FeatureMatrix:
    """Return a matrix of 100 accounts at six prediction times."""
    rows = pd.DataFrame(
        [(f"a{number:03d}", time) for time in TIMES for number in range(EACH)],
        columns=["account_id", "as_of"],
    ).astype({"as_of": "datetime64[us]"})
    features = tuple(
        Feature(name, "tickets", "last(priority)", "{value}", unit="text")
        if name == "word"
        else Feature(name, "tickets", "count(*)", "{value}")
        for name in columns
    )
    return FeatureMatrix(rows, pd.DataFrame(columns), small_plan(features).specs)


def of(found: FeatureMatrix, **how: Any) -> Any:
    drift = feature_drift(found, **({"recent": 2, "limit": 0.25} | how))
    return {item.feature: item for item in drift.features}


def test_the_index_is_the_sum_over_bins() -> None:
    # 80 % zeros and 20 % ones before, 50 % each lately.
    before = np.tile(np.repeat([0.0, 1.0], [80, 20]), 4)
    after = np.tile(np.repeat([0.0, 1.0], [50, 50]), 2)
    found = of(matrix(x=np.concatenate([before, after])))["x"]
    assert found.psi == pytest.approx(2 * 0.3 * math.log(4) / 2, rel=0.02)
    assert found.noise == pytest.approx(1 / 400 + 1 / 200)
    assert (found.verdict, found.missing) == ("drifted", (0.0, 0.0))


def test_the_same_values_are_steady_and_the_furthest_comes_first() -> None:
    numbers = np.tile(np.arange(EACH, dtype=float), 6)
    moved = numbers + np.repeat([0, 1000], [400, 200])
    found = feature_drift(matrix(same=numbers, moved=moved), recent=2, limit=0.25).features
    assert [(item.feature, item.verdict) for item in found] == [
        ("moved", "drifted"),
        ("same", "steady"),
    ]
    assert found[1].psi == pytest.approx(0, abs=1e-3)
    assert "typically 49.5 before and 1050 lately" in found[0].text


def test_missing_is_a_bin_of_its_own() -> None:
    values = np.ones(600)
    values[400:500] = np.nan
    found = of(matrix(x=values))["x"]
    assert found.missing == (0.0, 0.5)
    assert found.verdict == "drifted"
    assert "missing 0% before and 50% lately" in found.text


def test_words_drift_too() -> None:
    words = np.repeat(np.asarray(["low", "high"], dtype=object), [400, 200])
    found = of(matrix(word=words))["word"]
    assert (found.verdict, found.typical) == ("drifted", ("low", "high"))


def test_what_counts_days_grows_by_itself() -> None:
    days = np.repeat([(time - TIMES[0]).days for time in TIMES], EACH)
    found = of(matrix(age=days + np.tile(np.arange(EACH), 6)))["age"]
    assert found.verdict == "ages"


def test_the_limit_is_the_users() -> None:
    values = np.concatenate([np.tile(np.repeat([0.0, 1.0], [60, 40]), 4), np.tile([0.0, 1.0], 100)])
    values[400:440] = 1.0
    found = of(matrix(x=values))["x"]
    assert 0.1 < found.psi < 0.25
    assert found.verdict == "shifted"
    assert of(matrix(x=values), limit=0.12)["x"].verdict == "drifted"


def test_too_few_rows_say_so() -> None:
    found = of(matrix(x=np.ones(600)), recent=6)["x"]
    assert (found.verdict, found.psi) == ("too_few", None)
    for recent, since in ((6, None), (2, "2024-05-01")):
        drift = feature_drift(matrix(x=np.ones(600)), recent=recent, limit=0.25)
        assert drift.recent_since == since
