"""Shared SQL: each source is reduced to cells on the grid of accounts, cut-offs and slots.

Features that read the same late columns of the same source share one statement (a stream).  Its
text depends on the declarations and the cut-offs alone, so training, a batch and one account over
HTTP run the same text.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from tenure.core.fragments import Aggregate
from tenure.core.steps import Step
from tenure.core.times import literal
from tenure.features.declare import Measured
from tenure.features.timeline import Timeline
from tenure.sources.tables import SOURCES

SCOPE = "feature_scope"
SCALE = 1_000_000
"""Amounts are summed as whole millionths, so that no order of addition changes a sum."""


@dataclass(frozen=True)
class Stream:
    """Features that are read from one source under the same clocks.

    Attributes:
        source: Canonical table name.
        clocks: Clocks of the late columns that are read.
        at: Late time that stands in for the event time, None for the event time.
        running: Whether a row counts until its end is known.
        member: For distinct counts: what is counted; such a stream has one condition.
        condition: For distinct counts: what a row must meet.
        features: The features, in order.
    """

    source: str
    clocks: tuple[str, ...]
    at: str | None
    running: bool
    member: str | None
    condition: str | None
    features: tuple[Measured, ...]

    @property
    def windows(self) -> tuple[int | None, ...]:
        """Return the window lengths that are asked for, ascending, the whole past last."""
        found = {feature.spec.window for feature in self.features}
        bounded = sorted(window for window in found if window is not None)
        return (*bounded, None) if None in found else tuple(bounded)

    def timeline(self, cutoffs: Iterable[datetime]) -> Timeline:
        """Return the grid that this stream's cells lie on."""
        bounded = tuple(window for window in self.windows if window is not None)
        return Timeline(tuple(cutoffs), bounded)

    @property
    def measures(self) -> dict[tuple[Aggregate, str | None], str]:
        """Return the distinct pairs of aggregate and condition, and a column stem for each."""
        pairs = dict.fromkeys((item.aggregate, item.condition) for item in self.features)
        return {pair: f"m{index}" for index, pair in enumerate(pairs)}


def streams(features: Iterable[Measured]) -> tuple[Stream, ...]:
    """Group features that one statement can serve."""
    groups: dict[Stream, list[Measured]] = {}
    for item in features:
        distinct = item.aggregate.kind == "distinct"
        member = item.aggregate.operand if distinct else None
        condition = item.condition if distinct else None
        declared = item.feature
        stream = Stream(
            declared.source, item.clocks, declared.at, declared.running, member, condition, ()
        )
        groups.setdefault(stream, []).append(item)
    return tuple(replace(stream, features=tuple(found)) for stream, found in groups.items())


def cells(stream: Stream, timeline: Timeline) -> Step:
    """Return the statement that reduces a stream's rows to cells.

    Columns: ``account_no``, ``seen``, ``slot``, ``gone`` (running streams only), then per measure
    ``<stem>`` and ``<stem>_n`` as needed; for distinct counts ``member`` instead of measures.
    """
    keys = ["account_no", "slot"] + (["gone"] if stream.running else [])
    if stream.member is not None:
        chosen = ["member", "min(seen) AS seen"]
        grouped = [*keys, "member"]
        kept = "seen < {size} AND member IS NOT NULL"
    else:
        chosen = ["seen", *_measured(stream)]
        grouped = [*keys, "seen"]
        kept = "seen < {size}"
    sql = (
        f"SELECT {', '.join([*keys, *chosen])}\n"
        f"FROM ({_placed(stream, timeline)}) AS placed\n"
        f"WHERE {kept.format(size=timeline.size)}\n"
        f"GROUP BY {', '.join(grouped)}"
    )
    name = f"cells_{stream.source}"
    return Step(name, sql)


def _placed(stream: Stream, timeline: Timeline) -> str:
    """Return SQL for the rows with their place on the grid and what the measures read."""
    source = SOURCES[stream.source]
    happened = stream.at or "event_time"
    moments = ["known_at", *(f"{clock}__known" for clock in stream.clocks)]
    columns = [
        "scope.account_no",
        f"{timeline.seen_sql(moments)} AS seen",
        f"{timeline.slot_sql(happened)} AS slot",
    ]
    if stream.running:
        columns.append(f"{timeline.seen_sql([f'{source.ends}__known'])} AS gone")
    if stream.member is not None:
        columns.append(f"{stream.member} AS member")
    for (aggregate, condition), stem in stream.measures.items():
        if stream.member is None:
            columns.append(f"{_amount(aggregate, condition)} AS {stem}")
    if any(aggregate.kind == "last" for aggregate, _ in stream.measures):
        columns.append("epoch_us(event_time) AS moment")
    last = literal(timeline.cutoffs[-1])
    where = [f"known_at < {last}"]
    if None not in stream.windows and timeline.earliest is not None and not stream.running:
        where.append(f"{happened} >= {literal(timeline.earliest)}")
    if stream.condition is not None:
        where.append(f"({stream.condition})")
    listed = ",\n  ".join(columns)
    return (
        f"SELECT {listed}\nFROM {stream.source} JOIN {SCOPE} AS scope USING (account_id)\n"
        f"WHERE {' AND '.join(where)}"
    )


def _amount(aggregate: Aggregate, condition: str | None) -> str:
    """Return SQL for what a row adds to a measure; null where it adds nothing."""
    operand = aggregate.operand
    if aggregate.kind == "count":
        value = "1" if operand is None else f"CASE WHEN {operand} IS NOT NULL THEN 1 END"
    elif aggregate.relative:
        value = f"epoch_us({operand})"
    elif aggregate.text:
        value = str(operand)
    else:
        value = f"CAST(round(CAST({operand} AS DOUBLE) * {SCALE}) AS BIGINT)"
    return value if condition is None else f"CASE WHEN {condition} THEN {value} END"


def _measured(stream: Stream) -> list[str]:
    """Return SQL for the aggregated columns of a stream's measures."""
    columns = []
    for (aggregate, _), stem in stream.measures.items():
        if aggregate.kind == "count":
            columns.append(f"CAST(count({stem}) AS BIGINT) AS {stem}")
        elif aggregate.kind in {"sum", "avg"}:
            columns.append(f"CAST(sum({stem}) AS BIGINT) AS {stem}")
            columns.append(f"CAST(count({stem}) AS BIGINT) AS {stem}_n")
        elif aggregate.kind in {"min", "max"}:
            columns.append(f"{aggregate.kind}({stem}) AS {stem}")
        else:
            pair = f"CASE WHEN {stem} IS NOT NULL THEN struct_pack(t := moment, v := {stem}) END"
            columns.append(f"max({pair}) AS {stem}")
    return columns
