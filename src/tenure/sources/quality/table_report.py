"""The report of one table, from its counts."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from tenure.core.times import DAY
from tenure.sources.quality.data_report import Remark, TableReport
from tenure.sources.quality.dirt import remark

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from tenure.core.config import TableConfig
    from tenure.sources.cache.parts import StagedParts
    from tenure.sources.counts import Counts
    from tenure.sources.staging_sql import Layout


class Counted(Protocol):
    """A table whose rows have been counted."""

    layout: Layout
    origin: str
    unused: dict[str, str]
    counts: Counts
    ahead: dict[str, Any]
    empty: list[str]
    parts: StagedParts | None


def table_report(
    table: Counted, columns: Collection[str], until: datetime, settings: TableConfig | None
) -> TableReport:
    """Return the report of one table, without what needs other tables.

    Args:
        table: The table and its counts.
        columns: Canonical columns in use.
        until: `observed_until`.
        settings: What the config says of the table.
    """
    layout, counts, ahead = table.layout, table.counts, table.ahead
    emptied = counts.emptied(layout)
    due = 0
    for clock, rows in zip(layout.clocks, ahead["clocks"], strict=True):
        if rows and (layout.source.name, clock) == ("subscriptions", "ended_at"):
            due = rows
        elif rows:
            emptied.setdefault(clock, {})["at_or_after_observed_until"] = rows
    last = ahead["last"]
    return TableReport(
        name=layout.source.name,
        origin=table.origin,
        rows_in=counts.rows,
        rows_used=counts.used - ahead["ahead"],
        rejected=counts.reasons(),
        set_aside=ahead["ahead"],
        emptied=emptied,
        columns=tuple(sorted(columns)),
        first=ahead["first"],
        last=last,
        freshness_days=(until - last) / DAY if last else None,
        unused=table.unused,
        assumptions=settings.assumptions if settings else {},
        remarks=tuple(_remarks(table, emptied, due)),
    )


def _remarks(table: Counted, emptied: Mapping[str, Mapping[str, int]], due: int) -> list[Remark]:
    layout, counts = table.layout, table.counts
    remarks = []
    if rejected := sum(counts.rejected.values()):
        reasons = ", ".join(f"{code} {rows}" for code, rows in counts.reasons().items())
        remarks.append(remark("rejected", f"rows were rejected: {reasons}", rejected, counts.rows))
    for place, bit in enumerate(layout.bits):
        if bit.kind == "warn" and counts.remarks[place]:
            rule = next(item.rule for item in layout.checks if item.reason == bit.code)
            remarks.append(remark(bit.code, f"rows: {rule}", counts.remarks[place], counts.used))
    for column, reasons_of in emptied.items():
        rows = sum(reasons_of.values())
        why = ", ".join(f"{code} {number}" for code, number in reasons_of.items())
        remarks.append(
            remark("emptied", f"values of {column} were emptied: {why}", rows, counts.used)
        )
    remarks += [
        Remark("no_clock", f"{name} is not used: map its clock {clock} too")
        for name, clock in table.unused.items()
    ]
    remarks += [
        Remark("all_null", f"{name} has no value in any row and counts as absent")
        for name in table.empty
        if name in layout.types
    ]
    if table.parts and table.parts.changes:
        remarks.append(Remark("staged_anew", table.parts.changes, table.parts.rows_anew))
    if due:
        text = "rows end at or after observed_until: that end is a due date (renews_at)"
        remarks.append(Remark("due_date", f"{due} {text}", due))
    return remarks
