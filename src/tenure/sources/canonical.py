"""The canonical tables: staged rows that are used, cut where observation stopped.

Whatever lies at or after `observed_until` is set aside here: rows by their event time, late
columns by their clocks.  An `ended_at` there is a due date; it becomes `renews_at` where that is
empty.  `term_end` never reads it: a due date is only known of rows that still ran, so it would
tell who left.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from tenure.core.steps import Step, quote
from tenure.core.times import literal
from tenure.sources import coerce
from tenure.sources.stage import SQL_TYPES, Layout

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
    )
}
"""Columns that stand in a canonical table even where nothing was mapped, all null."""


def canonical(layout: Layout, usable: Collection[str], until: datetime, *, lazy: bool) -> Step:
    """Return the step that makes a canonical table from its staged one.

    Args:
        layout: How the table was staged.
        usable: Columns found and not wholly empty.
        until: `observed_until`.
        lazy: Whether a view is enough.
    """
    source = layout.source
    names = [
        name
        for name in dict.fromkeys((*(column.name for column in source.columns), *layout.columns))
        if name != "known_at" and (name in usable or name in ALWAYS.get(source.name, ()))
    ]
    items = [f"{_value(layout, name, until)} AS {quote(name)}" for name in names]
    items += [f"{item.sql} AS {quote(item.name)}" for item in source.computed]
    items.append(f"{layout.event_time()} AS event_time")
    items.append(f"{layout.known_at()} AS known_at")
    for clock in source.clocks:
        if clock in names:
            value = coerce.known(_value(layout, clock, until))
            items.append(f"{value} AS {quote(clock + '__known')}")
    absent = "".join(
        f", CAST(NULL AS {SQL_TYPES[column.kind]}) AS {quote(column.name)}"
        for column in source.columns
        if column.name not in layout.columns
    )
    sql = (
        f"SELECT {', '.join(items)} FROM (SELECT *{absent} FROM {quote(layout.staged)}) "
        f"WHERE _reason = 0 AND {layout.event_time()} < {literal(until)}"
    )
    return Step(source.name, sql, lazy=lazy)


def _value(layout: Layout, name: str, until: datetime) -> str:
    column, moment = quote(name), literal(until)
    clock = layout.source.late.get(name)
    if clock:
        return f"CASE WHEN {quote(clock)} < {moment} THEN {column} END"
    if (layout.source.name, name) == ("subscriptions", "renews_at"):
        return f"coalesce(renews_at, CASE WHEN ended_at >= {moment} THEN ended_at END)"
    return column


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
