"""What is kept from one load to the next changes what loading costs, never what it gives."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sources.conftest import Recorder
from tenure.core.config import make_config
from tenure.core.errors import DataError
from tenure.core.steps import quote
from tenure.demo import write_world
from tenure.engine import Engine, open_engine
from tenure.sources import assemble
from tenure.sources.cache import manifest, parts, update
from tenure.sources.dataset import Dataset
from tenure.sources.load import load

ACCOUNTS = [f"a{number}" for number in range(8)]
PLAIN: dict[str, dict[str, Any]] = {}


class Place:
    """A folder of tables, and loads of it with and without what is kept."""

    def __init__(self, root: Path) -> None:
        self.root, self.data, self.runs = root, root / "data", root / "runs"
        self.engines: list[Engine] = []
        self.progress = Recorder()
        self.use = self.data / "usage_events"
        self.use.mkdir(parents=True)
        self.accounts(6)

    def accounts(self, number: int) -> None:
        lines = [f"{name},2023-01-01,smb" for name in ACCOUNTS[:number]]
        (self.data / "accounts.csv").write_text(
            "\n".join(["account_id,created_at,segment", *lines])
        )
        lines = [f"{name},2023-01-02,{10 + place}" for place, name in enumerate(ACCOUNTS[:number])]
        (self.data / "subscriptions.csv").write_text(
            "\n".join(["account_id,started_at,mrr", *lines])
        )

    def day(self, day: int, rows: list[tuple[Any, ...]]) -> Path:
        """Write one day's file: (event_id, account, hour, days late)."""
        folder = self.use / f"date=2024-01-{day:02}"
        folder.mkdir(exist_ok=True)
        start = f"TIMESTAMP '2024-01-{day:02}'"
        values = ", ".join(
            f"('{name}', '{account}', 'login', {start} + INTERVAL ({hour}) HOUR, {hour}::DOUBLE, "
            f"{start} + INTERVAL ({24 * late + hour}) HOUR)"
            for name, account, hour, late in rows
        )
        path = folder / "x.parquet"
        duckdb.sql(
            f"COPY (SELECT * FROM (VALUES {values}) AS t(event_id, account_id, event, "
            f"occurred_at, quantity, known_at)) TO '{path}'"
        )
        return path

    def load(self, **data: Any) -> Dataset:
        settings = {
            "data": {"path": str(self.data)} | data,
            "paths": {"runs": str(self.runs)},
        }
        config = make_config(settings, base=self.root)
        self.engines.append(open_engine(config))
        self.progress = Recorder()
        return load(config, self.engines[-1], progress=self.progress)

    def same(self, **data: Any) -> Dataset:
        """Load both ways, compare all that comes of it, and return the load from what is kept."""
        kept = self.load(**data)
        assert kept.leases
        assert self.content(kept) == self.plain(**data)
        return kept

    def plain(self, **data: Any) -> dict[str, Any]:
        """What a load without what is kept gives; the same files are loaded once."""
        files = {
            str(path.relative_to(self.data)): path.read_bytes()
            for path in sorted(self.data.rglob("*"))
            if path.is_file()
        }
        key = repr((files, data)).replace(str(self.root), "")
        if key not in PLAIN:
            dataset = self.load(cache=False, **data)
            assert not dataset.leases
            PLAIN[key] = self.content(dataset)
        return PLAIN[key]

    def content(self, dataset: Dataset) -> dict[str, Any]:
        """All that comes of a load, whatever the folder is called."""
        text = json.dumps(content(dataset), default=str)
        whole: dict[str, Any] = json.loads(text.replace(str(self.root), ""))
        return whole

    def listed(self) -> manifest.Manifest:
        (found,) = self.runs.glob("cache/staged/usage_events/*/manifest.json")
        return manifest.read(found.parent)


