from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest

from demo.written import SMALL, Written
from tenure.core.files import sha256
from tenure.demo import write_world
from tenure.sources.contract import SOURCES

TABLES = (
    "accounts",
    "subscriptions",
    "usage_events",
    "tickets",
    "survey_responses",
    "invoices",
    "touchpoints",
)


@pytest.mark.parametrize("name", TABLES)
def test_tables_have_the_columns_of_the_contract(world: Written, name: str) -> None:
    known = {column.name for column in SOURCES[name].columns} | {"known_at"}
    further = {"region"} if name == "accounts" else set()
    found = set(world[name].columns)
    assert found - known == further
    assert {column.name for column in SOURCES[name].columns if column.required} <= found


@pytest.mark.parametrize("name", [name for name in TABLES if SOURCES[name].key])
def test_keys_are_unique_and_known(world: Written, name: str) -> None:
    table = world[name]
    key = [column for column in SOURCES[name].key if column in table]
    assert len(table) > 0
    assert not table.duplicated(key).any()
    assert table["account_id"].isin(world["accounts"]["account_id"]).all()


def test_equal_seeds_give_equal_bytes_and_others_do_not(world: Written, tmp_path: Path) -> None:
    again = write_world(tmp_path / "again", **SMALL)
    other = write_world(tmp_path / "other", **{**SMALL, "seed": 4})
    for name in TABLES:
        first = sha256(world.summary.folder / f"{name}.parquet")
        assert first == sha256(again.folder / f"{name}.parquet")
        assert first != sha256(other.folder / f"{name}.parquet")
    assert again.rows == world.summary.rows


def test_nothing_is_left_beside_the_tables(world: Written) -> None:
    found = {path.name for path in world.summary.folder.iterdir()}
    assert found == {f"{name}.parquet" for name in TABLES}


def test_observation_ends_after_the_last_month(world: Written) -> None:
    assert world.summary.observed_until == datetime(2022, 9, 1)
    late = {
        "subscriptions": ["started_at", "ended_at", "notice_at"],
        "usage_events": ["occurred_at", "known_at"],
        "tickets": ["opened_at", "first_responded_at", "resolved_at", "escalated_at", "csat_at"],
        "survey_responses": ["sent_at", "responded_at"],
        "invoices": ["issued_at", "paid_at"],
        "touchpoints": ["occurred_at"],
    }
    for name, columns in late.items():
        latest = world[name][columns].max()
        assert (latest.dropna() < world.until).all(), name
    assert world["usage_events"]["occurred_at"].max() > world.until - pd.Timedelta(days=1)


def test_dates_are_in_order(world: Written) -> None:
    def ordered(table: pd.DataFrame, *columns: str) -> bool:
        return all(
            (table[a].isna() | table[b].isna() | (table[a] <= table[b])).all()
            for a, b in pairwise(columns)
        )

    tickets = world["tickets"]
    assert ordered(world["subscriptions"], "started_at", "notice_at", "ended_at", "renews_at")
    assert ordered(tickets, "opened_at", "first_responded_at", "resolved_at", "csat_at")
    assert ordered(tickets, "opened_at", "escalated_at", "resolved_at")
    assert ordered(world["survey_responses"], "sent_at", "responded_at")
    assert ordered(world["usage_events"], "occurred_at", "known_at")
    assert ordered(world["invoices"], "issued_at", "paid_at")
    assert (tickets["csat_score"].notna() == tickets["csat_at"].notna()).all()


def test_nothing_happens_before_the_account_was_created(world: Written) -> None:
    created = world["accounts"].set_index("account_id")["created_at"]
    for name, column in (
        ("subscriptions", "started_at"),
        ("usage_events", "occurred_at"),
        ("tickets", "opened_at"),
    ):
        table = world[name]
        assert (table[column] > table["account_id"].map(created)).all(), name


def test_rows_of_a_subscription_do_not_overlap(larger: Written) -> None:
    rows = larger["subscriptions"].sort_values(["subscription_id", "started_at"])
    assert (rows["ended_at"].isna() | (rows["ended_at"] > rows["started_at"])).all()
    following = rows.groupby("subscription_id")["started_at"].shift(-1)
    running = rows["ended_at"].isna()
    assert following[running].isna().all()
    assert (rows["ended_at"] <= following)[following.notna()].all()


def test_notice_precedes_an_end_that_comes_when_the_term_is_over(larger: Written) -> None:
    rows = larger["subscriptions"]
    noticed = rows[rows["notice_at"].notna()]
    assert len(noticed) > 10
    assert (noticed["renews_at"] - noticed["notice_at"] <= pd.Timedelta(days=61)).all()
    over = noticed[noticed["ended_at"].notna()]
    assert (over["ended_at"] == over["renews_at"]).all()
    assert (over["end_reason"] == "non_renewal").all()
    assert (noticed.loc[noticed["ended_at"].isna(), "renews_at"] >= larger.until).all()


def test_prices_add_up(larger: Written) -> None:
    rows = larger["subscriptions"]
    paid = rows[rows["status"] == "active"]
    gap = (paid["list_mrr"] * (1 - paid["discount"]) - paid["mrr"]).abs()
    assert gap.max() <= 0.0051
    assert (paid["mrr"] > 0).all()
    assert (rows.loc[rows["status"] != "active", "mrr"] == 0).all()


def test_everything_that_the_world_promises_occurs(larger: Written) -> None:
    rows, surveys = larger["subscriptions"], larger["survey_responses"]
    assert set(rows["status"]) == {"active", "trialing", "paused"}
    assert set(rows["end_reason"].dropna()) == {
        "voluntary",
        "involuntary",
        "non_renewal",
        "upgrade",
        "downgrade",
    }
    assert set(rows["billing_period"].dropna()) == {"monthly", "annual"}
    assert rows["subscription_id"].str.endswith("-2").any(), "somebody comes back"
    assert set(surveys["survey_type"]) == {"nps", "csat", "ces"}
    assert 0.3 < surveys["responded_at"].isna().mean() < 0.9
    events = larger["usage_events"]
    assert 0.01 < (events["known_at"] > events["occurred_at"]).mean() < 0.05
    assert events["event"].nunique() == 9


def test_involuntary_ends_follow_an_unpaid_invoice(larger: Written) -> None:
    rows, invoices = larger["subscriptions"], larger["invoices"]
    lost = rows[(rows["end_reason"] == "involuntary") & (rows["plan"] != "Add-on")]
    owed = invoices[invoices["paid_at"].isna()].merge(lost, on="account_id")
    age = owed["ended_at"] - owed["issued_at"]
    unpaid = owed[(age > pd.Timedelta(days=26)) & (age < pd.Timedelta(days=28))]
    assert len(lost) > 5
    assert set(lost["account_id"]) == set(unpaid["account_id"])


def test_too_small_a_world_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least 20 accounts and 6 months"):
        write_world(tmp_path, accounts=3, months=6)
    assert not list(tmp_path.iterdir())
