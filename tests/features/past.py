"""Canonical tables for the feature tests: loaded once, then held as rows that a test may change."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from tenure.core.config import make_config
from tenure.core.progress import Progress
from tenure.core.spec import Family, Ranked
from tenure.engine.duckdb import DuckDBEngine
from tenure.features.compute.matrix import FeatureMatrix, build
from tenure.features.families import FAMILIES
from tenure.features.plan.plan import Plan, resolve_plan
from tenure.sources.contract import SOURCES
from tenure.sources.load import load_frames
from tenure.sources.words import END_REASON
from worlds import month, random_world, tiny_world

Row = dict[str, Any]
Change = Callable[[str, Row], Row | None]


class Recorded(Progress):
    """Progress that remembers what each step was about, and the notes."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.notes: list[str] = []

    def step(self, done: int, total: int | None, what: str = "") -> None:
        assert total is None or done <= total
        self.steps.append(what)

    def note(self, text: str) -> None:
        self.notes.append(text)


EVENTS = ("login", "export", "share")
MEMBERS = {
    "event": EVENTS,
    "first_use": EVENTS,
    "days_since_last_use": EVENTS,
    "tickets_about": ("bug", "billing"),
    "touchpoints_of": ("call", "mail"),
}
NOBODY = "nobody at all"
UNTIL = month(40)
LATE: dict[str, dict[str, tuple[str, ...]]] = {
    "subscriptions": {"ended_at": ("ended_at", "end_reason"), "notice_at": ("notice_at",)},
    "tickets": {
        "first_responded_at": ("first_responded_at",),
        "resolved_at": ("resolved_at",),
        "escalated_at": ("escalated_at",),
        "reopened_at": ("reopened_at",),
        "csat_at": ("csat_at", "csat_score"),
    },
    "survey_responses": {"responded_at": ("responded_at", "score", "comment")},
    "invoices": {
        "paid_at": ("paid_at",),
        "failed_at": ("failed_at",),
        "disputed_at": ("disputed_at",),
    },
}
"""Table → clock → the late columns that it makes known, itself among them."""


OPEN = tuple(
    replace(
        family,
        features=tuple(
            item if isinstance(item, Ranked) else replace(item, hidden=False)
            for item in family.features
        ),
    )
    for family in FAMILIES.values()
)
"""The registered families with their hidden parts as columns, so that these are checked too."""


EVERYTHING = {
    name: frozenset(column.name for column in source.columns) for name, source in SOURCES.items()
}
"""Every column of the contract, by table."""


def whole_plan() -> Plan:
    """Return every registered feature, as on data that have every column of the contract."""
    return resolve_plan(OPEN, EVERYTHING, members=MEMBERS)


@cache
def _plan(families: tuple[Family, ...], columns: frozenset[tuple[str, frozenset[str]]]) -> Plan:
    return resolve_plan(families, dict(columns), members=MEMBERS)


@dataclass(frozen=True)
class Past:
    """Canonical rows by table, the schema of each, and the columns that may be used."""

    rows: Mapping[str, tuple[Row, ...]]
    schemas: Mapping[str, pa.Schema]
    columns: Mapping[str, frozenset[str]]

    @property
    def accounts(self) -> list[str]:
        return sorted({row["account_id"] for row in self.rows["accounts"]})

    def engine(self, threads: int = 1) -> DuckDBEngine:
        engine = DuckDBEngine(threads=threads, memory_limit="1GB")
        for name, rows in self.rows.items():
            engine.register(name, pa.Table.from_pylist(list(rows), schema=self.schemas[name]))
        return engine

    def changed(self, change: Change) -> Past:
        """Return the past with each row replaced, or dropped where the change gives None."""
        rows = {
            name: tuple(new for row in items if (new := change(name, dict(row))) is not None)
            for name, items in self.rows.items()
        }
        return replace(self, rows=rows)

    def only(self, account: str) -> Past:
        return self.changed(lambda table, row: row if row["account_id"] == account else None)

    def plus(self, more: Mapping[str, Iterable[Row]]) -> Past:
        rows = {name: (*items, *more.get(name, ())) for name, items in self.rows.items()}
        return replace(self, rows=rows)

    def shuffled(self, seed: int) -> Past:
        dice = random.Random(seed)
        return replace(
            self,
            rows={name: tuple(dice.sample(items, len(items))) for name, items in self.rows.items()},
        )

    def plan(self, families: Iterable[Family] = OPEN) -> Plan:
        return _plan(tuple(families), frozenset(self.columns.items()))

    def matrix(
        self,
        cutoffs: Sequence[datetime],
        accounts: Sequence[str] | None = None,
        *,
        families: Iterable[Family] = OPEN,
        threads: int = 1,
        known_begins: Mapping[str, date] | None = None,
    ) -> FeatureMatrix:
        """Return the features of all accounts (and one without any row) at all cut-offs."""
        chosen = [*self.accounts, NOBODY] if accounts is None else accounts
        snapshots = pd.DataFrame(
            [(account, cutoff) for cutoff in cutoffs for account in chosen],
            columns=["account_id", "as_of"],
        ).astype({"as_of": "datetime64[us]"})
        engine = self.engine(threads)
        try:
            return build(engine, snapshots, self.plan(families), known_begins=known_begins)
        finally:
            engine.close()


