"""Ends that are the last paid day are read as such, where rows that follow each other say so."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from sources.conftest import Load, rows
from tenure.core.config import make_config
from tenure.core.errors import ConfigError
from tenure.labels.snapshots import snapshots
from tenure.sources.dataset import Dataset

HEAD = "subscription_id,account_id,started_at,ended_at,mrr\n"
FIRSTS = [date(2023, month, 1) for month in range(1, 13)] + [date(2024, 1, 1)]
AT = [datetime(2023, month, 1) for month in range(3, 12)]


def monthly(folder: Path, end: str, *, own_ids: bool = False) -> None:
    """Write rows of a month each, twelve for `a` and six for `b`, with ends as `end` says."""
    lines = []
    for account, months in (("a", 12), ("b", 6)):
        for n in range(months):
            first, after = FIRSTS[n], FIRSTS[n + 1]
            last = after - timedelta(days=1)
            ends = {
                "next": after,
                "day": last,
                "time": f"{last} 23:59:59",
                "ms": f"{last}T23:59:59.999Z",
            }
            key = f"s{account}{n}" if own_ids else f"s{account}"
            lines.append(f"{key},{account},{first},{ends[end]},100")
    (folder / "subscriptions.csv").write_text(HEAD + "\n".join(lines))
    (folder / "accounts.csv").write_text("account_id,created_at\na,2023-01-01\nb,2023-01-01\n")


def spells(dataset: Dataset) -> list[dict[str, Any]]:
    sql = "SELECT account_id, started_at, ended_at, ended_at__known FROM subscriptions ORDER BY ALL"
    return rows(dataset, sql)


@pytest.mark.parametrize("own_ids", [False, True])
@pytest.mark.parametrize("end", ["day", "time", "ms"])
def test_included_end_days_give_the_rows_of_excluded_ones(
    read: Load, folder: Path, end: str, own_ids: bool
) -> None:
    (folder / "tickets.csv").unlink()
    until = "2024-02-01"
    monthly(folder, "next", own_ids=own_ids)
    excluded = read(observed_until=until)
    assert excluded.report.red == ()
    monthly(folder, end, own_ids=own_ids)
    included = read(observed_until=until)
    assert spells(included) == spells(excluded)
    asked = snapshots(included, AT)
    assert len(asked) == 9 + 5
    assert asked.equals(snapshots(excluded, AT))
    (red,) = included.report.red
    assert red.startswith("subscriptions: 16 rows end the day before the next row")
    assert "data.tables.subscriptions.ended_at: inclusive or exclusive" in red


@pytest.mark.parametrize("east", [-5, 1])
def test_days_of_a_zone_begin_when_its_rows_do(read: Load, folder: Path, east: int) -> None:
    def stamp(day: date) -> str:
        return f"{day}T00:00:00{east + (3 < day.month < 11):+03}:00"

    lines = [
        f"sa,a,{stamp(first)},{stamp(after - timedelta(days=1))},100"
        for first, after in pairwise(FIRSTS)
    ]
    (folder / "subscriptions.csv").write_text(HEAD + "\n".join(lines))
    (folder / "accounts.csv").write_text("account_id,created_at\na,2023-01-01\nb,2023-01-01\n")
    dataset = read(observed_until="2024-02-01")
    assert len(snapshots(dataset, AT)) == 9
    assert any("11 rows end the day before the next" in text for text in dataset.report.red)


@pytest.mark.parametrize(("setting", "day"), [("inclusive", 1), ("exclusive", 31)])
def test_the_config_may_say_it(read: Load, folder: Path, setting: str, day: int) -> None:
    monthly(folder, "day")
    table = {"path": str(folder / "subscriptions.csv"), "ended_at": setting}
    dataset = read(tables={"subscriptions": table})
    assert spells(dataset)[0]["ended_at"].day == day
    assert dataset.report.red == ()


def test_rows_that_follow_at_once_are_left_as_they_are(read: Load, folder: Path) -> None:
    """One pause of a day among rows that meet says nothing of the end day."""
    monthly(folder, "next")
    text = (folder / "subscriptions.csv").read_text()
    (folder / "subscriptions.csv").write_text(text + "\nsb,b,2023-07-02,2023-08-01,100\n")
    dataset = read()
    ends = [row["ended_at"] for row in spells(dataset)]
    assert all(end is None or end.day == 1 for end in ends)
    assert any("is the end day included?" in text for text in dataset.report.red)


def test_ends_with_times_are_exact(read: Load, folder: Path) -> None:
    text = "s1,a,2023-02-01 10:00,2023-02-28 09:30,100\ns2,a,2023-03-01 08:00,,100\n"
    (folder / "subscriptions.csv").write_text(HEAD + text)
    dataset = read()
    assert spells(dataset)[0]["ended_at"] == datetime(2023, 2, 28, 9, 30)
    assert dataset.report.red == ()


def test_the_setting_is_checked(tmp_path: Path) -> None:
    tables = {"subscriptions": {"path": "x.csv", "ended_at": "sometimes"}}
    with pytest.raises(ConfigError, match="inclusive"):
        make_config({"data": {"path": ".", "tables": tables}}, base=tmp_path)
