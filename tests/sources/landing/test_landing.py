"""Tables of databases, lakes and object stores land whole, and are read like files."""

from __future__ import annotations

import json
import re
import sqlite3
import sys
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import deltalake
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy.dialects import registry

from sources.landing import warehouse
from tenure.core.config import Config, load_config, make_config
from tenure.core.errors import ConfigError, DataError
from tenure.core.progress import Progress
from tenure.engine.duckdb import DuckDBEngine
from tenure.run.check import run_check
from tenure.run.project import Project
from tenure.sources.dataset import Dataset
from tenure.sources.landing import land as landing
from tenure.sources.landing.database import Database
from tenure.sources.landing.land import land
from tenure.sources.landing.manifest import MANIFEST, last_landing
from tenure.sources.landing.rows import write_rows
from tenure.sources.load import load

START = datetime(2024, 1, 3, 8, 30)
ACCOUNTS = "CREATE TABLE {0}accounts AS SELECT 7 AS account_id, '2024-01-03' AS created_at"
SUBSCRIPTIONS = (
    "CREATE TABLE {0}subscriptions AS SELECT 7 AS id, '2024-01-03 08:30:00' AS started_at, 5 AS mrr"
)


@pytest.fixture
def engine() -> Iterator[DuckDBEngine]:
    opened = DuckDBEngine(threads=1)
    yield opened
    opened.close()


def config_of(tmp_path: Path, **sections: Any) -> Config:
    sections = {"paths": {"runs": str(tmp_path / "runs")}, **sections}
    return make_config(sections, base=tmp_path)


def fetched(config: Config, engine: DuckDBEngine) -> Dataset:
    land(config, anew=True)
    return load(config, engine)


def by_connection(tmp_path: Path, url: str, schema: str = "", **more: Any) -> Config:
    columns = {"columns": {"account_id": "id"}}
    tables = {
        "accounts": {"connection": "crm", "table": f"{schema}accounts"},
        "subscriptions": {
            "connection": "crm",
            "sql": f"SELECT * FROM {schema}subscriptions WHERE mrr > 0 -- 100 % :all",
            **columns,
        },
    }
    return config_of(tmp_path, data={"tables": tables, **more}, connections={"crm": url})


def sqlite_file(path: Path) -> Path:
    with sqlite3.connect(path) as database:
        database.execute(ACCOUNTS.format(""))
        database.execute(SUBSCRIPTIONS.format(""))
    database.close()
    return path


@pytest.mark.parametrize("driver", [None, "adbc_driver_sqlite"])
def test_sqlite_lands_and_is_read_like_a_file(
    tmp_path: Path, engine: DuckDBEngine, driver: str | None
) -> None:
    sqlite_file(tmp_path / "crm.db")
    config = by_connection(tmp_path, "sqlite:///crm.db")
    settings = config.connections["crm"].model_copy(update={"driver": driver})
    config = config.model_copy(update={"connections": {"crm": settings}})
    dataset = fetched(config, engine)
    assert engine.fetch("SELECT account_id, started_at, mrr FROM subscriptions").to_pylist() == [
        {"account_id": "7", "started_at": START, "mrr": 5.0}
    ]
    assert dataset.report.tables["accounts"].origin == "crm: accounts"
    assert dataset.report.tables["subscriptions"].origin == "crm: query"
    record = json.loads((tmp_path / "runs/landing/accounts" / MANIFEST).read_text())
    assert (record["rows"], record["origin"]) == (1, "crm: accounts")
    assert record["columns"] == {"account_id": "int64", "created_at": "string"}
    assert len(record["content"]) == 64
    assert record["landed_at"] > "2024"


def test_a_column_of_several_types_loses_nothing(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "x.db") as database:
        database.execute("CREATE TABLE t (a, b)")
        database.executemany("INSERT INTO t VALUES (?, ?)", [(1, None), ("x", None), (2.5, None)])
    database.close()
    config = by_connection(tmp_path, "sqlite:///x.db")
    (empty, batch) = Database("crm", config.connections["crm"]).batches("SELECT * FROM t")
    assert empty.num_rows == 0
    assert batch.to_pydict() == {"a": ["1", "x", "2.5"], "b": [None, None, None]}