def load(world: Mapping[str, pa.Table]) -> Past:
    """Return the canonical rows of a world."""
    engine = DuckDBEngine(threads=1, memory_limit="1GB")
    try:
        config = make_config({"data": {"path": "."}}, base=Path())
        dataset = load_frames(world, config, engine, observed_until=UNTIL)
        tables = {name: engine.fetch(f"SELECT * FROM {name}") for name in dataset.columns}
    finally:
        engine.close()
    return Past(
        {name: tuple(table.to_pylist()) for name, table in tables.items()},
        {name: table.schema for name, table in tables.items()},
        dataset.columns,
    )


@cache
def past(seed: int, accounts: int = 20) -> Past:
    """Return the past of a random world and of the world that was written by hand."""
    world = random_world(seed, accounts, months=26)
    dice = random.Random(seed)
    subscriptions = world["subscriptions"].to_pylist()
    for row in subscriptions:
        row["end_reason"] = row["end_reason"] and dice.choice(tuple(END_REASON.words))
    schema = world["subscriptions"].schema
    world["subscriptions"] = pa.Table.from_pylist(subscriptions, schema=schema)
    return load(joined(world, tiny_world()))


def joined(*worlds: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """Return one world of the accounts of several."""
    return {name: pa.concat_tables([world[name] for world in worlds]) for name in worlds[0]}


def differences(one: FeatureMatrix, other: FeatureMatrix) -> dict[str, int]:
    """Return column → in how many rows two matrices of the same snapshots differ in any bit."""
    keys = ["account_id", "as_of"]
    assert one.rows[keys].equals(other.rows[keys])
    assert list(one.values) == list(other.values)
    counts = {str(name): different(one.values[name], other.values[name]) for name in one.values}
    return {name: count for name, count in counts.items() if count}


def different(one: pd.Series[Any], other: pd.Series[Any]) -> int:
    """Return in how many places two columns differ in any bit."""
    assert one.dtype == other.dtype
    if one.dtype == np.float32:
        bits = [column.to_numpy().view(np.uint32) for column in (one, other)]
        return int((bits[0] != bits[1]).sum())
    return sum(a != b for a, b in zip(one.tolist(), other.tolist(), strict=True))


def rows_of(matrix: FeatureMatrix, mask: pd.Series[bool]) -> FeatureMatrix:
    """Return some rows of a matrix, numbered afresh."""
    return replace(
        matrix,
        rows=matrix.rows[mask].reset_index(drop=True),
        values=matrix.values[mask].reset_index(drop=True),
    )


CUTOFFS = (
    month(6),
    month(10),
    month(13, 13, 9) + timedelta(minutes=37, microseconds=1),
    month(16),
    month(16, 8),
    month(16, 15),
    month(16, 15) + timedelta(microseconds=1),
    month(22),
    month(25),
)
"""Monthly, weekly (their windows share edges), and at odd times of day."""


def awkward(past: Past, seed: int, count: int = 9) -> tuple[datetime, ...]:
    """Return prediction times at which facts happen, become known or leave a window to the tick."""
    dice = random.Random(seed)
    rows = [row for items in past.rows.values() for row in items]
    times = [
        value
        for row in dice.sample(rows, min(len(rows), 40))
        for name, value in row.items()
        if isinstance(value, datetime) and (name in {"event_time", "known_at"} or "__" in name)
    ]
    windows = [0, *sorted({spec.window for spec in past.plan().specs.values() if spec.window})]
    found = {
        dice.choice(times)
        + timedelta(days=dice.choice(windows), microseconds=dice.choice((0, 0, 1)))
        for _ in range(count)
    }
    return tuple(sorted(found))
