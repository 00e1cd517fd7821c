"""Rows that stand in one place are joined before they leave the engine; no feature changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pytest

from features.past import CUTOFFS, EVENTS, OPEN, awkward, differences, past, rows_of, whole_plan
from tenure.core.spec import Family, Feature
from tenure.features.compute import batches, source_query
from tenure.features.compute.source_query import SourceQuery, source_queries
from tenure.features.plan.plan import Plan

OWN = Family(
    "own",
    "Own",
    (
        Feature("mean", "usage_events", "avg(quantity)", "{value}", windows=(28, 400)),
        Feature("known", "usage_events", "count(user_id)", "{value}", windows=(90,)),
        Feature("ever", "usage_events", "count(distinct user_id)", "{value}"),
        Feature("smallest", "usage_events", "min(quantity)", "{value}", windows=(300,), lag=30),
        Feature("newest", "usage_events", "last(quantity)", "{value}"),
        Feature("leader", "usage_events", "days_since(top(user_id))", "{value}", windows=(300,)),
        Feature("most", "usage_events", "most(user_id)", "{value}", where="event = 'login'"),
        Feature("pause", "usage_events", "longest_gap(event_time)", "{value}"),
        Feature("of", "usage_events", "sum(quantity)", "{value}", windows=(364,), each="event"),
        Feature("word", "tickets", "last(priority)", "{value}"),
        Feature("by_end", "tickets", "count(*)", "{value}", windows=(300,), at="resolved_at"),
    ),
)
FAMILIES = (*OPEN, OWN)


def everything_in_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "SPLIT_ROWS", 0)
    monkeypatch.setattr(source_query, "SHORT_DAYS", 0)


def check(seed: int, times: Sequence[datetime], monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare cells at one time with rows at all of them: each is what it is alone."""
    world = past(seed, 20)
    rows = world.matrix(times, families=FAMILIES)
    everything_in_cells(monkeypatch)
    for at in times:
        mine = rows_of(rows, rows.rows["as_of"] == at)
        assert differences(mine, world.matrix([at], families=FAMILIES)) == {}


@pytest.mark.parametrize("seed", [0, 1])
def test_cells_and_rows_give_the_same_bits(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    check(seed, [*awkward(past(seed, 20), seed, 3), CUTOFFS[-1]], monkeypatch)


@pytest.mark.acceptance
@pytest.mark.parametrize("seed", range(10, 40))
def test_at_the_ticks_that_matter_too(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    check(seed, awkward(past(seed, 20), seed, 3), monkeypatch)


def test_cells_at_several_prediction_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fold knows nothing of how many there are."""
    world = past(0, 20)
    rows = world.matrix(CUTOFFS, families=FAMILIES)

    def cells(plan: Plan, cutoffs: Sequence[datetime]) -> list[SourceQuery]:
        return [part for item in source_queries(plan, cutoffs) for part in item.in_cells()]

    monkeypatch.setattr(batches, "source_queries", cells)
    assert differences(rows, world.matrix(CUTOFFS, families=FAMILIES)) == {}


def test_cells_differ_by_one_column_at_a_time() -> None:
    queries = source_queries(whole_plan(), CUTOFFS)
    usage = next(item for item in queries if item.source == "usage_events")
    parts = {item.part: item for item in usage.split()}
    assert list(parts) == ["_recent", "_past_event", "_year"]
    assert [parts[name].cells for name in parts] == [False, True, True]
    assert sorted(item.spec.name for found in parts.values() for item in found.features) == sorted(
        item.spec.name for item in usage.features
    )
    assert set(parts["_past_event"].categories["event"]) == set(EVENTS)
