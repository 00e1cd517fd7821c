"""Rows per account against the length of its life: a spread over it, or a cap, shows here.

Where rows were made for a life whose end was known (so many per account, spread over its life), an
account that will live long has few of them early: how thin they are tells what nobody knew then.
Two things together show it, and honest tables show one of them at most:

* Among accounts that began in the same month, early rows fall with the life still to come.  They
  do so honestly where what is counted drives accounts away.
* Among accounts that have not left, whose life ends with observation and for no other reason, all
  rows hardly grow with its length.  They do so honestly where only newcomers have such rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np
import pandas as pd
import pyarrow as pa

from tenure.core.arrays import Floats, Ints
from tenure.core.normal import deviations
from tenure.core.records.base import Figure
from tenure.core.records.shape import LifetimeRecord
from tenure.core.steps import quote
from tenure.core.times import DAY
from tenure.sources.dataset import Dataset

TABLES = ("usage_events", "tickets", "survey_responses", "touchpoints")
"""Tables of what accounts do; invoices follow the billing period, which goes with long lives."""
LIVES = "audit_lives"
EARLY_DAYS = 60
SHORTEST = 2 * EARLY_DAYS
FEWEST = 100
"""Accounts that are needed, half of them still there."""
FALLS, GROWS = -0.2, 0.5
"""Elasticities: early rows that surely fall faster, and rows of a life that surely grow slower."""
SURE = deviations(0.99)
"""Standard errors to either end of an interval of 99 %."""
NEARLY, MANY, HIGH, APART = 0.97, 0.1, 30, 1.5
"""A cap: nearly the highest number of rows, of many accounts, high enough, of lives apart."""
STEPS, ENOUGH = 50, 1e-9


def lifetimes(dataset: Dataset, allow: Collection[str] = ()) -> list[LifetimeRecord]:
    """Return the tables whose rows per account do not grow with its life as they should.

    They are looked at whole, the end of observation as well: this judges the data, and reaches no
    feature.  Compared are accounts that began after the first row of a table and were, or are,
    there for `SHORTEST` days or more.

    Tables that `allow` names may look so; they are returned, marked as allowed.
    """
    tables = [name for name in TABLES if name in dataset.columns]
    until = pd.Timestamp(dataset.observed_until)
    records = []
    if tables:
        lives = _lives(dataset, until)
        dataset.engine.register(LIVES, pa.Table.from_pandas(lives, preserve_index=False))
        for table in tables:
            record = _table(table, _counted(dataset, table), until, table in allow)
            records += [record] if record else []
        dataset.engine.drop(LIVES)
    return records


def _lives(dataset: Dataset, until: pd.Timestamp) -> pd.DataFrame:
    """Return when each account began and stopped, and until when its rows count as early."""
    ended = "ended_at" if dataset.has("subscriptions", "ended_at") else "CAST(NULL AS TIMESTAMP)"
    table = dataset.engine.fetch(
        f"SELECT account_id, min(started_at) AS began, max({ended}) AS ended, "
        f"count(*) - count({ended}) AS running FROM subscriptions GROUP BY account_id"
    )
    rows: pd.DataFrame = table.to_pandas()
    for name in ("began", "ended"):
        rows[name] = rows[name].astype("datetime64[us]")
    over = (rows["running"] == 0) & (rows["ended"] < until)
    rows["stopped"] = rows["ended"].where(over, until)
    rows["early"] = rows["began"] + pd.Timedelta(days=EARLY_DAYS)
    long = rows["stopped"] - rows["began"] >= pd.Timedelta(days=SHORTEST)
    return rows.loc[long, ["account_id", "began", "stopped", "early"]]


def _counted(dataset: Dataset, table: str) -> pd.DataFrame:
    """Return the accounts that began after the first row of a table, with their rows."""
    rows = dataset.engine.fetch(
        "SELECT l.account_id, l.began, l.stopped, count(t.event_time) AS total, "
        "sum(CASE WHEN t.event_time < l.early THEN 1 ELSE 0 END) AS early "
        f"FROM {LIVES} AS l LEFT JOIN {quote(table)} AS t ON t.account_id = l.account_id "
        "AND t.event_time >= l.began AND t.event_time < l.stopped "
        f"WHERE l.began >= (SELECT min(event_time) FROM {quote(table)}) "
        "GROUP BY l.account_id, l.began, l.stopped ORDER BY l.account_id"
    )
    frame: pd.DataFrame = rows.to_pandas()
    days = (frame["stopped"] - frame["began"]).dt.total_seconds() / DAY.total_seconds()
    return frame.astype({"total": "float64", "early": "float64"}).assign(days=days)


def _table(
    table: str, accounts: pd.DataFrame, until: pd.Timestamp, allowed: bool
) -> LifetimeRecord | None:
    """Return what is wrong with a table, over all accounts or the longer half of lives."""
    records: list[LifetimeRecord] = []
    for part in _parts(accounts):
        present = (part["stopped"] >= until).to_numpy()
        if len(part) < FEWEST or present.sum() < FEWEST / 2:
            break
        total, days = part["total"].to_numpy(), part["days"].to_numpy()
        month = pd.factorize(part["began"].dt.to_period("M"))[0].astype(np.int64)
        early = elasticity(part["early"].to_numpy(), days, month)
        growth = elasticity(
            total[present], days[present], np.zeros(int(present.sum()), dtype=np.int64)
        )
        spread = _surely_below(early, FALLS) and _surely_below(growth, GROWS)
        at_highest = total >= NEARLY * total.max()
        short, long = np.quantile(days[at_highest], [0.1, 0.9])
        cut_off = total.max() >= HIGH and at_highest.mean() >= MANY and long >= APART * short
        if spread or cut_off:
            record = LifetimeRecord(
                table=table,
                kind="spread" if spread else "cut_off",
                accounts=len(part),
                from_days=int(days.min()),
                early_days=EARLY_DAYS,
                early=early,
                growth=growth,
                highest=int(total.max()),
                at_highest=float(at_highest.mean()),
                lives_differ=float(long / short),
                allowed=allowed,
            )
            records.append(record)
    return min(records, key=lambda record: record.kind != "spread", default=None)


def _parts(accounts: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Yield all accounts, and those with the longer half of lives, where alone a cap is reached."""
    yield accounts
    yield accounts[accounts["days"] >= accounts["days"].median()]