def content(dataset: Dataset) -> dict[str, Any]:
    report = dataset.report.to_json()
    for table in report["tables"].values():
        table["remarks"] = [item for item in table["remarks"] if item["code"] != "staged_anew"]
    engine = dataset.engine
    return {
        "fingerprint": dataset.fingerprint,
        "report": report,
        "types": {name: engine.columns(name) for name in dataset.columns},
        "rows": {
            name: engine.fetch(f"SELECT * FROM {quote(name)} ORDER BY ALL").to_pylist()
            for name in dataset.columns
        },
        "rejects": {name: engine.fetch(sql).to_pylist() for name, sql in dataset.rejects.items()},
    }


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setattr(parts, "SMALL_ROWS", 9)
    monkeypatch.setattr(update, "PART_ROWS", 20)
    found = Place(tmp_path)
    yield found
    for engine in found.engines:
        engine.close()


def some(day: int, number: int = 10) -> list[tuple[Any, ...]]:
    return [(f"e{day}-{item}", ACCOUNTS[item % 6], item, item % 3) for item in range(number)]


@pytest.fixture
def month(place: Place) -> Place:
    for day in range(1, 6):
        place.day(day, some(day))
    return place


def test_nothing_is_staged_twice(month: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    month.same()
    # Five files of ten rows, two to a part.
    assert [len(part.files) for part in month.listed().parts] == [2, 2, 1]
    before = month.listed()

    def never(*_: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(update.Staging, "_staged", never)
    assert not month.same().report.tables["usage_events"].remarks
    assert month.listed() == before
    assert before.distinct == before.names


def test_a_new_day_is_a_new_part(month: Place) -> None:
    month.same()
    before = month.listed()
    month.day(6, some(6))
    dataset = month.same()
    assert month.listed().parts[:3] == before.parts
    assert len(month.listed().parts) == 4
    assert dataset.report.tables["usage_events"].rows_used == 60
    assert not dataset.report.tables["usage_events"].remarks


def test_what_changed_is_staged_anew_and_reported(month: Place) -> None:
    month.same()
    month.day(3, some(3, 9))
    text = "1 of 3 parts was staged anew: date=2024-01-03 changed"
    dataset = month.load()
    assert f"usage_events: {text}" in month.progress.notes
    (remark,) = dataset.report.tables["usage_events"].remarks
    assert (remark.code, remark.text, remark.rows) == ("staged_anew", text, 19)
    assert not month.same().report.tables["usage_events"].remarks


def test_what_is_gone_is_forgotten_and_reported(month: Place) -> None:
    month.same()
    shutil.rmtree(month.use / "date=2024-01-05")
    month.day(1, some(1, 4))
    dataset = month.load()
    (remark,) = dataset.report.tables["usage_events"].remarks
    assert remark.text == (
        "2 of 3 parts were staged anew: date=2024-01-01 changed; date=2024-01-05 gone"
    )
    assert dataset.report.tables["usage_events"].rows_used == 34
    month.same()


def test_an_account_added_later_is_known_at_once(month: Place) -> None:
    month.day(2, [*some(2), ("u1", "a7", 3, 0), ("u2", "nobody", 4, 0)])
    dataset = month.same()
    assert dataset.report.tables["usage_events"].rejected == {"unknown_account": 2}
    before = month.listed()
    month.accounts(8)
    dataset = month.same()
    assert dataset.report.tables["usage_events"].rejected == {"unknown_account": 1}
    assert month.listed() == before


def test_one_key_in_two_parts(month: Place) -> None:
    month.same()
    month.day(6, [("e1-1", "a3", 1, 2), *some(6)])
    for _ in range(2):
        dataset = month.same()
        assert dataset.report.tables["usage_events"].rejected == {"duplicate_key": 1}
        assert month.listed().distinct < month.listed().names
    month.day(6, some(6))
    assert not month.same().report.tables["usage_events"].rejected
    assert month.listed().distinct == month.listed().names


def test_a_key_that_only_an_unknown_account_repeats(month: Place) -> None:
    month.day(6, [("e1-1", "nobody", 1, 2), *some(6)])
    dataset = month.same()
    assert dataset.report.tables["usage_events"].rejected == {"unknown_account": 1}


@pytest.mark.parametrize("lazy", [True, False])
def test_what_lies_ahead(month: Place, monkeypatch: pytest.MonkeyPatch, lazy: bool) -> None:
    monkeypatch.setattr(assemble, "LAZY_ROWS", 0 if lazy else 10**6)
    dataset = month.same(observed_until="2024-01-04T05:00:00")
    assert dataset.report.tables["usage_events"].set_aside == 15
    month.same(observed_until="2024-01-05T09:00:00.000001")


def test_tiny_parts_are_merged(month: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(update, "MOST_PARTS", 4)
    for day in range(6, 12):
        month.day(day, some(day, 3))
        month.load()
    month.same()
    listed = month.listed()
    assert len(listed.parts) <= 6
    assert listed.distinct == listed.names
    assert sum(part.rows for part in listed.parts) == 68
    assert sum(len(part.files) for part in listed.parts) == 11


@pytest.mark.parametrize("seed", range(2))
def test_any_history_of_files(place: Place, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    any_history(place, seed, monkeypatch, changes=4)


@pytest.mark.acceptance
@pytest.mark.parametrize("seed", range(2, 30))
def test_any_longer_history_of_files(
    place: Place, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    any_history(place, seed, monkeypatch, changes=10)


def any_history(place: Place, seed: int, monkeypatch: pytest.MonkeyPatch, changes: int) -> None:
    monkeypatch.setattr(update, "MOST_PARTS", 3)
    monkeypatch.setattr(assemble, "LAZY_ROWS", 0)
    chance = random.Random(seed)

    def write(day: int) -> None:
        spare = ["", "nobody", "a6", "a7"]
        rows = [
            (
                f"e{day}-{item}" if chance.random() < 0.95 else f"e{chance.randint(1, 9)}-1",
                chance.choice(ACCOUNTS if chance.random() < 0.8 else spare),
                chance.randint(0, 23),
                chance.choice((0, 0, 0, 1, 5)),
            )
            for item in range(chance.randint(4, 15))
        ]
        place.day(day, rows)

    for day in range(1, 6):
        write(day)
    place.same()
    steps: list[Callable[[], Any]] = [
        lambda: write(chance.randint(1, 12)),
        lambda: write(chance.randint(13, 28)),
        lambda: shutil.rmtree(chance.choice(sorted(place.use.iterdir()))),
        lambda: place.accounts(chance.randint(5, 8)),
    ]
    for _ in range(changes):
        chance.choice(steps)()
        place.same()


def test_the_demo_world(place: Place) -> None:
    shutil.rmtree(place.data)
    write_world(place.data, accounts=20, months=6, seed=3)
    first = place.same()
    assert len(first.leases) > 3
    place.same()


def test_rows_lie_in_the_order_of_time(month: Place) -> None:
    dataset = month.load()
    (lease,) = dataset.leases
    assert lease.release.alive
    (folder,) = month.runs.glob("cache/staged/usage_events/*")
    for part in month.listed().parts:
        path = folder / part.name / manifest.ROWS
        times = duckdb.execute(f"SELECT occurred_at FROM '{path}'").fetchall()
        assert times == sorted(times)
        assert len(times) == part.rows


def test_filters_on_time_reach_the_files(month: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assemble, "LAZY_ROWS", 0)
    dataset = month.load()
    sql = "EXPLAIN SELECT count(*) FROM usage_events WHERE event_time >= TIMESTAMP '2024-01-05'"
    text = str(dataset.engine.fetch(sql).to_pylist())
    scan = text[text.index("Parquet Scan" if "Parquet Scan" in text else "READ_PARQUET") :]
    assert "occurred_at" in scan
    assert "2024-01-05" in scan


def test_csv_files(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = place.data
    lines = [f"e{item},a{item % 6},login,2024-01-02 {item:02}:00" for item in range(20)]
    head = "event_id,account_id,event,occurred_at"
    shutil.rmtree(place.use)
    (folder / "u-1.csv").write_text("\n".join([head, *lines[:16]]))
    tables = {"usage_events": "data/u-*.csv"}
    monkeypatch.setattr(update, "BYTES_A_ROW", 30)
    place.same(tables=tables)
    (folder / "u-2.csv").write_text("\n".join([head, *lines[16:]]))
    place.same(tables=tables)
    assert len(place.listed().parts) == 2


def test_csv_files_that_are_written_in_two_ways_are_read_as_one(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(update, "BYTES_A_ROW", 10)
    shutil.rmtree(place.use)
    text = "event_id,account_id,event,occurred_at\n"
    text += "".join(f"e{item},a{item % 6},login,2024-01-02 {item:02}:00\n" for item in range(20))
    (place.data / "u-1.csv").write_text(text)
    tables = {"usage_events": "data/u-*.csv"}
    place.same(tables=tables)
    (place.data / "u-2.csv").write_text(text.replace("\ne", "\nf").replace(",", ";"))
    assert place.same(tables=tables).report.tables["usage_events"].rows_used == 40
    assert len(place.listed().parts) == 2


def test_lines_that_are_no_rows_are_kept_with_the_parts(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(update, "BYTES_A_ROW", 10)
    monkeypatch.setattr(update, "MOST_PARTS", 2)
    monkeypatch.setattr(update, "PART_ROWS", 200)
    shutil.rmtree(place.use)
    tables = {"usage_events": "data/u-*.csv"}
    for day in range(1, 5):
        text = "event_id,account_id,event,occurred_at\n"
        text += "".join(f"e{day}-{n},a{n},login,2024-01-0{day} {n:02}:00\n" for n in range(6))
        text += f"wide{day},a1,log,in,2024-01-02\nnarrow{day},a2\n" if day % 2 else ""
        (place.data / f"u-{day}.csv").write_text(text)
        dataset = place.same(tables=tables)
    table = dataset.report.tables["usage_events"]
    assert (table.rows_in, table.rows_used, table.rejected) == (28, 24, {"ragged_line": 4})
    rejected = dataset.engine.fetch(dataset.rejects["usage_events"]).column("row").to_pylist()
    assert [text.split(",")[0] for text in rejected] == ["narrow1", "narrow3", "wide1", "wide3"]


def test_files_of_other_types_are_read_as_one(month: Place) -> None:
    month.same()
    path = month.use / "date=2024-01-06"
    path.mkdir()
    duckdb.sql(
        "COPY (SELECT 'x1' AS event_id, 'a1' AS account_id, 'login' AS event, DATE '2024-01-06' "
        f"AS occurred_at, 2 AS quantity, NULL::TIMESTAMP AS known_at) TO '{path}/x.parquet'"
    )
    assert month.same().report.tables["usage_events"].rows_in == 51


def test_what_is_not_kept(place: Place) -> None:
    place.day(1, some(1, 8))
    assert not place.load().leases
    place.day(2, some(2, 8))
    files = f"{place.use}/**/*.parquet"
    assert not place.load(tables={"usage_events": {"sql": f"FROM '{files}'"}}).leases
    assert not place.load(cache=False).leases
    assert not place.runs.exists()
    assert place.load().leases


def test_a_mapping_that_changes_stages_all_anew(month: Place) -> None:
    month.same()
    columns = {"quantity": "quantity * 2"}
    table = {"path": str(month.use), "columns": columns}
    dataset = month.same(tables={"usage_events": table})
    total = dataset.engine.fetch("SELECT sum(quantity) FROM usage_events").column(0).to_pylist()
    assert total == [2 * 5 * 45]
    assert len(list(month.runs.glob("cache/staged/usage_events/*/manifest.json"))) == 2


def test_damage_is_staged_anew(month: Place) -> None:
    month.same()
    (folder,) = month.runs.glob("cache/staged/usage_events/*")
    for spoil in ("rows.parquet", "tally.parquet", "keys.parquet", "", "manifest"):
        part = folder / month.listed().parts[1].name
        if spoil == "manifest":
            (folder / manifest.MANIFEST).write_text('{"parts": [')
        elif spoil:
            (part / spoil).write_bytes((part / spoil).read_bytes()[:-3])
        else:
            shutil.rmtree(part)
        month.same()
        assert len(month.listed().parts) == 3, spoil


def test_a_folder_that_cannot_be_written(month: Place) -> None:
    month.runs.mkdir()
    (month.runs / "cache").write_text("in the way")
    dataset = month.load()
    assert not dataset.leases
    assert dataset.report.tables["usage_events"].rows_used == 50


KILLED = """
import os, signal, sys
from pathlib import Path
from tenure.core.config import make_config
from tenure.engine import open_engine
from tenure.sources.cache import parts, update
from tenure.sources.load import load
parts.SMALL_ROWS, update.PART_ROWS = 9, 20
calls = [0]
def deadly(rename):
    def renamed(*given, **named):
        calls[0] += 1
        if calls[0] == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return rename(*given, **named)
    return renamed
os.replace, os.rename = deadly(os.replace), deadly(os.rename)
root = Path(sys.argv[1])
for last in range(1, 5):
    child = os.fork()
    if not child:
        paths = {"runs": str(root / f"runs{last}")}
        config = make_config({"data": {"path": str(root / "data")}, "paths": paths}, base=root)
        load(config, open_engine(config), thorough=False)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
"""


@pytest.mark.slow
def test_a_killed_load_leaves_what_is_valid_or_nothing(month: Place) -> None:
    command = [sys.executable, "-c", KILLED, str(month.root)]
    subprocess.run(command, check=True, env=dict(os.environ))
    for last in range(1, 5):
        month.runs = month.root / f"runs{last}"
        month.same()
        (folder,) = month.runs.glob("cache/staged/usage_events/*")
        names = {item.name for item in folder.iterdir() if item.is_dir()}
        assert names == month.listed().names


def test_a_load_that_is_not_thorough_gives_the_same_tables(month: Place) -> None:
    whole = month.load()
    settings = {"data": {"path": str(month.data)}, "paths": {"runs": str(month.runs)}}
    config = make_config(settings, base=month.root)
    month.engines.append(open_engine(config))
    progress = Recorder()
    quick = load(config, month.engines[-1], progress=progress, thorough=False)
    assert progress.stages == ["reading tables", "checking rows"]
    assert quick.fingerprint == whole.fingerprint
    assert quick.report.accounts == whole.report.accounts
    assert quick.report.tables["usage_events"].coverage is None


def test_several_loads_at_once(month: Place) -> None:
    with ThreadPoolExecutor(3) as pool:
        loads = [pool.submit(month.load) for _ in range(3)]
        assert all(month.content(item.result()) == month.plain() for item in loads)
    (folder,) = month.runs.glob("cache/staged/usage_events/*")
    names = {item.name for item in folder.iterdir() if item.is_dir()}
    assert names == month.listed().names
    assert len(names) == 3


def test_files_that_cannot_be_kept_leave_nothing(month: Place) -> None:
    path = month.use / "date=2024-01-06"
    path.mkdir()
    duckdb.sql(f"COPY (SELECT 'e' AS event_id, 'many' AS quantity) TO '{path}/x.parquet'")
    table = {"path": str(month.use), "columns": {"quantity": "CAST(quantity AS INTEGER)"}}
    said = []
    for cache in (True, False):
        with pytest.raises(DataError) as caught:
            month.load(cache=cache, tables={"usage_events": table})
        said.append(str(caught.value))
    assert said[0] == said[1]
    (folder,) = month.runs.glob("cache/staged/usage_events/*")
    assert not [item for item in folder.iterdir() if item.is_dir()]
