"""What was not known before a prediction time moves no score: every table, every column.

The tables of the trained project are changed as only the future can change them, loaded anew and
scored at the same time.  Cases come from the declared tables, so a new column is covered by itself.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from e2e.road import UNTIL, Project
from tenure.core.config import Config
from tenure.core.spec import Column, Source
from tenure.engine import Engine, open_engine
from tenure.score.score import Model, load_models, score
from tenure.sources.contract import SOURCES
from tenure.sources.load import load_frames

AT = datetime(2023, 8, 1)
EARLIER = AT - timedelta(days=75)
ASKED = 30
TYPES = {
    "id": pa.string(),
    "text": pa.string(),
    "time": pa.timestamp("us"),
    "number": pa.float64(),
    "integer": pa.int64(),
}
Row = dict[str, Any]
Frames = dict[str, pa.Table]


@dataclass(frozen=True)
class Given:
    """What is scored: tables of some accounts, and with what."""

    frames: Frames
    accounts: list[str]
    models: dict[str, Model]
    config: Config
    engine: Engine

    def measured(self, frames: Frames) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the flat rows and all features at the prediction time."""
        dataset = load_frames(frames, self.config, self.engine, observed_until=UNTIL)
        scored = score(dataset, self.models, self.config, AT)
        return scored.rows.drop(columns="scored_at"), scored.matrix.values


