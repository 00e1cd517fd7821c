from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.testing import assert_array_equal

from tenure.score.horizons import ScoreEntries
from tenure.score.subtargets import WHOLES, capped_parts

NAN = np.nan
PART = "churn_voluntary"


def asked(row: list[int], days: list[int]) -> ScoreEntries:
    """Entries of accounts; only whom they ask about and how far ahead is read."""
    places = np.array(row)
    accounts = pd.DataFrame({"account_id": [f"a{one}" for one in range(max(row) + 1)]})
    silent = np.zeros(len(row), dtype=bool)
    return ScoreEntries(accounts, places, {}, np.array(days), np.full(len(row), NAN), silent)


def columns(target: str, *ends: list[float]) -> dict[str, Any]:
    """Probability, lower and upper bound of a target."""
    names = [f"{target}_probability{end}" for end in ("", "_lo", "_hi")]
    return dict(zip(names, map(np.array, ends), strict=True))


def test_both_types_of_churn_are_parts_of_it() -> None:
    assert WHOLES == {"churn_voluntary": "churn", "churn_involuntary": "churn"}


def test_a_part_and_its_bounds_are_lowered_to_the_whole() -> None:
    flat = columns("churn", [0.2, 0.3, NAN], [0.1, 0.2, NAN], [0.3, 0.4, NAN])
    flat |= columns(PART, [0.25, 0.1, 0.9], [0.15, 0.05, 0.8], [0.35, 0.2, 0.95])
    found = capped_parts(flat, asked([0, 1, 2], [90, 90, 90]))
    assert list(found) == [f"{PART}_probability{end}" for end in ("", "_lo", "_hi")]
    assert_array_equal(found[f"{PART}_probability"], [0.2, 0.1, 0.9])
    assert_array_equal(found[f"{PART}_probability_lo"], [0.1, 0.05, 0.8])
    assert_array_equal(found[f"{PART}_probability_hi"], [0.3, 0.2, 0.95])


def test_what_has_no_probability_gets_none() -> None:
    flat = columns("churn", [0.2], [0.1], [0.3]) | columns(PART, [NAN], [NAN], [NAN])
    assert np.isnan(list(capped_parts(flat, asked([0], [90])).values())).all()


def test_a_lower_bound_never_lies_above_the_lowered_probability() -> None:
    flat = columns("churn", [0.1], [NAN], [NAN]) | columns(PART, [0.3], [0.2], [0.4])
    found = capped_parts(flat, asked([0], [90]))
    assert [one.item() for one in found.values()] == [0.1, 0.1, 0.4]


def test_a_horizon_that_the_whole_does_not_know_is_bound_by_the_next_longer_one() -> None:
    """Else the part at 30 days would lie above itself at 90."""
    row, days = [0, 1, 0, 1, 0], [90, 90, 30, 30, 180]
    whole = [0.2, 0.5, NAN, NAN, NAN]
    flat = columns("churn", whole, whole, whole)
    part = [0.25, 0.4, 0.24, 0.3, 0.6]
    flat |= columns(PART, part, part, part)
    found = capped_parts(flat, asked(row, days))[f"{PART}_probability"]
    assert_array_equal(found, [0.2, 0.4, 0.2, 0.3, 0.6])


def test_a_part_without_its_whole_stays_as_it_is() -> None:
    assert capped_parts(columns(PART, [0.3], [0.2], [0.4]), asked([0], [90])) == {}
