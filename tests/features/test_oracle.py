"""The engine against a slow restatement, on random worlds full of edge cases."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from features.compare import disagreements
from features.past import CUTOFFS, awkward, past
from worlds import month

MONDAYS = tuple(datetime(2023, 1, 2) + timedelta(weeks=week) for week in range(0, 30, 3))
ODD = (month(11, 7, 23) + timedelta(seconds=59, microseconds=999_999), month(18, 2, 1))


@pytest.mark.parametrize(
    ("seed", "cutoffs"),
    [
        (1, CUTOFFS),
        (1, tuple(month(index) for index in range(2, 27, 6))),
        (1, (*MONDAYS[::3], *ODD)),
    ],
)
def test_every_value_is_what_the_contract_says(seed: int, cutoffs: tuple[datetime, ...]) -> None:
    assert disagreements(past(seed, 12), cutoffs) == {}


def test_a_single_cutoff_is_enough() -> None:
    assert disagreements(past(1, 12), [month(20)]) == {}


@pytest.mark.parametrize("seed", [5, 6])
def test_facts_at_the_very_edge(seed: int) -> None:
    """Facts happen, become known and leave windows exactly at the prediction times."""
    world = past(seed, 12)
    assert disagreements(world, awkward(world, seed)) == {}


@pytest.mark.acceptance
@pytest.mark.parametrize("seed", range(20, 50))
def test_facts_at_the_very_edge_of_many_worlds(seed: int) -> None:
    world = past(seed, 12)
    times = (*awkward(world, seed), *MONDAYS, *ODD)
    assert disagreements(world, times) == {}


def test_the_comparison_sees_a_wrong_value() -> None:
    world = past(1, 12)
    lost = world.changed(
        lambda table, row: row if table != "tickets" or row["resolved_at"] is None else None
    )
    found = disagreements(world, CUTOFFS[-3:], against=lost)
    assert {"tickets_182d", "mean_resolution_hours_182d", "ticket_csat_last"} <= set(found)
    assert "events_28d" not in found
