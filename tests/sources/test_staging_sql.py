"""Row by row: what is rejected and why, what is emptied, and what a late column needs."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from sources.conftest import Load, rows

HEAD = {
    "accounts": "account_id,created_at",
    "subscriptions": "account_id,started_at,mrr",
    "tickets": "ticket_id,account_id,opened_at",
    "survey_responses": "response_id,account_id,survey_type,sent_at,responded_at,score",
    "invoices": "invoice_id,account_id,issued_at,amount",
}


def write(folder: Path, table: str, header: str, *lines: str) -> None:
    (folder / f"{table}.csv").write_text("\n".join([header, *lines]) + "\n")


@pytest.mark.parametrize(
    ("table", "more", "bad", "good", "reason"),
    [
        ("tickets", "", ",a,2023-01-01", "t{},a,2023-01-01", "missing_ticket_id"),
        ("tickets", "", "t,,2023-01-01", "t{},a,2023-01-01", "missing_account_id"),
        ("tickets", "", "t,x,2023-01-01", "t{},a,2023-01-01", "unknown_account"),
        ("tickets", "", "t,a,", "t{},a,2023-01-01", "missing_opened_at"),
        ("subscriptions", "", "a,2023-01-01,-5", "a,2023-02-{},5", "negative_mrr"),
        ("subscriptions", "", "a,2023-01-01,", "a,2023-02-{},5", "missing_mrr"),
        (
            "subscriptions",
            ",discount",
            "a,2023-01-01,5,15",
            "a,2023-02-{},5,1",
            "discount_off_scale",
        ),
        ("survey_responses", "", "r,a,nps,,,9", "r{},a,nps,2023-01-01,,", "missing_time"),
        (
            "survey_responses",
            "",
            "r,a,x,2023-01-01,,",
            "r{},a,nps,2023-01-01,,",
            "unread_survey_type",
        ),
        ("invoices", "", "i,a,2023-01-01,", "i{},a,2023-01-01,5", "missing_amount"),
    ],
)
def test_a_row_is_rejected_for_what_it_says_itself(
    read: Load, folder: Path, table: str, more: str, bad: str, good: str, reason: str
) -> None:
    write(folder, table, HEAD[table] + more, bad, *(good.format(n) for n in range(10, 25)))
    report = read().report.tables[table]
    assert report.rejected == {reason: 1}
    assert report.rows_used == 15


def test_rows_of_a_rejected_account_are_unknown(read: Load, folder: Path) -> None:
    write(folder, "accounts", HEAD["accounts"], "a,2023-01-01", "b,", "c,2023-01-01")
    report = read().report
    assert report.tables["accounts"].rejected == {"missing_created_at": 1}
    assert report.tables["subscriptions"].rejected == {"unknown_account": 1}


def test_no_row_is_rejected_for_what_is_learnt_later(read: Load, folder: Path) -> None:
    late = ",first_responded_at,resolved_at,escalated_at,csat_score,csat_at"
    write(
        folder,
        "tickets",
        HEAD["tickets"] + late,
        "t1,a,2023-05-10 09:00,2023-05-09,2023-05-01,2023-05-09 08:00,5,2023-05-09",
        "t2,a,2023-05-10 09:00,2023-05-10,2023-05-11,2023-05-12,5,2023-05-13",
    )
    write(folder, "subscriptions", "account_id,started_at,mrr,ended_at,end_reason",
          "a,2023-05-10,5,2023-05-01,voluntary", "b,2023-05-10,5,2023-06-01,voluntary")  # fmt: skip
    write(folder, "invoices", HEAD["invoices"] + ",paid_at",
          "i1,a,2023-05-10,5,2023-05-09", "i2,a,2023-05-10,5,2023-05-10")  # fmt: skip
    dataset = read(observed_until="2024-01-01")
    report = dataset.report.tables
    assert not any(table.rejected for table in report.values())
    assert report["tickets"].emptied == {
        "first_responded_at": {"first_responded_at_before_opened_at": 1},
        "resolved_at": {"resolved_at_before_opened_at": 1},
        "escalated_at": {"escalated_at_before_opened_at": 1},
        "csat_at": {"csat_at_before_opened_at": 1},
    }
    assert rows(dataset, "SELECT * FROM tickets WHERE ticket_id = 't1'")[0]["csat_score"] is None
    # A date is compared by the last moment it can mean: an answer on the day of opening is none
    # too early.
    second = rows(dataset, "SELECT * FROM tickets WHERE ticket_id = 't2'")[0]
    assert second["first_responded_at"] == datetime(2023, 5, 10)
    assert second["first_responded_at__known"] == datetime(2023, 5, 10, 23, 59, 59, 999_999)
    found = rows(dataset, "SELECT account_id, ended_at, end_reason FROM subscriptions ORDER BY 1")
    assert found == [
        {"account_id": "a", "ended_at": None, "end_reason": None},
        {"account_id": "b", "ended_at": datetime(2023, 6, 1), "end_reason": "voluntary"},
    ]
    assert report["invoices"].emptied == {"paid_at": {"paid_at_before_issued_at": 1}}


@pytest.mark.parametrize(
    ("kind", "scale", "score", "kept"),
    [
        ("nps", ",", 0, True),
        ("nps", ",", 11, False),
        ("csat", ",", 0, False),
        ("csat", ",", 5, True),
        ("ces", ",", 7, True),
        ("ces", ",", 8, False),
        ("csi", ",", 812, True),
        ("csat", "0,100", 80, True),
        ("csat", "0,100", 101, False),
    ],
)
def test_a_score_off_its_scale_is_emptied(
    read: Load, folder: Path, kind: str, scale: str, score: int, kept: bool
) -> None:
    header = HEAD["survey_responses"] + ",scale_min,scale_max"
    write(folder, "survey_responses", header,
          f"r1,a,{kind},2023-05-01,2023-05-02,{score},{scale}",
          "r2,a,nps,2023-05-01,2023-05-02,9,0,10")  # fmt: skip
    dataset = read()
    found = rows(dataset, "SELECT score FROM survey_responses WHERE response_id = 'r1'")
    assert found == [{"score": float(score) if kept else None}]
    emptied = {} if kept else {"score": {"score_off_scale": 1}}
    assert dataset.report.tables["survey_responses"].emptied == emptied


def test_a_late_column_without_its_clock_is_not_used(read: Load, folder: Path) -> None:
    write(folder, "tickets", HEAD["tickets"] + ",csat_score", "t1,a,2023-05-01,5")
    write(folder, "survey_responses", "response_id,account_id,survey_type,sent_at,score,comment",
          "r,a,nps,2023-05-01,9,good")  # fmt: skip
    dataset = read()
    assert dataset.report.tables["tickets"].unused == {"csat_score": "csat_at"}
    assert "csat_score" not in dataset.engine.columns("tickets")
    assert not dataset.has("tickets", "csat_score")
    unused = dataset.report.tables["survey_responses"].unused
    assert unused == {"score": "responded_at", "comment": "responded_at"}
    texts = [remark.text for remark in dataset.report.tables["tickets"].remarks]
    assert texts == ["csat_score is not used: map its clock csat_at too"]


def test_a_late_value_whose_clock_is_empty_is_never_known(read: Load, folder: Path) -> None:
    write(folder, "tickets", HEAD["tickets"] + ",csat_score,csat_at",
          "t1,a,2023-05-01,5,", "t2,a,2023-05-01,4,2023-05-02")  # fmt: skip
    dataset = read(observed_until="2024-01-01")
    found = rows(dataset, "SELECT csat_score FROM tickets ORDER BY ticket_id")
    assert found == [{"csat_score": None}, {"csat_score": 4.0}]
    assert dataset.report.tables["tickets"].emptied == {"csat_score": {"without_its_clock": 1}}


def test_bad_values_in_optional_columns_empty_them(read: Load, folder: Path) -> None:
    lines = [f"a,2023-01-{day:02},5,{day},monthly" for day in range(1, 21)]
    lines += ["a,2023-02-01,5,lots,weekly"]
    write(folder, "subscriptions", HEAD["subscriptions"] + ",seats,billing_period", *lines)
    report = read().report.tables["subscriptions"]
    assert report.rows_used == 21
    assert report.emptied == {"seats": {"unreadable": 1}, "billing_period": {"unreadable": 1}}


def test_the_year_9999_means_no_end_yet(read: Load, folder: Path) -> None:
    write(folder, "subscriptions", HEAD["subscriptions"] + ",ended_at",
          "a,2023-01-01,5,9999-12-31", "b,2023-01-01,5,2023-05-01")  # fmt: skip
    dataset = read()
    assert dataset.report.tables["subscriptions"].emptied == {}
    found = rows(dataset, "SELECT ended_at, renews_at FROM subscriptions ORDER BY account_id")
    assert found[0] == {"ended_at": None, "renews_at": None}


@pytest.mark.parametrize(
    ("event", "known", "expected"),
    [
        ("2023-05-01", "", datetime(2023, 5, 1, 23, 59, 59, 999_999)),
        ("2023-05-01 09:00", "", datetime(2023, 5, 1, 9)),
        ("2023-05-01 09:00", "2023-05-03 08:00", datetime(2023, 5, 3, 8)),
        ("2023-05-01 09:00", "2023-05-03", datetime(2023, 5, 3, 23, 59, 59, 999_999)),
        ("2023-05-01 09:00", "2023-04-01 08:00", datetime(2023, 5, 1, 9)),
    ],
)
def test_known_at_is_never_before_the_event(
    read: Load, folder: Path, event: str, known: str, expected: datetime
) -> None:
    write(folder, "usage_events", "account_id,event,occurred_at,known_at",
          f"a,x,{event},{known}", "b,y,2023-06-01,2023-06-02")  # fmt: skip
    found = rows(read(), "SELECT known_at FROM usage_events WHERE account_id = 'a'")
    assert found == [{"known_at": expected}]


def test_an_account_with_history_has_a_row_for_each_version(read: Load, folder: Path) -> None:
    write(folder, "accounts", "account_id,created_at,valid_from,segment,tier",
          "a,2023-01-01,,smb,1", "a,2023-01-01,2023-06-01,mid,2", "a,2023-01-01,2023-06-01,big,3",
          "b,2023-01-01,,smb,1", "c,2023-01-01,,smb,1")  # fmt: skip
    dataset = read()
    assert dataset.report.tables["accounts"].rejected == {"duplicate_key": 1}
    assert dataset.report.accounts == 3
    found = rows(
        dataset, "SELECT event_time, segment FROM accounts WHERE account_id = 'a' ORDER BY 1"
    )
    assert [row["event_time"] for row in found] == [datetime(2023, 1, 1), datetime(2023, 6, 1)]
    assert dataset.has("accounts", "tier")


def test_which_attributes_may_be_features(read: Load, folder: Path) -> None:
    write(folder, "accounts", "account_id,created_at,segment,country,owner,tier,channel",
          "a,2023-01-01,smb,CA,sam,1,web", "b,2023-01-01,smb,DE,sam,1,web",
          "c,2023-01-01,smb,DE,sam,1,web")  # fmt: skip
    dataset = read(constant_attributes=["channel"], changing_attributes=["country"])
    assert {item.name: item.usable for item in dataset.report.attributes} == {
        "segment": True,
        "country": False,
        "owner": False,
        "tier": False,
        "channel": True,
    }
    assert dataset.columns["accounts"] == {"account_id", "created_at", "segment", "channel"}
    # All of them stand in the table: they may group a report.
    assert {"owner", "tier", "country"} <= set(dataset.engine.columns("accounts"))
