"""The future shuffle: replace everything at or after `as_of` by noise; no feature may change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from tenure.audit.noise import disturbed
from tenure.audit.sample import Sample, unlike
from tenure.core.records.audit import MovedFeature, ShuffleRecord
from tenure.engine import Engine
from tenure.features.plan.plan import Plan
from tenure.sources.contract import SOURCES

MOST_ACCOUNTS = 5
REACH = 6
BEYOND = timedelta(days=91)


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
) -> list[ShuffleRecord]:
    """Replace the future by noise and compare the features of the past.

    Of the snapshots (account_id, as_of), those of the sample's accounts at a moment and at the
    prediction times before it (at most six) are compared; `moments` are the prediction times whose
    future is replaced.  The engine is empty: copies of the tables are put into it.
    """
    dice = np.random.default_rng(seed)
    mine = snapshots[snapshots["account_id"].isin(sample.accounts)]
    shuffles = []
    for at in moments:
        times = np.sort(mine.loc[mine["as_of"] <= at, "as_of"].unique())[-REACH:]
        past = mine.loc[mine["as_of"].isin(times), ["account_id", "as_of"]]
        if past.empty:
            continue
        # A later time, so that no row is out of reach merely because nothing asks for it.
        later = past[past["as_of"] == past["as_of"].max()].assign(as_of=at + BEYOND)
        pairs = pd.concat([past, later.astype(past.dtypes)], ignore_index=True)
        noise = {
            name: disturbed(SOURCES[name], table, at, dice) for name, table in sample.tables.items()
        }
        tables = {name: table for name, (table, _) in noise.items()}
        differ = unlike(engine, plan, pairs, sample.tables, tables).iloc[: len(past)]
        rows = sum(count for _, count in noise.values())
        moved = tuple(_moved(differ, past))
        shuffles.append(ShuffleRecord(as_of=at, rows=rows, compared=differ.size, moved=moved))
    return shuffles


def _moved(differ: pd.DataFrame, rows: pd.DataFrame) -> Iterator[MovedFeature]:
    for name in differ.columns:
        where = differ[name].to_numpy()
        if where.any():
            accounts = rows.loc[where, "account_id"].unique()[:MOST_ACCOUNTS]
            yield MovedFeature(feature=name, values=int(where.sum()), accounts=tuple(accounts))