def _surely_below(figure: Figure, limit: float) -> bool:
    return figure.hi is not None and figure.hi < limit


def elasticity(rows: Floats, days: Floats, group: Ints) -> Figure:
    """Return by what power rows grow with days within groups, with a 99 % interval.

    A Poisson regression on the logarithm of the days with a level for each group; its standard
    error is that of accounts whose rows vary as they do, not as the model says.

    Args:
        rows: Rows of each account.
        days: Its days, above 0.
        group: Number of its group.
    """
    some = np.bincount(group, rows)[group] > 0
    if not some.any():
        return Figure()
    rows, group = rows[some], group[some]
    log = np.log(days[some])
    log -= log.mean()
    power = 0.0
    for _ in range(STEPS):
        mean = np.exp(power * log)
        mean *= (np.bincount(group, rows) / np.maximum(np.bincount(group, mean), ENOUGH))[group]
        centre = np.bincount(group, mean * log) / np.maximum(np.bincount(group, mean), ENOUGH)
        away = log - centre[group]
        bend = float(mean @ away**2)
        if bend < ENOUGH:
            return Figure()
        step = float(away @ (rows - mean)) / bend
        power += float(np.clip(step, -1, 1))
        if abs(step) < ENOUGH:
            break
    half = SURE * float(np.sqrt(np.sum((away * (rows - mean)) ** 2))) / bend
    return Figure(value=power, lo=power - half, hi=power + half)
