"""Tables are found as files of several kinds, folders of parts, databases and queries."""

from __future__ import annotations

import gzip
from pathlib import Path

import duckdb
import pytest

from sources.conftest import ACCOUNTS, SUBSCRIPTIONS, TICKETS, Load, rows
from tenure.core.config import make_config
from tenure.core.errors import DataError
from tenure.sources.origin import input_files, named_places


def database(path: Path, **tables: Path) -> Path:
    with duckdb.connect(str(path)) as connection:
        for name, file in tables.items():
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM read_csv('{file}')")
    return path


def test_a_folder_of_mixed_kinds(read: Load, folder: Path) -> None:
    (folder / "accounts.csv").unlink()
    with gzip.open(folder / "accounts.csv.gz", "wt") as file:
        file.write(ACCOUNTS)
    duckdb.sql(f"COPY (FROM read_csv('{folder}/tickets.csv')) TO '{folder}/tickets.parquet'")
    dataset = read()
    assert dataset.report.tables["accounts"].origin == str(folder / "accounts.csv.gz")
    assert dataset.report.tables["tickets"].origin == str(folder / "tickets.parquet")


def test_a_folder_of_parquet_parts(read: Load, folder: Path) -> None:
    csv = folder / "tickets.csv"
    for number in (1, 2):
        part = folder / "tickets" / f"month={number}"
        part.mkdir(parents=True)
        where = "= 't1'" if number == 1 else "<> 't1'"
        duckdb.sql(f"COPY (FROM read_csv('{csv}') WHERE ticket_id {where}) TO '{part}/a.parquet'")
    csv.unlink()
    assert read().report.tables["tickets"].rows_in == 3


def test_a_glob(read: Load, folder: Path) -> None:
    first, *lines = TICKETS.splitlines()
    (folder / "t-1.csv").write_text(f"{first}\n{lines[0]}\n")
    (folder / "t-2.csv").write_text(f"{first}\n{lines[1]}\n")
    assert read(tables={"tickets": "t-*.csv"}).report.tables["tickets"].rows_in == 2


def test_the_files_of_tables_are_those_that_are_read(folder: Path) -> None:
    written = {
        "accounts.csv": True,
        "subscriptions.csv": True,
        "usage_events/date=2024-01-01/a.parquet": True,
        "scores.csv": False,
        "runs/data.json": False,
        "exports/east/t.csv": True,
        "zendesk/answers/a.json": True,
        "zendesk/other.json": False,
        "crm.duckdb": True,
    }
    (folder / "tickets.csv").unlink()
    for name in written:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    tables = {
        "tickets": {"path": str(folder / "exports/*/t.csv")},
        "survey_responses": {"sql": "SELECT * FROM read_json('zendesk/answers/*.json')"},
        "invoices": {"sql": 'SELECT * FROM "crm.duckdb".main.bills'},
    }
    config = make_config({"data": {"path": str(folder), "tables": tables}}, base=folder)
    files = {path for path in input_files(config, named_places(config)) if path.is_file()}
    assert files == {folder / name for name, read in written.items() if read}


def test_a_database_as_the_whole_input(read: Load, folder: Path) -> None:
    names = {name: folder / f"{name}.csv" for name in ("accounts", "subscriptions", "tickets")}
    path = database(folder / "all.duckdb", **names)
    assert read().fingerprint == read(path=str(path)).fingerprint


def test_a_table_of_a_database(read: Load, folder: Path) -> None:
    path = database(folder / "support.db", issues=folder / "tickets.csv")
    dataset = read(tables={"tickets": {"path": str(path), "table": "issues"}})
    assert dataset.report.tables["tickets"].origin == f"{path}: issues"
    with pytest.raises(DataError, match=r"no table `tickets` in .*support.db → known: issues"):
        read(tables={"tickets": str(path)})


def test_a_query_names_tables_of_a_database(read: Load, folder: Path) -> None:
    database(folder / "support.db", issues=folder / "tickets.csv")
    sql = "SELECT i.* FROM \"support.db\".Issues AS i JOIN 'accounts.csv' AS a USING (account_id)"
    assert read(tables={"tickets": {"sql": sql}}).report.tables["tickets"].rows_in == 3
    for name, message in (
        ('"support.db".cases', r"names no table of .*support\.db \(found: cases\) → known: issues"),
        ('"help.db".issues', r"names no file that exists \(found: help\.db\) → looked for"),
    ):
        with pytest.raises(DataError, match=message):
            read(tables={"tickets": {"sql": f"SELECT * FROM {name}"}})


def test_a_query_reads_csv_as_text(read: Load, folder: Path) -> None:
    accounts = ACCOUNTS.replace("\na,", "\n007,")
    (folder / "accounts.csv").write_text(accounts)
    (folder / "subscriptions.csv").write_text(SUBSCRIPTIONS.replace("\na,", "\n007,"))
    (folder / "raw.csv").write_text("number,account,opened\n1,007,2023-05-01\n2,007,2023-06-01\n")
    sql = "SELECT number AS ticket_id, account AS account_id, opened AS opened_at FROM 'raw.csv'"
    (folder / "tickets.csv").unlink()
    dataset = read(tables={"tickets": {"sql": sql}})
    assert rows(dataset, "SELECT DISTINCT account_id FROM tickets") == [{"account_id": "007"}]
    assert dataset.report.tables["tickets"].origin == "query"


def test_a_query_never_guesses_the_order_of_day_and_month(read: Load, folder: Path) -> None:
    (folder / "raw.csv").write_text("ticket_id,account_id,opened_at\n1,a,31/01/2023\n")
    for source in ("'raw.csv'", "read_csv('raw.csv')", "read_csv_auto('raw.csv', header=true)"):
        with pytest.raises(DataError, match="its values are not ISO 8601"):
            read(tables={"tickets": {"sql": f"SELECT * FROM {source}"}})


def test_files_in_a_query_keep_their_names(read: Load) -> None:
    sql = """
        SELECT tickets.*, accounts.segment AS category
        FROM 'tickets.csv' JOIN 'accounts.csv' USING (account_id)
    """
    assert read(tables={"tickets": {"sql": sql}}).has("tickets", "category")


@pytest.mark.parametrize(
    ("sql", "part"),
    [
        ("DROP TABLE accounts", "data.tables.tickets.sql: must be one SELECT"),
        ("SELECT 1; SELECT 2", "data.tables.tickets.sql: must be one SELECT"),
        ("SELECT FROM WHERE", "data.tables.tickets.sql: is not valid SQL"),
        ("SELECT * FROM 'nowhere.csv'", "nowhere.csv"),
    ],
)
def test_a_query_that_is_none(read: Load, sql: str, part: str) -> None:
    with pytest.raises(DataError) as caught:
        read(tables={"tickets": {"sql": sql}})
    assert part in str(caught.value)


def test_a_file_of_no_known_kind(read: Load, folder: Path) -> None:
    (folder / "tickets.xlsx").write_bytes(b"x")
    with pytest.raises(DataError, match="use CSV, Parquet or DuckDB"):
        read(tables={"tickets": "tickets.xlsx"})


def test_an_expression_of_the_wrong_type_names_its_column(read: Load) -> None:
    columns = {"resolved_at": "opened_at + resolved_at"}
    with pytest.raises(DataError) as caught:
        read(tables={"tickets": {"path": "tickets.csv", "columns": columns}})
    assert str(caught.value).startswith("data.tables.tickets.columns.resolved_at: ")
