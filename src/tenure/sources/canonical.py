"""The canonical tables: staged rows that no check rejects, cut where observation stopped.

Whatever lies at or after `observed_until` is left out here: rows by their event time, values of
late columns by their clocks.  An `ended_at` there is a due date; it becomes `renews_at` where that
is empty.  Terms never read it: a due date is known only of rows that still ran, so it would show
who left.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from tenure.core.steps import Step, quote
from tenure.core.times import literal
from tenure.sources import billing, coerce
from tenure.sources.raw_columns import SQL_TYPES
from tenure.sources.staging_sql import Layout

ALWAYS = {
    "subscriptions": (
        "ended_at",
        "notice_at",
        "end_reason",
        "renews_at",
        "list_mrr",
        "discount",
        "currency",
        "seats",
        "plan",
        "billing_period",
        "status",
        "status_at",
    )
}
"""Columns that a canonical table has even where they are not mapped, all null."""


def canonical(
    layout: Layout,
    columns: Collection[str],
    until: datetime,
    *,
    lazy: bool,
    rates: Layout | None = None,
) -> Step:
    """Return the step that makes a canonical table from its staged one.

    `columns` are those that hold a value in some row; `lazy` makes a view.
    """
    rows = _rows(layout, until)
    if any(item.name == "exchange_rate" for item in layout.source.computed):
        rows = billing.with_rates(rows, layout, rates)
    sql = _select(layout, columns, until, rows)
    if layout.source.name == "subscriptions":
        if {"notice_at", "known_at"} <= set(layout.columns):
            sql = billing.with_successors(sql, rows, until)
        else:
            sql = f"SELECT *, CAST(NULL AS TIMESTAMP) AS successor_known FROM ({sql})"
    return Step(layout.source.name, sql, lazy=lazy)


def _used(layout: Layout) -> str:
    """Return a SELECT of the staged rows without a reason against them, and their times."""
    times = [f"{layout.event_time()} AS event_time"]
    times += [f"{coerce.known(quote(name))} AS {_known(name)}" for name in layout.clocks]
    return f"SELECT *, {', '.join(times)} FROM {quote(layout.staged)} WHERE _reason = 0"


def _rows(layout: Layout, until: datetime) -> str:
    """Return a SELECT of the staged rows without a reason against them, with all columns."""
    absent = [
        f"CAST(NULL AS {SQL_TYPES[kind]}) AS {quote(name)}"
        for column in layout.source.columns
        if column.name not in layout.columns
        for name, kind in ((column.name, column.kind), (f"{column.name}__known", column.kind))
        if not name.endswith("__known") or column.name in layout.source.clocks
    ]
    subscriptions = layout.source.name == "subscriptions"
    if subscriptions:
        # A posted account shares its dates with nobody, so that nothing can be read from that.
        whole = layout.values and "renews_at" in layout.columns
        day = (
            billing.horizon_day(quote(layout.staged), until) if whole else "CAST(NULL AS TIMESTAMP)"
        )
        absent.append(f"{day} AS horizon_day")
    rows = _used(layout)
    if absent:
        rows = f"SELECT {', '.join(['*', *absent])} FROM ({rows})"
    if subscriptions and "status" in layout.columns:
        rows = billing.until_lapse(rows, until)
    return rows


def _select(layout: Layout, columns: Collection[str], until: datetime, rows: str) -> str:
    source = layout.source
    names = [
        name
        for name in dict.fromkeys((*(column.name for column in source.columns), *layout.columns))
        if name != "known_at" and (name in columns or name in ALWAYS.get(source.name, ()))
    ]
    items = [f"{_value(layout, name, until)} AS {quote(name)}" for name in names]
    items += [f"{item.sql} AS {quote(item.name)}" for item in source.computed if not item.moving]
    items += ["event_time", f"{layout.known_at()} AS known_at"]
    if source.name == "subscriptions" and "known_at" in layout.columns:
        # A row may be booked before it starts; `known_at` is never before the event.
        items.append(f"{coerce.known('coalesce(known_at, event_time)')} AS booked_at")
    items += [
        f"{_before(clock, until, _known(clock)) if clock in layout.clocks else _known(clock)} "
        f"AS {_known(clock)}"
        for clock in source.clocks
        if clock in names
    ]
    return f"SELECT {', '.join(items)} FROM ({rows}) WHERE event_time < {literal(until)}"


def _known(clock: str) -> str:
    return quote(f"{clock}__known")


def _before(clock: str, until: datetime, value: str) -> str:
    return f"CASE WHEN {quote(clock)} < {literal(until)} THEN {value} END"


def _value(layout: Layout, name: str, until: datetime) -> str:
    column = quote(name)
    clock = layout.source.late.get(name)
    if clock and clock in layout.clocks:
        return _before(clock, until, column)
    if (layout.source.name, name) == ("subscriptions", "renews_at") and "ended_at" in layout.clocks:
        due = f"CASE WHEN ended_at >= {literal(until)} THEN ended_at END"
        return f"coalesce(renews_at, {due})"
    return column


def nothing_ahead(layout: Layout, until: datetime) -> str:
    """Return the SELECT of `ahead`, from the tally alone; without a row if anything lies ahead."""
    moment = literal(until)
    late = " OR ".join(
        f"max({name}) FILTER (_reason = 0) >= {moment}"
        for name in ("_last", *map(quote, layout.clocks))
    )
    clocks = ", ".join("0" for _ in layout.clocks)
    return (
        f"SELECT '{layout.source.name}' AS name, 0::BIGINT AS ahead, "
        f"CAST([{clocks}] AS BIGINT[]) AS clocks, min(_first) FILTER (_reason = 0) AS first, "
        f"max(_last) FILTER (_reason = 0) AS last FROM {quote(layout.tally)} "
        f"HAVING NOT coalesce({late}, false)"
    )


def ahead(layout: Layout, until: datetime) -> str:
    """Return a SELECT of one row: rows set aside, and a list of values emptied by each clock."""
    moment, time = literal(until), layout.event_time()
    used = f"_reason = 0 AND {time} < {moment}"
    clocks = ", ".join(
        f"count(*) FILTER ({used} AND {quote(clock)} >= {moment})" for clock in layout.clocks
    )
    return (
        f"SELECT '{layout.source.name}' AS name, "
        f"count(*) FILTER (_reason = 0 AND {time} >= {moment}) AS ahead, "
        f"CAST([{clocks}] AS BIGINT[]) AS clocks, "
        f"min({time}) FILTER ({used}) AS first, max({time}) FILTER ({used}) AS last "
        f"FROM {quote(layout.staged)}"
    )
