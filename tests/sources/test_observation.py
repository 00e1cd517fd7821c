"""What is booked ahead, or stamped by a wrong clock, does not move the end of observation."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from sources.conftest import Load
from tenure.sources.dataset import Dataset

FIRST, LAST = date(2023, 3, 1), date(2024, 2, 28)
UNTIL = datetime(2024, 2, 29)


def days(step: int, last: date = LAST) -> list[date]:
    return [FIRST + timedelta(days=n) for n in range(0, (last - FIRST).days + 1, step)]


def usage(folder: Path, on: Iterable[date], more: str = "") -> None:
    lines = [f"a,login,{day} 09:00" for day in on]
    text = "account_id,event,occurred_at\n" + "\n".join(lines) + f"\n{more}"
    (folder / "usage_events.csv").write_text(text)


def write(folder: Path, name: str, head: str, *lines: str) -> None:
    (folder / f"{name}.csv").write_text(f"{head}\n" + "\n".join(lines) + "\n")


TOUCHES = "account_id,occurred_at,kind"
SUBSCRIPTIONS = "subscription_id,account_id,started_at,mrr"
INVOICES = "invoice_id,account_id,issued_at,amount"
MONTHS = [f"2023-{month:02}-01" for month in range(3, 13)] + ["2024-01-01", "2024-02-01"]
AHEAD = {
    "a meeting": (1, "touchpoints", TOUCHES, ("a,2023-06-01,call", "a,2026-01-15 14:00,qbr")),
    "a task of next week": (1, "touchpoints", TOUCHES, ("a,2023-06-01,call", "a,2024-03-06,task")),
    "meetings all year": (
        9,
        "touchpoints",
        TOUCHES,
        (*(f"a,{day},call" for day in days(3)), *(f"b,2024-{m:02}-15,qbr" for m in range(4, 13))),
    ),
    "a start of next quarter": (
        1,
        "subscriptions",
        SUBSCRIPTIONS,
        ("s1,a,2023-03-10,100", "s2,b,2023-03-10,100", "s3,a,2024-04-01,150"),
    ),
    "starts of next quarter": (
        3,
        "subscriptions",
        SUBSCRIPTIONS,
        *(("s1,a,2023-03-10,100", *(f"n{n},{n},2024-04-01,150" for n in "abc")),),
    ),
    "an invoice": (
        1,
        "invoices",
        INVOICES,
        (*(f"i{day},a,{day},100" for day in MONTHS), "i99,a,2024-12-31,100"),
    ),
    "invoices of a year": (
        7,
        "invoices",
        INVOICES,
        (*(f"i{d},a,{d},100" for d in MONTHS), *(f"j{m},a,2024-{m:02}-01,9" for m in range(4, 11))),
    ),
}


def red_of(dataset: Dataset, table: str) -> str:
    return next(text for text in dataset.report.red if text.startswith(f"{table}: "))


# Usage every other week leaves it possible that a task of next week has been done.
@pytest.mark.parametrize(
    ("name", "step"),
    [
        (name, step)
        for name in AHEAD
        for step in (1, 3, 14)
        if (name, step) != ("a task of next week", 14)
    ],
)
def test_what_is_booked_ahead_is_set_aside(read: Load, folder: Path, name: str, step: int) -> None:
    ahead, table, head, lines = AHEAD[name]
    (folder / "tickets.csv").unlink()
    usage(folder, [*days(step), LAST])
    write(folder, table, head, *lines)
    dataset = read()
    assert dataset.observed_until == UNTIL
    assert dataset.report.tables[table].set_aside == ahead
    red = red_of(dataset, table)
    assert red.startswith(f"{table}: {ahead} row")
    assert "set data.observed_until" in red


@pytest.mark.parametrize(
    "stray",
    ["a,login,2031-05-01 10:00", "a,login,2026-05-01\nb,login,2035-01-01\n", "a,x,2024-12-24"],
)
def test_a_wrong_clock_is_set_aside(read: Load, folder: Path, stray: str) -> None:
    (folder / "tickets.csv").unlink()
    usage(folder, days(1), stray)
    dataset = read()
    assert dataset.observed_until == UNTIL
    assert "a wrong clock" in red_of(dataset, "usage_events")


def test_a_wrong_clock_where_nothing_else_observes(read: Load, folder: Path) -> None:
    (folder / "tickets.csv").unlink()
    lines = [f"s{day},a,{day},100" for day in days(10)]
    write(folder, "subscriptions", SUBSCRIPTIONS, *lines, "s99,b,2032-01-01,100")
    dataset = read()
    assert dataset.observed_until == datetime(2024, 2, 25)
    assert "account b at 2032-01-01" in red_of(dataset, "subscriptions")


def test_sound_data_reach_to_their_last_row(read: Load, folder: Path) -> None:
    usage(folder, days(1))
    dataset = read()
    assert dataset.observed_until == UNTIL
    assert dataset.report.red == ()


def test_a_log_that_was_switched_off_does_not_end_observation(read: Load, folder: Path) -> None:
    usage(folder, days(1, date(2023, 8, 1)))
    (folder / "tickets.csv").unlink()
    lines = [f"s{day},a,{day},100" for day in days(4)]
    write(folder, "subscriptions", SUBSCRIPTIONS, *lines)
    dataset = read()
    assert dataset.observed_until == UNTIL
    assert not any("observed" in text for text in dataset.report.red)


def test_a_schedule_of_invoices_long_after_the_last_use_is_doubted(
    read: Load, folder: Path
) -> None:
    usage(folder, days(1, date(2023, 6, 30)))
    lines = [f"i{n},a,{2023 + n // 12}-{1 + n % 12:02}-01,10" for n in range(24)]
    write(folder, "invoices", INVOICES, *lines)
    text = next(text for text in read().report.red if "taken to stop" in text)
    assert text.startswith(
        "data.observed_until: tickets and usage_events end at 2023-12-31, but invoices go on "
        "until 2024-12-01, where observation is taken to stop"
    )
    assert "If those rows are written ahead, set it to 2024-01-01" in text


def test_rows_known_before_they_happen_were_booked(read: Load, folder: Path) -> None:
    """Where rows say when they were entered, that observes."""
    (folder / "tickets.csv").unlink()
    lines = [f"s{day},a,{day},100,{day}" for day in days(10)]
    lines += [f"n{n},a,2024-0{n}-01,100,2024-02-28" for n in (4, 5, 6)]
    write(folder, "subscriptions", f"{SUBSCRIPTIONS},known_at", *lines)
    usage(folder, days(10))
    assert read().observed_until == datetime(2024, 2, 25)


def test_a_declared_end_holds(read: Load, folder: Path) -> None:
    usage(folder, days(1))
    write(folder, "touchpoints", TOUCHES, "a,2026-01-15,qbr")
    dataset = read(observed_until="2024-03-10")
    assert dataset.observed_until == datetime(2024, 3, 10)
    assert dataset.report.red == ()


def test_a_declared_end_far_off_is_doubted(read: Load, folder: Path) -> None:
    usage(folder, days(1))
    dataset = read(observed_until="2030-01-01")
    assert dataset.observed_until == datetime(2030, 1, 1)
    assert any(
        text.startswith("data.observed_until: 2030-01-01 lies 2,133 days after the last row")
        for text in dataset.report.red
    )
