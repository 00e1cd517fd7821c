"""How much each source says about an account, through the same cut as the features."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.spec import Family, Feature
from tenure.features.compute.timeline import Timeline
from tenure.features.plan.plan import Plan, resolve_plan

if TYPE_CHECKING:
    import pandas as pd

    from tenure.engine import Engine

PREFIX = "days_since_any_row_of_"
PAYING = "days_since_first_paid_row"


@lru_cache
def recency(sources: frozenset[str]) -> Plan:
    """Return the plan of one column per source: days since an account's latest row."""
    sentence, latest = "{value} days since the latest row", "days_since(max(event_time))"
    features = [Feature(f"{PREFIX}{name}", name, latest, sentence) for name in sorted(sources)]
    family = Family("coverage", "Rows in the look-back", tuple(features))
    return resolve_plan([family], dict.fromkeys(sources, frozenset()))


@lru_cache
def paying() -> Plan:
    """Return the plan of one column: days since an account's first paid row."""
    sentence = "{value} days since the first paid row"
    begun = Feature(PAYING, "subscriptions", "days_since(min(started_at))", sentence, where="paid")
    columns = {"subscriptions": frozenset({"started_at", "mrr", "status"})}
    return resolve_plan([Family("coverage", "Paid time", (begun,))], columns)


def coverage(values: pd.DataFrame, sources: Iterable[str], lookback_days: int) -> Floats:
    """Return the share of sources with any row in the look-back of each snapshot, in [0, 1].

    `values` has the columns of `recency`, shape (n, p); without sources the share is missing.
    """
    columns = [values[f"{PREFIX}{name}"].to_numpy() for name in sorted(sources)]
    if not columns:
        return np.full(len(values), np.nan)
    recent = np.stack(columns, axis=1).astype(np.float64) <= lookback_days
    share: Floats = recent.mean(axis=1)
    return share


def latest_known(
    engine: Engine, sources: Iterable[str], as_of: datetime
) -> dict[str, datetime | None]:
    """Return each source's latest event time that was known before `as_of`."""
    seen = Timeline((as_of,), ()).seen_sql(["known_at"])
    parts = [
        f"SELECT '{name}' AS source, max(event_time) AS t FROM {name} WHERE {seen} = 0"
        for name in sorted(sources)
    ]
    if not parts:
        return {}
    rows = engine.fetch(" UNION ALL ".join(parts)).to_pylist()
    return {row["source"]: row["t"] for row in rows}
