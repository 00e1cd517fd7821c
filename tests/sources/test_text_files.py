"""CSV files as exports are: every line becomes a row or is counted, and every value is right."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sources.conftest import Load, rows
from tenure.core.errors import DataError
from tenure.sources.dataset import Dataset, write_rejects

HEADER = "ticket_id,account_id,opened_at,resolved_at,category"
ROWS = "".join(f"t{number},a,2023-05-0{number},,high\n" for number in range(1, 6))


def tickets(read: Load, folder: Path, content: str | bytes, name: str = "tickets.csv") -> Dataset:
    (folder / "tickets.csv").unlink(missing_ok=True)
    data = content if isinstance(content, bytes) else content.encode()
    (folder / name).write_bytes(data)
    return read(tables={"tickets": name})


def ids(dataset: Dataset) -> list[str]:
    return [row["ticket_id"] for row in rows(dataset, "SELECT ticket_id FROM tickets ORDER BY 1")]


def remarks(dataset: Dataset, code: str) -> list[str]:
    table = dataset.report.tables["tickets"]
    return [item.text for item in table.remarks if item.code == code]


# Five tables with a column of text each: one load reads five files.
TEXTS = {
    "tickets": "ticket_id,account_id,opened_at,category",
    "usage_events": "event_id,account_id,occurred_at,event",
    "touchpoints": "kind,account_id,occurred_at,note",
    "survey_responses": "response_id,account_id,responded_at,comment",
    "subscriptions": "subscription_id,account_id,started_at,plan",
}
VALUES: dict[str, dict[str, Any]] = {
    "survey_responses": {"survey_type": "nps"},
    "subscriptions": {"mrr": 5},
}
NAMES = ["T.CSV", "t.txt", "u.tsv", "t.Csv.Gz", "t.TAB"]


def places(files: dict[str, str]) -> dict[str, Any]:
    """The tables of some files, with the values that their four columns lack."""
    return {
        table: {
            "path": name,
            "columns": {key: {"value": value} for key, value in VALUES.get(table, {}).items()},
        }
        for table, name in files.items()
    }


def test_a_second_export_below_the_first_loses_no_row_in_silence(read: Load, folder: Path) -> None:
    wider = HEADER + ",category\n" + "".join(f"u{n},b,2023-06-0{n},,low,x\n" for n in range(1, 4))
    dataset = tickets(read, folder, f"{HEADER}\n{ROWS}{wider}")
    table = dataset.report.tables["tickets"]
    assert (table.rows_in, table.rows_used, table.rejected) == (9, 5, {"ragged_line": 4})
    assert ids(dataset) == ["t1", "t2", "t3", "t4", "t5"]
    assert any("tickets: 44.4 % of rows were rejected" in text for text in dataset.report.red)
    (text,) = remarks(dataset, "lines")
    assert "line 7 of tickets.csv (a line must have as many values as the header: 6 values" in text


@pytest.mark.parametrize(
    ("bad", "reason", "lines"),
    [
        ("t9,a,2023-05-09,,high, see mail\n", "ragged_line", 1),
        ("t9,a,2023-05-09\n", "ragged_line", 1),
        ('\n"Grand Total: 5"\nCopyright me\n', "ragged_line", 2),
        (
            't9,a,2023-05-09,,"high\nt10,a,2023-05-10,,low\nt11,a,2023-05-11,,"low"\n',
            "open_quote",
            3,
        ),
        ('t9,a,2023-05-09,,"high" priority\n', "open_quote", 1),
        (f"t9,a,2023-05-09,,{'x' * 17_000_000}\n", "long_line", 1),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_lines_that_are_no_rows_are_rejected_with_the_reason(
    read: Load, folder: Path, tmp_path: Path, bad: str, reason: str, lines: int, first: bool
) -> None:
    text = f"{HEADER}\n{bad}{ROWS}" if first else f"{HEADER}\n{ROWS}{bad}"
    dataset = tickets(read, folder, text)
    table = dataset.report.tables["tickets"]
    assert ids(dataset) == ["t1", "t2", "t3", "t4", "t5"]
    assert (table.rows_in, table.rejected) == (5 + lines, {reason: lines})
    path = write_rejects(dataset, tmp_path / "rejects")["tickets"]
    with duckdb.connect() as connection:
        kept = connection.execute(f"SELECT reason, row FROM '{path}'").fetchall()
    assert [item[0] for item in kept] == [reason] * lines
    assert all(item[1] in bad for item in kept)


def test_a_line_of_two_megabytes_is_a_line(read: Load, folder: Path) -> None:
    dataset = tickets(read, folder, f"{HEADER}\n{ROWS}t6,a,2023-05-06,,{'n' * 2_100_000}\n")
    assert ids(dataset)[-1] == "t6"


@pytest.mark.parametrize("quiet", ["page, home", 'page "home"', "page\nhome"])
def test_the_first_quote_may_come_late(read: Load, folder: Path, quiet: str) -> None:
    lines = "".join(f"e{number},a,login,2023-05-01\n" for number in range(20_600))
    quoted = quiet.replace('"', '""')
    (folder / "usage_events.csv").write_text(
        f'event_id,account_id,event,occurred_at\n{lines}last,a,"{quoted}",2023-05-02\n'
    )
    dataset = read()
    found = rows(dataset, "SELECT event FROM usage_events WHERE event_id = 'last'")
    assert found == [{"event": quiet}]
    assert dataset.report.tables["usage_events"].rows_used == 20_601


@pytest.mark.parametrize(
    "before",
    [
        "Report: tickets, all of 2023\nMade by me\n\n",
        "\n\n",
        "# made by a tool\n",
        '"Report of 2023"\n',
    ],
)
def test_a_header_below_a_title(read: Load, folder: Path, before: str) -> None:
    files = {table: f"{table}.csv" for table in list(TEXTS)[:4]}
    for name, separator in zip(files, ",;\t|", strict=True):
        text = TEXTS[name] + "\n" + "".join(f"t{n},a,2023-05-0{n},high\n" for n in range(1, 6))
        text = text.replace(",", separator)
        (folder / files[name]).write_text(before + text + "\nTotal 5\n")
    dataset = read(tables=places(files))
    for name in files:
        counted = dataset.report.tables[name]
        assert (counted.rows_in, counted.rows_used) == (6, 5), name
        assert [item.text for item in counted.remarks if item.code == "files"] == [
            f"{name}.csv: the {before.count(chr(10))} lines before the header are left out"
        ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_ends_encodings_and_names(read: Load, folder: Path, end: str, encoding: str) -> None:
    for header, name in zip(TEXTS.values(), NAMES, strict=True):
        text = f'{header}\nt1,a,2023-05-01,"Größe, ""x"""\nt2,a,2023-05-02,#1\n'
        data = text.replace("\n", end).encode(encoding)
        (folder / name).write_bytes(gzip.compress(data) if name.endswith("Gz") else data)
    dataset = read(tables=places(dict(zip(TEXTS, NAMES, strict=True))))
    for table, header in TEXTS.items():
        time, word = header.split(",")[2:]
        found = rows(dataset, f"SELECT {time} AS time, {word} AS word FROM {table} ORDER BY 1")
        assert [row["time"].day for row in found] == [1, 2], table
        assert [row["word"] for row in found] == ['Größe, "x"', "#1"], table
        assert dataset.report.tables[table].rows_in == 2


