"""When the history of each source began, as each prediction time knew it.

A window that reaches further back than the history of its source holds a partial count, which
is no smaller version of a whole one: it is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from tenure.core.times import DAY, literal
from tenure.engine import Engine
from tenure.features.compute.timeline import Timeline
from tenure.features.plan.plan import Plan


def history_starts(
    engine: Engine,
    plan: Plan,
    cutoffs: Sequence[datetime],
    known: Mapping[str, date] | None = None,
) -> dict[str, list[date | None]]:
    """Return, per source with windowed features, the first day of its history at each cut-off.

    Args:
        engine: Holds the canonical tables.
        plan: Which features.
        cutoffs: Prediction times, ascending.
        known: Source → first day as a model knew it; the tables are not read then.

    Returns:
        Source → one day per cut-off, None where no row was known.
    """
    windowed = {item.feature.source for item in plan.measured if item.spec.window is not None}
    if known is not None:
        return {source: [known.get(source)] * len(cutoffs) for source in sorted(windowed)}
    return {source: _first_days(engine, source, cutoffs) for source in sorted(windowed)}


def _first_days(engine: Engine, source: str, cutoffs: Sequence[datetime]) -> list[date | None]:
    first = engine.value(f"SELECT min(event_time) AS t FROM {source}")
    if first is None:
        return [None] * len(cutoffs)
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    # Nearly always the first day's rows were known before the first cut-off, which settles it.
    day = f"event_time < {literal(midnight + DAY)}"
    sql = f"SELECT min(known_at) AS t FROM {source} WHERE {day} AND known_at >= event_time"
    known = engine.value(sql)
    if known is not None and known < cutoffs[0]:
        return [midnight.date()] * len(cutoffs)
    seen = Timeline(tuple(cutoffs), ()).seen_sql(["event_time", "known_at"])
    rows = engine.fetch(
        f"SELECT seen, min(event_time) AS t FROM (SELECT {seen} AS seen, event_time FROM {source}) "
        "AS placed GROUP BY seen"
    ).to_pylist()
    return [
        min((row["t"].date() for row in rows if row["seen"] <= number), default=None)
        for number in range(len(cutoffs))
    ]
