"""Ends of subscriptions that are written as the last paid day instead of the first unpaid one.

Which of the two an export writes shows in rows that follow each other: where the next row of an
account begins the day after a row ends, and not on the day of its end, the end day is included.
It holds for the whole table, so no row is read by what is known of another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenure.core.records.data import RemarkRecord
from tenure.core.steps import Step, quote
from tenure.sources.quality.table_report import RED_SHARE

if TYPE_CHECKING:
    from tenure.engine import Engine
    from tenure.sources.layout import IncomingTable

MOSTLY = 4
"""How many times more rows must end the day before the next begins than on the day of it."""

_DAY = "date_trunc('day', ended_at)"
_NEXT = f"{_DAY} + INTERVAL 1 DAY"
_WHOLE_DAY = f"(ended_at = {_DAY} OR ended_at >= {_NEXT} - INTERVAL 1 MINUTE)"
"""Whether an end has no time of day, or the last one."""

SETTING = "data.tables.subscriptions.ended_at"


def close_gaps(table: IncomingTable, setting: str | None, engine: Engine) -> None:
    """Move ends that are the last paid day to the day after, in the staged table.

    Args:
        table: Staged subscriptions.
        setting: `inclusive` or `exclusive`, None where the rows are to tell.
        engine: What holds the table.
    """
    layout = table.layout
    if "ended_at" not in layout.types or setting == "exclusive":
        return
    if setting is None:
        before, on = _follow(table, engine)
        if not before:
            return
        if before < MOSTLY * on:
            table.notes.append(_doubt(before, on))
            return
        text = (
            f"{before:,} {'row ends' if before == 1 else 'rows end'} the day before the next row "
            f"of the account begins, {on:,} on the day: the end day is read as included, and every "
            "end without a time counts to the end of its day. Say so, or that it is not, with "
            f"{SETTING}: inclusive or exclusive"
        )
        table.notes.append(RemarkRecord(code="inclusive_end", text=text, rows=before, red=True))
    moved = f"CASE WHEN {_WHOLE_DAY} THEN {_NEXT} ELSE ended_at END AS ended_at"
    engine.run([Step("_moved", f"SELECT * REPLACE ({moved}) FROM {quote(layout.staged)}")])
    engine.drop(layout.staged)
    engine.run([Step(layout.staged, "SELECT * FROM _moved")])
    engine.drop("_moved")
    table.marked = True


def _follow(table: IncomingTable, engine: Engine) -> tuple[int, int]:
    """Return how many rows end the day before another of the account begins, and on the day."""
    staged = quote(table.layout.staged)
    ends = (
        f"SELECT account_id, started_at, {_DAY} AS last_day, {_NEXT} AS next_day FROM {staged} "
        f"WHERE _reason = 0 AND ended_at > started_at AND {_WHOLE_DAY}"
    )
    starts = (
        f"SELECT DISTINCT account_id, date_trunc('day', started_at) AS day FROM {staged} "
        "WHERE _reason = 0"
    )
    counted = engine.fetch(
        f"SELECT count(*) FILTER (s.day = e.next_day) AS before, "
        f"count(*) FILTER (s.day = e.last_day AND s.day > e.started_at) AS on_it FROM ({ends}) "
        f"AS e JOIN ({starts}) AS s ON s.account_id = e.account_id "
        "AND s.day >= e.last_day AND s.day <= e.next_day"
    ).to_pylist()[0]
    return int(counted["before"] or 0), int(counted["on_it"] or 0)


def _doubt(before: int, on: int) -> RemarkRecord:
    text = (
        f"{before:,} rows end the day before the next row of the account begins, {on:,} on the "
        f"day: is the end day included? It is read as not included; say so with {SETTING}: "
        "inclusive or exclusive"
    )
    share = before / (before + on)
    return RemarkRecord(
        code="ends_before_next", text=text, rows=before, share=share, red=share > RED_SHARE
    )
