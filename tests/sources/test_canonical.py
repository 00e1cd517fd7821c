"""Where observation stops, and what a subscription row says of its term."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from sources.conftest import SUBSCRIPTIONS, Load, rows
from sources.test_staging_sql import write


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
    assert dataset.report.declared


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
    columns = "ended_at, end_reason, renews_at, term_end"
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
    found = rows(read(), "SELECT term_end FROM subscriptions WHERE account_id = 'a'")
    assert found == [{"term_end": expected}]


@pytest.mark.parametrize(
    ("mrr", "status", "paid"),
    [
        (10, "active", True),
        (10, "", True),
        (10, "canceled", True),
        (10, "past_due", True),
        (10, "Trialing", False),
        (10, "paused", False),
        (10, "unpaid", False),
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
        "term_end": "TIMESTAMP",
    }
    assert {name: found[name] for name in expected} == expected
    assert dataset.columns["subscriptions"] == {"account_id", "started_at", "mrr", "currency"}
    same = "SELECT count(*) AS n FROM subscriptions WHERE subscription_id = account_id"
    assert rows(dataset, same) == [{"n": 3}]
