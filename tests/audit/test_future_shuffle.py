"""Replacing the future changes nothing before it, unless the cut is broken."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from features.audited import (
    CUTOFFS,
    asked,
    engine,
    see_the_edge,
    see_too_early,
    small_plan,
    ticket,
    tickets,
)
from features.past import past
from tenure.audit.future_shuffle import sampled, shuffle
from tenure.audit.sample import Sample, chosen, take
from tenure.core.times import show
from tenure.engine.duckdb import DuckDBEngine

DAY = timedelta(days=1)
TICKETS = tickets(
    ticket(account, datetime(2023, 12, 1) + n * DAY, resolved=datetime(2023, 12, 3) + n * DAY)
    for account in "ab"
    for n in range(110)
)


def test_the_future_is_noticed_by_no_feature_of_any_family() -> None:
    world = past(2)
    where, copies = world.engine(), DuckDBEngine(threads=1, memory_limit="1GB")
    try:
        resolved = world.plan()
        sample = take(where, resolved, world.accounts, rows=10**6, seed=0)
        cutoffs = [datetime(2023, month, 1) for month in range(3, 12)]
        found = shuffle(copies, sample, resolved, asked(world.accounts, cutoffs), cutoffs[4:6], 1)
    finally:
        where.close()
        copies.close()
    assert [item.as_of for item in found] == [show(time) for time in cutoffs[4:6]]
    assert all(item.rows > 100 and item.compared > 10_000 for item in found)
    assert [item.moved for item in found] == [(), ()]


@pytest.mark.parametrize("broken", [see_too_early, see_the_edge])
def test_a_broken_cut_moves_features_and_names_the_accounts(
    broken: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch)
    with engine() as copies:
        sample = Sample(("a", "b"), {"tickets": TICKETS})
        found = shuffle(copies, sample, small_plan(), asked(), CUTOFFS[1:2], 0)
    moved = {item.feature: item for item in found[0].moved}
    assert {"tickets", "open"} <= set(moved)
    assert set(moved["tickets"].accounts) <= {"a", "b"}
    assert found[0].moved[0].values > 0


def test_nothing_is_compared_where_nobody_is_asked() -> None:
    with engine() as copies:
        sample = Sample(("c",), {"tickets": TICKETS})
        assert shuffle(copies, sample, small_plan(), asked(), CUTOFFS, 0) == []


def test_the_tables_themselves_are_left_alone() -> None:
    with engine(tickets=TICKETS) as where, engine() as copies:
        sample = take(where, small_plan(), ["a", "b"], rows=10**6, seed=0)
        shuffle(copies, sample, small_plan(), asked(), CUTOFFS, 0)
        kept = where.fetch("SELECT * FROM tickets ORDER BY ticket_id")
    assert kept.equals(TICKETS.sort_by("ticket_id"))


def test_accounts_are_left_out_until_the_rows_fit() -> None:
    many = tickets(
        ticket(f"a{number:02d}", datetime(2024, 1, 1) + n * DAY)
        for number in range(20)
        for n in range(10)
    )
    with engine(tickets=many) as where:
        names = [f"a{number:02d}" for number in range(20)]
        sample = take(where, small_plan(), names, rows=55, seed=0)
    assert len(sample.accounts) == 5
    assert sample.tables["tickets"].num_rows == 50


def test_draws_are_seeded_and_in_order() -> None:
    names = [f"a{number}" for number in range(50)]
    assert chosen(names, 50, 0) == sorted(names)
    few = chosen(names, 7, 3)
    assert (len(few), few) == (7, sorted(few))
    assert few == chosen(names[::-1], 7, 3)
    assert sampled(CUTOFFS, 9, 0) == list(CUTOFFS)
    assert len(sampled(CUTOFFS, 2, 0)) == 2
