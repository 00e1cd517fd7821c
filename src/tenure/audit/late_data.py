"""Late data: how much arrived after the day it happened, how late, and what that changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tenure.audit.noise import at_once
from tenure.audit.sample import Sample, unlike
from tenure.core.records.audit import ArrivalRecord, CostRecord
from tenure.core.steps import quote
from tenure.sources.contract import SOURCES

if TYPE_CHECKING:
    import pandas as pd

    from tenure.engine import Engine
    from tenure.features.plan.plan import Plan

QUANTILES = {"median": 0.5, "p90": 0.9, "p99": 0.99}
MOST_FEATURES = 5
"""Features of a family that are named, those that differ most often."""


def arrivals(engine: Engine, tables: Sequence[str]) -> list[ArrivalRecord]:
    """Return how late the rows and the late columns of canonical tables are, over all rows."""
    arrived = []
    for name in tables:
        present = engine.columns(name)
        pairs = [("event_time", "known_at")]
        pairs += [(clock, f"{clock}__known") for clock in SOURCES[name].clocks]
        arrived += [_arrival(engine, name, *pair) for pair in pairs if set(pair) <= set(present)]
    return [item for item in arrived if item.rows]


def _arrival(engine: Engine, table: str, happened: str, known: str) -> ArrivalRecord:
    counted = engine.fetch(
        f"SELECT date_diff('day', date_trunc('day', {quote(happened)}), "
        f"date_trunc('day', {quote(known)})) AS lag, count(*) AS n FROM {quote(table)} "
        f"WHERE {quote(happened)} IS NOT NULL AND {quote(known)} IS NOT NULL GROUP BY 1 ORDER BY 1"
    )
    lags, sizes = (column.to_numpy().astype(np.int64) for column in counted.columns)
    steps, late = lags[lags > 0], np.cumsum(sizes[lags > 0])
    quantiles = {}
    if len(steps):
        places = np.searchsorted(late, [level * late[-1] for level in QUANTILES.values()])
        quantiles = dict(zip(QUANTILES, steps[places].tolist(), strict=True))
        quantiles["highest"] = int(steps[-1])
    rows, number = int(sizes.sum()), int(late[-1]) if len(late) else 0
    share = number / rows if rows else 0.0
    return ArrivalRecord(
        table=table, clock=happened, rows=rows, late=number, share=share, lag_days=quantiles
    )


def costs(engine: Engine, sample: Sample, plan: Plan, snapshots: pd.DataFrame) -> list[CostRecord]:
    """Compare the features with those of a world where everything was known at once.

    Of the snapshots (account_id, as_of), those of the sample's accounts are compared.  The engine
    is empty: copies of the tables are put into it.
    """
    pairs = snapshots[snapshots["account_id"].isin(sample.accounts)].reset_index(drop=True)
    timely = {name: at_once(SOURCES[name], table) for name, table in sample.tables.items()}
    differ = unlike(engine, plan, pairs, sample.tables, timely)
    families: dict[str, list[str]] = {}
    for name, spec in plan.specs.items():
        if name in differ.columns:
            families.setdefault(spec.family, []).append(name)
    return [_cost(family, differ[names]) for family, names in families.items()]


def _cost(family: str, differ: pd.DataFrame) -> CostRecord:
    values, changed = differ.size, int(differ.to_numpy().sum())
    often = differ.mean().sort_values(ascending=False, kind="stable")
    named = often[often > 0].head(MOST_FEATURES)
    return CostRecord(
        family=family,
        values=values,
        changed=changed,
        share=changed / values if values else 0.0,
        snapshots=int(differ.any(axis=1).sum()),
        of_snapshots=len(differ),
        features=named.to_dict(),
    )