@pytest.mark.parametrize(
    ("mark", "value", "written"),
    [
        ("'", "a, it's", "'a, it''s'"),
        ('"', "'tis", "'tis"),
        ('"', "'so'", "'so'"),
        ('"', 'say "hi"', r'"say \"hi\""'),
        ('"', 'a "b', 'a "b'),
        ('"', " x", '" x"'),
    ],
)
def test_quotes(read: Load, folder: Path, mark: str, value: str, written: str) -> None:
    names = ["ticket_id", "account_id", "opened_at", "category"]
    lines = [[f"t{number}", "a", "2023-05-01"] for number in range(2)]
    quote = mark if mark == "'" else ""
    text = ",".join(quote + item + quote for item in names) + "\n"
    for line in lines:
        text += ",".join(quote + item + quote for item in line) + f",{written}\n"
    dataset = tickets(read, folder, text)
    found = rows(dataset, "SELECT DISTINCT category FROM tickets")
    assert found == [{"category": value.strip()}]


@pytest.mark.parametrize(
    ("data", "parts"),
    [
        (f"{HEADER}\nt1,a,2023-05-01,,Grüße\n".encode("cp1252"), ["line 2", "latin-1"]),
        (f"{HEADER},größe\nt1,a,2023-05-01,,x,y\n".encode("cp1252"), ["UTF-8", "latin-1"]),
        (f"{HEADER}\n{ROWS}".encode("utf-16-be"), ["zero bytes", "save it as UTF-8"]),
        (b"", ["empty"]),
        (b"PK\x03\x04\0\0", ["UTF-8"]),
        (f'"Report";"a", "b"\n{HEADER}\n{ROWS}'.encode(), ["line 1 above it", "delete"]),
    ],
)
def test_files_that_are_no_text_are_named(
    read: Load, folder: Path, data: bytes, parts: list[str]
) -> None:
    with pytest.raises(DataError) as caught:
        tickets(read, folder, data)
    (problem,) = caught.value.problems
    assert str(problem).startswith("tickets: ")
    assert "tickets.csv" in str(problem)
    assert all(part in str(problem) for part in parts), str(problem)


