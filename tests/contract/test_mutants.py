"""The checks must fail on an engine that leaks: here it is made to."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import cache

import pytest

from contract.changes import CHANGES
from features.compare import disagreements
from features.past import CUTOFFS, awkward, differences, past, rows_of
from tenure.core.spec import Family, Feature
from tenure.core.times import literal
from tenure.features.compute import source_query
from tenure.features.compute.matrix import FeatureMatrix
from tenure.features.compute.timeline import Timeline, rank_sql
from tenure.features.families import FAMILIES

AT = CUTOFFS[7]
strict = Timeline.seen_sql


def including_the_cutoff(timeline: Timeline, moments: Sequence[str]) -> str:
    return strict(timeline, [f"({moment} - INTERVAL 1 MICROSECOND)" for moment in moments])


def by_event_time(timeline: Timeline, moments: Sequence[str]) -> str:
    return strict(timeline, ["event_time" if name == "known_at" else name for name in moments])


def without_late_clocks(timeline: Timeline, moments: Sequence[str]) -> str:
    return strict(timeline, moments[:1])


def never_null(timeline: Timeline, moments: Sequence[str]) -> str:
    return strict(timeline, [f"coalesce({name}, event_time)" for name in moments])


LEAKS: list[tuple[Callable[[Timeline, Sequence[str]], str], str]] = [
    (including_the_cutoff, "with_more_learnt_later"),
    (including_the_cutoff, "with_other_late_columns"),
    (by_event_time, "with_more_learnt_later"),
    (without_late_clocks, "with_other_late_columns"),
    (never_null, "with_other_late_columns"),
]


@pytest.mark.parametrize(
    ("leak", "change"), LEAKS, ids=[f"{leak.__name__}-{change}" for leak, change in LEAKS]
)
def test_a_leak_is_found(
    leak: Callable[[Timeline, Sequence[str]], str], change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Timeline, "seen_sql", leak)
    # The mutants look past the rows that the shared text leaves out early.
    monkeypatch.setattr(
        source_query, "literal", lambda moment: literal(CUTOFFS[-1].replace(year=2100))
    )
    world = past(0, 40)
    before = world.matrix([AT])
    after = CHANGES[change](world, AT, random.Random(1)).matrix([AT], accounts(before))
    assert differences(before, after)


def test_a_row_that_happens_at_the_cutoff_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both its clocks have to be wrong: a slot that ends at the cut-off hides it by itself."""
    place = Timeline.slot_sql
    monkeypatch.setattr(
        Timeline,
        "slot_sql",
        lambda timeline, moment: place(timeline, f"({moment} - INTERVAL 1 MICROSECOND)"),
    )
    test_a_leak_is_found(including_the_cutoff, "with_more_future", monkeypatch)


def accounts(matrix: FeatureMatrix) -> list[str]:
    return list(matrix.rows.loc[matrix.rows["as_of"] == AT, "account_id"])


@cache
def as_it_is() -> FeatureMatrix:
    return past(0, 40).matrix([AT, CUTOFFS[-1]])


@pytest.mark.parametrize("change", CHANGES)
def test_each_change_is_seen_once_it_is_past(change: str) -> None:
    """A change that no later prediction time notices either would prove nothing."""
    times = [AT, CUTOFFS[-1]]
    before = as_it_is()
    after = CHANGES[change](past(0, 40), AT, random.Random(1)).matrix(times, accounts(before))
    moved = differences(before, after)
    assert len(moved) > 10
    at = before.rows["as_of"] == AT
    assert differences(rows_of(before, at), rows_of(after, at)) == {}


def shifted_windows(timeline: Timeline, moment: str) -> str:
    return rank_sql(f"({moment} - INTERVAL 1 MICROSECOND)", timeline.edges)


@pytest.mark.parametrize(
    ("name", "mutant"),
    [
        ("slot_sql", shifted_windows),
        ("seen_sql", including_the_cutoff),
        ("seen_sql", by_event_time),
        ("seen_sql", without_late_clocks),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_the_oracle_finds_a_wrong_cut(
    name: str, mutant: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Timeline, name, mutant)
    measured = [
        item
        for family in ("support", "invoice", "touchpoint")
        for item in FAMILIES[family].features
        if isinstance(item, Feature) and not item.hidden
    ]
    families = [Family("some", "Some", tuple(measured))]
    world = past(0, 20)
    assert disagreements(world, awkward(world, 1, 40), families=families)
