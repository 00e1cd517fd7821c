"""What each feature read, and that a cut which reads too much is found."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from features.audited import (
    CUTOFFS,
    FEBRUARY,
    MARCH,
    engine,
    place_a_slot_too_early,
    see_the_edge,
    see_too_early,
    small_plan,
    ticket,
    tickets,
)
from features.past import past
from tenure.audit.reads import reads
from tenure.core.records.audit import ReadRecord
from tenure.core.spec import Derived, Family, Feature
from tenure.core.times import show
from tenure.features.plan.plan import resolve_plan

EARLY, LATE = datetime(2023, 12, 20), datetime(2024, 2, 20)
ROWS = tickets(
    [
        ticket("a", EARLY, priority="urgent", resolved=datetime(2024, 2, 3)),
        ticket("a", datetime(2024, 1, 5), known=datetime(2024, 2, 10)),
        ticket("b", LATE, csat=(4.0, datetime(2024, 2, 25))),
        ticket("b", MARCH),
        ticket("b", datetime(2024, 2, 14), known=MARCH),
    ]
)


def found(features: tuple[Feature, ...] | None = None) -> dict[str, ReadRecord]:
    with engine(tickets=ROWS) as where:
        resolved = small_plan(features) if features else small_plan()
        return reads(where, resolved, CUTOFFS).features


def shown(*moments: datetime | None) -> tuple[str | None, ...]:
    return tuple(None if moment is None else show(moment) for moment in moments)


def test_latest_event_and_known_time_of_each_prediction_time() -> None:
    read = found()
    assert read["tickets"].latest_event == shown(EARLY, EARLY, LATE)
    assert read["tickets"].latest_known == shown(EARLY, EARLY, LATE)
    assert read["urgent"].latest_event == shown(EARLY, EARLY, EARLY)
    assert read["csat"].latest_event == shown(None, None, LATE)
    assert read["csat"].latest_known == shown(None, None, datetime(2024, 2, 25))
    assert read["csat"].clocks == ("csat_at",)


def test_a_window_that_holds_nothing_read_nothing() -> None:
    assert found()["tickets_recent_30d"].latest_event == shown(EARLY, None, LATE)


def test_an_end_that_took_a_row_out_was_read() -> None:
    read = tickets([ticket("a", EARLY, resolved=datetime(2024, 2, 3))])
    with engine(tickets=read) as where:
        latest = reads(where, small_plan(), CUTOFFS).features["open"]
    assert latest.latest_event == shown(EARLY, EARLY, EARLY)
    assert latest.latest_known == shown(EARLY, EARLY, datetime(2024, 2, 3))


def test_a_lagged_window_reads_nothing_of_its_lag() -> None:
    lagged = Feature("before", "tickets", "count(*)", "{value} in {window}", windows=(90,), lag=15)
    read = found((lagged,))["before_90d"]
    assert read.latest_event == shown(None, EARLY, datetime(2024, 1, 5))
    assert read.latest_known == shown(None, EARLY, datetime(2024, 2, 10))


def test_a_derived_feature_read_what_its_parts_read() -> None:
    parts = (
        Feature("tickets", "tickets", "count(*)", "{value}"),
        Feature("csat", "tickets", "avg(csat_score)", "{value}", hidden=True),
        Derived("both", "tickets + csat", "{value}"),
    )
    from features.audited import COLUMNS

    with engine(tickets=ROWS) as where:
        resolved = resolve_plan([Family("support", "Support", parts)], COLUMNS)
        latest = reads(where, resolved, CUTOFFS).features
    assert set(latest) == {"tickets", "both"}
    assert latest["both"].latest_known == shown(EARLY, EARLY, datetime(2024, 2, 25))


def test_no_feature_of_any_family_reads_its_future() -> None:
    world = past(3)
    cutoffs = [datetime(2023, month, 1) for month in range(1, 12, 2)]
    where = world.engine()
    try:
        read = reads(where, world.plan(), cutoffs)
    finally:
        where.close()
    assert set(read.features) == set(world.plan().described)
    assert sum(any(item.latest_event) for item in read.features.values()) > len(read.features) / 2
    assert read.violations == ()


@pytest.mark.parametrize("broken", [see_too_early, see_the_edge])
def test_a_cut_that_lets_the_future_through_is_a_violation(
    broken: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch)
    read = found()
    assert read["tickets"].violations[-1] == show(MARCH)


def test_a_row_that_is_known_before_it_happened_is_stopped_by_its_event_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    odd = ticket("a", FEBRUARY + timedelta(days=3), known=EARLY)
    with engine(tickets=tickets([odd])) as where:
        read = reads(where, small_plan(), CUTOFFS)
        assert read.violations == read.features["tickets"].violations == ()
        assert read.features["tickets"].latest_event == shown(None, None, odd["event_time"])
        place_a_slot_too_early(monkeypatch)
        read = reads(where, small_plan(), CUTOFFS)
        assert read.features["tickets"].violations == shown(FEBRUARY)
        assert "tickets" in read.violations
