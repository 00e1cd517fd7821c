"""`kill -9` at any moment of a landing, or a connection that breaks, leaves the last whole one."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sources.landing import warehouse
from tenure.core.config import Config, load_config, make_config
from tenure.core.errors import DataError
from tenure.sources.landing.land import land
from tenure.sources.landing.manifest import landed_files, landing_folder, last_landing

TESTS = Path(__file__).parents[2]
RENAMES = 2
"""Of a table that lands: its folder, its manifest."""
ROWS = 5_000


class Lander:
    """A process that lands the table `accounts` of a database which grows by a row each time."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "crm.db"
        self.rows = ROWS
        with closing(sqlite3.connect(self.database)) as connection:
            connection.execute("CREATE TABLE accounts (account_id INTEGER, created_at TEXT)")
            rows = ((number, "2024-01-03") for number in range(ROWS))
            connection.executemany("INSERT INTO accounts VALUES (?, ?)", rows)
            connection.commit()
        path = folder / "run.yaml"
        path.write_text(
            f"connections: {{crm: 'sqlite:///crm.db'}}\npaths: {{runs: {folder}/runs}}\n"
            "data: {tables: {accounts: {connection: crm, table: accounts}}}\n"
        )
        self.config: Config = load_config(path)
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("lander.py")), str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])},
        )

    def land(self, how: str) -> list[int]:
        """Add a row to the database and land it in some way; return the exit codes."""
        with closing(sqlite3.connect(self.database)) as connection:
            connection.execute("INSERT INTO accounts VALUES (?, '2024-01-04')", [self.rows])
            connection.commit()
        self.rows += 1
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{how}\n")
        self._process.stdin.flush()
        return [int(code) for code in self._process.stdout.readline().split()]

    def landed(self) -> int:
        """Return the rows that have landed, all of whose files are whole."""
        landing = last_landing(self.config, "accounts")
        assert landing is not None
        rows = pq.read_table(landed_files(self.config, "accounts")).column("account_id")
        assert landing.rows == len(rows) == len(rows.unique())
        return len(rows)

    def tidy(self) -> None:
        """Assert that nothing half-written is left once a landing came to its end."""
        names = {path.name for path in landing_folder(self.config, "accounts").iterdir()}
        assert len(names - {"manifest.json", ".lock"}) <= 2
        assert not [name for name in names if name.endswith(".tmp")]

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture(scope="module")
def lander(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lander]:
    opened = Lander(tmp_path_factory.mktemp("lander"))
    yield opened
    opened.close()


@pytest.mark.slow
def test_killed_at_every_rename_and_two_at_once(lander: Lander) -> None:
    assert lander.land("0 before") == [0]
    assert lander.landed() == lander.rows
    for place in range(1, RENAMES + 1):
        for side in ("before", "after"):
            before = lander.landed()
            assert lander.land(f"{place} {side}") == [-signal.SIGKILL]
            whole = (place, side) == (RENAMES, "after")
            assert lander.landed() == (lander.rows if whole else before)
    assert lander.land(f"{RENAMES + 1} before") == [0]  # there are no more
    assert lander.land("2 at") == [0, 0]
    assert lander.landed() == lander.rows
    lander.tidy()


@pytest.mark.acceptance
def test_killed_at_random_moments(lander: Lander) -> None:
    assert lander.land("0 before") == [0]
    dice = random.Random(0)
    for _ in range(200):
        before = lander.landed()
        assert lander.land(f"S {dice.uniform(0, 0.2):.3f}")[0] in (0, -signal.SIGKILL)
        assert lander.landed() in (before, lander.rows)
    assert lander.land("0 before") == [0]
    assert lander.landed() == lander.rows
    lander.tidy()


def test_a_connection_that_breaks_halfway_leaves_the_last_whole_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = warehouse.arrow_driver(monkeypatch, "adbc_driver_other")
    settings = {"driver": "adbc_driver_other", "url": "x://host"}
    table = {"connection": "wh", "table": "accounts"}
    config = make_config(
        {
            "paths": {"runs": str(tmp_path / "runs")},
            "data": {"tables": {"accounts": table}},
            "connections": {"wh": settings},
        },
        base=tmp_path,
    )
    land(config, anew=True)
    before = last_landing(config, "accounts")

    def broken(cursor: Any) -> Any:
        whole = pa.table(warehouse.TABLES["ACCOUNTS"])

        def batches() -> Iterator[pa.RecordBatch]:
            yield whole.to_batches(max_chunksize=1)[0]
            raise ConnectionResetError("server closed the connection unexpectedly")

        return pa.RecordBatchReader.from_batches(whole.schema, batches())

    monkeypatch.setattr(warehouse.Cursor, "fetch_record_batch", broken)
    with pytest.raises(DataError, match=r"wh: cannot be read .*server closed the connection"):
        land(config, anew=True)
    assert last_landing(config, "accounts") == before
    assert [path.name for path in landing_folder(config, "accounts").glob(".*.tmp")] == []
    assert log.count("closed") == 2
