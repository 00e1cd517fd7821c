"""Movements add up to the cent on random histories, and equal a slow restatement of the rules."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.core.config import make_config
from tenure.core.times import days
from tenure.demo import write_world
from tenure.engine import open_engine
from tenure.sources.dataset import Dataset
from tenure.sources.load import load, load_frames
from tenure.success.build import build
from tenure.success.definitions import METRICS
from tenure.success.interpret import MetricsRequest, metrics
from tenure.success.periods import Period
from tenure.success.states import MOVEMENTS, MOVES
from worlds import tables

START, UNTIL = datetime(2023, 1, 1), datetime(2024, 1, 1)
CONFIG = make_config({"data": {"path": "."}, "model": {"threads": 1}}, base=Path())

ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.sampled_from(["x", "y"]),
        st.integers(-60, 340),
        st.one_of(st.none(), st.integers(1, 200)),
        st.integers(0, 30_000),
        st.sampled_from(["EUR", "EUR", "USD"]),
        st.sampled_from(["active", "active", "active", "paused", "trialing"]),
    ),
    min_size=1,
    max_size=12,
)
DATES = st.lists(st.integers(0, 364), min_size=2, max_size=4, unique=True).map(sorted)


@pytest.fixture(scope="module")
def engine() -> Iterator[Any]:
    opened = open_engine(CONFIG)
    yield opened
    opened.close()


def world(rows: list[Any], rates: bool, merged: int | None = None) -> dict[str, pa.Table]:
    subscriptions = []
    for account, name, start, length, cents, currency, status in rows:
        started = START + days(start)
        subscriptions.append(
            {
                "subscription_id": f"{account}-{name}",
                "account_id": account,
                "started_at": started,
                "ended_at": None if length is None else started + days(length),
                "mrr": 0.0 if status == "paused" else cents / 100,
                "currency": currency,
                "status": status,
            }
        )
    accounts = [{"account_id": name, "created_at": START - days(90)} for name in ("a", "b")]
    result = tables({"accounts": accounts, "subscriptions": subscriptions})
    if rates:
        quotes = [("EUR", 0, 1.0), ("USD", 0, 0.913), ("USD", 150, 0.877)]
        result["fx_rates"] = pa.Table.from_pylist(
            [{"currency": c, "date": START + days(d - 100), "rate": r} for c, d, r in quotes]
        )
    if merged is not None:
        joined = {"account_id": "a", "into_account_id": "b", "at": START + days(merged)}
        result["mergers"] = pa.Table.from_pylist([joined])
    return result


def moves(dataset: Dataset, periods: list[Period], currency: str | None) -> list[dict[str, Any]]:
    build(CONFIG, dataset, periods, currency, {"money", "bridge"})
    return rows_of(dataset)


@given(rows=ROWS, dates=DATES, rates=st.booleans(), merged=st.none() | st.integers(-30, 360))
def test_start_and_movements_are_the_end(
    engine: Any, rows: list[Any], dates: list[int], rates: bool, merged: int | None
) -> None:
    dataset = load_frames(world(rows, rates, merged), CONFIG, engine, observed_until=UNTIL)
    edges = [START + days(day) for day in dates]
    periods = [Period(*pair) for pair in pairwise(edges)]
    for row in moves(dataset, periods, "EUR" if rates else None):
        amounts = [row[name] for name in MOVEMENTS]
        assert all(isinstance(amount, Decimal) for amount in amounts)
        assert row["start_mrr"] + sum(amounts) == row["end_mrr"]
        alone = ("fx", "merger", "expansion", "contracted_expansion")
        assert sum(row[name] != 0 for name in MOVEMENTS if name not in alone) <= 1
        for name in ("contraction", "churn", "pause"):
            assert row[name] <= 0
        for name in ("new", "reactivation", "expansion", "contracted_expansion", "resume"):
            assert row[name] >= 0
        assert merged is not None or row["merger"] == 0
        assert row["account_id"] == "b" or row["churn"] == 0 or row["to_at"] <= merger_at(merged)
    assert sum(row["merger"] for row in rows_of(dataset)) == 0


def rows_of(dataset: Dataset) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = dataset.engine.fetch(f"SELECT * FROM {MOVES}").to_pylist()
    return rows


def merger_at(merged: int | None) -> datetime:
    return UNTIL if merged is None else START + days(merged)


@pytest.mark.slow
def test_the_demo_world_ties_out(tmp_path: Path, engine: Any) -> None:
    write_world(tmp_path, accounts=150, months=24, seed=5)
    config = make_config({"data": {"path": str(tmp_path)}}, base=tmp_path)
    dataset = load(config, engine, thorough=False)
    record = metrics(config, dataset, MetricsRequest())
    by_key = {(row.name, row.currency): row for row in record.metrics if row.name in METRICS}
    currencies = {row.currency for row in record.metrics if row.name == "mrr"}
    assert len(currencies) > 1
    for currency in currencies:
        total = sum(by_key[f"movement_{name}", currency].value or 0 for name in MOVEMENTS)
        start_mrr = by_key["mrr_start", currency].value or 0
        assert start_mrr + total == pytest.approx(by_key["mrr", currency].value, abs=1e-6)
    one = by_key["mrr", record.metrics[0].currency]
    year = Period(datetime.fromisoformat(one.period_from), datetime.fromisoformat(one.period_to))
    for row in moves(dataset, year.split(1), None):
        assert row["start_mrr"] + sum(row[name] for name in MOVEMENTS) == row["end_mrr"]
