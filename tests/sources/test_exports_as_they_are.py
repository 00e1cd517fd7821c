"""Tables as warehouses and vendors hand them out: wide, nested, in capitals, in many files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sources.conftest import Load, rows
from tenure.core.config import make_config
from tenure.core.errors import DataError
from tenure.engine import open_engine
from tenure.sources.dataset import Dataset
from tenure.sources.load import load


def notes(dataset: Dataset, table: str, code: str) -> list[str]:
    return [item.text for item in dataset.report.tables[table].remarks if item.code == code]


def accounts(folder: Path, sql: str) -> None:
    """Write the accounts with further columns."""
    (folder / "accounts.csv").unlink()
    duckdb.sql(
        f"COPY (SELECT id AS account_id, DATE '2023-01-05' AS created_at, {sql} "
        f"FROM (VALUES ('a'), ('b'), ('c')) AS t(id)) TO '{folder}/accounts.parquet'"
    )


NESTED = (
    "['x'] AS tags, {'city': 'Bonn'} AS address, 'x'::BLOB AS logo, TIME '10:00' AS opens, "
    "MAP {'k': 1} AS options, INTERVAL 1 DAY AS wait, 'eu' AS region"
)


def test_attributes_that_hold_no_single_value_are_left_out(read: Load, folder: Path) -> None:
    accounts(folder, NESTED)
    dataset = read(constant_attributes=["region"])
    assert [item.name for item in dataset.report.attributes] == ["region"]
    (text,) = notes(dataset, "accounts", "left_out")
    assert "tags (VARCHAR[])" in text
    assert all(name in text for name in ("address", "logo", "opens", "options", "wait"))


def test_such_columns_are_refused_where_they_are_wanted(read: Load, folder: Path) -> None:
    accounts(folder, f"{NESTED}, ['smb'] AS segment")
    with pytest.raises(
        DataError, match=r"accounts.segment: cannot be read.*`columns: {segment: ''}`"
    ):
        read()
    assert not read(
        tables={"accounts": {"path": "accounts.parquet", "columns": {"segment": ""}}}
    ).has("accounts", "segment")
    with pytest.raises(DataError, match=r"accounts.tags: cannot be read from type VARCHAR\[\]"):
        read(constant_attributes=["tags"], tables={"accounts": {
            "path": "accounts.parquet", "columns": {"segment": ""}}})  # fmt: skip


@pytest.mark.parametrize("kind", ["DOUBLE", "BIGINT", "DATE", "BOOLEAN"])
def test_a_table_of_many_typed_columns(read: Load, folder: Path, kind: str) -> None:
    value = "DATE '2023-01-01'" if kind == "DATE" else f"CAST(1 AS {kind})"
    wide = ", ".join(f"{value} AS p{number}" for number in range(200))
    accounts(folder, f"{wide}, 'inf'::DOUBLE AS odd")
    dataset = read(constant_attributes=["p7", "p199", "odd"])
    assert dataset.has("accounts", "p7", "p199")
    assert dataset.report.tables["accounts"].emptied == {"further attributes": {"unreadable": 3}}


@pytest.mark.parametrize("kind", ["float64", "float32"])
@pytest.mark.parametrize("where", ["path", "sql", "parts", "duckdb"])
def test_nan_is_nothing_whoever_wrote_it(read: Load, folder: Path, kind: str, where: str) -> None:
    seats = pa.array(np.array([1, 5, np.nan, np.nan, np.nan], dtype=kind))
    mrr = pa.array(np.array([10.0, 20, 30, np.nan, 50]))
    table = pa.table({"account_id": ["a", "b", "c", "a", "b"], "seats": seats, "mrr": mrr,
                      "started_at": [f"2023-0{month}-01" for month in range(1, 6)]})  # fmt: skip
    pq.write_table(table, folder / "s.parquet")
    settings: dict[str, Any] = {"path": "s.parquet"}
    if where == "sql":
        settings = {"sql": "SELECT * FROM 's.parquet'"}
    if where == "parts":
        (folder / "parts").mkdir()
        (folder / "s.parquet").rename(folder / "parts" / "1.parquet")
        settings = {"path": "parts"}
    if where == "duckdb":
        with duckdb.connect(str(folder / "s.duckdb")) as connection:
            connection.execute(f"CREATE TABLE subscriptions AS FROM '{folder}/s.parquet'")
        settings = {"path": "s.duckdb"}
    (folder / "tickets.csv").unlink()
    dataset = read(tables={"subscriptions": settings})
    record = dataset.report.tables["subscriptions"]
    assert record.rejected == {"missing_mrr": 1}
    assert not record.emptied
    found = rows(dataset, "SELECT seats FROM subscriptions ORDER BY started_at")
    assert [row["seats"] for row in found] == [1, 5, None, None]


@pytest.mark.parametrize("listed", ["region", "Region", "REGION"])
def test_names_are_compared_without_case(read: Load, folder: Path, listed: str) -> None:
    (folder / "accounts.csv").write_text(
        "ACCOUNT_ID,CREATED_AT,SEGMENT,REGION,Owner\na,2023-01-05,smb,eu,x\nb,2023-01-05,mid,us,y\n"
    )
    dataset = read(constant_attributes=[listed], changing_attributes=["Segment"])
    verdicts = {item.name: item.usable for item in dataset.report.attributes}
    assert verdicts == {"segment": False, "owner": False, listed: True}
    assert rows(dataset, f"SELECT {listed} FROM accounts ORDER BY account_id")[0][listed] == "eu"


def write(folder: Path, texts: bool, tables: list[str]) -> str:
    """Write SELECTs as files of one kind, and return their glob."""
    suffix = "csv" if texts else "parquet"
    (folder / "t").mkdir()
    for number, sql in enumerate(tables):
        duckdb.sql(f"COPY ({sql}) TO '{folder}/t/{number}.{suffix}'")
    (folder / "tickets.csv").unlink()
    return f"t/*.{suffix}"


ONE = "SELECT 't1' AS ticket_id, 'a' AS account_id, '2023-05-01' AS opened_at"
MORE = "SELECT 'x' AS Category, '2023-06-01' AS opened_at, 'a' AS account_id, 't2' AS ticket_id"


@pytest.mark.parametrize("texts", [True, False])
@pytest.mark.parametrize("tables", [[ONE, MORE], [MORE, ONE], [MORE, ONE, ONE.replace("t1", "t3")]])
@pytest.mark.parametrize("place", ["glob", "folder", "sql"])
def test_files_are_put_together_by_the_names_of_their_columns(
    read: Load, folder: Path, texts: bool, tables: list[str], place: str
) -> None:
    path = write(folder, texts, tables)
    settings = {"sql": f"FROM '{path}'"} if place == "sql" else {"path": path}
    dataset = read(tables={"tickets": {"path": "t"} if place == "folder" else settings})
    found = rows(dataset, "SELECT ticket_id, category FROM tickets ORDER BY 1")
    assert found[:2] == [
        {"ticket_id": "t1", "category": None},
        {"ticket_id": "t2", "category": "x"},
    ]
    (text,) = notes(dataset, "tickets", "files")
    assert text.startswith(f"category: not in {len(tables) - 1} of {len(tables)} files (")


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("one", "other", "value"),
    [
        ("NULL::INTEGER", "'x'", "x"),
        ("1::BIGINT", "'x'", "x"),
        ("DATE '2023-01-01'", "'x'", "x"),
        ("1.5::DOUBLE", "2::INTEGER", "2"),
    ],
)
def test_a_column_of_two_types(
    read: Load, folder: Path, one: str, other: str, value: str, turned: bool
) -> None:
    tables = [f"{ONE}, {one} AS category", MORE.replace("'x'", other)]
    path = write(folder, False, tables[::-1] if turned else tables)
    found = rows(read(tables={"tickets": path}), "SELECT category FROM tickets ORDER BY ticket_id")
    assert found[1] == {"category": value}


def test_a_column_that_pyarrow_wrote_as_null(read: Load, folder: Path) -> None:
    path = write(folder, False, [ONE, MORE])
    table = pa.table({"ticket_id": ["t0"], "account_id": ["a"], "opened_at": ["2023-05-01"],
                      "category": pa.array([None], pa.null())})  # fmt: skip
    pq.write_table(table, folder / "t" / "00.parquet")
    found = rows(read(tables={"tickets": path}), "SELECT category FROM tickets ORDER BY ticket_id")
    assert [row["category"] for row in found] == [None, None, "x"]


def warehouse(folder: Path, *names: str) -> Path:
    path = folder / "w.duckdb"
    with duckdb.connect(str(path)) as connection:
        for name in names:
            schema, _, table = name.rpartition(".")
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema or 'main'}")
            stem = table.lower().removesuffix("_1")
            connection.execute(f"CREATE TABLE {name} AS FROM read_csv('{folder}/{stem}.csv')")
    return path


def whole(path: Path, **tables: Any) -> Dataset:
    config = make_config({"data": {"path": str(path), "tables": tables}}, base=path.parent)
    engine = open_engine(config)
    try:
        return load(config, engine)
    finally:
        engine.close()


@pytest.mark.parametrize("schema", ["marts.", "Main_Marts.", ""])
def test_tables_in_any_schema_are_seen(folder: Path, schema: str) -> None:
    names = [f"{schema}{name}" for name in ("ACCOUNTS", "subscriptions", "Tickets")]
    assert set(whole(warehouse(folder, *names)).columns) == {"accounts", "subscriptions", "tickets"}


def test_a_table_is_named_with_its_schema(folder: Path) -> None:
    path = warehouse(folder, "marts.accounts", "raw.accounts", "marts.subscriptions_1")
    with pytest.raises(DataError) as caught:
        whole(path)
    text = str(caught.value)
    assert "accounts: `accounts` stands in" in text
    assert "(found: marts.accounts, raw.accounts)" in text
    tables = {name: {"path": str(path), "table": f"marts.{name}"} for name in ("accounts",)}
    tables["subscriptions"] = {"path": str(path), "table": "subscriptions_1"}
    assert whole(path, **tables).report.accounts == 3
    tables["accounts"]["table"] = "mart.accounts"
    with pytest.raises(DataError, match=r"no table `mart.accounts`.*did you mean `marts.accounts`"):
        whole(path, **tables)


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("t.ndjson", "read_json('"),
        ("t.json.gz", "read_json('"),
        ("t.XLSX", "save the sheet as CSV"),
        ("t.csv.zip", "unpack it"),
        ("t.feather", "use CSV, Parquet or DuckDB"),
    ],
)
def test_other_kinds_of_files_have_a_way_out(read: Load, folder: Path, name: str, way: str) -> None:
    (folder / name).write_bytes(b"{}")
    with pytest.raises(DataError, match="is no kind of file that can be read") as caught:
        read(tables={"tickets": name})
    assert way in str(caught.value)


def test_json_is_read_by_a_query(read: Load, folder: Path) -> None:
    (folder / "t.ndjson").write_text(
        '{"ticket_id": "t1", "account_id": "a", "opened_at": "2023-05-01T10:00:00Z"}\n'
    )
    dataset = read(tables={"tickets": {"sql": "SELECT * FROM read_json('t.ndjson')"}})
    assert dataset.report.tables["tickets"].rows_used == 1


@pytest.mark.parametrize("name", ["Tickets.CSV", "TICKETS.Parquet"])
def test_tables_are_discovered_without_case(read: Load, folder: Path, name: str) -> None:
    (folder / "tickets.csv").unlink()
    kind = "parquet" if "arq" in name else "csv"
    duckdb.sql(f"COPY ({ONE}) TO '{folder}/{name}' (FORMAT {kind})")
    assert read().report.tables["tickets"].rows_used == 1
