"""Ids that never match: the message says how they differ. Accounts without a date get one."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from sources.conftest import Load, rows
from tenure.core.errors import DataError


@pytest.mark.parametrize(
    ("ours", "theirs", "words"),
    [
        (("acme", "Birch"), ("ACME", "birch"), "differ in case"),
        (("17", "18"), ("00017", "00018"), "differ in leading zeros"),
        (("17", "18"), ("17.00", "18.00"), "differ in zeros after a point"),
        (("A-17", "A-18"), ("a 17", "a18"), "differ in spaces, hyphens"),
        (
            ("001D000000IRFma", "001D000000IRFmb"),
            ("001D000000IRFmaIAH", "001D000000IRFmbIAH"),
            "differ in length",
        ),
        (("17", "18"), ("acct_17", "acct_18"), "differ in what stands before the number"),
    ],
)
def test_how_ids_differ(
    read: Load, folder: Path, ours: tuple[str, str], theirs: tuple[str, str], words: str
) -> None:
    accounts = "\n".join(f"{name},2023-01-05" for name in ours)
    (folder / "accounts.csv").write_text(f"account_id,created_at\n{accounts}\n")
    starts = "\n".join(f"{name},2023-01-10,100" for name in ours)
    (folder / "subscriptions.csv").write_text(f"account_id,started_at,mrr\n{starts}\n")
    head = "ticket_id,account_id,opened_at\n"
    tickets = "\n".join(f"t{name},{name},2023-05-01" for name in theirs)
    (folder / "tickets.csv").write_text(head + tickets)
    with pytest.raises(DataError) as caught:
        read()
    assert f"the ids {words}" in str(caught.value)
    (folder / "tickets.csv").write_text(f"{head}{tickets}\nt,{ours[0]},2023-05-01\n")
    dataset = read()
    red = next(text for text in dataset.report.red if "of no known account" in text)
    assert red.startswith(f"tickets: 2 rows are of no known account, and the ids {words}")


def test_ids_that_have_nothing_in_common(read: Load, folder: Path) -> None:
    (folder / "tickets.csv").write_text("ticket_id,account_id,opened_at\nt,x,2023-05-01\n")
    with pytest.raises(DataError, match="map the column that holds the ids of the accounts table"):
        read()


def test_ids_that_differ_by_spaces_are_alike(read: Load, folder: Path) -> None:
    (folder / "tickets.csv").write_text("ticket_id,account_id,opened_at\nt, a\u00a0,2023-05-01\n")
    assert read().report.tables["tickets"].rows_used == 1


def test_accounts_are_created_with_their_first_subscription(read: Load, folder: Path) -> None:
    (folder / "accounts.csv").write_text("account_id,segment\na,smb\nb ,mid\n")
    lines = "s1,a,01/06/2023,1\ns2,a,10/01/2023,1\ns3,b,01/02/2023,1\n"
    head = "subscription_id,account_id,started_at,mrr\n"
    (folder / "subscriptions.csv").write_text(head + lines)
    table = {"path": str(folder / "subscriptions.csv"), "formats": {"started_at": "%d/%m/%Y"}}
    dataset = read(tables={"subscriptions": table})
    assert rows(dataset, "SELECT account_id, created_at FROM accounts ORDER BY 1") == [
        {"account_id": "a", "created_at": datetime(2023, 1, 10)},
        {"account_id": "b", "created_at": datetime(2023, 2, 1)},
    ]
    texts = [item.text for item in dataset.report.tables["accounts"].remarks]
    assert any(
        "it is the first started_at of the account's subscriptions" in text for text in texts
    )
    assert dataset.report.red == ()
