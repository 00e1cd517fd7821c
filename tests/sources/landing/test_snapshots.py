"""Daily copies of tables that are overwritten become history, which no later copy changes."""

from __future__ import annotations

import json
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tenure.core.config import Config, make_config
from tenure.core.errors import ConfigError, DataError
from tenure.core.times import literal
from tenure.engine.duckdb import DuckDBEngine
from tenure.run.snapshot import Snapshots, run_snapshot
from tenure.sources.load import load

T0 = datetime(2024, 3, 1, 6)
DAY = timedelta(days=1)
UNTIL = datetime(2024, 6, 1)
ACCOUNT = {"account_id": "a", "created_at": "2023-01-01"}
Row = dict[str, Any]


def config_of(folder: Path, accounts: list[Row], subscriptions: list[Row]) -> Config:
    """Return a config over today's rows, whose tables are copied."""
    tables = {
        "accounts": {"frame": accounts, "snapshots": True},
        "subscriptions": {"frame": subscriptions, "snapshots": True},
    }
    data = {"tables": tables, "observed_until": UNTIL, "changing_attributes": ["industry"]}
    return make_config({"data": data, "paths": {"runs": str(folder)}}, base=folder)


def sub(**values: Any) -> Row:
    """Return one subscription as its source has it today."""
    first = {"subscription_id": "s", "account_id": "a", "started_at": "2023-01-01", "mrr": 10.0}
    absent = dict.fromkeys(("ended_at", "notice_at", "renews_at", "status", "end_reason"))
    return {**first, **absent, **values}


def taken(folder: Path, days: list[list[Row]], accounts: list[Row] | None = None) -> Config:
    """Copy the rows of each day; return the config."""
    for number, rows in enumerate(days):
        config = config_of(folder, accounts or [ACCOUNT], rows)
        run_snapshot(config, at=T0 + number * DAY, force=True)
    return config


def history(config: Config, table: str, columns: str) -> list[tuple[Any, ...]]:
    engine = DuckDBEngine(threads=1)
    try:
        load(config, engine, thorough=False)
        rows = engine.fetch(f"SELECT {columns} FROM {table} ORDER BY ALL").to_pylist()
    finally:
        engine.close()
    return [tuple(row.values()) for row in rows]


START = datetime(2023, 1, 1)
LIVES: dict[str, tuple[list[list[Row]], list[tuple[Any, ...]]]] = {
    "nothing changes": ([[sub()]] * 3, [(START, None, 10.0)]),
    "a price changes": (
        [[sub()], [sub(mrr=12.0)]],
        [(START, T0 + DAY, 10.0), (T0 + DAY, None, 12.0)],
    ),
    "an end is entered late": (
        [[sub()], [sub(ended_at="2024-02-01", mrr=0.0, status="canceled")], [sub(mrr=0.0)]][:2],
        [(START, T0 + DAY, 10.0)],
    ),
    "an end is known ahead": (
        [[sub()], [sub(ended_at="2024-03-04")], *[[sub(ended_at="2024-03-04")]] * 4],
        [(START, T0 + DAY, 10.0), (T0 + DAY, datetime(2024, 3, 4), 10.0)],
    ),
    "an end is taken back": (
        [[sub()], [sub(ended_at="2024-05-01")], [sub()]],
        [(START, T0 + DAY, 10.0), (T0 + DAY, T0 + 2 * DAY, 10.0), (T0 + 2 * DAY, None, 10.0)],
    ),
    "it goes": (
        [[sub(), sub(subscription_id="t")], [sub()]],
        [(START, T0 + DAY, 10.0), (START, None, 10.0)],
    ),
    "it goes and comes back": (
        [[sub(), sub(subscription_id="t")], [sub()], [sub(), sub(subscription_id="t")]],
        [(START, T0 + DAY, 10.0), (START, None, 10.0), (T0 + 2 * DAY, None, 10.0)],
    ),
    "its end is corrected when it has passed": (
        [[sub()], [sub(ended_at="2024-03-01")], [sub(ended_at="2024-02-20")]],
        [(START, T0 + DAY, 10.0)],
    ),
    "its end lay ahead at first": (
        [[sub(ended_at="2024-05-01")], [sub(ended_at="2024-05-01", mrr=12.0)]],
        [
            (START, T0, 10.0),
            (T0, T0 + DAY, 10.0),
            (T0 + DAY, datetime(2024, 5, 1), 12.0),
        ],
    ),
    "it had ended at first": (
        [[sub(ended_at="2023-06-01")], [sub(ended_at="2023-06-01", mrr=0.0)]],
        [(START, datetime(2023, 6, 1), 10.0)],
    ),
}


@pytest.mark.parametrize("life", LIVES)
def test_the_life_of_a_subscription(tmp_path: Path, life: str) -> None:
    days, rows = LIVES[life]
    assert history(taken(tmp_path, days), "subscriptions", "started_at, ended_at, mrr") == rows


