"""Files written in random ways: each row is read or counted, with its values.

What varies: encoding, separator, quotes and their escape, line ends, where the header stands and
how it is spelled, order, number and types of columns, words for nothing, lines that are no rows,
names and packing of files, and how many there are.  Only what cannot be read may be refused.
"""

from __future__ import annotations

import csv
import gzip
import io
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tenure.core.config import make_config
from tenure.core.errors import DataError, Problem
from tenure.engine import Engine, open_engine
from tenure.sources.dataset import Dataset
from tenure.sources.load import load

TABLES = {
    "tickets": ("ticket_id", "opened_at", "category", "csat_score"),
    "usage_events": ("event_id", "occurred_at", "event", "quantity"),
    "invoices": ("invoice_id", "issued_at", "", "amount"),
    "touchpoints": ("", "occurred_at", "kind", ""),
}
"""Table → its key, time, text and number; empty where it has none."""
TEXTS = (
    *("plain", "a, b", 'say "hi"', "it's", "'so'", "x;y", "tab\there", "pipe|d", "two\nlines"),
    *("größe", "日本", "#1", "0", "~", "a  b", '"', '5" pipe', "=1+1", "%", "1,5", "e\u0301"),
)
EMPTY = ("", "NULL", "null", "nan", "None", r"\N")
START = datetime(2023, 1, 2, 3, 4, 5)


@dataclass
class Written:
    """What was written for one table: its rows, lines that are none, and if it may be refused."""

    rows: list[tuple[datetime, str | None, float | None]] = field(default_factory=list)
    bad: int = 0
    refusable: bool = False


