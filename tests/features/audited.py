"""Small tables for the tests of the audit: two accounts, some tickets, and a cut that is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from tenure.core.spec import Family, Feature
from tenure.engine.duckdb import DuckDBEngine
from tenure.features.compute.timeline import Timeline, rank_sql
from tenure.features.plan.plan import Plan, resolve_plan

if TYPE_CHECKING:
    import pytest

JANUARY, FEBRUARY, MARCH = (datetime(2024, month, 1) for month in (1, 2, 3))
CUTOFFS = (JANUARY, FEBRUARY, MARCH)
TIME = pa.timestamp("us")
TICKETS = pa.schema(
    [
        ("ticket_id", pa.string()),
        ("account_id", pa.string()),
        ("opened_at", TIME),
        ("priority", pa.string()),
        ("resolved_at", TIME),
        ("csat_score", pa.float64()),
        ("csat_at", TIME),
        ("event_time", TIME),
        ("known_at", TIME),
        ("resolved_at__known", TIME),
        ("csat_at__known", TIME),
    ]
)
COLUMNS = {
    "tickets": frozenset(
        {"ticket_id", "account_id", "opened_at", "priority", "resolved_at", "csat_score", "csat_at"}
    )
}
FEATURES = (
    Feature("tickets", "tickets", "count(*)", "{value} tickets"),
    Feature("tickets_recent", "tickets", "count(*)", "{value} in {window}", windows=(30,)),
    Feature("urgent", "tickets", "count(*)", "{value} urgent", where="priority = 'urgent'"),
    Feature("open", "tickets", "count(*)", "{value} open", running=True),
    Feature("csat", "tickets", "avg(csat_score)", "{value} CSAT"),
)


def ticket(
    account: str,
    opened: datetime,
    *,
    known: datetime | None = None,
    priority: str = "low",
    resolved: datetime | None = None,
    csat: tuple[float, datetime] | None = None,
) -> dict[str, Any]:
    """Return a canonical row."""
    score, at = csat or (None, None)
    return {
        "ticket_id": f"{account}-{opened:%m%d%H%M%S}",
        "account_id": account,
        "opened_at": opened,
        "priority": priority,
        "resolved_at": resolved,
        "csat_score": score,
        "csat_at": at,
        "event_time": opened,
        "known_at": known or opened,
        "resolved_at__known": resolved,
        "csat_at__known": at,
    }


def tickets(rows: Iterable[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=TICKETS)


def small_plan(features: Sequence[Feature] = FEATURES) -> Plan:
    return resolve_plan([Family("support", "Support", tuple(features))], COLUMNS)


def asked(accounts: Iterable[str] = ("a", "b"), cutoffs: Sequence[datetime] = CUTOFFS) -> Any:
    rows = [(account, cutoff) for cutoff in cutoffs for account in accounts]
    frame = pd.DataFrame(rows, columns=["account_id", "as_of"])
    return frame.astype({"as_of": "datetime64[us]"})


@contextmanager
def engine(**tables: pa.Table) -> Iterator[DuckDBEngine]:
    found = DuckDBEngine(threads=1, memory_limit="1GB")
    try:
        for name, table in tables.items():
            found.register(name, table)
        yield found
    finally:
        found.close()


def see_too_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Break the cut by one prediction time."""
    right = Timeline.seen_sql

    def wrong(self: Timeline, moments: Sequence[str]) -> str:
        return f"greatest({right(self, moments)} - 1, 0)"

    monkeypatch.setattr(Timeline, "seen_sql", wrong)


def see_the_edge(monkeypatch: pytest.MonkeyPatch) -> None:
    """Break the cut by one microsecond: what is known at `as_of` counts as before it."""

    def wrong(self: Timeline, moments: Sequence[str]) -> str:
        latest = moments[0] if len(moments) == 1 else f"greatest({', '.join(moments)})"
        return rank_sql(f"({latest} - INTERVAL 1 MICROSECOND)", self.cutoffs)

    monkeypatch.setattr(Timeline, "seen_sql", wrong)


def place_a_slot_too_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Break the other half of the cut: events count as having happened before a prediction time."""
    right = Timeline.slot_sql

    def wrong(self: Timeline, moment: str) -> str:
        return f"greatest({right(self, moment)} - 1, 0)"

    monkeypatch.setattr(Timeline, "slot_sql", wrong)
