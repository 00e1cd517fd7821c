"""Ends of subscriptions that are written as the last paid day instead of the first unpaid one.

Which of the two an export writes shows in rows that follow each other: where the next row of an
account begins the day after a row ends, and not on the day of its end, the end day is included.
It holds for the whole table, so no row is read by what is known of another.  Days begin when most
rows do: stamps of a zone say midnight as 05:00 and, in summer, 04:00.
"""

from __future__ import annotations

from dataclasses import dataclass

from tenure.core.records.data import RemarkRecord
from tenure.core.steps import quote
from tenure.engine import Engine
from tenure.sources.layout import IncomingTable
from tenure.sources.quality.table_report import RED_SHARE

MOSTLY = 4
"""How many times more rows must end the day before the next begins than on the day of it."""

MOST = 0.9
"""Share of rows that begin at one time of day, or an hour from it, where that is midnight."""

SETTING = "data.tables.subscriptions.ended_at"


@dataclass(frozen=True)
class _Days:
    """SQL of the days of a table."""

    minutes: int
    """When they begin, in minutes after 00:00 UTC, in summer if they differ."""

    def of(self, time: str) -> str:
        """Return SQL of the day in which a time lies."""
        if not self.minutes:
            return f"date_trunc('day', {time})"
        shift = f"INTERVAL {self.minutes} MINUTE"
        return f"date_trunc('day', {time} - {shift}) + {shift}"

    @property
    def after(self) -> str:
        """Return SQL of the day after the one in which a row ends."""
        return f"{self.of('ended_at')} + INTERVAL 1 DAY"

    @property
    def at_start(self) -> str:
        """Return SQL of whether an end has no time of day."""
        winter = " + INTERVAL 1 HOUR" if self.minutes else ""
        return f"ended_at <= {self.of('ended_at')}{winter}"

    @property
    def whole(self) -> str:
        """Return SQL of whether an end has no time of day, or the last one."""
        return f"({self.at_start} OR ended_at >= {self.after} - INTERVAL 1 MINUTE)"


def _days(table: IncomingTable, engine: Engine) -> _Days:
    minutes = (
        "SELECT epoch_us(started_at) // 60000000 % 1440 AS minute, count(*) AS n FROM "
        f"{quote(table.layout.staged)} WHERE _reason = 0 GROUP BY 1"
    )
    rows = {row["minute"]: row["n"] for row in engine.fetch(minutes).to_pylist()}
    share = {
        first: (rows.get(first, 0) + rows.get((first + 60) % 1440, 0)) / sum(rows.values())
        for minute in rows
        for first in (minute, (minute - 60) % 1440)
    }
    midnight = max(share, key=lambda first: (share[first], rows.get(first, 0)), default=0)
    usual = 0 in rows and rows[0] >= MOST * sum(rows.values())
    return _Days(midnight if not usual and share.get(midnight, 0) >= MOST else 0)


def close_gaps(table: IncomingTable, setting: str | None, engine: Engine) -> None:
    """Move ends that are the last paid day to the day after, in the staged table.

    The setting is `inclusive` or `exclusive`, None where the rows are to tell.
    """
    layout = table.layout
    if "ended_at" not in layout.types or setting == "exclusive":
        return
    days = _days(table, engine)
    if setting is None:
        before, on = _follow(table, days, engine)
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
    moved = (
        f"CASE WHEN {days.at_start} THEN ended_at + INTERVAL 1 DAY WHEN {days.whole} "
        f"THEN {days.after} ELSE ended_at END AS ended_at"
    )
    table.restage(f"SELECT * REPLACE ({moved}) FROM {quote(layout.staged)}", engine)
    table.marked = True


def _follow(table: IncomingTable, days: _Days, engine: Engine) -> tuple[int, int]:
    """Return how many rows end the day before another of the account begins, and on the day."""
    staged = quote(table.layout.staged)
    ends = (
        f"SELECT account_id, started_at, {days.of('ended_at')} AS last_day, {days.after} AS "
        f"next_day FROM {staged} WHERE _reason = 0 AND ended_at > started_at AND {days.whole}"
    )
    starts = (
        f"SELECT DISTINCT account_id, {days.of('started_at')} AS day FROM {staged} "
        "WHERE _reason = 0"
    )
    counted = engine.row(
        f"SELECT count(*) FILTER (s.day = e.next_day) AS before, "
        f"count(*) FILTER (s.day = e.last_day AND s.day > e.started_at) AS on_it FROM ({ends}) "
        f"AS e JOIN ({starts}) AS s ON s.account_id = e.account_id "
        "AND s.day >= e.last_day AND s.day <= e.next_day"
    )
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