@pytest.mark.parametrize("schema", ["", "marts.", '"Odd schema".'])
def test_duckdb_lands_from_any_schema(tmp_path: Path, engine: DuckDBEngine, schema: str) -> None:
    with duckdb.connect(str(tmp_path / "x.duckdb")) as database:
        if schema:
            database.execute(f"CREATE SCHEMA {schema[:-1]}")
        database.execute(ACCOUNTS.format(schema))
        database.execute(SUBSCRIPTIONS.format(schema))
    config = by_connection(tmp_path, "duckdb:///x.duckdb", schema)
    assert fetched(config, engine).report.usable
    name = f"{schema.strip('.').strip(chr(34))}." if schema else ""
    assert Database("crm", config.connections["crm"]).tables() == {
        f"{name}accounts": {"account_id": "INTEGER", "created_at": "VARCHAR"},
        f"{name}subscriptions": {"id": "INTEGER", "started_at": "VARCHAR", "mrr": "INTEGER"},
    }


def test_the_tables_of_sqlite_are_listed(tmp_path: Path) -> None:
    sqlite_file(tmp_path / "crm.db")
    config = by_connection(tmp_path, "sqlite:///crm.db")
    assert list(Database("crm", config.connections["crm"]).tables()) == [
        "accounts",
        "subscriptions",
    ]


# --- what stays, and when


