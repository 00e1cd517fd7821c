"""Latest event and latest known time of the rows that each feature read, per `as_of`.

Rows are placed by `Timeline.seen_sql` and `Timeline.slot_sql`, the expressions that every feature
is cut by; the times compared with `as_of` are the rows' own.  A cut that lets a row through too
early shows here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import compress
from typing import TYPE_CHECKING

import numpy as np

from tenure.core.arrays import Flags, Ints
from tenure.core.records.audit import ReadRecord, ReadsRecord
from tenure.core.times import EPOCH
from tenure.features.compute.timeline import Timeline
from tenure.features.plan.columns import Window
from tenure.sources.contract import SOURCES

if TYPE_CHECKING:
    import pyarrow as pa

    from tenure.engine import Engine
    from tenure.features.plan.columns import MeasuredColumn
    from tenure.features.plan.plan import Plan

NEVER = np.iinfo(np.int64).min
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class _Group:
    """Features whose rows are let through alike."""

    source: str
    clocks: tuple[str, ...]
    at: str | None
    running: bool


def reads(engine: Engine, plan: Plan, cutoffs: Sequence[datetime]) -> ReadsRecord:
    """Return what every feature of a plan read, in the order of its columns.

    One statement per table and set of clocks, over all rows.

    The prediction times are ascending and distinct.
    """
    groups: dict[_Group, list[MeasuredColumn]] = {}
    for item in plan.measured:
        feature = item.feature
        key = _Group(feature.source, item.clocks, feature.at, feature.running)
        groups.setdefault(key, []).append(item)
    latest: dict[str, Ints] = {}
    for group, items in groups.items():
        latest |= _latest(engine, group, items, cutoffs)
    clocks = {item.spec.name: item.clocks for item in plan.measured}
    for further in (*plan.computed, *plan.placed):
        parts = sorted(further.needs & set(latest))
        nothing = np.full((2, len(cutoffs)), NEVER, dtype=np.int64)
        latest[further.spec.name] = np.maximum.reduce([nothing, *(latest[name] for name in parts)])
        clocks[further.spec.name] = tuple(sorted({c for name in parts for c in clocks[name]}))
    features = {
        name: _read(spec.source, clocks[name], latest[name], cutoffs)
        for name, spec in plan.described.items()
    }
    violations = tuple(name for name, read in features.items() if read.violations)
    return ReadsRecord(as_of=cutoffs, features=features, violations=violations)


def _read(
    source: str, clocks: tuple[str, ...], latest: Ints, cutoffs: Sequence[datetime]
) -> ReadRecord:
    event, known = (
        tuple(None if item == NEVER else EPOCH + int(item) * MICROSECOND for item in row)
        for row in latest
    )
    moments = np.array([(as_of - EPOCH) // MICROSECOND for as_of in cutoffs], dtype=np.int64)
    wrong = np.any(latest >= moments, axis=0).tolist()
    return ReadRecord(
        source=source,
        clocks=clocks,
        latest_event=event,
        latest_known=known,
        violations=tuple(compress(cutoffs, wrong)),
    )


def _latest(
    engine: Engine, group: _Group, items: Sequence[MeasuredColumn], cutoffs: Sequence[datetime]
) -> dict[str, Ints]:
    """Return per feature the latest event and known times, shape (2, cut-offs)."""
    windows = dict.fromkeys(item.window for item in items)
    timeline = Timeline(tuple(cutoffs), tuple(windows))
    conditions = list(dict.fromkeys(item.condition for item in items))
    table = engine.fetch(_statement(group, conditions, timeline))
    through = {window: _through(table, timeline, window) for window in windows}
    ended = _ended(engine, group, timeline)
    latest = {}
    for item in items:
        place = conditions.index(item.condition)
        event, known = (
            np.where(through[item.window], _ints(table, f"{stem}{place}"), NEVER).max(
                axis=1, initial=NEVER
            )
            for stem in ("e", "k")
        )
        latest[item.spec.name] = np.stack([event, np.maximum(known, ended)])
    return latest


def _through(table: pa.Table, timeline: Timeline, window: Window) -> Flags:
    """Return which places on the grid the cut lets through, shape (cut-offs, places)."""
    start, stop = timeline.span(window)
    seen, slot = _ints(table, "seen"), _ints(table, "slot")
    known = seen <= np.arange(timeline.size)[:, None]
    through: Flags = known & (slot >= start[:, None]) & (slot < stop[:, None])
    return through


def _statement(group: _Group, conditions: Sequence[str | None], timeline: Timeline) -> str:
    """Return SQL for the latest times at each place on the grid that features are cut on."""
    moments = ["known_at", *(f"{clock}__known" for clock in group.clocks)]
    known = moments[0] if len(moments) == 1 else f"greatest({', '.join(moments)})"
    columns = [
        f"{timeline.seen_sql(moments)} AS seen",
        f"{timeline.slot_sql(group.at or 'event_time')} AS slot",
        f"{f'greatest(event_time, {group.at})' if group.at else 'event_time'} AS happened",
        f"{known} AS known",
    ]
    columns += [
        f"CASE WHEN {condition or 'TRUE'} THEN 1 ELSE 0 END AS c{place}"
        for place, condition in enumerate(conditions)
    ]
    latest = [
        f"epoch_us(max(CASE WHEN c{place} = 1 THEN {moment} END)) AS {stem}{place}"
        for place in range(len(conditions))
        for stem, moment in (("e", "happened"), ("k", "known"))
    ]
    return (
        f"SELECT seen, slot, {', '.join(latest)} "
        f"FROM (SELECT {', '.join(columns)} FROM {group.source}) AS placed "
        f"WHERE seen < {timeline.size} GROUP BY seen, slot"
    )


def _ended(engine: Engine, group: _Group, timeline: Timeline) -> Ints:
    """Return when the latest of the ends was known that took a row out, per prediction time."""
    latest = np.full(timeline.size, NEVER, dtype=np.int64)
    ends = SOURCES[group.source].ends
    if not group.running or ends is None:
        return latest
    table = engine.fetch(
        f"SELECT gone, epoch_us(max(ended)) AS latest FROM (SELECT "
        f"{timeline.seen_sql([f'{ends}__known'])} AS gone, {ends}__known AS ended "
        f"FROM {group.source}) AS placed WHERE gone < {timeline.size} GROUP BY gone"
    )
    latest[_ints(table, "gone")] = _ints(table, "latest")
    highest: Ints = np.maximum.accumulate(latest)
    return highest


def _ints(table: pa.Table, name: str) -> Ints:
    values: Ints = table.column(name).cast("int64").fill_null(NEVER).to_numpy()
    return values
