"""Bad input ends in one message that names the thing, the rule, the value and the next step."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from sources.conftest import ACCOUNTS, Load, Recorder, rows
from tenure.core.config import make_config
from tenure.core.errors import DataError
from tenure.engine import Engine
from tenure.sources.load import load


def message(read: Load, **data: object) -> str:
    with pytest.raises(DataError) as caught:
        read(**data)
    return str(caught.value)


def test_sound_tables_are_read_and_cut(read: Load) -> None:
    dataset = read()
    # t3 was opened on 31 December in UTC: the day after it is where observation stops.
    assert dataset.observed_until == datetime(2024, 1, 1)
    assert not dataset.report.observed_until_declared
    assert set(dataset.columns) == {"accounts", "subscriptions", "tickets"}
    assert dataset.has("tickets", "resolved_at")
    assert not dataset.has("tickets", "csat_score")
    assert not dataset.has("usage_events")
    assert dataset.report.missing_tables[0] == "usage_events"
    assert dataset.report.usable
    assert rows(dataset, "SELECT opened_at FROM tickets WHERE ticket_id = 't3'") == [
        {"opened_at": datetime(2023, 12, 31, 4)}
    ]


def test_missing_folder(read: Load) -> None:
    assert message(read, path="/no/such/folder") == (
        "data.path: does not exist (found: /no/such/folder) → give the folder that holds the tables"
    )


def test_missing_file(read: Load, folder: Path) -> None:
    text = message(read, tables={"tickets": str(folder / "ticket.csv")})
    assert text == (
        f"tickets: the file does not exist (found: {folder}/ticket.csv) → "
        "did you mean `tickets.csv`?"
    )


def test_missing_required_table(read: Load, folder: Path) -> None:
    (folder / "subscriptions.csv").unlink()
    text = message(read)
    assert text.startswith("subscriptions: is required and was not found")
    assert "data.tables.subscriptions" in text


def test_missing_required_column(read: Load, folder: Path) -> None:
    (folder / "tickets.csv").write_text("ticket_id,account,opened\nt1,a,2023-01-01\n")
    text = message(read)
    assert text.startswith("2 problems:")
    assert (
        "tickets.account_id: the required column is missing: the account that the row belongs to, "
        "spelled as in `accounts` (found: columns are ticket_id, account, opened) → map it under "
        "data.tables.tickets.columns; did you mean `account`?"
    ) in text
    assert "tickets.opened_at: the required column is missing: when it was opened" in text


def test_a_survey_needs_one_of_its_times(read: Load, folder: Path) -> None:
    (folder / "survey_responses.csv").write_text("response_id,account_id,survey_type\nr,a,nps\n")
    assert "survey_responses.sent_at or responded_at: the required column" in message(read)


@pytest.mark.parametrize(
    ("value", "fix"),
    [
        ("03/04/2024", "`formats: {opened_at: '%m/%d/%Y'}`, or '%d/%m/%Y': both read all"),
        ("3.4.2024", "`formats: {opened_at: '%d.%m.%Y'}`"),
        ("2024/04/03", "`formats: {opened_at: '%Y/%m/%d'}`"),
        ("1712102400", "`formats: {opened_at: epoch_s}`"),
        ("1712102400000", "`formats: {opened_at: epoch_ms}`"),
        ("3 April 2024", "`formats: {opened_at: '%d %B %Y'}`"),
        ("01/25/2023", "`formats: {opened_at: '%m/%d/%Y'}`"),
        ("25/01/2023 13:05", "`formats: {opened_at: '%d/%m/%Y %H:%M'}`"),
        ("2/1/23 5:30 PM", "`formats: {opened_at: '%m/%d/%y %I:%M %p'}`, or"),
        ("Feb 01, 2023", "`formats: {opened_at: '%b %d, %Y'}`"),
        ("20240403", "`formats: {opened_at: '%Y%m%d'}`"),
        ("1712102400000000", "`formats: {opened_at: epoch_us}`"),
        ("1712102400000000000", "`formats: {opened_at: epoch_ns}`"),
        ("44942", "day numbers of a spreadsheet: map `opened_at: CAST('1899-12-30'"),
        ("last week", "map an expression that gives a time"),
        ("31.31.2023", "or declare its format (`formats: {opened_at: '%d.%m.%Y'}`)"),
    ],
)
def test_wrong_date_format(read: Load, folder: Path, value: str, fix: str) -> None:
    (folder / "tickets.csv").write_text(f'ticket_id,account_id,opened_at\nt1,a,"{value}"\n')
    text = message(read)
    assert text.startswith("tickets.opened_at: its values are not ISO 8601 dates or times")
    assert f"(found: {value})" in text
    assert fix in text


def test_a_number_is_no_time_unless_declared(read: Load, folder: Path) -> None:
    columns = {"opened_at": "CAST('1712102400' AS BIGINT)"}
    table = {"path": str(folder / "tickets.csv"), "columns": columns}
    text = message(read, tables={"tickets": table})
    assert text.startswith("tickets.opened_at: is a number, and which time it means")
    declared = table | {"formats": {"opened_at": "epoch_s"}}
    found = rows(read(tables={"tickets": declared}), "SELECT DISTINCT opened_at FROM tickets")
    assert found == [{"opened_at": datetime(2024, 4, 3)}]


def test_a_declared_format_is_used(read: Load, folder: Path) -> None:
    (folder / "tickets.csv").write_text("ticket_id,account_id,opened_at\nt1,a,03/04/2023\n")
    table = {"path": str(folder / "tickets.csv"), "formats": {"opened_at": "%m/%d/%Y"}}
    dataset = read(tables={"tickets": table})
    assert rows(dataset, "SELECT opened_at FROM tickets") == [{"opened_at": datetime(2023, 3, 4)}]


def test_values_that_miss_the_declared_format(read: Load, folder: Path) -> None:
    (folder / "tickets.csv").write_text("ticket_id,account_id,opened_at\nt1,a,2023-04-03\n")
    table = {"path": str(folder / "tickets.csv"), "formats": {"opened_at": "%m/%d/%Y"}}
    text = message(read, tables={"tickets": table})
    assert "tickets.opened_at: its values are not times of the format %m/%d/%Y" in text


def test_a_format_that_is_none(read: Load, folder: Path) -> None:
    table = {
        "path": str(folder / "tickets.csv"),
        "formats": {"opened_at": "%d/%Q", "priority": "iso"},
    }
    text = message(read, tables={"tickets": table})
    assert "data.tables.tickets.formats.opened_at: is not a format (found: %d/%Q)" in text
    assert "data.tables.tickets.formats.priority: is not a time column of the table" in text


def test_a_stray_bad_time_rejects_its_row_only(read: Load, folder: Path) -> None:
    lines = [f"t{number},a,2023-05-01" for number in range(40)] + ["t99,a,03/04/2023"]
    (folder / "tickets.csv").write_text("ticket_id,account_id,opened_at\n" + "\n".join(lines))
    table = read().report.tables["tickets"]
    assert table.rows_used == 40
    assert table.rejected == {"unread_opened_at": 1}


def test_numbers_that_are_none(read: Load, folder: Path) -> None:
    text = "account_id,started_at,mrr\na,2023-01-10,$100\nb,2023-01-10,$90\n"
    (folder / "subscriptions.csv").write_text(text)
    assert "subscriptions.mrr: must be a number; none of its values is one" in message(read)


def test_unknown_account_ids(read: Load, folder: Path) -> None:
    lines = "t1,x,2023-01-01\nt2,y,2023-01-01\n"
    (folder / "tickets.csv").write_text("ticket_id,account_id,opened_at\n" + lines)
    assert message(read) == (
        "tickets.account_id: no row belongs to a known account "
        "(found: tickets has x, y; accounts has a, b) → "
        "map the column that holds the ids of the accounts table"
    )


def test_some_unknown_account_ids_are_rejected(read: Load, folder: Path) -> None:
    with (folder / "tickets.csv").open("a") as file:
        file.write("t4,x,2023-01-01,\n")
    report = read().report
    assert report.tables["tickets"].rejected == {"unknown_account": 1}
    assert report.red == ("tickets: 25 % of rows were rejected: unknown_account 1",)


def test_duplicate_keys_keep_the_first_known(read: Load, folder: Path) -> None:
    (folder / "tickets.csv").write_text(
        "ticket_id,account_id,opened_at,priority,known_at\n"
        "t1,a,2023-05-02,high,2023-05-09T10:00\n"
        "t1,a,2023-05-01,low,2023-05-03T10:00\n"
        "t1,b,2023-05-01,urgent,2023-05-03T11:00\n"
    )
    dataset = read()
    assert rows(dataset, "SELECT account_id, priority FROM tickets") == [
        {"account_id": "a", "priority": "low"}
    ]
    assert dataset.report.tables["tickets"].rejected == {"duplicate_key": 2}


def test_all_null_required_column(read: Load, folder: Path) -> None:
    (folder / "subscriptions.csv").write_text(
        "account_id,started_at,mrr\na,2023-01-10,\nb,2023-01-10,\n"
    )
    assert message(read) == (
        "subscriptions.mrr: a required column has no value in any row → "
        "map another column under data.tables.subscriptions.columns"
    )


def test_all_null_optional_column_counts_as_absent(read: Load, folder: Path) -> None:
    (folder / "tickets.csv").write_text(
        "ticket_id,account_id,opened_at,priority\nt1,a,2023-05-01,\n"
    )
    dataset = read()
    assert dataset.has("tickets")
    assert not dataset.has("tickets", "priority")
    assert "priority" not in dataset.engine.columns("tickets")
    texts = [remark.text for remark in dataset.report.tables["tickets"].remarks]
    assert texts == ["priority has no value in any row and counts as absent"]


def test_empty_table(read: Load, folder: Path) -> None:
    (folder / "tickets.csv").write_text("ticket_id,account_id,opened_at\n")
    assert message(read) == ("tickets: the table is empty → leave it out of the config, or fill it")


@pytest.mark.parametrize(
    ("table", "text", "problem"),
    [
        ("accounts", "account_id\n", "the table is empty"),
        ("accounts", "", "{path} is empty"),
        ("subscriptions", "", "{path} is empty"),
    ],
)
def test_a_required_table_without_a_row_cannot_be_left_out(
    read: Load, folder: Path, table: str, text: str, problem: str
) -> None:
    path = folder / f"{table}.csv"
    path.write_text(text)
    assert message(read) == f"{table}: {problem.format(path=path)} → fill it"


def test_a_required_table_that_the_config_leaves_out(read: Load) -> None:
    assert message(read, leave_out=["subscriptions"]) == (
        "subscriptions: is required and left out by data.leave_out → "
        "map data.tables.subscriptions, or take it out of data.leave_out"
    )


def test_every_problem_comes_at_once(read: Load, folder: Path) -> None:
    (folder / "tickets.csv").write_text("ticket_id,account_id,opened_at\nt1,a,03/04/2023\n")
    (folder / "subscriptions.csv").write_text("account_id,mrr\na,1\n")
    (folder / "usage_events.csv").write_text("account_id,event,occurred_at\n")
    text = message(read, tables={"invoices": "nowhere.csv", "tikets": "x.csv"})
    assert text.startswith("5 problems:")
    for part in (
        "table tikets: is not a table of the contract → did you mean `tickets`?",
        "invoices: the file does not exist",
        "subscriptions.started_at: the required column is missing",
        "tickets.opened_at: its values are not ISO 8601",
        "usage_events: the table is empty",
    ):
        assert part in text


def test_no_row_before_observed_until(read: Load) -> None:
    text = message(read, observed_until="2020-01-01")
    assert "accounts: no row lies before observed_until (found: observed_until 2020-01-01)" in text


def test_an_unknown_attribute_in_the_config(read: Load) -> None:
    text = message(read, constant_attributes=["segmnt"])
    assert text == (
        "data.constant_attributes: segmnt: is not a column of accounts → did you mean `segment`?"
    )


def test_a_broken_file(read: Load, folder: Path) -> None:
    (folder / "usage_events.parquet").write_bytes(b"PAR1 and then nothing")
    text = message(read)
    assert text.startswith(f"usage_events: cannot be read from {folder}/usage_events.parquet")
    assert "CSV (with a header line) or Parquet" in text


def test_progress_names_each_table(folder: Path, engine: Engine) -> None:
    progress = Recorder()
    config = make_config({"data": {"path": str(folder)}}, base=folder)
    load(config, engine, progress=progress)
    assert progress.steps == ["accounts", "subscriptions", "tickets"]
    assert progress.stages == ["reading tables", "checking rows", "fingerprint of the tables"]


def test_ids_lose_the_decimals_that_floats_left(read: Load, folder: Path) -> None:
    (folder / "accounts.csv").write_text(ACCOUNTS.replace("\na,", "\n17,"))
    (folder / "subscriptions.csv").write_text("account_id,started_at,mrr\n17.0,2023-01-10,9\n")
    (folder / "tickets.csv").unlink()
    found = rows(read(), "SELECT account_id, subscription_id FROM subscriptions")
    assert found == [{"account_id": "17", "subscription_id": "17"}]
