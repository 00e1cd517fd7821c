"""The grid against its definition, with facts exactly on and beside every edge."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.engine.duckdb import DuckDBEngine
from tenure.features.compute.timeline import Timeline, rank_sql
from tenure.features.plan.columns import Window

START = datetime(2023, 1, 1)
TICK = timedelta(microseconds=1)
# Half days, so that the edges of several windows and cut-offs often coincide.
MOMENT = st.integers(0, 120).map(lambda half: START + timedelta(hours=12 * half))
WINDOW = st.builds(
    lambda lag, more: Window(None if more is None else lag + more, lag),
    st.integers(0, 20) | st.just(0),
    st.none() | st.integers(1, 40),
)
TIMELINE = st.builds(
    lambda cutoffs, windows: Timeline(tuple(sorted(cutoffs)), tuple(windows)),
    st.sets(MOMENT, min_size=1, max_size=6),
    st.lists(WINDOW, max_size=3, unique=True),
)


@pytest.fixture(scope="module")
def engine() -> Iterator[DuckDBEngine]:
    found = DuckDBEngine(threads=1)
    yield found
    found.close()


def moments(timeline: Timeline) -> list[datetime | None]:
    """Every edge, every cut-off, and the microsecond before and after each."""
    marks = {*timeline.edges, *timeline.cutoffs}
    near = {mark + step for mark in marks for step in (-TICK, timedelta(0), TICK)}
    return [*sorted(near), None]


def first_that_sees(timeline: Timeline, *known: datetime | None) -> int:
    """The definition: the first cut-off strictly after all moments."""
    return next(
        (
            number
            for number, cutoff in enumerate(timeline.cutoffs)
            if all(moment is not None and moment < cutoff for moment in known)
        ),
        timeline.size,
    )


@given(timeline=TIMELINE)
def test_a_fact_is_seen_strictly_after_it_was_known(
    engine: DuckDBEngine, timeline: Timeline
) -> None:
    found = moments(timeline)
    engine.register("facts", pa.table({"t": pa.array(found, pa.timestamp("us"))}))
    table = engine.fetch(f"SELECT t, {timeline.seen_sql(['t'])} AS seen FROM facts")
    for moment, seen in zip(
        *(table.column(name).to_pylist() for name in ("t", "seen")), strict=True
    ):
        assert seen == first_that_sees(timeline, moment)


@given(timeline=TIMELINE, pairs=st.lists(st.tuples(st.none() | MOMENT, st.none() | MOMENT)))
def test_the_latest_of_several_clocks_decides(
    engine: DuckDBEngine, timeline: Timeline, pairs: list[tuple[datetime | None, datetime | None]]
) -> None:
    pairs = [*pairs, (timeline.cutoffs[0], START), (START, timeline.cutoffs[-1] - TICK)]
    first, second = ([pair[index] for pair in pairs] for index in (0, 1))
    kind = pa.timestamp("us")
    engine.register("facts", pa.table({"a": pa.array(first, kind), "b": pa.array(second, kind)}))
    table = engine.fetch(f"SELECT a, b, {timeline.seen_sql(['a', 'b'])} AS seen FROM facts")
    for row in table.to_pylist():
        assert row["seen"] == first_that_sees(timeline, row["a"], row["b"])


@given(timeline=TIMELINE)
def test_a_slot_lies_in_exactly_the_windows_that_reach_it(
    engine: DuckDBEngine, timeline: Timeline
) -> None:
    found = [moment for moment in moments(timeline) if moment is not None]
    engine.register("facts", pa.table({"t": pa.array(found, pa.timestamp("us"))}))
    table = engine.fetch(f"SELECT t, {timeline.slot_sql('t')} AS slot FROM facts")
    slots = np.asarray(table.column("slot").to_pylist(), dtype=np.int64)
    moment = table.column("t").to_pylist()
    for window in timeline.windows:
        begins, ends = timeline.visible(window, slots)
        start, stop = timeline.span(window)
        for row, happened in enumerate(moment):
            inside = [
                number
                for number, cutoff in enumerate(timeline.cutoffs)
                if happened < cutoff - timedelta(days=window.lag)
                and (window.length is None or happened >= cutoff - timedelta(days=window.length))
            ]
            assert list(range(begins[row], ends[row])) == inside
            assert np.flatnonzero((start <= slots[row]) & (slots[row] < stop)).tolist() == inside


@given(timeline=TIMELINE)
def test_a_slot_is_prompt_at_the_first_cut_off_after_it(
    engine: DuckDBEngine, timeline: Timeline
) -> None:
    found = [moment for moment in moments(timeline) if moment is not None]
    engine.register("facts", pa.table({"t": pa.array(found, pa.timestamp("us"))}))
    table = engine.fetch(f"SELECT t, {timeline.slot_sql('t')} AS slot FROM facts")
    for moment, slot in zip(
        *(table.column(name).to_pylist() for name in ("t", "slot")), strict=True
    ):
        assert timeline.prompt[slot] == first_that_sees(timeline, moment)


def test_a_null_time_is_never_seen(engine: DuckDBEngine) -> None:
    timeline = Timeline((START,), ())
    sql = f"SELECT {timeline.seen_sql(['CAST(NULL AS TIMESTAMP)'])} AS seen"
    assert engine.fetch(sql).column("seen").to_pylist() == [timeline.size]


def test_without_a_start_no_window_is_the_earliest() -> None:
    assert Timeline((START,), ()).earliest is None
    assert Timeline((START,), (Window(7), Window(None))).earliest is None
    week = timedelta(days=7)
    assert Timeline((START, START + week), (Window(3), Window(7, 2))).earliest == START - week


def test_no_edges_need_no_comparison() -> None:
    assert rank_sql("t", ()) == "0"
