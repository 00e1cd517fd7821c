"""Where observation stops, and what a subscription row says of its term."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from sources.conftest import SUBSCRIPTIONS, Load, rows
from sources.test_staging_sql import write
from tenure.core.config import make_config
from tenure.engine import Engine
from tenure.labels.snapshots import snapshots
from tenure.sources.dataset import Dataset
from tenure.sources.load import load_frames
from tenure.sources.terms import TERM_END, TERM_START, term_end


def test_the_default_is_the_day_after_the_latest_event(read: Load, folder: Path) -> None:
    # Ends, due dates and notices lie ahead when they are written: they do not count.
    write(
        folder,
        "subscriptions",
        "account_id,started_at,mrr,ended_at,renews_at,notice_at",
        "a,2023-01-10,1,2031-01-01,2032-01-01,2033-01-01",
    )
    write(folder, "invoices", "invoice_id,account_id,issued_at,due_at,paid_at,amount",
          "i,a,2023-01-11,2034-01-01,2035-01-01,5")  # fmt: skip
    write(folder, "tickets", "ticket_id,account_id,opened_at,resolved_at",
          "t,a,2023-02-07 13:00,2036-01-01")  # fmt: skip
    dataset = read()
    # The latest event is the creation of an account, on 5 March.
    assert dataset.observed_until == datetime(2023, 3, 6)
    emptied = dataset.report.tables["tickets"].emptied
    assert emptied == {"resolved_at": {"at_or_after_observed_until": 1}}
    assert rows(dataset, "SELECT resolved_at, resolved_at__known FROM tickets") == [
        {"resolved_at": None, "resolved_at__known": None}
    ]
    assert rows(dataset, "SELECT due_at, paid_at FROM invoices") == [
        {"due_at": datetime(2034, 1, 1), "paid_at": None}
    ]


def test_what_lies_at_or_after_it_is_set_aside_and_counted(read: Load, folder: Path) -> None:
    write(folder, "tickets", "ticket_id,account_id,opened_at",
          "t1,a,2023-05-31 23:59:59", "t2,a,2023-06-01", "t3,a,2023-07-01")  # fmt: skip
    dataset = read(observed_until="2023-06-01")
    table = dataset.report.tables["tickets"]
    assert (table.rows_in, table.rows_used, table.set_aside) == (3, 1, 2)
    assert table.rejected == {}
    assert dataset.report.observed_until_declared


def test_an_end_ahead_is_a_due_date(read: Load, folder: Path) -> None:
    write(
        folder,
        "subscriptions",
        "account_id,started_at,mrr,ended_at,renews_at,end_reason,billing_period",
        "a,2023-01-10,1,2023-06-01,,voluntary,annual",
        "b,2023-01-10,1,2023-06-01,2023-08-01,voluntary,annual",
        "c,2023-01-10,1,2023-05-31,,voluntary,annual",
    )
    dataset = read(observed_until="2023-06-01")
    columns = f"ended_at, end_reason, renews_at, {term_end('started_at')} AS term_end"
    found = rows(dataset, f"SELECT {columns} FROM subscriptions ORDER BY account_id")
    end, due, term = datetime(2023, 5, 31), datetime(2023, 6, 1), datetime(2024, 1, 10)
    assert found == [
        # The due date fills renews_at; the term does not depend on who still runs.
        {"ended_at": None, "end_reason": None, "renews_at": due, "term_end": term},
        {"ended_at": None, "end_reason": None, "renews_at": datetime(2023, 8, 1),
         "term_end": datetime(2023, 8, 1)},
        {"ended_at": end, "end_reason": "voluntary", "renews_at": None, "term_end": term},
    ]  # fmt: skip
    texts = {item.code: item.text for item in dataset.report.tables["subscriptions"].remarks}
    assert [texts["due_date"]] == [
        "2 rows end at or after observed_until: that end is a due date (renews_at)"
    ]


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        ("monthly", datetime(2023, 2, 28)),
        ("quarterly", datetime(2023, 4, 30)),
        ("12", datetime(2024, 1, 31)),
        ("", None),
    ],
)
def test_a_term_ends_after_its_billing_period(
    read: Load, folder: Path, period: str, expected: datetime | None
) -> None:
    write(folder, "subscriptions", "account_id,started_at,mrr,billing_period",
          f"a,2023-01-31,1,{period}", "b,2023-01-31,1,monthly")  # fmt: skip
    assert terms(read(), "2023-01-31")["a"][0] == expected


def terms(dataset: Dataset, as_of: str) -> dict[str, tuple[datetime | None, datetime]]:
    """Return, by account, when the term that runs at a time ends, and when it began."""
    found = rows(
        dataset,
        f"SELECT account_id, {TERM_END} AS until, {TERM_START} AS since FROM "
        f"(SELECT *, TIMESTAMP '{as_of}' AS as_of FROM subscriptions)",
    )
    return {row["account_id"]: (row["until"], row["since"]) for row in found}


def test_terms_roll_on_within_a_row(read: Load, folder: Path) -> None:
    write(
        folder,
        "subscriptions",
        "account_id,started_at,mrr,renews_at,billing_period",
        "a,2022-01-31,1,,monthly",
        "b,2022-03-01,1,2022-06-01,annual",
        "c,2022-03-01,1,2023-03-01,",
    )
    dataset = read()
    day = datetime
    assert terms(dataset, "2022-02-28") == {
        "a": (day(2022, 2, 28), day(2022, 1, 31)),
        "b": (day(2022, 6, 1), day(2021, 6, 1)),  # the agreed end of a term that others share
        "c": (day(2023, 3, 1), day(2022, 3, 1)),
    }
    assert terms(dataset, "2023-03-31 00:00:00.000001") == {
        "a": (day(2023, 4, 30), day(2023, 3, 31)),
        "b": (day(2023, 6, 1), day(2022, 6, 1)),
        "c": (None, day(2023, 3, 1)),
    }


def test_an_overwritten_renewal_date_does_not_count(read: Load, folder: Path) -> None:
    write(
        folder,
        "subscriptions",
        "account_id,started_at,mrr,renews_at,billing_period",
        "a,2022-01-10,1,2023-05-10,monthly",
        "b,2022-03-01,1,2023-08-20,annual",  # under a period and a half: as agreed
        "c,2022-03-01,1,2025-03-01,annual",
    )
    dataset = read()
    assert {name: until for name, (until, _) in terms(dataset, "2023-05-01").items()} == {
        "a": datetime(2023, 5, 10),
        "b": datetime(2023, 8, 20),
        "c": datetime(2024, 3, 1),
    }
    assert terms(dataset, "2022-02-01")["a"][0] == datetime(2022, 2, 10)
    (text,) = [
        item.text
        for item in dataset.report.tables["subscriptions"].remarks
        if item.code == "overwritten_renewal"
    ]
    assert text.startswith("66.7 % of rows have a renews_at that was not agreed at their start")


@pytest.mark.parametrize(("third", "overwritten"), [("2023-06-01", True), ("2023-05-01", False)])
def test_the_day_that_observation_stopped_is_no_renewal_date(
    read: Load, folder: Path, third: str, overwritten: bool
) -> None:
    write(folder, "subscriptions", "account_id,started_at,mrr,renews_at,billing_period",
          "a,2022-08-10,1,2023-06-01,annual", "b,2022-10-01,1,2023-06-01,annual",
          f"c,2022-09-01,1,{third},annual")  # fmt: skip
    dataset = read(observed_until="2023-06-01")
    agreed = datetime(2023, 8, 10) if overwritten else datetime(2023, 6, 1)
    assert terms(dataset, "2023-01-01")["a"][0] == agreed


def test_a_posted_account_keeps_the_renewal_date_that_its_rows_share(engine: Engine) -> None:
    time, day = pa.timestamp("us"), datetime(2023, 6, 1)
    accounts = {"account_id": pa.array(["a", "b"]), "created_at": pa.array([day] * 2, time)}
    starts = pa.array([datetime(2022, 8, 1), datetime(2022, 9, 1)], time)
    subscriptions = {
        "account_id": pa.array(["a", "b"]),
        "started_at": starts,
        "mrr": pa.array([1.0, 1.0]),
        "billing_period": pa.array(["annual"] * 2),
        "renews_at": pa.array([day] * 2, time),
    }
    frames = {"accounts": pa.table(accounts), "subscriptions": pa.table(subscriptions)}
    config = make_config({"data": {"path": "."}}, base=Path())
    dataset = load_frames(frames, config, engine, observed_until=day)
    assert terms(dataset, "2023-01-01")["a"][0] == day


STATUSES = ("account_id,started_at,ended_at,mrr,status,status_at,end_reason",
            "a,2023-01-31,,10,unpaid,2023-04-10,",
            "b,2023-01-31,2023-05-01,10,paused,2023-04-10,voluntary",
            "c,2023-01-31,2023-05-01,10,unpaid,2023-07-10,voluntary")  # fmt: skip


def test_a_status_counts_from_its_clock_on(read: Load, folder: Path) -> None:
    write(folder, "subscriptions", *STATUSES)
    columns = "ended_at, ended_at__known, end_reason"
    found = rows(read(observed_until="2023-06-01"),
                 f"SELECT {columns} FROM subscriptions WHERE paid ORDER BY account_id")  # fmt: skip
    lapse, end = datetime(2023, 4, 10), datetime(2023, 5, 1)
    day = timedelta(days=1) - timedelta(microseconds=1)
    assert [tuple(row.values()) for row in found] == [
        (lapse, lapse + day, "involuntary"),
        (lapse, lapse + day, None),
        (end, end + day, "voluntary"),  # unpaid only after observation stopped
    ]


def test_a_status_without_a_clock_is_that_of_the_last_moment(read: Load, folder: Path) -> None:
    header, *body = STATUSES
    undated = [re.sub(r"2023-0[47]-10", "", line) for line in body]
    write(folder, "subscriptions", header, *undated)
    dataset = read(observed_until="2023-06-01")
    found = rows(dataset, "SELECT ended_at FROM subscriptions WHERE paid ORDER BY account_id")
    last, end = datetime(2023, 6, 1) - timedelta(microseconds=1), datetime(2023, 5, 1)
    assert [row["ended_at"] for row in found] == [last, end, end]
    asked = snapshots(dataset, [datetime(2023, 4, 1), datetime(2023, 5, 1), datetime(2023, 6, 1)])
    assert asked.groupby("as_of")["account_id"].agg("".join).tolist() == ["abc", "abc"]
    remarks = dataset.report.tables["subscriptions"].remarks
    (text,) = [item.text for item in remarks if item.code == "undated_status"]
    assert text.startswith("100 % of rows are paused or unpaid, and nothing says since when")


MOVES = ("subscription_id,account_id,started_at,mrr,notice_at,renews_at,known_at",
         "old,a,2022-06-01,10,2023-03-01,2023-07-01,2022-06-01",
         "new,a,2023-07-01,10,,,2023-04-01",
         "late,a,2023-09-01,10,,,2022-09-01",
         "other,b,2023-07-01,10,,,2023-02-15")  # fmt: skip


@pytest.mark.parametrize("until", ["2023-06-01", "2023-08-01"])
def test_a_row_booked_to_follow_is_known_before_it_begins(
    read: Load, folder: Path, until: str
) -> None:
    write(folder, "subscriptions", *MOVES)
    dataset = read(observed_until=until)
    (old,) = rows(dataset, "SELECT successor_known FROM subscriptions WHERE notice_at IS NOT NULL")
    assert old["successor_known"] == datetime(2023, 4, 2) - timedelta(microseconds=1)
    asked = snapshots(dataset, [datetime(2023, 4, 1), datetime(2023, 5, 1)])
    assert asked["notice_given"].tolist() == [True, False]


def test_a_booking_that_is_not_dated_is_not_known_before(read: Load, folder: Path) -> None:
    undated = [line.rpartition(",")[0] for line in MOVES]
    write(folder, "subscriptions", *undated)
    found = rows(read(observed_until="2023-06-01"), "SELECT successor_known FROM subscriptions")
    assert found == [{"successor_known": None}]


@pytest.mark.parametrize(
    ("mrr", "status", "paid"),
    [
        (10, "active", True),
        (10, "", True),
        (10, "canceled", True),
        (10, "past_due", True),
        (10, "Trialing", False),
        (10, "incomplete", False),
        (10, "paused", True),  # until observation stops: it has been something else
        (10, "unpaid", True),
        (0, "active", False),
    ],
)
def test_what_is_paid(read: Load, folder: Path, mrr: float, status: str, paid: bool) -> None:
    write(folder, "subscriptions", "account_id,started_at,mrr,status",
          f"a,2023-01-31,{mrr},{status}", "b,2023-01-31,1,active")  # fmt: skip
    found = rows(read(), "SELECT paid FROM subscriptions WHERE account_id = 'a'")
    assert found == [{"paid": paid}]


@pytest.mark.parametrize(
    ("list_mrr", "discount", "price"),
    [("120", "0.5", 120.0), ("", "0.2", 100.0), ("", "", 80.0), ("", "1", 80.0)],
)
def test_the_list_price(
    read: Load, folder: Path, list_mrr: str, discount: str, price: float
) -> None:
    write(folder, "subscriptions", "account_id,started_at,mrr,list_mrr,discount",
          f"a,2023-01-31,80,{list_mrr},{discount}", "b,2023-01-31,1,1,0.1")  # fmt: skip
    found = rows(read(), "SELECT list_price FROM subscriptions WHERE account_id = 'a'")
    assert found == [{"list_price": price}]


def test_a_subscription_always_has_its_columns(read: Load, folder: Path) -> None:
    (folder / "subscriptions.csv").write_text(SUBSCRIPTIONS.replace("ended_at", "finished"))
    dataset = read()
    found = dataset.engine.columns("subscriptions")
    expected = {
        "ended_at": "TIMESTAMP",
        "ended_at__known": "TIMESTAMP",
        "notice_at": "TIMESTAMP",
        "notice_at__known": "TIMESTAMP",
        "end_reason": "VARCHAR",
        "renews_at": "TIMESTAMP",
        "list_mrr": "DOUBLE",
        "discount": "DOUBLE",
        "seats": "BIGINT",
        "plan": "VARCHAR",
        "billing_period": "VARCHAR",
        "status": "VARCHAR",
        "subscription_id": "VARCHAR",
        "paid": "BOOLEAN",
        "list_price": "DOUBLE",
        "status_at": "TIMESTAMP",
        "term_anchor": "TIMESTAMP",
        "term_months": "INTEGER",
        "successor_known": "TIMESTAMP",
    }
    assert {name: found[name] for name in expected} == expected
    assert dataset.columns["subscriptions"] == {"account_id", "started_at", "mrr", "currency"}
    same = "SELECT count(*) AS n FROM subscriptions WHERE subscription_id = account_id"
    assert rows(dataset, same) == [{"n": 3}]
