"""Late data: how much arrived after the day it happened, how late, and what that changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tenure.audit.noise import at_once
from tenure.audit.sample import Sample, rebuilt, unlike
from tenure.core.steps import quote
from tenure.sources.contract import SOURCES

if TYPE_CHECKING:
    import pandas as pd

    from tenure.engine import Engine
    from tenure.features.plan.plan import Plan

QUANTILES = {"median": 0.5, "p90": 0.9, "p99": 0.99}


@dataclass(frozen=True)
class Arrival:
    """Lateness of one clock of a table.

    Attributes:
        table: Canonical table.
        clock: ``event_time`` for the rows, else the clock of late columns.
        rows: Rows with that time.
        late: Those known on a later calendar day (UTC) than they happened.
        lag_days: Quantiles of the lag of the late ones, in whole days, and the highest.
    """

    table: str
    clock: str
    rows: int
    late: int
    lag_days: Mapping[str, int]

    @property
    def share(self) -> float:
        """Return the share that was late."""
        return self.late / self.rows if self.rows else 0.0


@dataclass(frozen=True)
class Cost:
    """Feature values of a family that differ because data arrived late.

    Attributes:
        family: Feature family.
        values: Values compared: snapshots × features.
        changed: Values that differ from those of a world where everything was known at once.
        snapshots: Snapshots of which any value of the family differs.
        of_snapshots: Snapshots compared.
        features: The features that differ most often, with the share of snapshots.
    """

    family: str
    values: int
    changed: int
    snapshots: int
    of_snapshots: int
    features: Mapping[str, float]

    @property
    def share(self) -> float:
        """Return the share of values that differ."""
        return self.changed / self.values if self.values else 0.0


def arrivals(engine: Engine, tables: Sequence[str]) -> list[Arrival]:
    """Return how late the rows and the late columns of tables are, over all rows.

    Args:
        engine: Holds the canonical tables.
        tables: Their names.
    """
    arrived = []
    for name in tables:
        present = engine.columns(name)
        clocks = [clock for clock in SOURCES[name].clocks if clock in present]
        known = [clock for clock in clocks if f"{clock}__known" in present]
        arrived.append(_arrival(engine, name, "event_time", "known_at"))
        arrived += [_arrival(engine, name, clock, f"{clock}__known") for clock in known]
    return [item for item in arrived if item.rows]


def _arrival(engine: Engine, table: str, happened: str, known: str) -> Arrival:
    counted = engine.fetch(
        f"SELECT date_diff('day', date_trunc('day', {quote(happened)}), "
        f"date_trunc('day', {quote(known)})) AS lag, count(*) AS n FROM {quote(table)} "
        f"WHERE {quote(happened)} IS NOT NULL AND {quote(known)} IS NOT NULL GROUP BY 1"
    )
    lags = counted.column(0).to_numpy().astype(np.int64)
    sizes = counted.column(1).to_numpy().astype(np.int64)
    late = lags > 0
    quantiles: dict[str, int] = {}
    if late.any():
        order = np.argsort(lags[late])
        steps, total = lags[late][order], np.cumsum(sizes[late][order])
        for name, level in QUANTILES.items():
            quantiles[name] = int(steps[np.searchsorted(total, level * total[-1])])
        quantiles["highest"] = int(steps[-1])
    return Arrival(table, happened, int(sizes.sum()), int(sizes[late].sum()), quantiles)


def costs(
    engine: Engine, sample: Sample, plan: Plan, snapshots: pd.DataFrame, most: int = 5
) -> list[Cost]:
    """Compare the features with those of a world where everything was known at once.

    Args:
        engine: An empty engine; copies of the tables are put into it.
        sample: The copies.
        plan: Which features.
        snapshots: Columns account_id and as_of; those of the sample's accounts are compared.
        most: Features to name per family.
    """
    pairs = snapshots[snapshots["account_id"].isin(sample.accounts)].reset_index(drop=True)
    timely = {name: at_once(SOURCES[name], table) for name, table in sample.tables.items()}
    differ = unlike(
        rebuilt(engine, sample.tables, plan, pairs), rebuilt(engine, timely, plan, pairs)
    )
    families: dict[str, list[str]] = {}
    for name, spec in plan.specs.items():
        if name in differ.columns:
            families.setdefault(spec.family, []).append(name)
    by_family = []
    for family, names in families.items():
        part = differ[names].to_numpy()
        share = part.mean(axis=0) if len(part) else np.zeros(len(names))
        top = [place for place in np.argsort(-share, kind="stable")[:most] if share[place] > 0]
        touched = int(part.any(axis=1).sum())
        named = {names[place]: float(share[place]) for place in top}
        by_family.append(Cost(family, part.size, int(part.sum()), touched, len(pairs), named))
    return by_family
