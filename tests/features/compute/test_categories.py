"""Which values get a feature of their own is decided by the past of each prediction time."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from contract.changes import CHANGES
from features.past import CUTOFFS, Past, past
from tenure.core.spec import Family, Feature
from tenure.engine.duckdb import DuckDBEngine
from tenure.features.compute import categories
from tenure.features.compute.categories import Categories, choose_categories
from tenure.features.compute.matrix import build
from tenure.features.families import FAMILIES
from tenure.features.plan.plan import resolve_plan
from tenure.run.prepare import since

START = datetime(2023, 1, 1)
EACH = Feature("event", "usage_events", "count(*)", "{member}: {value}", each="event")
FAMILY = Family("f", "F", (EACH,))


def chosen(facts: Iterable[tuple[str, str, float]], cutoffs: Iterable[float]) -> Categories:
    """Choose among (account, value, day known)."""
    rows = [(account, value, START + timedelta(days=day)) for account, value, day in facts]
    kinds = (pa.string(), pa.string(), pa.timestamp("us"))
    names = ("account_id", "event", "known_at")
    table = pa.table(
        {
            name: pa.array([row[index] for row in rows], kind)
            for index, (name, kind) in enumerate(zip(names, kinds, strict=True))
        }
    )
    engine = DuckDBEngine(threads=1)
    try:
        engine.register("usage_events", table)
        columns = {"usage_events": frozenset(names)}
        return choose_categories(
            engine, [FAMILY], columns, [START + timedelta(days=day) for day in cutoffs]
        )
    finally:
        engine.close()


def used_by(count: int, value: str, day: float) -> list[tuple[str, str, float]]:
    return [(f"{number}", value, day) for number in range(count)]


def test_a_value_counts_once_enough_accounts_have_used_it() -> None:
    enough = categories.MIN_ACCOUNTS
    facts = [*used_by(enough, "a", 0), *used_by(enough - 1, "b", 0), *used_by(1, "b", 1)]
    facts += used_by(enough, "late", 6)
    found = chosen(facts, [0.5, 2, 5])
    assert found.values == {"event": ("a",)}, "19 accounts twice are 19 accounts"
    found = chosen([*facts, ("other", "b", 3)], [0, 2, 5])
    assert found.values == {"event": ("a", "b")}
    assert found.since == {
        ("event", "a"): START + timedelta(days=2),
        ("event", "b"): START + timedelta(days=5),
    }


def test_only_the_most_used_are_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(categories, "LIMIT", 2)
    facts = [*used_by(30, "a", 0), *used_by(28, "c", 0), *used_by(28, "b", 0), *used_by(40, "d", 3)]
    found = chosen(facts, [1, 4])
    assert found.values == {"event": ("a", "b", "d")}, "ties go to the first by name"
    assert found.since["event", "d"] == START + timedelta(days=4)


def test_nothing_to_choose_from() -> None:
    assert chosen([], [1]) == Categories({"event": ()}, {})


def test_a_table_without_the_column_has_no_choice() -> None:
    engine = DuckDBEngine(threads=1)
    assert choose_categories(engine, [FAMILY], {}, [START]) == Categories({}, {})
    engine.close()


def asked(world: Past) -> Categories:
    engine = world.engine()
    families = [*FAMILIES.values(), Family("own", "Own", (ENDS,))]
    try:
        return choose_categories(engine, families, dict(world.columns), CUTOFFS)
    finally:
        engine.close()


ENDS = Feature("ends", "subscriptions", "count(*)", "{member}: {value}", each="end_reason")


def brute(world: Past, table: str, column: str, clock: str | None) -> dict[str, datetime]:
    """The first cut-off at which enough accounts were known to have used each value."""
    first: dict[str, datetime] = {}
    for cutoff in CUTOFFS:
        accounts: dict[Any, set[str]] = defaultdict(set)
        for row in world.rows[table]:
            moments = [row["known_at"], *([row[clock]] if clock else [])]
            if row[column] and all(moment and moment < cutoff for moment in moments):
                accounts[row[column]].add(row["account_id"])
        for value, users in accounts.items():
            if len(users) >= categories.MIN_ACCOUNTS:
                first.setdefault(value, cutoff)
    return first


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(categories, "MIN_ACCOUNTS", 4)


@pytest.mark.usefixtures("few")
def test_the_choice_follows_its_definition() -> None:
    world = past(0, 120)
    found = asked(world)
    events = brute(world, "usage_events", "event", None)
    ends = brute(world, "subscriptions", "end_reason", "ended_at__known")
    assert events
    assert len(set(ends.values())) > 1
    expected = {
        (name, value): at
        for name in ("event", "first_use", "days_since_last_use")
        for value, at in events.items()
    }
    expected |= {
        (name, value): at
        for name, table, column in (
            ("tickets_about", "tickets", "category"),
            ("touchpoints_of", "touchpoints", "kind"),
        )
        for value, at in brute(world, table, column, None).items()
    }
    assert found.since == expected | {("ends", value): at for value, at in ends.items()}


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("change", CHANGES)
def test_the_future_chooses_nothing(change: str) -> None:
    world, at = past(0, 120), CUTOFFS[6]
    before, after = (
        {key: since for key, since in asked(each).since.items() if since <= at}
        for each in (world, CHANGES[change](world, at, random.Random(3)))
    )
    assert before
    assert before == after


def test_values_that_look_alike_are_told_apart() -> None:
    values = ("Log in", "log in", "log_in", "LOG-IN", "登录", "注册", "%", "login")
    columns = {"usage_events": frozenset({"event", "account_id"})}
    names = [
        list(resolve_plan([FAMILY], columns, members={"event": order}).specs)
        for order in (values, values[::-1])
    ]
    assert len(names[0]) == len(values)
    assert names[0] == names[1][::-1], "a name does not depend on the other values"
    assert {"event_log_in", "event_login"} <= set(names[0])
    alone = resolve_plan([FAMILY], columns, members={"event": values[:1]})
    assert list(alone.specs) == names[0][:1]


def test_a_value_is_compared_as_it_is() -> None:
    world = past(0, 20)
    odd = "it's; drop table accounts --"

    def change(table: str, row: dict[str, Any]) -> dict[str, Any]:
        return row | {"event": odd} if row.get("event") == "login" else row

    changed = world.changed(change)
    columns = changed.columns
    found = resolve_plan([FAMILY], columns, members={"event": (odd,)})
    engine = changed.engine()
    try:
        asked = pd.DataFrame(
            [(account, CUTOFFS[-1]) for account in world.accounts], columns=["account_id", "as_of"]
        ).astype({"as_of": "datetime64[us]"})
        values = build(engine, asked, found).values
        logins = sum(
            row["event"] == "login" and row["known_at"] < CUTOFFS[-1]
            for row in world.rows["usage_events"]
        )
        assert values.iloc[:, 0].sum() == logins > 0
    finally:
        engine.close()


@pytest.mark.usefixtures("few")
def test_only_columns_of_the_matrix_wait_for_their_time() -> None:
    world = past(0, 120)
    found = asked(world)
    resolved = resolve_plan(FAMILIES.values(), world.columns, members=found.values)
    waiting = since(resolved, found)
    # The days since the first use of each event are parts of other columns, and hidden.
    assert {name for name, _ in found.since} >= {"event", "first_use"}
    assert {"events_28d"}.isdisjoint(waiting)
    assert waiting
    assert set(waiting) <= set(resolved.specs)
