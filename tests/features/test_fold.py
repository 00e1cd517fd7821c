"""The fold against brute force: one loop over accounts, cut-offs and cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.features.fold import NOTHING, Ranges, distinct, highest, latest, lowest, total

ACCOUNTS, CUTOFFS = 3, 5
CELL = st.tuples(
    st.integers(0, ACCOUNTS - 1),
    st.integers(0, CUTOFFS - 1),
    st.integers(0, CUTOFFS),
    st.integers(-3, 3),
    st.integers(0, 2),
)
cells = given(st.lists(CELL, max_size=25))
Cells = list[tuple[int, int, int, int, int]]


def ranges(found: Cells) -> Ranges:
    columns = np.asarray(found, dtype=np.int64).reshape(-1, 5)
    return Ranges(columns[:, 0], columns[:, 1], columns[:, 2], (ACCOUNTS, CUTOFFS))


def column(found: Cells, index: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.asarray([cell[index] for cell in found], dtype=np.int64)


def brute(found: Cells, answer: Callable[[list[int]], int]) -> np.ndarray[Any, Any]:
    """Ask for an answer about the numbers of the cells that each account and cut-off sees."""
    return np.asarray(
        [
            [
                answer(
                    [
                        number
                        for number, (owner, begin, end, _, _) in enumerate(found)
                        if owner == account and begin <= cutoff < end
                    ]
                )
                for cutoff in range(CUTOFFS)
            ]
            for account in range(ACCOUNTS)
        ]
    )


@cells
def test_total(found: Cells) -> None:
    expected = brute(found, lambda seen: sum(found[number][3] for number in seen))
    assert (total(ranges(found), column(found, 3)) == expected).all()


@cells
def test_distinct(found: Cells) -> None:
    expected = brute(found, lambda seen: len({found[number][3] for number in seen}))
    assert (distinct(ranges(found), column(found, 3)) == expected).all()


@cells
def test_highest(found: Cells) -> None:
    expected = brute(found, lambda seen: max((found[n][3] for n in seen), default=NOTHING))
    assert (highest(ranges(found), column(found, 3)) == expected).all()


@cells
def test_lowest(found: Cells) -> None:
    expected = brute(found, lambda seen: min((found[n][3] for n in seen), default=NOTHING))
    assert (lowest(ranges(found), column(found, 3)) == expected).all()


@cells
def test_latest_is_the_last_in_time_and_then_in_order(found: Cells) -> None:
    def last(seen: list[int]) -> int:
        # Among equal times and orders the fold may name either cell: they say the same.
        return max((found[n][3] * 10 + found[n][4] for n in seen), default=-1000)

    index = latest(ranges(found), column(found, 3), column(found, 4))
    said = [cell[3] * 10 + cell[4] for cell in found]
    assert (np.asarray([*said, -1000])[index] == brute(found, last)).all()


@cells
def test_the_order_of_cells_does_not_matter(found: Cells) -> None:
    back = found[::-1]
    for fold in (total, distinct, highest, lowest):
        one, other = fold(ranges(found), column(found, 3)), fold(ranges(back), column(back, 3))
        assert (one == other).all()


def test_sums_are_exact_where_doubles_are_not() -> None:
    amounts = np.asarray([2**60, 1, -(2**60)], dtype=np.int64)
    seen = Ranges(np.zeros(3, np.int64), np.zeros(3, np.int64), np.full(3, 1), (1, 1))
    assert total(seen, amounts).item() == 1


@pytest.mark.parametrize("fold", [total, distinct, highest, lowest])
def test_no_cells_give_a_grid_of_nothing(fold: Callable[..., Any]) -> None:
    grid = fold(ranges([]), np.empty(0, dtype=np.int64))
    assert grid.shape == (ACCOUNTS, CUTOFFS)
    assert set(grid.ravel()) == {0 if fold in (total, distinct) else NOTHING}
    assert (latest(ranges([]), np.empty(0, np.int64), np.empty(0, np.int64)) == -1).all()