def test_an_interrupted_landing_leaves_the_last_whole_one(
    tmp_path: Path, engine: DuckDBEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = sqlite_file(tmp_path / "crm.db")
    config = by_connection(tmp_path, "sqlite:///crm.db")
    fetched(config, engine)
    before = last_landing(config, "accounts")
    with sqlite3.connect(path) as database:
        database.execute("INSERT INTO accounts VALUES (8, '2024-01-04')")
    database.close()

    def cut(batches: Any, path: Path, tell: Any) -> Any:
        write_rows(batches, path, tell)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(landing, "write_rows", cut)
        with pytest.raises(KeyboardInterrupt):
            land(config, anew=True)
    assert last_landing(config, "accounts") == before
    assert len(list((tmp_path / "runs/landing/accounts").glob("*/rows.parquet"))) == 1
    assert load(config, engine).report.tables["accounts"].rows_in == 1
    assert fetched(config, engine).report.tables["accounts"].rows_in == 2
    assert last_landing(config, "accounts") != before


def test_what_lands_unchanged_keeps_its_files_and_old_ones_go(tmp_path: Path) -> None:
    path = sqlite_file(tmp_path / "crm.db")
    config = by_connection(tmp_path, "sqlite:///crm.db")
    folder = tmp_path / "runs/landing/accounts"
    seen = set()
    for number in range(4):
        land(config, anew=True)
        land(config, anew=True)
        record = last_landing(config, "accounts")
        assert record is not None
        seen.add(record.folder)
        with sqlite3.connect(path) as database:
            database.execute(f"INSERT INTO accounts VALUES ({number + 10}, '2024-01-04')")
        database.close()
    assert len(seen) == 4
    assert len([item for item in folder.iterdir() if item.is_dir()]) <= 2


def test_only_check_train_and_score_fetch_anew(
    tmp_path: Path, engine: DuckDBEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqlite_file(tmp_path / "crm.db")
    config = by_connection(tmp_path, "sqlite:///crm.db")
    with pytest.raises(DataError, match=r"accounts: has not been fetched yet .*tenure check"):
        load(config, engine)  # as a service does, which never fetches
    run_check(config)
    (tmp_path / "crm.db").unlink()
    land(config, anew=False)
    assert load(config, engine).report.usable
    with pytest.raises(DataError, match=r"connection crm: the file does not exist"):
        run_check(config)
    assert load(config, engine).report.usable
    land(by_connection(tmp_path, "sqlite:///crm.db", land="once"), anew=True)
    other = by_connection(tmp_path, "sqlite:///other.db")
    with pytest.raises(DataError, match="has not been fetched yet"):
        load(other, engine)  # what landed is of another database


def test_progress_tells_rows(tmp_path: Path) -> None:
    told: list[str] = []

    class Listening(Progress):
        def stage(self, name: str) -> None:
            told.append(name)

        def step(self, done: int, total: int | None, what: str = "") -> None:
            told.append(f"{done}/{total} {what}")

    sqlite_file(tmp_path / "crm.db")
    land(by_connection(tmp_path, "sqlite:///crm.db"), Listening(), anew=True)
    assert told[0] == "fetching tables"
    assert "0/2 accounts from crm: accounts: 1 rows" in told
    assert "1/2 subscriptions from crm: query: 1 rows" in told


# --- credentials


@pytest.mark.parametrize(
    "text",
    [
        "{url: 'postgresql://ada:hunter2@host/db'}",
        "postgresql://ada:hunter2@host/db",
        "{url: 'postgresql://ada@host/db?password=hunter2'}",
        "{driver: some_driver, options: {adbc.x.auth_token: hunter2}}",
        "postgresql://ada:${NOT_SET:-hunter2}@host/db",
    ],
)
def test_a_password_in_a_config_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(f"data: {{path: x}}\nconnections: {{my-crm: {text}}}\n")
    with pytest.raises(ConfigError, match="must not hold a password") as raised:
        load_config(path)
    assert "${MY_CRM_PASSWORD}" in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_a_password_of_the_environment_is_in_no_record_or_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRM_PASSWORD", "hunter2")
    text = "postgresql://ada:${CRM_PASSWORD}@127.0.0.1:1/db"
    table = "{connection: crm, table: accounts}"
    path = tmp_path / "run.yaml"
    path.write_text(f"data: {{tables: {{accounts: {table}}}}}\nconnections: {{crm: '{text}'}}\n")
    written = {"data": {"tables": {"accounts": {"connection": "crm", "table": "accounts"}}}}
    project = Project({**written, "connections": {"crm": text}})
    for config in (load_config(path), project.config):
        for database in ("postgresql://", "postgresql+psycopg://"):
            url = str(config.connections["crm"].url).replace("postgresql://", database)
            settings = config.connections["crm"].model_copy(update={"url": url})
            with pytest.raises(DataError, match="connection crm: cannot be read") as raised:
                [*Database("crm", settings).batches("SELECT 1")]
            assert "hunter2" not in str(raised.value)
            assert "check the URL" in str(raised.value)
            assert raised.value.__cause__ is None
        shown = f"{config!r} {config.model_dump_json()}"
        assert "hunter2" not in shown
        assert "ada" not in shown
    with pytest.raises(ConfigError, match="must not hold a password"):
        Project(written, connections={"crm": "postgresql://ada:hunter2@host/db"})


# --- warehouses


def warehouse_config(tmp_path: Path, connection: Any, schema: str) -> Config:
    names = ("accounts", "subscriptions")
    tables = {name: {"connection": "wh", "table": f"{schema}{name}"} for name in names}
    return config_of(tmp_path, data={"tables": tables}, connections={"wh": connection})


@pytest.mark.parametrize(
    ("package", "connection", "call"),
    [
        (
            "adbc_driver_snowflake",
            "snowflake://ada:${PW}@org-acme/db/marts?warehouse=wh",
            ["ada:s3cret word@org-acme/db/marts?warehouse=wh", None],
        ),
        (
            "adbc_driver_bigquery",
            "bigquery://acme-prod/marts",
            [
                None,
                {
                    "adbc.bigquery.sql.project_id": "acme-prod",
                    "adbc.bigquery.sql.dataset_id": "marts",
                },
            ],
        ),
        (
            "adbc_driver_other",
            {"driver": "adbc_driver_other", "url": "x://host", "options": {"token": "${PW}"}},
            ["x://host", {"token": "s3cret word"}],
        ),
    ],
)
def test_a_warehouse_gives_batches_of_arrow(
    tmp_path: Path,
    engine: DuckDBEngine,
    monkeypatch: pytest.MonkeyPatch,
    package: str,
    connection: Any,
    call: list[Any],
) -> None:
    monkeypatch.setenv("PW", "s3cret word")
    log = warehouse.arrow_driver(monkeypatch, package)
    monkeypatch.setattr(
        "tenure.sources.landing.database.find_spec", lambda name: name in sys.modules or None
    )
    config = warehouse_config(tmp_path, connection, "marts.")
    dataset = fetched(config, engine)
    assert log[:3] == [*call, "SELECT * FROM marts.accounts"]
    assert log.count("closed") == 2
    assert engine.fetch(
        "SELECT account_id, created_at, vip, tier FROM accounts ORDER BY account_id"
    ).to_pylist() == [
        {"account_id": str(2**70), "created_at": START, "vip": True, "tier": "a"},
        {"account_id": "7", "created_at": START, "vip": None, "tier": "b"},
    ]
    rows = engine.fetch("SELECT started_at, mrr FROM subscriptions ORDER BY mrr").to_pylist()
    assert rows == [{"started_at": START, "mrr": 20.0}, {"started_at": START, "mrr": 50.1}]
    assert dataset.report.tables["accounts"].origin == "wh: marts.accounts"
    with pytest.raises(DataError, match=r"wh: cannot be read .*002003: object GONE") as raised:
        [*Database("wh", config.connections["wh"]).batches("SELECT * FROM gone")]
    assert "s3cret" not in str(raised.value)


def test_a_warehouse_is_reached_by_sqlalchemy(
    tmp_path: Path, engine: DuckDBEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DataError, match=r"needs a driver for databricks.*databricks-sqlalchemy"):
        fetched(warehouse_config(tmp_path, "databricks://host", "c.s."), engine)
    registry.register("databricks", "sources.landing.warehouse", "Dialect")
    try:
        monkeypatch.setenv("DBX_TOKEN", "let me in")
        url = "databricks://token:${DBX_TOKEN}@acme.cloud.databricks.com"
        config = warehouse_config(tmp_path, url, "c.s.")
        fetched(config, engine)
        ids = engine.fetch("SELECT account_id, mrr FROM subscriptions ORDER BY mrr").to_pylist()
        assert ids == [{"account_id": "7", "mrr": 20.0}, {"account_id": str(2**70), "mrr": 50.1}]
        monkeypatch.setenv("DBX_TOKEN", "wrong key")
        with pytest.raises(DataError, match=re.escape("401: token *** is refused")):
            land(config, anew=True)
    finally:
        registry.impls.pop("databricks")


def test_a_driver_that_is_not_installed_is_named(tmp_path: Path) -> None:
    settings = {"driver": "adbc_driver_nowhere", "url": "x://host"}
    config = warehouse_config(tmp_path, settings, "")
    with pytest.raises(
        DataError, match=r"driver: is no ADBC driver that is installed.*pip install"
    ):
        land(config, anew=True)
    with pytest.raises(DataError, match=r"connections.wh: needs a `url`"):
        land(warehouse_config(tmp_path, {"driver": "adbc_driver_nowhere"}, ""), anew=True)


# --- lakes and stores


def test_a_delta_table_lands_at_a_version(tmp_path: Path, engine: DuckDBEngine) -> None:
    started = pa.array([START], pa.timestamp("us", "UTC"))
    accounts = pa.table({"account_id": [7], "created_at": started})
    deltalake.write_deltalake(tmp_path / "lake/accounts", accounts)
    bought = pa.table({"account_id": [7], "started_at": started, "mrr": [5]})
    deltalake.write_deltalake(tmp_path / "lake/subscriptions", bought)
    again = bought.set_column(2, "mrr", pa.array([6]))
    deltalake.write_deltalake(tmp_path / "lake/subscriptions", again, mode="overwrite")
    for version, mrr in ((None, 6.0), (0, 5.0), ("1", 6.0)):
        tables = {
            "accounts": {"delta": "lake/accounts"},
            "subscriptions": {"delta": "lake/subscriptions", "version": version},
        }
        dataset = fetched(config_of(tmp_path, data={"tables": tables}), engine)
        assert engine.fetch("SELECT mrr FROM subscriptions").column(0).to_pylist() == [mrr]
        assert dataset.report.tables["accounts"].origin == f"Delta table {tmp_path}/lake/accounts"
    lost = config_of(tmp_path, data={"tables": {"accounts": {"delta": "lake/nowhere"}}})
    with pytest.raises(DataError, match="accounts: the Delta table: cannot be read"):
        land(lost, anew=True)


def test_an_iceberg_table_lands_at_a_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = {"iceberg": "crm.accounts", "catalog": "prod", "version": 3}
    config = config_of(tmp_path, data={"tables": {"accounts": table}})
    monkeypatch.setitem(sys.modules, "pyiceberg", None)
    with pytest.raises(DataError, match=r"needs pyiceberg.*pip install 'tenure\[lake\]'"):
        land(config, anew=True)
    calls: list[Any] = []

    def scan(snapshot_id: int | None) -> Any:
        calls.append(snapshot_id)
        rows = pa.table({"account_id": [7]})
        return SimpleNamespace(to_arrow_batch_reader=rows.to_reader)

    def load_catalog(name: str) -> Any:
        calls.append(name)
        return SimpleNamespace(load_table=load_table)

    def load_table(name: str) -> Any:
        calls.append(name)
        return SimpleNamespace(scan=scan)

    catalog = ModuleType("pyiceberg.catalog")
    catalog.load_catalog = load_catalog  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pyiceberg", ModuleType("pyiceberg"))
    monkeypatch.setitem(sys.modules, "pyiceberg.catalog", catalog)
    land(config, anew=True)
    assert calls == ["prod", "crm.accounts", 3]
    record = last_landing(config, "accounts")
    assert record is not None
    assert record.columns == {"account_id": "int64"}


def test_files_of_a_store_land_as_they_are(tmp_path: Path, engine: DuckDBEngine) -> None:
    store = tmp_path / "store"
    for day, number in (("2024-01-03", 7), ("2024-01-04", 8)):
        folder = store / "accounts" / f"created_at={day}"
        folder.mkdir(parents=True)
        pq.write_table(pa.table({"account_id": [number]}), folder / "part.parquet")
    (store / "subs.csv").write_text("account_id,started_at,mrr\n7,2024-01-03,5\n")
    (store / "notes.md").write_text("no table")
    tables = {
        "accounts": {"path": f"file://{store}/accounts/*.parquet"},
        "subscriptions": {"path": f"file://{store}/subs.csv"},
    }
    dataset = fetched(config_of(tmp_path, data={"tables": tables}), engine)
    assert engine.fetch("SELECT created_at FROM accounts ORDER BY 1").column(0).to_pylist() == [
        datetime(2024, 1, 3),
        datetime(2024, 1, 4),
    ]
    assert dataset.report.tables["subscriptions"].origin == f"file://{store}/subs.csv"
    for place in ("notes.md", "empty/*.csv"):
        lost = config_of(tmp_path, data={"tables": {"accounts": f"file://{store}/{place}"}})
        with pytest.raises(DataError, match=r"accounts: (holds no file|the object store: cannot)"):
            land(lost, anew=True)


# --- rows


def test_batches_of_unlike_types_become_one_file(tmp_path: Path) -> None:
    batches = [
        pa.table({"A": pa.nulls(1), "B": [1], "C": [1], "D": pa.nulls(1), "E": [Decimal("1.5")]}),
        pa.table({"A": [START], "B": [2.5], "C": ["x"], "D": pa.nulls(1), "E": [Decimal("22")]}),
    ]
    told: list[int] = []
    rows, columns = write_rows(batches, tmp_path / "rows.parquet", told.append)
    assert (rows, told) == (2, [1, 2])
    assert columns["a"] == "timestamp[us]"
    assert pq.read_table(tmp_path / "rows.parquet").to_pydict() == {
        "a": [None, START],
        "b": [1.0, 2.5],
        "c": ["1", "x"],
        "d": [None, None],
        "e": [Decimal("1.5"), Decimal("22.0")],
    }
    assert [path.name for path in tmp_path.iterdir()] == ["rows.parquet"]


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"connection": "crm"}, "needs exactly one of `table` and `sql`"),
        ({"connection": "crm", "sql": "x", "path": "y"}, "and no file"),
        ({"connection": "crn", "table": "x"}, "is not one of `connections` .*crn.*`crm`"),
        ({"delta": "x", "path": "y"}, "needs exactly one of"),
        ({"path": "x", "version": 3}, "`version` is of `delta`"),
        ({"delta": "x", "catalog": "c"}, "`catalog` of `iceberg`"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    tmp_path: Path, tables: Any, message: str
) -> None:
    connections = {"crm": "sqlite:///x.db"}
    with pytest.raises(ConfigError, match=message):
        config_of(tmp_path, data={"tables": {"accounts": tables}}, connections=connections)
    with pytest.raises(ConfigError, match="did you mean `driver`"):
        config_of(tmp_path, data={"path": "x"}, connections={"crm": {"url": "x", "drivr": "y"}})
