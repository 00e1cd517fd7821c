"""Rows that were made for a life of a known length are named by their table; honest ones are not.

Accounts begin over two years, leave at random and are watched until the end of them.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from histories import history, subscription
from tenure.audit.lifetime import elasticity, lifetimes
from tenure.core.records.shape import LifetimeRecord
from tenure.engine.duckdb import DuckDBEngine

START, SPAN = datetime(2022, 1, 1), 730
END = START + timedelta(days=SPAN)
Days = NDArray[np.float64]
Rows = Callable[[np.random.Generator, float, int], Days]
"""Days of an account's rows from its source of chance, its observed life, and its number."""


def found(
    rows: Rows, lives: Days | None = None, *, seed: int = 0, table: str = "usage_events"
) -> list[LifetimeRecord]:
    rng = np.random.default_rng(seed)
    lives = rng.exponential(400, 1_000) if lives is None else lives
    began = rng.uniform(1, SPAN - 30, len(lives))
    paid, names, times = [], ["a0"], [START]
    for number, (first, life) in enumerate(zip(began, lives, strict=True)):
        start, seen = START + timedelta(days=first), min(life, SPAN - first)
        end = start + timedelta(days=life) if life < SPAN - first else None
        name = f"a{number}"
        paid.append(subscription(start, end, account=name, id=name))
        days = rows(rng, seen, number)
        names += [name] * len(days)
        times += [start + timedelta(days=float(day)) for day in days]
    with closing(DuckDBEngine(threads=1)) as engine:
        data = history(engine, paid, END)
        columns = {"account_id": names, "event_time": pa.array(times, pa.timestamp("us"))}
        engine.register(table, pa.table(columns))
        data = replace(data, columns={**data.columns, table: frozenset(columns)})
        return lifetimes(data, ["tickets"])


def evenly(rate: float) -> Rows:
    return lambda rng, seen, _: rng.uniform(0, seen, rng.poisson(rate * seen))


def spread(rows: float) -> Rows:
    """So many rows for each account, whatever the length of its life."""
    return lambda rng, seen, _: rng.uniform(0, seen, rng.poisson(rows))


def at_most(rows: int, rate: float) -> Rows:
    """Rows at a rate, but so many at most, spread over the life."""
    return lambda rng, seen, _: rng.uniform(0, seen, min(rows, rng.poisson(rate * seen)))


def newest(rows: int, rate: float) -> Rows:
    return lambda rng, seen, _: np.sort(rng.uniform(0, seen, rng.poisson(rate * seen)))[-rows:]


def oldest(rows: int, rate: float) -> Rows:
    return lambda rng, seen, _: np.sort(rng.uniform(0, seen, rng.poisson(rate * seen)))[:rows]


@pytest.mark.parametrize(
    "rows",
    [spread(30), spread(2), at_most(145, 0.5), newest(100, 0.4)],
    ids=("spread", "few", "capped", "newest"),
)
def test_rows_that_know_the_length_of_a_life_are_named_by_their_table(rows: Rows) -> None:
    [item] = found(rows)
    assert (item.table, item.kind, item.allowed, item.stops) == (
        *("usage_events", "spread"),
        *(False, True),
    )
    assert item.early.hi is not None
    assert item.growth.hi is not None
    assert item.early.hi < -0.2
    assert item.growth.hi < 0.5


def test_rows_that_are_cut_off_are_told_apart() -> None:
    [item] = found(oldest(100, 0.4))
    assert (item.kind, item.highest, item.stops) == ("cut_off", 100, False)
    assert item.at_highest > 0.3
    assert item.lives_differ > 1.5


def test_a_table_that_is_allowed_by_name_is_returned_and_stops_nothing() -> None:
    [item] = found(spread(30), table="tickets")
    assert (item.table, item.allowed, item.stops) == ("tickets", True, False)


@pytest.mark.parametrize("seed", range(3))
def test_honest_rows_are_not_named(seed: int) -> None:
    rng = np.random.default_rng(100 + seed)
    trait = rng.normal(size=1_000)
    scattered = rng.exponential(400 * np.exp(1.5 * trait))
    job, pace = np.exp(rng.normal(np.log(150), 0.3, 1_000)), np.exp(rng.normal(-1, 0.5, 1_000))
    honest: dict[str, list[LifetimeRecord]] = {
        "as long as it lives": found(evenly(0.3), seed=seed),
        "what drives away": found(
            lambda r, seen, n: evenly(0.02 * np.exp(-1.5 * trait[n]))(r, seen, n), scattered
        ),
        "what keeps": found(
            lambda r, seen, n: evenly(0.1 * np.exp(trait[n]))(r, seen, n), scattered
        ),
        "newcomers alone": found(lambda r, *_: r.exponential(20, r.poisson(20)), seed=seed),
        "a fixed amount to do": found(
            lambda r, seen, n: evenly(pace[n])(r, seen, n),
            np.minimum(job / pace, rng.exponential(1_500, 1_000)),
        ),
    }
    assert {name: items for name, items in honest.items() if items} == {}


def test_few_accounts_say_nothing() -> None:
    lives: Days = np.random.default_rng(0).exponential(400, 120)
    assert found(spread(30), lives) == []


def test_a_table_without_rows_says_nothing() -> None:
    def none(*_: Any) -> Days:
        return np.zeros(0)

    assert found(none) == []


@pytest.mark.parametrize("power", [-1.0, 0.0, 0.5, 1.0])
def test_the_elasticity_is_that_of_which_rows_were_drawn(power: float) -> None:
    rng = np.random.default_rng(3)
    days, group = rng.uniform(100, 700, 4_000), rng.integers(0, 20, 4_000)
    level = np.exp(rng.normal(0, 0.5, 20))[group]
    rows = rng.poisson(20 * level * (days / 300) ** power).astype(np.float64)
    figure = elasticity(rows, days, group)
    assert figure.value == pytest.approx(power, abs=0.02)
    assert figure.lo is not None
    assert figure.hi is not None
    assert figure.lo < power < figure.hi


def test_where_days_do_not_differ_there_is_no_elasticity() -> None:
    assert elasticity(np.ones(9), np.full(9, 100.0), np.zeros(9, dtype=np.int64)).value is None
    assert elasticity(np.zeros(9), np.arange(1.0, 10), np.zeros(9, dtype=np.int64)).value is None
