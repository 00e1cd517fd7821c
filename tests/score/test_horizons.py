"""A longer horizon is never less likely, and the main horizon keeps its figures."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from tenure.score.horizons import never_falling

CHANCES = st.floats(0, 1)


def rows(chances, order):
    """Return two accounts at 30, 90 (main), 120 and 180 days, in some order."""
    days = [30, 90, 120, 180] * 2
    frame = pd.DataFrame(
        {
            "row": [0] * 4 + [1] * 4,
            "days": days,
            "main": [day == 90 for day in days],
            "chance": chances,
        }
    )
    return frame.iloc[list(order)]


@given(st.lists(CHANCES, min_size=8, max_size=8), st.permutations(range(8)))
def test_rising_and_the_main_horizon_as_it_was(chances, order):
    given_rows = rows(chances, order)
    found = never_falling(given_rows, ["chance"])
    assert found.index.equals(given_rows.index)
    steps = found.sort_values(["row", "days"]).groupby("row")["chance"].diff().dropna()
    assert (steps >= 0).all()
    main = given_rows["main"]
    assert found.loc[main, "chance"].equals(given_rows.loc[main, "chance"])


@given(st.lists(CHANCES, min_size=8, max_size=8), st.permutations(range(8)))
def test_what_rises_already_stays(chances, order):
    ordered = sorted(chances[:4]) + sorted(chances[4:])
    given_rows = rows(ordered, order)
    assert never_falling(given_rows, ["chance"])["chance"].equals(given_rows["chance"])


def test_an_account_without_a_probability_has_none_at_any_horizon():
    given_rows = rows([np.nan] * 4 + [0.1, 0.2, 0.1, 0.4], range(8))
    found = never_falling(given_rows, ["chance"])
    assert found["chance"].iloc[:4].isna().all()
    assert found["chance"].iloc[4:].tolist() == [0.1, 0.2, 0.2, 0.4]