@pytest.fixture(scope="module")
def given(project: Project) -> Iterator[Given]:
    config = project.config
    folder = project.root / "data"
    everyone = pq.read_table(folder / "accounts.parquet")
    late = [row for row in everyone.to_pylist() if row["created_at"] >= AT]
    early = [row for row in everyone.to_pylist() if row["created_at"] < AT]
    accounts = sorted(row["account_id"] for row in [*late, *early[:: len(early) // ASKED]])
    frames = {}
    for name, source in SOURCES.items():
        path = folder / f"{name}.parquet"
        table = pq.read_table(path) if path.is_file() else MADE[name](accounts)
        if "account_id" in table.column_names:
            table = table.filter(pc.is_in(table["account_id"], pa.array(accounts)))
        frames[name] = _some_open(_complete(table, source), source)
    engine = open_engine(config)
    yield Given(frames, accounts, load_models(config), config, engine)
    engine.close()


@pytest.fixture(scope="module")
def before(given: Given) -> tuple[pd.DataFrame, pd.DataFrame]:
    found = given.measured(given.frames)
    assert len(found[0]) > 10
    assert found[0]["churn_probability"].nunique() > 5
    return found


def _rates(_: list[str]) -> pa.Table:
    dates = [datetime(2022 + index // 12, index % 12 + 1, 1) for index in range(24)]
    rows = [{"currency": "EUR", "date": date, "rate": 1.1} for date in dates]
    types = [(column.name, TYPES[column.kind]) for column in SOURCES["fx_rates"].columns]
    return pa.Table.from_pylist(rows, schema=pa.schema(types))


def _mergers(accounts: list[str]) -> pa.Table:
    """Mergers before and after the time, of accounts that nothing else joins."""
    half = len(accounts) // 2
    rows = [
        {"account_id": one, "into_account_id": other, "at": AT + timedelta(days=30 * place - 60)}
        for place, (one, other) in enumerate(zip(accounts[:6], accounts[half:], strict=False))
    ]
    types = [(column.name, TYPES[column.kind]) for column in SOURCES["mergers"].columns]
    return pa.Table.from_pylist(rows, schema=pa.schema(types))


MADE = {"fx_rates": _rates, "mergers": _mergers}
"""Tables that the demo world leaves out."""
UNREAD = {"accounts", "fx_rates", "mergers"}
"""Tables whose past may change without a feature of it: mergers are read by labels and metrics."""


def _complete(table: pa.Table, source: Source) -> pa.Table:
    """Add the declared columns that the demo world leaves out, and `known_at`."""
    for column in source.columns:
        if column.name not in table.column_names:
            made = pa.array([None] * table.num_rows, TYPES[column.kind])
            if column.name == "valid_from":
                made = table["created_at"]
            table = table.append_column(column.name, made)
    if "known_at" not in table.column_names:
        table = table.append_column("known_at", pa.nulls(table.num_rows, pa.timestamp("us")))
    return table


def _some_open(table: pa.Table, source: Source) -> pa.Table:
    """Leave nothing late known of a few rows, so that every late column has some to be told."""
    rows = table.to_pylist() if source.late else []
    past = sorted(
        (row for row in rows if row[_times(source)[0]] < AT), key=lambda row: row[_times(source)[0]]
    )
    for row in past[-4:]:
        row.update(dict.fromkeys(source.late))
    return pa.Table.from_pylist(rows, schema=table.schema) if rows else table


def _times(source: Source) -> list[str]:
    """Return the columns that the event time is taken from."""
    words: list[str] = re.findall(r"[a-z_]+", source.time)
    return [word for word in words if source.column(word)]


@dataclass(frozen=True)
class Future:
    """Changes of a table's rows that only what is known at or after a time can make."""

    source: Source
    at: datetime
    accounts: list[str]
    dice: random.Random

    def told(self, row: Row) -> datetime:
        """Return when a row became known; midnights do not matter, for `at` is one."""
        times = [row[name] for name in self.times]
        moment: datetime = next(time for time in times if time is not None)
        return max(moment, row["known_at"] or moment)

    @property
    def times(self) -> list[str]:
        """Return the columns that the event time is taken from."""
        return _times(self.source)

    def later(self) -> datetime:
        """Return the time itself, or one after it."""
        wait = self.dice.choice((0, 1, 86_400_000_000, 3_500_000_000_000))
        return self.at + timedelta(microseconds=wait)

    def dropped(self, rows: list[Row]) -> list[Row]:
        """Drop every row known at or after the time."""
        return [row for row in rows if self.told(row) < self.at]

    def added(self, rows: list[Row]) -> list[Row]:
        """Add rows with keys of their own that happen at or after the time."""
        return rows + [self._moved(self._new(row)) for row in self._some(rows)]

    def learnt(self, rows: list[Row]) -> list[Row]:
        """Add rows with keys of their own that happened before and become known after."""
        past = [row for row in rows if self.told(row) < self.at]
        return rows + [self._new(row) | {"known_at": self.later()} for row in self._some(past)]

    def repeated(self, rows: list[Row]) -> list[Row]:
        """Say known rows again, differently, under the same key, at or after the time."""
        past = [row for row in rows if self.told(row) < self.at]
        fixed = {*self.source.key, *self.times, *self.source.clocks, "account_id"}
        again = []
        for row in self._some(past):
            new = row | {"known_at": self.later()}
            for column in self.source.columns:
                if column.name not in fixed:
                    new[column.name] = self.other(column, row)
            again.append(new)
        return again + rows

    def changed(self, rows: list[Row], column: Column) -> list[Row]:
        """Change a column of every row known at or after the time."""
        return [
            row | {column.name: self.other(column, row)} if self.told(row) >= self.at else row
            for row in rows
        ]

    def told_late(self, rows: list[Row], column: Column) -> list[Row]:
        """Change a late column of known rows wherever it was not known before the time."""
        found = []
        for row in rows:
            clock = row[column.clock] if column.clock else None
            if self.told(row) < self.at and (clock is None or clock >= self.at):
                found.append(row | self._late(column, row))
            else:
                found.append(row)
        return found

    def other(self, column: Column, row: Row) -> Any:
        """Return another value, one that breaks a rule among them."""
        if column.name == "account_id" and "account_id" not in self.source.key:
            return self.dice.choice([name for name in self.accounts if name != row["account_id"]])
        if column.kind == "id":
            return f"new-{self.dice.getrandbits(48)}"
        if column.kind == "text":
            return f"other-{self.dice.randrange(3)}"
        if column.kind == "time":
            return self.later()
        if column.kind == "integer":
            return (row[column.name] or 0) + self.dice.choice((-1000, 3, 500))
        return (row[column.name] or 0.0) + self.dice.choice((-1000.0, 0.5, 3.0, 500.0))

    def _late(self, column: Column, row: Row) -> Row:
        assert column.clock is not None
        moments = [row[column.clock], None, self.later()]
        if column.name == column.clock:
            return {column.name: moments[2] if moments[0] is None else self.dice.choice(moments)}
        return {column.name: self.other(column, row), column.clock: self.dice.choice(moments)}

    def _new(self, row: Row) -> Row:
        keys = [self.source.column(name) for name in self.source.key]
        made = {key.name: self.other(key, row) for key in keys if key and key.kind == "id"}
        return row | made

    def _moved(self, row: Row) -> Row:
        wait = self.later() - next(row[name] for name in self.times if row[name] is not None)
        return {
            name: value + wait if isinstance(value, datetime) else value
            for name, value in row.items()
        }

    def _some(self, rows: list[Row]) -> list[Row]:
        return self.dice.sample(rows, min(len(rows), 500))

    def each(self, columns: Sequence[Column], change: ColumnChange, rows: list[Row]) -> list[Row]:
        """Change every row that can be in one of the columns, which take turns."""
        changed = {column: change(self, rows, column) for column in columns}
        turns = dict.fromkeys(columns, 0)
        made = list(rows)
        for place, row in enumerate(rows):
            able = [column for column in columns if changed[column][place] != row]
            if able:
                column = min(able, key=turns.__getitem__)
                turns[column] += 1
                made[place] = changed[column][place]
        assert all(turns.values()), turns
        return made


Change = Callable[[Future, list[Row]], list[Row]]
ColumnChange = Callable[[Future, list[Row], Column], list[Row]]
ROWS: Mapping[str, Change] = {
    "dropped": Future.dropped,
    "added": Future.added,
    "learnt later": Future.learnt,
    "said again": Future.repeated,
}
COLUMNS: Mapping[str, ColumnChange] = {
    "of rows that are known later": Future.changed,
    "that become known later": Future.told_late,
}


def rewritten(given: Given, name: str, change: Change, at: datetime = AT) -> Frames:
    """Return the tables with one of them changed."""
    table = given.frames[name]
    dice = random.Random(f"{name} {change}")
    rows = table.to_pylist()
    found = change(Future(SOURCES[name], at, given.accounts, dice), rows)
    assert found != rows
    return given.frames | {name: pa.Table.from_pylist(found, schema=table.schema)}


def same(
    found: tuple[pd.DataFrame, pd.DataFrame], expected: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    for one, other in zip(found, expected, strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=True)


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("change", ROWS)
def test_rows(
    given: Given, before: tuple[pd.DataFrame, pd.DataFrame], name: str, change: str
) -> None:
    same(given.measured(rewritten(given, name, ROWS[change])), before)


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("change", COLUMNS)
def test_columns(
    given: Given, before: tuple[pd.DataFrame, pd.DataFrame], name: str, change: str
) -> None:
    """All columns of a table at once, a row in one of them each; one by one where that moved it."""
    made = COLUMNS[change]
    late = made is Future.told_late
    columns = [column for column in SOURCES[name].columns if column.clock or not late]
    if not columns:
        return

    def moved(columns: Sequence[Column]) -> bool:
        frames = rewritten(given, name, lambda future, rows: future.each(columns, made, rows))
        return not all(
            one.equals(other) for one, other in zip(given.measured(frames), before, strict=True)
        )

    if moved(columns):
        culprits = [column.name for column in columns if moved([column])]
        pytest.fail(f"{name}: moved by {culprits or 'columns together'}")


@pytest.mark.parametrize("name", [name for name in SOURCES if name not in UNREAD])
def test_the_same_changes_of_the_past_do_move_them(
    given: Given, before: tuple[pd.DataFrame, pd.DataFrame], name: str
) -> None:
    for change in ("dropped", "added"):
        rows, values = given.measured(rewritten(given, name, ROWS[change], EARLIER))
        assert not values.equals(before[1]), change
        assert not rows.equals(before[0]), change


def test_a_source_that_fell_silent_only_later_is_not_stale(
    given: Given, before: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    """The sanity of the report's part: silence before the time is seen."""
    assert before[0]["stale_sources"].isna().all()
    silent = replace(given, frames=dict(given.frames))
    frames = rewritten(silent, "usage_events", ROWS["dropped"], EARLIER)
    assert (given.measured(frames)[0]["stale_sources"] == "usage_events").all()