def test_a_renewal_is_a_term_and_a_state_has_its_time(tmp_path: Path) -> None:
    days = [
        [sub(renews_at="2024-03-02", status="active")],
        [sub(renews_at="2025-03-02", status="active")],
        [sub(renews_at="2025-03-02", status="unpaid")],
    ]
    columns = "started_at, renews_at, status, status_at, known_at"
    rows = history(taken(tmp_path, days), "subscriptions", columns)
    assert [row[:4] for row in rows] == [
        (START, datetime(2024, 3, 2), "active", T0),
        (T0 + DAY, datetime(2025, 3, 2), "active", T0 + DAY),
        (T0 + 2 * DAY, datetime(2025, 3, 2), "unpaid", T0 + 2 * DAY),
    ]
    assert [row[4] for row in rows[1:]] == [T0 + DAY, T0 + 2 * DAY]


def test_a_notice_and_a_reason_are_known_when_they_were_seen(tmp_path: Path) -> None:
    days = [
        [sub()],
        [sub(notice_at="2024-02-10")],
        [sub(notice_at="2024-02-10", ended_at="2024-03-03", end_reason="voluntary")],
    ]
    columns = "started_at, ended_at, notice_at, end_reason"
    assert history(taken(tmp_path, days), "subscriptions", columns) == [
        (START, datetime(2024, 3, 3, 6), T0 + DAY, "voluntary")
    ]


def test_a_subscription_that_is_entered_late_is_known_then(tmp_path: Path) -> None:
    late = sub(subscription_id="t", started_at="2024-01-15")
    rows = history(
        taken(tmp_path, [[sub()], [sub(), late]]), "subscriptions", "started_at, known_at"
    )
    assert rows[1] == (datetime(2024, 1, 15), T0 + DAY)


def test_accounts_have_a_history(tmp_path: Path) -> None:
    first = {**ACCOUNT, "segment": "small", "industry": "retail", "owner": "ada"}
    days = [[first], [{**first, "owner": "bob"}], [{**first, "owner": "bob"}], []]
    new = {"account_id": "b", "created_at": "2023-05-05", "segment": "large", "owner": "eve"}
    for number, rows in enumerate(days):
        accounts = [*rows, *([new] if number else [])]
        run_snapshot(config_of(tmp_path, accounts, [sub()]), at=T0 + number * DAY)
    columns = "account_id, valid_from, segment, industry, owner, known_at"
    versions = history(config_of(tmp_path, [], []), "accounts", columns)
    end = timedelta(microseconds=1)
    assert versions == [
        ("a", T0, "small", "retail", "ada", T0),
        ("a", T0 + DAY, "small", "retail", "bob", T0 + DAY),
        ("a", None, "small", None, None, START + DAY - end),
        ("b", T0 + DAY, "large", None, "eve", T0 + DAY),
        ("b", None, "large", None, None, T0 + DAY),
    ]


def test_a_day_has_one_copy_of_what_changed(tmp_path: Path) -> None:
    config = config_of(tmp_path, [ACCOUNT], [sub(), sub(subscription_id="t")])
    copies = run_snapshot(config, at=T0).copies
    assert copies["subscriptions"] is not None
    assert copies["subscriptions"].new == 2
    folder = tmp_path / "snapshots/subscriptions"
    before = {path: path.read_bytes() for path in folder.iterdir()}
    changed = config_of(tmp_path, [ACCOUNT], [sub(mrr=99.0)])
    again = run_snapshot(changed, at=T0 + timedelta(hours=3))
    assert again.copies == {"accounts": None, "subscriptions": None}
    assert "nothing added" in again.lines()[0]
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    later = run_snapshot(changed, at=T0 + DAY).copies["subscriptions"]
    assert later is not None
    assert (later.rows, later.new, later.changed, later.gone) == (1, 0, 1, 1)
    assert Snapshots({"a": later}).lines() == ["a: 1 rows; 0 new, 1 changed, 1 gone"]


def test_a_copy_that_was_cut_off_is_none(tmp_path: Path) -> None:
    config = taken(tmp_path, [[sub()], [sub(mrr=12.0)]])
    folder = tmp_path / "snapshots/subscriptions"
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["taken"].pop()  # the process ended between the file and the manifest
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert history(config, "subscriptions", "mrr") == [(10.0,)]
    run_snapshot(config_of(tmp_path, [ACCOUNT], [sub(mrr=14.0)]), at=T0 + DAY)
    assert history(config, "subscriptions", "mrr") == [(10.0,), (14.0,)]


