"""Dirt that breaks no rule is a warning with its share, red above 5 %."""

from __future__ import annotations

from pathlib import Path

import pytest

from sources.conftest import Load
from sources.test_staging_sql import write


def remarks(read: Load, table: str) -> dict[str, tuple[int, float | None, bool]]:
    found = read().report.tables[table].remarks
    return {item.code: (item.rows, item.share, item.red) for item in found}


def test_events_before_their_account(read: Load, folder: Path) -> None:
    # Accounts a and b were created on 5 January and 5 February.
    write(folder, "tickets", "ticket_id,account_id,opened_at", "t1,a,2023-01-04",
          "t2,a,2023-01-05", "t3,b,2023-02-04 23:00", "t4,b,2023-02-05 01:00")  # fmt: skip
    assert remarks(read, "tickets") == {"before_created": (2, 0.5, True)}


def test_five_per_cent_is_not_yet_red(read: Load, folder: Path) -> None:
    lines = [f"t{number},a,2023-03-01" for number in range(19)]
    write(folder, "tickets", "ticket_id,account_id,opened_at", "t,a,2023-01-01", *lines)
    assert remarks(read, "tickets") == {"before_created": (1, 0.05, False)}


def test_usage_outside_its_subscription_and_outside_paid_time(read: Load, folder: Path) -> None:
    write(
        folder,
        "subscriptions",
        "subscription_id,account_id,started_at,ended_at,mrr,status",
        "s1,a,2023-02-01,2023-03-01,0,trialing",
        "s1,a,2023-03-01,2023-04-01,10,active",
        "s1,a,2023-04-01,2023-05-01,12,active",
        "s2,a,2023-07-01,,10,active",
        "s3,b,2023-02-05,,10,active",
    )
    write(
        folder,
        "usage_events",
        "account_id,subscription_id,event,occurred_at",
        "a,s1,x,2023-02-10",  # own, not paid
        "a,s1,x,2023-03-10",
        "a,s1,x,2023-04-10",
        "a,s1,x,2023-05-01",  # the last day still counts
        "a,s1,x,2023-05-02",  # neither
        "a,s1,x,2023-07-02",  # paid, of another subscription
        "a,s9,x,2023-07-02",  # a subscription that is not there
        "a,,x,2023-07-02",  # no subscription named: nothing to compare
    )
    assert remarks(read, "usage_events") == {
        "outside_paid_time": (2, 2 / 8, True),
        "outside_subscription": (3, 3 / 8, True),
    }


def test_rows_of_zero_length_and_rows_that_overlap(read: Load, folder: Path) -> None:
    write(
        folder,
        "subscriptions",
        "account_id,started_at,ended_at,mrr",
        "a,2023-02-01,2023-02-01,10",
        "a,2023-02-02,2023-03-02,10",
        "a,2023-03-01,,10",
        "b,2023-03-01,,10",
    )
    assert remarks(read, "subscriptions") == {
        "zero_length": (1, 0.25, True),
        "overlapping": (1, 0.25, True),
    }


def test_coverage(read: Load) -> None:
    table = read().report.tables["tickets"]
    assert table.coverage == 2 / 3
    assert table.median_rows == 1.5
    assert table.freshness_days is not None
    assert round(table.freshness_days, 3) == round(20 / 24, 3)


def test_the_report_is_plain_json(read: Load) -> None:
    import json

    report = read().report.to_json()
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert report["tables"]["tickets"]["rows_used"] == 3
    assert report["missing_tables"] == [
        "usage_events", "survey_responses", "invoices", "touchpoints", "fx_rates", "mergers"
    ]  # fmt: skip


@pytest.mark.parametrize(("accounts", "named"), [(30, True), (8, False)])
def test_a_user_in_very_many_accounts_is_named(
    read: Load, folder: Path, accounts: int, named: bool
) -> None:
    names = [f"a{number}" for number in range(30)]
    write(folder, "accounts", "account_id,created_at", *(f"{name},2023-01-01" for name in names))
    starts = (f"{name},2023-01-05,100" for name in names)
    write(folder, "subscriptions", "account_id,started_at,mrr", *starts)
    own = [f"{name},{name}-user,login,2023-06-01 10:00" for name in names]
    bot = [f"{name},zapier,login,2023-06-01 11:00" for name in names[:accounts]]
    write(folder, "usage_events", "account_id,user_id,event,occurred_at", *own, *bot)
    (folder / "tickets.csv").unlink()
    red = [text for text in read().report.red if "`zapier`" in text]
    assert bool(red) is named
    if named:
        assert "user `zapier` stands in 30 of 30 accounts" in red[0]
        assert "`user_id: nullif(your_user, 'zapier')`" in red[0]


def test_users_that_each_account_numbers_for_itself_are_not_named(read: Load, folder: Path) -> None:
    names = [f"a{number}" for number in range(30)]
    write(folder, "accounts", "account_id,created_at", *(f"{name},2023-01-01" for name in names))
    starts = (f"{name},2023-01-05,100" for name in names)
    write(folder, "subscriptions", "account_id,started_at,mrr", *starts)
    own = [f"{name},{user},login,2023-06-01 10:00" for name in names for user in range(4)]
    write(folder, "usage_events", "account_id,user_id,event,occurred_at", *own)
    (folder / "tickets.csv").unlink()
    assert not any("is a user of each" in text for text in read().report.red)
