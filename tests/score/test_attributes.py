"""Name, owner, segment and plan are those that were known at the prediction time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from tenure.core.config import make_config
from tenure.core.flat_row import ATTRIBUTES
from tenure.engine.duckdb import DuckDBEngine
from tenure.score.attributes import account_attributes
from tenure.sources.dataset import Dataset
from tenure.sources.load import load_frames

JAN, MAR, JUN = (datetime(2024, month, 1) for month in (1, 3, 6))
DEC = datetime(2024, 12, 1)


@pytest.fixture
def engine() -> Iterator[DuckDBEngine]:
    opened = DuckDBEngine(threads=1)
    yield opened
    opened.close()


def loaded(engine: DuckDBEngine, accounts: pd.DataFrame) -> Dataset:
    config = make_config({"data": {"path": "."}}, base=Path())
    tables = {"accounts": accounts, "subscriptions": SUBSCRIPTIONS}
    frames = {name: pa.Table.from_pandas(rows) for name, rows in tables.items()}
    return load_frames(frames, config, engine, observed_until=DEC)


def subscription(
    name: str, account: str, mrr: float, plan: str | None, **other: object
) -> dict[str, Any]:
    row = {"subscription_id": name, "account_id": account, "started_at": JAN, "mrr": mrr}
    return row | {"plan": plan, "ended_at": pd.NaT} | other


SUBSCRIPTIONS = pd.DataFrame(
    [
        subscription("s1", "a", 100.0, "Team"),
        subscription("s2", "a", 300.0, "Business", ended_at=MAR),
        subscription("s3", "a", 20.0, "Add-on", started_at=JUN),
        subscription("s4", "b", 50.0, "Starter", started_at=JUN),
        subscription("s5", "c", 10.0, None),
    ]
)


THREE = pd.DataFrame({"account_id": ["a", "b", "c"], "created_at": [JAN] * 3})


def at(dataset: Dataset, moment: datetime) -> list[tuple[str | None, ...]]:
    accounts = pd.Series(["c", "a", "b"], dtype="str")
    columns = account_attributes(dataset, accounts, moment)
    assert tuple(columns) == (*ATTRIBUTES, "notice_by")
    rows = pd.DataFrame(columns)[list(ATTRIBUTES)].astype(object)
    return [tuple(None if pd.isna(item) else item for item in row) for row in rows.to_numpy()]


def test_what_is_dated_is_cut_like_everything_else(engine: DuckDBEngine) -> None:
    accounts = pd.DataFrame(
        {
            "account_id": ["a", "a", "b", "c"],
            "created_at": [JAN] * 4,
            "valid_from": [JAN, JUN, JAN, JAN],
            "known_at": [JAN, datetime(2024, 7, 1), JAN, JAN],
            "name": ["Acme", "Acme Holding", "Bolt", None],
            "owner": ["ann", None, "bob", "cem"],
            "segment": ["smb", "mid", None, "smb"],
        }
    )
    dataset = loaded(engine, accounts)
    before = datetime(2024, 2, 1)
    assert at(dataset, before) == [
        (None, "cem", "smb", None),
        ("Acme", "ann", "smb", "Business"),
        ("Bolt", "bob", None, None),
    ]
    assert at(dataset, datetime(2024, 6, 15))[1] == ("Acme", "ann", "smb", "Team"), "not yet known"
    assert at(dataset, datetime(2024, 8, 1)) == [
        (None, "cem", "smb", None),
        ("Acme Holding", "ann", "mid", "Team"),
        ("Bolt", "bob", None, "Starter"),
    ]


def test_a_contract_can_be_ended_until_the_notice_period_before_its_end(
    engine: DuckDBEngine,
) -> None:
    """Annual terms from January and from June; notice 60 days before."""
    terms = SUBSCRIPTIONS.assign(billing_period=["annual", "", "annual", "annual", ""])
    rows = {"accounts": THREE, "subscriptions": terms}
    frames = {name: pa.Table.from_pandas(table) for name, table in rows.items()}
    config = make_config({"data": {"path": "."}}, base=Path())
    dataset = load_frames(frames, config, engine, observed_until=DEC)
    ids = pd.Series(["a", "b", "c"], dtype="str")

    def deadlines(moment: datetime, days: int | None = 60) -> list[Any]:
        column = account_attributes(dataset, ids, moment, days)["notice_by"]
        return [None if pd.isna(item) else pd.Timestamp(item) for item in column]

    january, june = datetime(2024, 11, 2), datetime(2025, 4, 2)
    assert deadlines(datetime(2024, 2, 1)) == [january, None, None]
    assert deadlines(datetime(2024, 7, 1)) == [january, june, None], "the earlier of two contracts"
    assert deadlines(datetime(2024, 11, 3)) == [june, june, None], "the first one has passed"
    assert deadlines(datetime(2024, 11, 3), 0)[0] == datetime(2025, 1, 1)
    assert deadlines(datetime(2024, 7, 1), None) == [None] * 3


def test_a_subscription_may_state_its_own_notice_period(engine: DuckDBEngine) -> None:
    terms = SUBSCRIPTIONS.assign(billing_period="annual", started_at=JAN)
    frames = {
        name: pa.Table.from_pandas(rows)
        for name, rows in {"accounts": THREE, "subscriptions": terms}.items()
    }
    config = make_config({"data": {"path": "."}}, base=Path())
    dataset = load_frames(frames, config, engine, observed_until=DEC)
    own = "CASE subscription_id WHEN 's4' THEN 90 WHEN 's5' THEN 0 END AS notice_period_days"
    engine.register("subscriptions", engine.fetch(f"SELECT *, {own} FROM subscriptions"))
    columns = dataset.columns["subscriptions"] | {"notice_period_days"}
    stating = replace(dataset, columns={**dataset.columns, "subscriptions": columns})
    ids = pd.Series(["a", "b", "c"], dtype="str")
    deadlines = account_attributes(stating, ids, datetime(2024, 7, 1), 30)["notice_by"]
    assert list(pd.to_datetime(deadlines)) == [
        datetime(2024, 12, 2),
        datetime(2024, 10, 3),
        datetime(2025, 1, 1),
    ]


def test_a_table_that_lacks_them_leaves_them_empty(engine: DuckDBEngine) -> None:
    found = at(loaded(engine, THREE), DEC)
    assert [row[:3] for row in found] == [(None, None, None)] * 3
    assert found[1][3] == "Team"


def test_a_name_is_never_a_feature(engine: DuckDBEngine) -> None:
    accounts = pd.DataFrame({"account_id": ["a"], "created_at": [JAN], "name": ["Acme"]})
    assert "name" not in loaded(engine, accounts).columns["accounts"]