def test_a_source_that_looks_cut_off_is_refused(tmp_path: Path) -> None:
    many = [sub(subscription_id=f"s{number}") for number in range(40)]
    run_snapshot(config_of(tmp_path, [ACCOUNT], many), at=T0)
    half = config_of(tmp_path, [ACCOUNT], many[:20])
    with pytest.raises(DataError, match=r"20 of 40 rows are gone since the last copy .*--force"):
        run_snapshot(half, at=T0 + DAY)
    copies = run_snapshot(half, at=T0 + DAY, force=True).copies
    assert copies["subscriptions"] is not None
    assert copies["subscriptions"].gone == 20


def test_what_cannot_be_copied_is_said(tmp_path: Path) -> None:
    engine = DuckDBEngine(threads=1)
    config = config_of(tmp_path, [ACCOUNT], [sub()])
    with pytest.raises(DataError, match=r"accounts: has no snapshots yet .*tenure snapshot"):
        load(config, engine)
    with pytest.raises(ConfigError, match="none has `snapshots: true`"):
        run_snapshot(make_config({"data": {"path": "x"}}, base=tmp_path))
    tickets = {"data": {"path": "x", "tables": {"tickets": {"path": "t", "snapshots": True}}}}
    with pytest.raises(DataError, match=r"tickets.snapshots: is not kept day by day"):
        run_snapshot(make_config(tickets, base=tmp_path))
    dated = config_of(tmp_path, [{**ACCOUNT, "valid_from": "2023-01-01"}], [sub()])
    run_snapshot(dated, at=T0)
    with pytest.raises(DataError, match="accounts have a history of their own"):
        load(dated, engine)
    engine.close()


# --- nothing that is seen on a day changes what was known before it

DATES = st.sampled_from(
    [None, "2024-02-20", "2024-03-02", "2024-03-04 12:00:00", "2024-05-01", "2024-08-01"]
)
SUBS = st.fixed_dictionaries(
    {},
    optional={
        "mrr": st.sampled_from([10.0, 12.0]),
        "ended_at": DATES,
        "notice_at": DATES,
        "renews_at": DATES,
        "status": st.sampled_from([None, "active", "canceled", "unpaid"]),
        "end_reason": st.sampled_from([None, "voluntary"]),
        "started_at": st.sampled_from(["2023-01-01", "2024-03-03"]),
    },
)
BOOK = st.dictionaries(st.sampled_from("rstuv"), SUBS, max_size=5)
OWNERS = st.sampled_from(["ada", "bob", None])


CLOCKS = {
    "ended_at": "ended_at",
    "end_reason": "ended_at",
    "notice_at": "notice_at",
    "status": "status_at",
    "status_at": "status_at",
}


def visible(config: Config, times: list[datetime]) -> list[Any]:
    """Return all that may be used as of some times, as the contract says."""
    engine = DuckDBEngine(threads=1)
    rows: list[Any] = []
    try:
        load(config, engine, thorough=False)
        for moment in map(literal, times):
            for table in ("accounts", "subscriptions"):
                columns = engine.columns(table)
                items = [
                    f"CASE WHEN {clock}__known < {moment} THEN {name} END AS {name}"
                    if f"{clock}__known" in columns
                    else f'"{name}"'
                    for name in columns
                    if not name.endswith("__known") and name != "successor_known"
                    for clock in [CLOCKS.get(name)]
                ]
                sql = (
                    f"SELECT {', '.join(items)} FROM {table} "
                    f"WHERE event_time < {moment} AND known_at < {moment} ORDER BY ALL"
                )
                rows.append(engine.fetch(sql).to_pylist())
    finally:
        engine.close()
    return rows


@pytest.mark.slow
@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(days=st.lists(st.tuples(BOOK, OWNERS), min_size=2, max_size=3))
@example(days=[({"s": {}}, "ada"), ({"s": {"ended_at": "2024-08-01"}}, "bob"), ({"s": {}}, None)])
@example(days=[({"s": {"ended_at": "2024-08-01"}}, "ada"), ({"s": {}}, "ada")])
def test_what_is_seen_on_a_day_changes_nothing_before_it(
    tmp_path: Path, days: list[tuple[dict[str, Row], str | None]]
) -> None:
    shutil.rmtree(tmp_path / "runs", ignore_errors=True)
    before: list[Any] = []
    times: list[datetime] = []
    for number, (book, owner) in enumerate(days):
        # One row that lasts: a table without a usable row is refused.
        subs = [sub(subscription_id="z")]
        subs += [sub(subscription_id=name, **values) for name, values in book.items()]
        config = config_of(tmp_path / "runs", [{**ACCOUNT, "owner": owner}], subs)
        day = T0 + number * DAY
        run_snapshot(config, at=day, force=True)
        earlier, times = times, [datetime(2023, 6, 1), day, day.replace(hour=0) + DAY]
        rows = visible(config, [*earlier, *times])
        assert rows[: len(before)] == before
        before = rows[len(before) :]