class Writer:
    """Writes the files of one table in one random way.

    Args:
        name: Name of the table.
        folder: Where they go.
        rng: What chooses.
    """

    def __init__(self, name: str, folder: Path, rng: random.Random) -> None:
        self.name, self.folder, self.rng = name, folder, rng
        self.written = Written()
        self.texts = rng.sample(TEXTS, 6)

    def write(self) -> tuple[dict[str, Any], Written]:
        kind = self.rng.choices(["csv", "parquet", "duckdb"], [7, 3, 1])[0]
        if kind == "duckdb":
            return self._database(), self.written
        write = self._csv if kind == "csv" else self._parquet
        files = self.rng.choice([1, 1, 2, 3])
        suffix = write(files)
        path = self.folder / (f"{self.name}-*{suffix}" if files > 1 else f"{self.name}-0{suffix}")
        if self.rng.random() < 0.1 and files == 1:
            return {"sql": f"SELECT * FROM '{path}'"}, self.written
        return {"path": str(path)}, self.written

    def rows(self, first: int, whole: bool = True) -> list[dict[str, Any]]:
        """Return random rows; those that lack optional columns have them empty."""
        key, time, text, number = TABLES[self.name]
        rows = []
        for place in range(first, first + self.rng.randint(1, 12)):
            moment = START + timedelta(hours=7 * place)
            row: dict[str, Any] = {"account_id": "a", time: moment}
            row |= {key: f"{place}"} if key else {}
            if text:
                required = self.name in ("usage_events", "touchpoints")
                empty = not required and (not whole or self.rng.random() < 0.2)
                row[text] = None if empty else self.rng.choice(self.texts)
            if number:
                required = number == "amount"
                empty = not required and (not whole or self.rng.random() < 0.2)
                row[number] = None if empty else self.rng.randint(0, 400) / 4
            if number == "csat_score":
                row["csat_at"] = moment
            rows.append(row)
        self.written.rows += [(row[time], row.get(text), row.get(number)) for row in rows]
        return rows

    def _columns(self, row: dict[str, Any]) -> list[str]:
        names = [*row, *(["more"] if self.rng.random() < 0.3 else [])]
        self.rng.shuffle(names)
        return names

    def _csv(self, files: int) -> str:
        suffix = self.rng.choice([".csv", ".CSV", ".txt", ".tsv", ".csv.gz", ".Csv.Gz"])
        for number in range(files):
            data = self._text(100 * number)
            packed = gzip.compress(data) if suffix.lower().endswith("gz") else data
            (self.folder / f"{self.name}-{number}{suffix}").write_bytes(packed)
        return suffix

    def _text(self, first: int) -> bytes:
        rng = self.rng
        encoding = rng.choices(["utf-8", "utf-8-sig", "utf-16", "cp1252", "utf-16-be"],
                               [12, 4, 3, 1, 1])[0]  # fmt: skip
        mark, separator = rng.choice('"""\''), rng.choice([",", ",", ";", "\t", "|"])
        doubled, end = rng.random() < 0.8, rng.choice(["\n", "\n", "\r\n", "\r"])
        plain = mark == '"' and doubled and end != "\r"
        quoting: Literal[0, 1] = rng.choice((0, 1)) if plain else 1
        stamp = rng.choice(["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S +0000"])
        nothing = rng.choice(EMPTY)
        rows = self.rows(first)
        names = self._columns(rows[0])
        out = io.StringIO()
        writer = csv.writer(
            out, delimiter=separator, quotechar=mark, quoting=quoting, lineterminator=end,
            doublequote=doubled, escapechar=None if doubled else "\\",
        )  # fmt: skip
        title = rng.choice([[], [], [], ["My report"], ["My report", "of 2023", ""]])
        if encoding == "utf-16":
            title = []
        out.write("".join(line + end for line in title))
        spellings: list[Callable[[str], str]] = [str, str.upper, str.title, " {} ".format]
        spelled = rng.choice(spellings)
        writer.writerow([spelled(name) for name in names])
        place = rng.randrange(len(rows) + 1) if rng.random() < 0.4 else -1
        for number, row in enumerate([*rows, None]):
            if number == place:
                bad = rng.choice([["x"] * (len(names) + 1), ["x"], ['"x" y'] * len(names)])
                out.write(separator.join(bad if mark == '"' and doubled else ["x"]) + end)
                self.written.bad += 1
            if row:
                cells = [self._cell(row.get(name, "more"), stamp, nothing) for name in names]
                writer.writerow(cells)
        if rng.random() < 0.2:
            out.write(f"{end}Total 12{end}")
            self.written.bad += 1
        text = out.getvalue()
        text = text.removesuffix(end) if rng.random() < 0.2 else text
        self.written.refusable |= encoding == "utf-16-be"
        # Values of several lines in UTF-16 are read only where all lines end alike.
        self.written.refusable |= encoding == "utf-16" and "\n" in text.replace(end, "")
        if encoding == "cp1252":
            data = text.encode(encoding, errors="replace")
            self.written.refusable |= not data.isascii()
            if b"?" in data:
                data = text.encode("utf-8")
            return data
        return text.encode(encoding)

    def _cell(self, value: Any, stamp: str, nothing: str) -> str:
        if value is None:
            return nothing
        if isinstance(value, datetime):
            return value.strftime(stamp)
        return str(value)

    def _parquet(self, files: int) -> str:
        suffix = self.rng.choice([".parquet", ".PARQUET", ".pq"])
        for number in range(files):
            table = self._arrow(100 * number, whole=number > 0 or self.rng.random() < 0.7)
            pq.write_table(table, self.folder / f"{self.name}-{number}{suffix}", row_group_size=4)
        return suffix

    def _arrow(self, first: int, *, whole: bool) -> pa.Table:
        key, time, _, number = TABLES[self.name]
        rows = self.rows(first, whole=whole)
        data: dict[str, pa.Array] = {}
        for name in self._columns(rows[0]):
            values = [row.get(name, "more") for row in rows]
            if name in (time, "csat_at"):
                data[name] = pa.array(*self.rng.choice([
                    (values, pa.timestamp("us")), (values, pa.timestamp("ns")),
                    ([value.replace(tzinfo=UTC) for value in values], pa.timestamp("ms", tz="UTC")),
                    ([value.isoformat() for value in values], pa.string()),
                ]))  # fmt: skip
            elif name == number and number:
                data[name] = self._numbers(values)
            elif name == key and key:
                whole_numbers = self.rng.choice([None, pa.int64(), pa.float64()])
                data[name] = pa.array(
                    values if whole_numbers is None else [int(value) for value in values],
                    whole_numbers,
                )
            else:
                data[name] = pa.array(values)
        return pa.table(data)

    def _numbers(self, values: list[float | None]) -> pa.Array:
        kind = self.rng.choice(["float", "decimal", "text", "nan"])
        if kind == "decimal":
            exact = [None if value is None else Decimal(str(value)) for value in values]
            return pa.array(exact, pa.decimal128(12, 4))
        if kind == "text":
            return pa.array([None if value is None else str(value) for value in values])
        if kind == "nan":
            return pa.array([float("nan") if value is None else value for value in values],
                            pa.float64())  # fmt: skip
        return pa.array(values, pa.float64())

    def _database(self) -> dict[str, Any]:
        table = self._arrow(0, whole=True)
        path = self.folder / f"{self.name}.duckdb"
        schema = self.rng.choice(["main", "marts"])
        with duckdb.connect(str(path)) as connection:
            connection.execute("SET TimeZone='UTC'")
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
            connection.register("incoming", table)
            connection.execute(f"CREATE TABLE {schema}.{self.name} AS SELECT * FROM incoming")
        return {"path": str(path)}


