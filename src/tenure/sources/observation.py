"""When observation stopped, where the config does not say: the day after the last observed event.

A usage event, a ticket, an answer is written when it has happened.  A meeting, an invoice, the
start of a subscription may be written ahead.  So the former say how far the data reach: what is
planned counts up to the silence that is usual among them.  Single rows far after all others (a
wrong clock) set nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise

from tenure.core.records.data import RemarkRecord
from tenure.core.steps import quote
from tenure.core.times import DAY, as_utc, literal, show
from tenure.engine import Engine
from tenure.sources.contract import PLANNED
from tenure.sources.layout import IncomingTable

Days = Counter[date]

UNDATED = ("fx_rates",)
"""Tables that say nothing of how far the data reach."""
FEWEST_DAYS = 10
"""Days with rows that it takes to tell what is usual."""
YEAR, HALF_YEAR = timedelta(days=365), timedelta(days=182)
STRAY_ROWS, STRAY_SHARE = 3, 0.01
"""Rows, and their share, that may be strays at most."""
STRAY_GAP, STRAY_GAPS = timedelta(days=30), 3
"""Silence before strays: days at least, and how many times the longest before it."""
LIKE = timedelta(days=7)
"""How close the last days of two tables lie where nothing has to be looked into."""
LONG_SILENCE = timedelta(days=31)


@dataclass(frozen=True)
class Observation:
    """How far the data reach."""

    until: datetime
    """When observation stopped, exclusive."""
    red: tuple[str, ...] = ()
    """What puts that in doubt."""


def observed(
    tables: Mapping[str, IncomingTable], declared: datetime | None, engine: Engine
) -> Observation:
    """Return how far the data reach, and note the rows of each table that lie beyond.

    What the config declares holds, and is put in doubt where it lies far off.
    """
    lasts = {
        name: table.counts.last.date()
        for name, table in tables.items()
        if table.counts.last and name not in UNDATED
    }
    last = max(lasts.values())
    if not _agree(lasts, last):
        last = _last_day(tables, engine)
    until = as_utc(last) + DAY
    if declared is None:
        for name, latest in lasts.items():
            if latest > last:
                tables[name].notes.append(_beyond(tables[name], until, engine))
        return Observation(until, _unobserved(lasts, last))
    silence = declared - until
    if silence <= LONG_SILENCE or silence <= _usual_silence(_days(tables, engine).events, last):
        return Observation(declared)
    text = (
        f"data.observed_until: {show(declared)} lies {silence.days:,} days after the last row that "
        f"was observed ({show(as_utc(last))}): whoever pays then counts as not having churned "
        "since. Set it to the day of the export, or leave it out"
    )
    return Observation(declared, (text,))


def _unobserved(lasts: Mapping[str, date], last: date) -> tuple[str, ...]:
    """Return what to doubt where only rows that may be written ahead reach the last day."""
    seen = {name: day for name, day in lasts.items() if name not in (*PLANNED, "accounts")}
    ahead = [name for name, day in lasts.items() if name in PLANNED and day >= last]
    stopped = max(seen.values(), default=last)
    sold = lasts.get("subscriptions", stopped)  # what is sold later was lived through
    if last - stopped <= HALF_YEAR or not ahead or sold - stopped > LONG_SILENCE:
        return ()
    return (
        f"data.observed_until: {' and '.join(sorted(seen))} end at {show(as_utc(stopped))}, but "
        f"{' and '.join(ahead)} go on until {show(as_utc(last))}, where observation is taken to "
        f"stop. If those rows are written ahead, set it to {show(as_utc(stopped) + DAY)}: whoever "
        "pays then would count as not having churned since",
    )


def _agree(lasts: Mapping[str, date], last: date) -> bool:
    """Return whether the last rows of what observes and of another table lie close together."""
    observers = [day for name, day in lasts.items() if name not in PLANNED and name != "accounts"]
    near = [day for day in lasts.values() if last - day <= LIKE]
    return bool(observers) and last - max(observers) <= DAY and len(near) > 1


def _last_day(tables: Mapping[str, IncomingTable], engine: Engine) -> date:
    """Return the last day on which something was observed."""
    days = _days(tables, engine)
    observers = [name for name in tables if name not in (*PLANNED, "accounts", *UNDATED)]
    if len(days.seen) < FEWEST_DAYS or not observers:
        return _settled(days.events)
    end = _settled(days.seen)
    usual = end + _usual_silence(days.seen, end)
    ahead = Counter({day: rows for day, rows in days.planned.items() if day > usual})
    if ahead and _goes_on(days.planned, ahead, end):
        return _settled(days.events)
    return max((day for day in days.events if day <= usual), default=end)


@dataclass(frozen=True)
class _Calendar:
    """Rows by day: all events, of these what may be planned, and all that was observed."""

    events: Days = field(default_factory=Counter)
    planned: Days = field(default_factory=Counter)
    seen: Days = field(default_factory=Counter)


def _days(tables: Mapping[str, IncomingTable], engine: Engine) -> _Calendar:
    selects = []
    for name, table in tables.items():
        if name in UNDATED:
            continue
        layout = table.layout
        times = [("planned" if name in PLANNED else "event", layout.event_time())]
        times += [("clock", quote(clock)) for clock in layout.clocks if name != "subscriptions"]
        times += [("clock", "known_at")] if "known_at" in layout.columns else []
        selects += [
            f"SELECT '{kind}' AS kind, CAST({time} AS DATE) AS day, count(*) AS n "
            f"FROM {quote(layout.staged)} WHERE _reason = 0 AND {time} IS NOT NULL GROUP BY 2"
            for kind, time in times
        ]
    calendar = _Calendar()
    for row in engine.fetch(" UNION ALL ".join(selects)).to_pylist():
        kind, day, rows = row["kind"], row["day"], row["n"]
        (calendar.planned if kind == "planned" else calendar.seen)[day] += rows
        if kind != "clock":
            calendar.events[day] += rows
    return calendar


def _settled(days: Days) -> date:
    """Return the last day that is no stray: few rows after a silence like none before."""
    ordered = sorted(days)
    total, after, end = days.total(), 0, ordered[-1]
    for place in range(len(ordered) - 1, FEWEST_DAYS - 1, -1):
        after += days[ordered[place]]
        if after > max(STRAY_ROWS, STRAY_SHARE * total):
            break
        before = ordered[place - 1]
        longest = max(_gaps(day for day in ordered[:place] if day >= before - YEAR), default=DAY)
        if ordered[place] - before > max(STRAY_GAP, STRAY_GAPS * longest):
            end = before
    return end


def _gaps(days: Iterable[date]) -> list[timedelta]:
    return [later - earlier for earlier, later in pairwise(days)]


def _usual_silence(days: Days, end: date) -> timedelta:
    """Return the longest silence that the year before leaves possible after a last day."""
    gaps = _gaps(sorted(day for day in days if end - YEAR <= day <= end))
    caution = 1 if len(gaps) >= 2 * FEWEST_DAYS else 2 if len(gaps) >= FEWEST_DAYS else 3
    return caution * max(gaps, default=DAY)


def _goes_on(planned: Days, ahead: Days, end: date) -> bool:
    """Return whether rows go on as before after what observes has stopped: it was switched off."""
    span = _settled(ahead) - end
    before = sum(rows for day, rows in planned.items() if end - span <= day <= end)
    return len(ahead) >= FEWEST_DAYS and ahead.total() >= before / 2


def _beyond(table: IncomingTable, until: datetime, engine: Engine) -> RemarkRecord:
    """Return the remark on the rows of a table after observation stopped."""
    layout = table.layout
    time = layout.event_time()
    row = engine.row(
        f"SELECT count(*) OVER () AS n, account_id, {time} AS moment FROM {quote(layout.staged)} "
        f"WHERE _reason = 0 AND {time} >= {literal(until)} ORDER BY moment DESC, account_id LIMIT 1"
    )
    rows = row["n"]
    lie, they = (
        ("row lies", "It is set aside; if it")
        if rows == 1
        else (
            "rows lie",
            "They are set aside; if they",
        )
    )
    text = (
        f"{rows:,} {lie} after {show(until - DAY)}, the last day on which anything was observed; "
        f"the last is of account {row['account_id']} at {show(row['moment'])}: booked ahead, or a "
        f"wrong clock. {they} did happen, set data.observed_until"
    )
    share = rows / table.counts.used
    return RemarkRecord(code="after_observation", text=text, rows=rows, share=share, red=True)