@pytest.mark.parametrize("ends", ["rn n n rn", "n rn n rn", "r rn n r", "rn rn n n"])
def test_lines_may_end_in_several_ways(read: Load, folder: Path, ends: str) -> None:
    lines = [
        HEADER,
        't1,a,2023-05-01,,"a\r\nb, ""c"""',
        't2,a,2023-05-02,,"d\ne"',
        "t3,a,2023-05-03,,f",
    ]
    marks = [end.replace("r", "\r").replace("n", "\n") for end in ends.split()]
    text = "".join(line + mark for line, mark in zip(lines, marks, strict=True))
    dataset = tickets(read, folder, text.encode())
    found = rows(dataset, "SELECT ticket_id, category FROM tickets ORDER BY 1")
    assert [row["category"] for row in found] == ['a\nb, "c"', "d\ne", "f"]


def test_the_way_out_of_another_encoding(read: Load, folder: Path) -> None:
    (folder / "t.csv").write_bytes(f"{HEADER}\nt1,a,2023-05-01,,Grün\n".encode("latin-1"))
    sql = "SELECT * FROM read_csv('t.csv', encoding='latin-1')"
    dataset = read(tables={"tickets": {"sql": sql}})
    assert rows(dataset, "SELECT category FROM tickets") == [{"category": "Grün"}]


def test_a_damaged_letter_costs_its_line_alone(read: Load, folder: Path) -> None:
    data = f"{HEADER}\n{ROWS}t6,a,2023-05-06,,Grün\n".encode() + b"t7,a,2023-05-07,,Gr\xc3\n"
    dataset = tickets(read, folder, data)
    assert dataset.report.tables["tickets"].rejected == {"not_utf_8": 1}
    assert ids(dataset)[-1] == "t6"


@pytest.mark.parametrize("sql", ["FROM 't.csv'", "SELECT * FROM read_csv('t.csv')"])
def test_files_of_a_query_are_read_alike(read: Load, folder: Path, sql: str) -> None:
    (folder / "t.csv").write_text(f"Report\n\n{HEADER}\n{ROWS}t9,a,2023-05-09,,a, b\n")
    dataset = read(tables={"tickets": {"sql": sql}})
    table = dataset.report.tables["tickets"]
    assert (table.rows_used, table.rejected) == (5, {"ragged_line": 1})
    assert "2 lines before the header" in remarks(dataset, "files")[0]


def test_names_in_a_header_may_have_spaces_and_capitals(read: Load, folder: Path) -> None:
    text = " Ticket_ID, ACCOUNT_ID ,Opened_At\nt1,a,2023-05-01\n"
    assert ids(tickets(read, folder, text)) == ["t1"]
