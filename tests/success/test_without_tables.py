"""Turning a table off removes what depends on it, with the reason, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from success.stored_book import Stored, add_stored
from tenure.core.config import Config, make_config
from tenure.core.records.account import AccountRecord
from tenure.core.records.metrics import Metric
from tenure.core.records.worklist import WorkListRecord
from tenure.engine import open_engine
from tenure.run.worklist import NEEDS_TABLES, with_advocates, work_lists
from tenure.score.store.lists import ListStore
from tenure.sources.load import load_frames
from tenure.success.account.whole import whole_account
from tenure.success.definitions import METRICS
from tenure.success.interpret import MetricsRequest, metrics
from tenure.success.scorecards.cards import SUCCESS, CardTable, card_table
from tenure.success.scorecards.declarations import CARDS
from worlds import TINY_UNTIL, tiny_world

AS_OF = datetime(2023, 6, 1)
BEFORE = AS_OF - timedelta(days=90)
OPTIONAL = ("survey_responses", "tickets", "usage_events", "invoices", "touchpoints")
WORLDS = [
    OPTIONAL,
    ("usage_events",),
    *(
        pytest.param((one,), marks=pytest.mark.acceptance)
        for one in OPTIONAL
        if one != "usage_events"
    ),
]
SHOWN = {
    "survey_responses": {"surveys"},
    "tickets": {"open_tickets"},
    "usage_events": {"usage"},
    "invoices": {"unpaid_invoices"},
    "touchpoints": {"last_touchpoints"},
}
"""What the page of an account shows of a table alone."""


@dataclass(frozen=True)
class Outputs:
    """What is made of one set of tables."""

    metrics: dict[tuple[str, str], Metric]
    cards: CardTable
    account: AccountRecord
    lists: WorkListRecord


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    root = tmp_path_factory.mktemp("tables")
    settings = {"name": "tiny", "data": {"path": "."}, "metrics": {"activation_event": "login"}}
    return make_config(settings | {"paths": {"runs": str(root)}}, base=root)


@pytest.fixture(scope="module")
def store(config: Config) -> Iterator[ListStore]:
    with ListStore.open(config) as opened:
        names = [f"a{number:02d}" for number in range(1, 13)]
        add_stored(opened, AS_OF, {name: Stored(churn=0.05, expansion=0.1) for name in names})
        yield opened


def outputs(config: Config, store: ListStore, without: tuple[str, ...] = ()) -> Outputs:
    engine = open_engine(config)
    try:
        frames = {name: rows for name, rows in tiny_world().items() if name not in without}
        dataset = load_frames(frames, config, engine, observed_until=TINY_UNTIL)
        rows = metrics(config, dataset, MetricsRequest()).metrics
        run = store.latest(AS_OF)
        assert run is not None
        book = store.book(run, "90")
        return Outputs(
            {(row.name, row.method): row for row in rows},
            card_table(config, dataset, (AS_OF, BEFORE), {AS_OF: book}),
            whole_account(config, dataset, store, "a02", (AS_OF, BEFORE)),
            work_lists(store, config, run, with_advocates(book, config, dataset, run)),
        )
    finally:
        engine.close()


@pytest.fixture(scope="module")
def whole(config: Config, store: ListStore) -> Outputs:
    return outputs(config, store)


@pytest.mark.parametrize("without", WORLDS, ids=lambda one: one[0] if len(one) == 1 else "all")
def test_only_what_needs_a_table_is_gone(
    config: Config, store: ListStore, whole: Outputs, without: tuple[str, ...]
) -> None:
    part = outputs(config, store, without)
    metrics_differ_as_declared(whole.metrics, part.metrics, without)
    scorecards_differ_as_declared(whole.cards, part.cards, without)
    shown, left = whole.account.to_json(), part.account.to_json()
    gone = {*without} | {name for table in without for name in SHOWN[table]}
    for name in set(shown) - gone - {"timeline", "missing", "scorecards"}:
        assert left[name] == shown[name], name
    assert {*left["missing"]} - {*shown["missing"]} == {*without}
    kinds = {"survey_responses": "survey", "tickets": "ticket", "touchpoints": "touchpoint"}
    hidden = {kinds.get(table, table.removesuffix("s")) for table in without}
    assert [one for one in shown["timeline"] if one["kind"] not in hidden] == left["timeline"]
    lists_differ_as_declared(whole.lists, part.lists, without)


def metrics_differ_as_declared(whole: Any, part: Any, without: tuple[str, ...]) -> None:
    assert whole.keys() == part.keys()
    for (name, method), row in part.items():
        needed = [
            option.partition(".")[0] for need in METRICS[name].needs for option in need.split("|")
        ]
        lacking = [table for table in needed if table in without]
        if lacking:
            assert row.value is None
            assert f"the table {lacking[0]}" in str(row.reason), name
        else:
            assert row == whole[name, method]


def scorecards_differ_as_declared(
    whole: CardTable, part: CardTable, without: tuple[str, ...]
) -> None:
    cards = {*CARDS, SUCCESS, "advocacy"}
    for measure in part.measures.measures:
        name, points = measure.name, part.points[measure.name]
        reason = part.measures.reason(measure)
        if any(f"the table {table}" in reason for table in without):
            assert points.isna().all()
        elif name not in cards:
            assert points.equals(whole.points[name]), name
    if without == ("invoices",):
        assert part.points.equals(whole.points)


def lists_differ_as_declared(
    whole: WorkListRecord, part: WorkListRecord, without: tuple[str, ...]
) -> None:
    def of(record: WorkListRecord) -> list[Any]:
        return [
            item.to_json() for one in record.owners for item in one.items if item.list != "advocacy"
        ]

    assert of(part) == of(whole) != []
    assert part.absent == ({"advocacy": NEEDS_TABLES} if without == OPTIONAL else {})
