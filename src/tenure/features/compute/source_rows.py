"""The source rows behind a value: chosen by the placement that the value itself is made by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tenure.core.steps import quote, text_literal
from tenure.core.times import literal
from tenure.features.compute.source_query import SourceQuery, condition, operand
from tenure.features.plan.columns import MeasuredColumn
from tenure.features.plan.plan import Plan
from tenure.sources.contract import SOURCES

MOMENT, TOTAL = "_moment", "_total"
"""Columns with the time that places a row, and with the number of all rows."""


def parts_of(plan: Plan, name: str) -> list[MeasuredColumn]:
    """Return the features read from rows that a column is, or is computed from.

    Of a percentile among peers it is the feature that is ranked.
    """
    measured = {item.spec.name: item for item in plan.measured}
    needs = {item.spec.name: item.needs for item in plan.computed}
    ranked = dict(zip((item.spec.name for item in plan.placed), plan.ranked, strict=True))
    parts: dict[str, MeasuredColumn] = {}
    waiting = [name]
    while waiting:
        column = waiting.pop()
        if column in ranked:
            waiting.append(ranked[column].of)
        elif column in measured:
            parts[column] = measured[column]
        else:
            waiting += sorted(needs.get(column, ()))
    return [parts[column] for column in sorted(parts)]


def rows_behind_sql(
    items: Sequence[MeasuredColumn],
    account: str,
    as_of: datetime,
    columns: Sequence[str],
    most: int,
) -> str:
    """Return SQL for the rows of an account that features of one source are made from.

    A late column that was not known before `as_of` is null in them.

    A row counts that leads to any of the features; the newest are returned, `most` of them, with
    these columns of the source.
    """
    source = SOURCES[items[0].feature.source]
    known = literal(as_of)
    shown = [
        f"CASE WHEN {quote(f'{clock}__known')} < {known} THEN {quote(name)} END AS {quote(name)}"
        if (clock := source.late.get(name))
        else quote(name)
        for name in columns
    ]
    tests, moments = [], []
    moving = tuple(item for item in items if item.moving)
    rows = SourceQuery(source.name, moving, (as_of,)).at_cutoffs() if moving else source.name
    for item in items:
        query = SourceQuery(source.name, (item,), (as_of,))
        tests.append(f"({_leads_to(query, item)})")
        moments.append(item.feature.at or "event_time")
    moment = moments[0] if len(set(moments)) == 1 else "event_time"
    return (
        f"SELECT {', '.join(shown)}, {moment} AS {MOMENT}, count(*) OVER () AS {TOTAL} "
        f"FROM {rows} WHERE account_id = {text_literal(account)} AND ({' OR '.join(tests)}) "
        f"ORDER BY {MOMENT} DESC NULLS LAST, {', '.join(map(quote, columns))} LIMIT {most:d}"
    )


def _leads_to(query: SourceQuery, item: MeasuredColumn) -> str:
    """Return SQL that is true for the rows that a feature is made from at one prediction time."""
    timeline, feature = query.timeline, item.feature
    start, stop = (int(slots[0]) for slots in timeline.span(item.window))
    clocks = [f"{clock}__known" for clock in item.clocks]
    slot = timeline.slot_sql(feature.at or "event_time")
    tests = [
        f"{timeline.seen_sql(['known_at', *clocks])} < 1",
        f"{slot} BETWEEN {start} AND {stop - 1}",
    ]
    if feature.running and not query.moving:
        tests.append(f"{query.gone_sql} > 0")
    if item.condition:
        tests.append(condition(item.condition))
    if (read := operand(item.aggregate)) is not None:
        counted = item.aggregate.kind == "count"
        tests.append(read if counted else f"({read}) IS NOT NULL")
    return " AND ".join(tests)
