"""A bounded copy of the tables for some accounts, that the audit may disturb."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from tenure.core.steps import quote
from tenure.engine import Engine
from tenure.features.compute.matrix import build
from tenure.features.plan.plan import Plan, read_columns
from tenure.sources.contract import SOURCES

CHOSEN = "audit_accounts"
ALWAYS = ("account_id", "event_time", "known_at")


@dataclass(frozen=True)
class Sample:
    """Rows of some accounts, as Arrow tables by canonical name."""

    accounts: tuple[str, ...]
    """The accounts, sorted."""
    tables: Mapping[str, pa.Table]
    """What features read of each table, and its times."""


def chosen(accounts: Sequence[str], most: int, seed: int) -> list[str]:
    """Return at most so many of the accounts, by a seeded draw, sorted."""
    names = sorted(set(accounts))
    if len(names) <= most:
        return names
    picked = np.random.default_rng(seed).choice(len(names), size=most, replace=False)
    return [names[place] for place in sorted(picked)]


def take(engine: Engine, plan: Plan, accounts: Sequence[str], *, rows: int, seed: int) -> Sample:
    """Copy what a plan reads of some accounts.

    Of one table at most so many rows: accounts are left out, by a seeded draw, until they fit.
    """
    names = {item.feature.source for item in plan.measured}
    fitting = _fitting(engine, sorted(names), accounts, rows, seed)
    engine.register(CHOSEN, pa.table({"account_id": pa.array(fitting, pa.string())}))
    tables = {}
    for name in sorted(names):
        present = engine.columns(name)
        read = [column for column in present if column in _needed(plan, name)]
        listed = ", ".join(f"t.{quote(column)}" for column in read)
        tables[name] = engine.fetch(
            f"SELECT {listed} FROM {quote(name)} AS t JOIN {CHOSEN} AS c "
            "ON t.account_id = c.account_id"
        )
    engine.drop(CHOSEN)
    return Sample(tuple(fitting), tables)


def unlike(
    engine: Engine,
    plan: Plan,
    snapshots: pd.DataFrame,
    tables: Mapping[str, pa.Table],
    changed: Mapping[str, pa.Table],
) -> pd.DataFrame:
    """Return where features from copied tables and from changed ones differ, bit for bit.

    Args:
        engine: Where the copies are put, under their canonical names; never the engine that holds
            the tables themselves.
        plan: Which features.
        snapshots: See `tenure.features.compute.matrix.build`.
        tables: The copies.
        changed: The same tables, changed.

    Returns:
        True where a value differs, one row per snapshot; missing equals missing.
    """
    matrices = []
    for copies in (tables, changed):
        for name, table in copies.items():
            engine.register(name, table)
        matrices.append(build(engine, snapshots, plan).values)
    differs = {}
    for name in matrices[0].columns:
        left, right = (values[name] for values in matrices)
        missing = left.isna() & right.isna()
        differs[name] = ((left != right) & ~missing).to_numpy(dtype=bool)
    return pd.DataFrame(differs)


def _needed(plan: Plan, name: str) -> set[str]:
    source = SOURCES[name]
    read = {*ALWAYS, *source.clocks, *(f"{clock}__known" for clock in source.clocks)}
    for item in plan.measured:
        if item.feature.source == name:
            read |= read_columns(item.feature)
    return read


def _fitting(
    engine: Engine, names: Sequence[str], accounts: Sequence[str], rows: int, seed: int
) -> list[str]:
    """Return the accounts, in a seeded order, that no table has too many rows of."""
    order = np.random.default_rng(seed).permutation(sorted(set(accounts)))
    fits = len(order)
    for name in names:
        counts = engine.fetch(f"SELECT account_id, count(*) AS n FROM {quote(name)} GROUP BY 1")
        sizes = dict(zip(counts.column(0).to_pylist(), counts.column(1).to_pylist(), strict=True))
        total = np.cumsum([sizes.get(account, 0) for account in order])
        fits = min(fits, int(np.searchsorted(total, rows, side="right")))
    return sorted(str(account) for account in order[: max(fits, 1)])
