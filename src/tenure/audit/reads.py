"""Latest event and latest known time of the rows that each feature read, per `as_of`.

Rows are placed by `Timeline.seen_sql` and `Timeline.slot_sql`, the expressions that every feature
is cut by; the times compared with `as_of` are the rows' own.  A cut that lets a row through too
early shows here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from tenure.core.times import EPOCH, show
from tenure.features.compute.timeline import Timeline
from tenure.features.plan.columns import Window
from tenure.sources.contract import SOURCES

if TYPE_CHECKING:
    import pyarrow as pa

    from tenure.engine import Engine
    from tenure.features.plan.columns import ComputedColumn, MeasuredColumn, PercentileColumn
    from tenure.features.plan.plan import Plan

NEVER = np.iinfo(np.int64).min
Ints = np.ndarray[Any, np.dtype[np.int64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class Read:
    """Latest event and known times of the rows that one feature read.

    Attributes:
        feature: Column name.
        source: Table or tables it is read from.
        clocks: Clocks of the late columns that it reads.
        latest_event: Per prediction time the latest event time among the rows that were let
            through; None where none lay in the window.
        latest_known: Likewise the latest time at which any of them became known.
    """

    feature: str
    source: str
    clocks: tuple[str, ...]
    latest_event: tuple[datetime | None, ...]
    latest_known: tuple[datetime | None, ...]

    def violations(self, cutoffs: Sequence[datetime]) -> list[datetime]:
        """Return the prediction times at which something not before them was read."""
        return [
            as_of
            for as_of, event, known in zip(
                cutoffs, self.latest_event, self.latest_known, strict=True
            )
            if (event is not None and event >= as_of) or (known is not None and known >= as_of)
        ]

    def to_dict(self, cutoffs: Sequence[datetime]) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "source": self.source,
            "clocks": list(self.clocks),
            "latest_event": [show(item) if item else None for item in self.latest_event],
            "latest_known": [show(item) if item else None for item in self.latest_known],
            "violations": [show(item) for item in self.violations(cutoffs)],
        }


@dataclass(frozen=True)
class _Group:
    """Features whose rows are let through alike."""

    source: str
    clocks: tuple[str, ...]
    at: str | None
    running: bool


def reads(engine: Engine, plan: Plan, cutoffs: Sequence[datetime]) -> list[Read]:
    """Return what every feature of a plan read, in the order of its columns.

    One statement per table and set of clocks, over all rows.

    Args:
        engine: Holds the canonical tables.
        plan: Which features.
        cutoffs: Prediction times, ascending and distinct, naive UTC.
    """
    groups: dict[_Group, list[MeasuredColumn]] = {}
    for item in plan.measured:
        feature = item.feature
        key = _Group(feature.source, item.clocks, feature.at, feature.running)
        groups.setdefault(key, []).append(item)
    latest: dict[str, tuple[Ints, Ints]] = {}
    clocks: dict[str, tuple[str, ...]] = {}
    for group, items in groups.items():
        for item, times in zip(items, _latest(engine, group, items, cutoffs), strict=True):
            latest[item.spec.name] = times
            clocks[item.spec.name] = item.clocks
    later: list[ComputedColumn | PercentileColumn] = [*plan.computed, *plan.placed]
    for further in later:
        parts = sorted(further.needs & set(latest))
        latest[further.spec.name] = (
            _highest([latest[name][0] for name in parts], len(cutoffs)),
            _highest([latest[name][1] for name in parts], len(cutoffs)),
        )
        clocks[further.spec.name] = tuple(sorted({c for name in parts for c in clocks[name]}))
    return [
        Read(name, spec.source, clocks[name], _times(latest[name][0]), _times(latest[name][1]))
        for name, spec in plan.described.items()
    ]


def _latest(
    engine: Engine, group: _Group, items: Sequence[MeasuredColumn], cutoffs: Sequence[datetime]
) -> list[tuple[Ints, Ints]]:
    """Return per feature the latest event and known times at each prediction time."""
    windows = dict.fromkeys(item.window for item in items)
    timeline = Timeline(tuple(cutoffs), tuple(windows))
    conditions = list(dict.fromkeys(item.condition for item in items))
    table = engine.fetch(_statement(group, conditions, timeline))
    through = {window: _through(table, timeline, window) for window in windows}
    ended = _ended(engine, group, timeline)
    result = []
    for item in items:
        place = conditions.index(item.condition)
        event = _highest_of(table, f"e{place}", through[item.window])
        known = _highest_of(table, f"k{place}", through[item.window])
        result.append((event, np.maximum(known, ended) if group.running else known))
    return result


def _through(table: pa.Table, timeline: Timeline, window: Window) -> Mask:
    """Return which places on the grid the cut lets through, shape (cut-offs, places)."""
    start, stop = timeline.span(window)
    seen, slot = (table.column(name).to_numpy().astype(np.int64) for name in ("seen", "slot"))
    known = seen <= np.arange(timeline.size)[:, None]
    through: Mask = known & (slot >= start[:, None]) & (slot < stop[:, None])
    return through


def _highest_of(table: pa.Table, name: str, through: Mask) -> Ints:
    values = table.column(name).fill_null(NEVER).to_numpy().astype(np.int64)
    highest: Ints = np.where(through, values, NEVER).max(axis=1, initial=NEVER)
    return highest


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
    ends = SOURCES[group.source].ends
    if not group.running or ends is None:
        return np.full(timeline.size, NEVER, dtype=np.int64)
    table = engine.fetch(
        f"SELECT gone, epoch_us(max(ended)) AS latest FROM (SELECT "
        f"{timeline.seen_sql([f'{ends}__known'])} AS gone, {ends}__known AS ended "
        f"FROM {group.source}) AS placed WHERE gone < {timeline.size} GROUP BY gone"
    )
    return _so_far(table, "gone", "latest", timeline.size)


def _so_far(table: pa.Table, place: str, name: str, size: int) -> Ints:
    """Return the highest value up to each prediction time."""
    latest = np.full(size, NEVER, dtype=np.int64)
    where = table.column(place).to_numpy().astype(np.int64)
    latest[where] = table.column(name).fill_null(NEVER).to_numpy().astype(np.int64)
    highest: Ints = np.maximum.accumulate(latest)
    return highest


def _highest(parts: Iterable[Ints], size: int) -> Ints:
    highest: Ints = np.maximum.reduce([np.full(size, NEVER, dtype=np.int64), *parts])
    return highest


def _times(micros: Ints) -> tuple[datetime | None, ...]:
    return tuple(
        None if item == NEVER else EPOCH + timedelta(microseconds=int(item)) for item in micros
    )
