"""Bins follow the values they were made of, and the index is 0 where nothing has moved."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.model.evaluation.bins import EMPTY, Bins, stability_index

COUNTS = st.lists(st.integers(0, 500), min_size=2, max_size=8)


def test_numbers_are_cut_at_their_quantiles() -> None:
    bins = Bins.of(pd.Series([*np.arange(100.0), np.nan]), text=False, bins=4)
    assert bins.cuts == (24.0, 49.0, 74.0)
    assert bins.codes(pd.Series([24.0, 24.5, 1e9, np.nan, -1.0])).tolist() == [0, 1, 3, 4, 0]
    assert bins.names == ["up to 24", "up to 49", "up to 74", "above 74", "missing"]
    assert len(bins) == len(bins.names)


def test_the_commonest_words_have_a_bin_of_their_own() -> None:
    bins = Bins.of(pd.Series(["b", "b", "a", None, "c", "a", "b"]), text=True, words=2)
    assert bins.cuts == ("b", "a")
    assert bins.codes(pd.Series(["a", "b", "c", "new", None])).tolist() == [1, 0, 2, 2, 3]
    assert bins.names == ["b", "a", "any other value", "missing"]


def test_without_a_value_there_is_one_bin_beside_that_of_the_missing() -> None:
    bins = Bins.of(pd.Series([np.nan, np.nan]), text=False)
    assert bins.names == ["any value", "missing"]
    assert bins.codes(pd.Series([1.0, np.nan])).tolist() == [0, 1]


def test_the_index_is_the_sum_over_bins_that_have_a_row() -> None:
    index, used = stability_index(np.array([80, 20, 0, 0]), np.array([20, 80, 0, 0]))
    low, high = (20 + EMPTY) / (100 + 2 * EMPTY), (80 + EMPTY) / (100 + 2 * EMPTY)
    assert index == pytest.approx(2 * (high - low) * np.log(high / low))
    assert used == 2


@given(COUNTS, st.integers(0, 3))
def test_nothing_has_moved_between_equal_counts(counts: list[int], empty: int) -> None:
    same = np.array([*counts, *[0] * empty])
    assert stability_index(same, same) == (0.0, np.count_nonzero(same))
