"""Values in the names of folders serve where the contract or a mapping has a use for them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from sources.conftest import Load, rows
from tenure.engine import Engine
from tenure.sources.files import files_of

TICKET = "SELECT 't' || {0} AS ticket_id, 'a' AS account_id, TIMESTAMP '2023-05-0{0}' AS opened_at"


def parts(folder: Path, key: str, values: list[str], sql: str) -> Path:
    for number, value in enumerate(values, 1):
        place = folder / f"{key}={value}"
        place.mkdir(parents=True)
        duckdb.sql(f"COPY ({sql.format(number)}) TO '{place}/x.parquet'")
    return folder


@pytest.fixture
def bare(folder: Path) -> Path:
    (folder / "tickets.csv").unlink()
    return folder


def test_a_folder_named_like_a_contract_column_serves_as_it(read: Load, bare: Path) -> None:
    parts(bare / "tickets", "priority", ["High", "very%20low"], TICKET)
    found = rows(read(), "SELECT ticket_id, priority FROM tickets ORDER BY 1")
    assert [row["priority"] for row in found] == ["high", "low"]


def test_a_date_in_a_folder_is_read_like_text(read: Load, bare: Path) -> None:
    sql = "SELECT 't' || {0} AS ticket_id, 'a' AS account_id"
    parts(bare / "tickets", "opened_at", ["2023-05-01", "2023-05-02"], sql)
    found = rows(read(), "SELECT opened_at FROM tickets ORDER BY 1")
    assert [row["opened_at"] for row in found] == [datetime(2023, 5, 1), datetime(2023, 5, 2)]


def test_no_value_in_a_folder_is_no_value(read: Load, bare: Path) -> None:
    parts(bare / "tickets", "category", ["billing", "__HIVE_DEFAULT_PARTITION__"], TICKET)
    found = rows(read(), "SELECT category FROM tickets ORDER BY ticket_id")
    assert [row["category"] for row in found] == ["billing", None]


def test_the_files_own_column_is_the_one_that_counts(read: Load, bare: Path) -> None:
    parts(bare / "tickets", "opened_at", ["2020-01-01", "2020-01-02"], TICKET)
    found = rows(read(), "SELECT min(opened_at) AS first FROM tickets")
    assert found == [{"first": datetime(2023, 5, 1)}]


def test_other_folders_are_no_attributes(read: Load, folder: Path) -> None:
    (folder / "accounts.csv").unlink()
    sql = "SELECT chr(96 + {0}) AS account_id, DATE '2023-01-01' AS created_at"
    parts(folder / "accounts", "run", ["1", "2"], sql)
    dataset = read()
    assert "run" not in dataset.engine.columns("accounts")
    assert dataset.report.accounts == 2


def test_a_mapping_may_name_any_folder(read: Load, bare: Path) -> None:
    place = parts(bare / "made", "team", ["x", "y"], TICKET)
    table = {"path": str(place), "columns": {"category": "upper(team)"}}
    found = rows(read(tables={"tickets": table}), "SELECT category FROM tickets ORDER BY 1")
    assert [row["category"] for row in found] == ["X", "Y"]


def test_csv_files_in_folders(read: Load, bare: Path) -> None:
    for value in ("low", "high"):
        place = bare / "made" / f"priority={value}"
        place.mkdir(parents=True)
        text = f"ticket_id,account_id,opened_at\n{value},a,2023-05-01\n"
        (place / "x.csv").write_text(text)
    dataset = read(tables={"tickets": str(bare / "made" / "*" / "x.csv")})
    found = rows(dataset, "SELECT ticket_id, priority FROM tickets")
    assert [row["priority"] for row in found] == [row["ticket_id"] for row in found]


def test_folders_above_the_path_say_nothing(read: Load, bare: Path) -> None:
    place = parts(bare / "priority=low" / "tickets", "n", ["1"], TICKET)
    assert not read(tables={"tickets": str(place)}).has("tickets", "priority")
    file = str(place / "n=1" / "x.parquet")
    assert not read(tables={"tickets": file}).has("tickets", "priority")


def test_files_are_listed_in_order(engine: Engine, tmp_path: Path) -> None:
    parts(tmp_path, "month", ["2", "1", "3"], TICKET)
    path = f"{tmp_path}/**/*.parquet"
    files = files_of(path, {"month"}, "_looked_at", engine)
    assert files is not None
    assert files.keys == ("month",)
    assert [files.label(item) for item in files.paths] == ["month=1", "month=2", "month=3"]
    found = engine.fetch(files.select(files.paths[1:2])).to_pylist()
    assert [(row["ticket_id"], row["month"]) for row in found] == [("t1", "2")]
    assert files_of(f"{tmp_path}/*.csv", (), "_looked_at", engine) is None


def test_a_name_that_reads_like_a_pattern(read: Load, bare: Path) -> None:
    place = bare / "made"
    place.mkdir()
    duckdb.sql(f"COPY ({TICKET.format(1)}) TO '{place}/x[1].parquet'")
    assert read(tables={"tickets": str(place)}).report.tables["tickets"].rows_in == 1