def check(dataset: Dataset, name: str, written: Written) -> None:
    table = dataset.report.tables[name]
    assert table.rows_in == len(written.rows) + written.bad
    lost = table.rejected.get("not_utf_8", 0)
    assert sum(table.rejected.values()) == written.bad + lost
    assert not lost or written.refusable
    _, time, text, number = TABLES[name]
    held = [column for column in (text, number) if column and dataset.has(name, column)]
    rows = dataset.engine.fetch(f"SELECT {', '.join((time, *held))} FROM {name}").to_pylist()
    read = Counter((row[time], str(row.get(text)), str(row.get(number))) for row in rows)
    wrote = Counter((moment, str(word), str(value)) for moment, word, value in written.rows)
    assert not read - wrote
    assert (wrote - read).total() == lost


def attempt(folder: Path, engine: Engine, rng: random.Random) -> int:
    """Write every table in a random way, load all, compare; return how many there were."""
    (folder / "accounts.csv").write_text("account_id,created_at\na,2022-01-01\n")
    (folder / "subscriptions.csv").write_text("account_id,started_at,mrr\na,2022-01-01,5\n")
    tables = {name: Writer(name, folder, rng).write() for name in TABLES}
    while True:
        settings = {name: table for name, (table, _) in tables.items()}
        data = {"path": str(folder), "tables": settings, "observed_until": "2024-01-01"}
        config = make_config({"data": data, "paths": {"runs": str(folder)}}, base=folder)
        try:
            dataset = load(config, engine, thorough=False)
            break
        except DataError as error:
            problems = [item for item in error.problems if isinstance(item, Problem)]
        assert all(item.rule and item.fix and "Error" not in item.rule for item in problems)
        refused = {item.thing.removeprefix("data.tables.").split(".")[0] for item in problems}
        assert all(tables.pop(name)[1].refusable for name in refused), problems
    for name, (_, written) in tables.items():
        check(dataset, name, written)
    return len(TABLES)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(make_config({"data": {"path": "."}}, base=tmp_path))
    yield engine
    engine.close()


def fuzz(tmp_path: Path, engine: Engine, seeds: range) -> None:
    for seed in seeds:
        folder = tmp_path / str(seed)
        folder.mkdir()
        try:
            attempt(folder, engine, random.Random(seed))
        except (AssertionError, DataError) as error:
            pytest.fail(f"seed {seed}, files in {folder}: {error}")


@pytest.mark.slow
def test_files_written_in_random_ways(tmp_path: Path, engine: Engine) -> None:
    fuzz(tmp_path, engine, range(15))


@pytest.mark.acceptance
@pytest.mark.timeout(3600)
def test_many_files_written_in_random_ways(tmp_path: Path, engine: Engine) -> None:
    fuzz(tmp_path, engine, range(1_000, 1_000 + 3_000 // len(TABLES)))
