"""Values that get a feature of their own, chosen from the past of each prediction time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from tenure.core.spec import Family, Feature
from tenure.engine import Engine
from tenure.features.compute.timeline import Timeline
from tenure.sources.contract import SOURCES

if TYPE_CHECKING:
    import pandas as pd

LIMIT = 24
MIN_ACCOUNTS = 20


@dataclass(frozen=True)
class Categories:
    """Chosen values of features with `each`."""

    values: dict[str, tuple[str, ...]]
    """Feature name → values, most used first."""
    since: dict[tuple[str, str], datetime]
    """(feature name, value) → the first prediction time at which it was chosen."""


def choose_categories(
    engine: Engine,
    families: Iterable[Family],
    columns: Mapping[str, frozenset[str]],
    cutoffs: Iterable[datetime],
) -> Categories:
    """Choose, at each cut-off, the values that most accounts had used by then.

    A value counts from the first cut-off at which it stood among the `LIMIT` most used and at
    least `MIN_ACCOUNTS` accounts had used it, so nothing later can bring a feature into a fold.
    """
    timeline = Timeline(tuple(cutoffs), ())
    values: dict[str, tuple[str, ...]] = {}
    since: dict[tuple[str, str], datetime] = {}
    for family in families:
        for feature in family.features:
            if not isinstance(feature, Feature) or feature.each is None:
                continue
            if feature.each not in columns.get(feature.source, frozenset()):
                continue
            first = _first_chosen(_reach(engine, feature, timeline), timeline.size)
            values[feature.name] = tuple(first)
            since |= {(feature.name, value): timeline.cutoffs[at] for value, at in first.items()}
    return Categories(values, since)


def _reach(engine: Engine, feature: Feature, timeline: Timeline) -> pd.DataFrame:
    """Return value, seen, accounts: how many accounts were first seen with a value at a cut-off."""
    clock = SOURCES[feature.source].late.get(feature.each or "")
    seen = timeline.seen_sql(["known_at", *([f"{clock}__known"] if clock else [])])
    inner = (
        f"SELECT account_id, {feature.each} AS value, min({seen}) AS seen FROM {feature.source} "
        f"WHERE {feature.each} IS NOT NULL GROUP BY account_id, {feature.each}"
    )
    sql = f"SELECT value, seen, count(*) AS accounts FROM ({inner}) AS firsts GROUP BY value, seen"
    reach: pd.DataFrame = engine.fetch(sql).to_pandas()
    return reach


def _first_chosen(reach: pd.DataFrame, size: int) -> dict[str, int]:
    """Return values → the first cut-off at which each was chosen, in order of choice."""
    if reach.empty or size == 0:
        return {}
    table = reach.pivot_table(index="value", columns="seen", values="accounts", aggfunc="sum")
    table = table.reindex(columns=range(size)).fillna(0).cumsum(axis=1).sort_index()
    counts = table.to_numpy()
    order = np.argsort(-counts, axis=0, kind="stable")
    chosen: dict[str, int] = {}
    for at in range(size):
        for row in order[:LIMIT, at]:
            if counts[row, at] >= MIN_ACCOUNTS:
                chosen.setdefault(str(table.index[row]), at)
    return chosen
