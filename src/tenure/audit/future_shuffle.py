"""The future shuffle: replace everything at or after `as_of` by noise; no feature may change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tenure.audit.noise import disturbed
from tenure.audit.sample import Sample, rebuilt, unlike
from tenure.sources.contract import SOURCES

if TYPE_CHECKING:
    from tenure.engine import Engine
    from tenure.features.plan.plan import Plan

MOST_ACCOUNTS = 5
REACH = 6
BEYOND = timedelta(days=91)


@dataclass(frozen=True)
class Moved:
    """A feature whose past values changed when only the future did.

    Attributes:
        feature: Column name.
        values: How many values of the past changed.
        accounts: Some accounts for which they did.
    """

    feature: str
    values: int
    accounts: tuple[str, ...]


@dataclass(frozen=True)
class Shuffle:
    """One time at which the future was replaced.

    Attributes:
        as_of: Everything at or after it became noise.
        rows: Rows that were replaced or added.
        compared: Values at and before that time that were compared, bit for bit.
        moved: The features that are not the same.
    """

    as_of: datetime
    rows: int
    compared: int
    moved: tuple[Moved, ...]


def sampled(cutoffs: Sequence[datetime], count: int, seed: int) -> list[datetime]:
    """Return prediction times drawn with a seed, in order."""
    picked = np.random.default_rng(seed).permutation(len(cutoffs))[:count]
    return [cutoffs[place] for place in sorted(picked)]


def shuffle(
    engine: Engine,
    sample: Sample,
    plan: Plan,
    snapshots: pd.DataFrame,
    moments: Sequence[datetime],
    seed: int,
) -> list[Shuffle]:
    """Replace the future by noise and compare the features of the past.

    Args:
        engine: An empty engine; copies of the tables are put into it.
        sample: The copies.
        plan: Which features.
        snapshots: Columns account_id and as_of; those of the sample's accounts at a moment and at
            the prediction times before it (at most six) are compared.
        moments: Prediction times whose future is replaced.
        seed: Of the noise.
    """
    dice = np.random.default_rng(seed)
    mine = snapshots[snapshots["account_id"].isin(sample.accounts)]
    shuffles = []
    for at in moments:
        times = np.sort(mine.loc[mine["as_of"] <= at, "as_of"].unique())[-REACH:]
        pairs = mine.loc[mine["as_of"].isin(times), ["account_id", "as_of"]]
        if pairs.empty:
            continue
        compared = len(pairs)
        # A later time, so that no row is out of reach merely because nothing asks for it.
        later = pairs[pairs["as_of"] == pairs["as_of"].max()].assign(as_of=at + BEYOND)
        pairs = pd.concat([pairs, later.astype(pairs.dtypes)], ignore_index=True)
        before = rebuilt(engine, sample.tables, plan, pairs)
        tables, rows = {}, 0
        for name, table in sample.tables.items():
            tables[name], count = disturbed(SOURCES[name], table, at, dice)
            rows += count
        after = rebuilt(engine, tables, plan, pairs)
        differ = unlike(before, after).iloc[:compared]
        shuffles.append(Shuffle(at, rows, differ.size, _moved(differ, pairs.iloc[:compared])))
    return shuffles


def _moved(differ: pd.DataFrame, rows: pd.DataFrame) -> tuple[Moved, ...]:
    moved = []
    for name in differ.columns:
        where = differ[name].to_numpy()
        if where.any():
            accounts = rows.loc[where, "account_id"].unique()[:MOST_ACCOUNTS]
            moved.append(Moved(str(name), int(where.sum()), tuple(str(item) for item in accounts)))
    return tuple(moved)
