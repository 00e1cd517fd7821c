"""The fold against brute force: one loop over lanes, cut-offs and rows, with times."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.features.compute.members import ActiveDays, MemberRows
from tenure.features.compute.timeline import Timeline
from tenure.features.compute.window_fold import NOTHING, GridRows, latest, maxima, minima, sums
from tenure.features.plan.columns import Window

START = datetime(2024, 1, 1)
HALF = timedelta(hours=12)
LANES = 3
CUTOFFS = tuple(START + timedelta(days=day) for day in (10, 13, 20, 24.5))
WINDOWS = (Window(None), Window(3), Window(10), Window(10, 3), Window(None, 3))
TIMELINE = Timeline(CUTOFFS, WINDOWS)


@dataclass(frozen=True)
class Fact:
    lane: int
    happened: datetime
    known: datetime
    ended: datetime | None
    value: int
    member: int


FACTS = st.lists(
    st.builds(
        lambda lane, at, late, lasts, value, member: Fact(
            lane,
            START + at * HALF,
            START + (at + late) * HALF,
            None if lasts is None else START + (at + lasts) * HALF,
            value,
            member,
        ),
        st.integers(0, LANES - 1),
        st.integers(0, 52),
        st.just(0) | st.integers(0, 30),
        st.none() | st.integers(0, 30),
        st.integers(-3, 3),
        st.integers(0, 2),
    ),
    max_size=25,
)


def first_after(moment: datetime | None) -> int:
    return len(CUTOFFS) if moment is None else bisect.bisect_right(CUTOFFS, moment)


def rows_of(facts: Iterable[Fact], *, running: bool = False) -> GridRows:
    """Place facts on the grid as the SQL does."""
    facts = [fact for fact in facts if first_after(fact.known) < len(CUTOFFS)]
    columns = {
        "lane": [fact.lane for fact in facts],
        "seen": [first_after(fact.known) for fact in facts],
        "slot": [bisect.bisect_right(TIMELINE.edges, fact.happened) for fact in facts],
        "gone": [first_after(fact.ended) for fact in facts],
    }
    arrays = {name: np.asarray(found, dtype=np.int32) for name, found in columns.items()}
    gone = arrays["gone"] if running else None
    return GridRows(TIMELINE, arrays["lane"], LANES, arrays["seen"], arrays["slot"], gone)


def column(facts: Iterable[Fact], name: str) -> np.ndarray[Any, np.dtype[np.int64]]:
    kept = [fact for fact in facts if first_after(fact.known) < len(CUTOFFS)]
    return np.asarray([getattr(fact, name) for fact in kept], dtype=np.int64)


def days(facts: Iterable[Fact]) -> np.ndarray[Any, np.dtype[np.int64]]:
    kept = [fact for fact in facts if first_after(fact.known) < len(CUTOFFS)]
    return np.asarray([fact.happened.toordinal() for fact in kept], dtype=np.int64)


def moments(facts: Iterable[Fact]) -> np.ndarray[Any, np.dtype[np.int64]]:
    kept = [fact for fact in facts if first_after(fact.known) < len(CUTOFFS)]
    return np.asarray([(fact.happened - START) // HALF for fact in kept], dtype=np.int64)


def brute(
    facts: list[Fact],
    window: Window,
    answer: Callable[[list[Fact]], int],
    *,
    running: bool = False,
) -> np.ndarray[Any, Any]:
    """Ask for an answer about the facts that each lane and cut-off sees."""

    def visible(fact: Fact, cutoff: datetime) -> bool:
        if fact.known >= cutoff or fact.happened >= cutoff - timedelta(days=window.lag):
            return False
        if running and fact.ended is not None and fact.ended < cutoff:
            return False
        return window.length is None or fact.happened >= cutoff - timedelta(days=window.length)

    return np.asarray(
        [
            [
                answer([fact for fact in facts if fact.lane == lane and visible(fact, cutoff)])
                for cutoff in CUTOFFS
            ]
            for lane in range(LANES)
        ]
    )


@given(FACTS)
def test_sums(facts: list[Fact]) -> None:
    found = sums(rows_of(facts), column(facts, "value"), WINDOWS)
    counts = sums(rows_of(facts), None, WINDOWS)
    for window in WINDOWS:
        expected = brute(facts, window, lambda seen: sum(fact.value for fact in seen))
        assert (found[window] == expected).all()
        assert (counts[window] == brute(facts, window, len)).all()


@given(FACTS)
def test_what_still_runs(facts: list[Fact]) -> None:
    window = Window(None)
    rows = rows_of(facts, running=True)
    expected = brute(facts, window, len, running=True)
    assert (sums(rows, None, [window])[window] == expected).all()
    largest = brute(
        facts, window, lambda seen: max((f.value for f in seen), default=NOTHING), running=True
    )
    assert (maxima(rows, column(facts, "value"), [window])[window] == largest).all()


@given(FACTS)
def test_members_of_what_still_runs(facts: list[Fact]) -> None:
    members = MemberRows.of(rows_of(facts, running=True), column(facts, "member"))
    expected = brute(
        facts, Window(None), lambda seen: len({fact.member for fact in seen}), running=True
    )
    assert (members.distinct([Window(None)])[Window(None)] == expected).all()


@given(FACTS)
def test_extremes(facts: list[Fact]) -> None:
    values = column(facts, "value")
    largest, smallest = (fold(rows_of(facts), values, WINDOWS) for fold in (maxima, minima))
    for window in WINDOWS:
        high = brute(facts, window, lambda seen: max((f.value for f in seen), default=NOTHING))
        low = brute(facts, window, lambda seen: min((f.value for f in seen), default=NOTHING))
        assert (largest[window] == high).all()
        assert (smallest[window] == low).all()


@given(FACTS)
def test_the_latest_is_the_last_in_time_and_then_in_order(facts: list[Fact]) -> None:
    def last(seen: list[Fact]) -> int:
        # Among equal times and orders the fold may name either row: they say the same.
        return max(((f.happened - START) // HALF * 100 + f.value for f in seen), default=-1000)

    found = latest(rows_of(facts), moments(facts), column(facts, "value"), WINDOWS)
    said = np.append(moments(facts) * 100 + column(facts, "value"), -1000)
    for window in WINDOWS:
        assert (said[found[window]] == brute(facts, window, last)).all()


@given(FACTS)
def test_distinct_members(facts: list[Fact]) -> None:
    crowd = MemberRows.of(rows_of(facts), column(facts, "member"))
    for window in WINDOWS:
        expected = brute(facts, window, lambda seen: len({fact.member for fact in seen}))
        assert (crowd.distinct([window])[window] == expected).all()
        assert (crowd.distinct(WINDOWS)[window] == expected).all()


def rows_by_member(seen: list[Fact]) -> dict[int, list[Fact]]:
    found: dict[int, list[Fact]] = {}
    for fact in seen:
        found.setdefault(fact.member, []).append(fact)
    return found


@given(FACTS)
def test_the_most_active_member(facts: list[Fact]) -> None:
    def most(seen: list[Fact]) -> int:
        return max((len(rows) for rows in rows_by_member(seen).values()), default=0)

    def top(seen: list[Fact]) -> int:
        leads = [rows for rows in rows_by_member(seen).values() if len(rows) == most(seen)]
        return max(
            ((fact.happened - START) // HALF for rows in leads for fact in rows), default=NOTHING
        )

    crowd = MemberRows.of(rows_of(facts), column(facts, "member"))
    counts, times = crowd.most(WINDOWS), crowd.top(moments(facts), WINDOWS)
    for window in WINDOWS:
        assert (counts[window] == brute(facts, window, most)).all()
        assert (times[window] == brute(facts, window, top)).all()


@given(FACTS)
def test_active_days_and_the_longest_gap_between_them(facts: list[Fact]) -> None:
    def ordinals(seen: list[Fact]) -> list[int]:
        return sorted({fact.happened.toordinal() for fact in seen})

    def gap(seen: list[Fact]) -> int:
        found = ordinals(seen)
        return max((b - a for a, b in pairwise(found)), default=NOTHING)

    active = ActiveDays.of(rows_of(facts), days(facts))
    counts, gaps = active.count(WINDOWS), active.longest_gap(WINDOWS)
    members = MemberRows.of(rows_of(facts), days(facts)).distinct(WINDOWS)
    for window in WINDOWS:
        expected = brute(facts, window, lambda seen: len(ordinals(seen)))
        assert (counts[window] == expected).all()
        assert (members[window] == expected).all()
        assert (gaps[window] == brute(facts, window, gap)).all()


@given(FACTS)
def test_the_order_of_rows_does_not_matter(facts: list[Fact]) -> None:
    back = facts[::-1]
    for fold in (sums, maxima, minima):
        one = fold(rows_of(facts), column(facts, "value"), WINDOWS)
        other = fold(rows_of(back), column(back, "value"), WINDOWS)
        assert all((one[window] == other[window]).all() for window in WINDOWS)


def test_sums_are_exact_where_doubles_are_not() -> None:
    facts = [Fact(0, START, START, None, value, 0) for value in (2**60, 1, -(2**60))]
    found = sums(rows_of(facts), column(facts, "value"), [Window(None)])
    assert found[Window(None)][0, -1] == 1


@pytest.mark.parametrize(("fold", "nothing"), [(sums, 0), (maxima, NOTHING), (minima, NOTHING)])
def test_no_rows_give_a_grid_of_nothing(fold: Callable[..., Any], nothing: int) -> None:
    for grid in fold(rows_of([]), column([], "value"), WINDOWS).values():
        assert grid.shape == (LANES, len(CUTOFFS))
        assert set(grid.ravel()) == {nothing}
    empty = np.empty(0, np.int64)
    assert (latest(rows_of([]), empty, empty, WINDOWS)[WINDOWS[0]] == -1).all()
    assert (MemberRows.of(rows_of([]), empty).distinct(WINDOWS)[WINDOWS[1]] == 0).all()
    assert (MemberRows.of(rows_of([]), empty).top(empty, WINDOWS)[WINDOWS[1]] == NOTHING).all()
    assert (ActiveDays.of(rows_of([]), empty).longest_gap(WINDOWS)[WINDOWS[1]] == NOTHING).all()
