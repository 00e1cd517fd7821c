"""What the accounts of past books paid at the end of a period, as settled some time after it.

* `forecast_periods`: start and end of each period, and when what happened in it is known
* `forecast_ends`: MRR at the end, per period, account and currency
* `forecast_pauses`: accounts that are in a pause at the end
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from tenure.core.records.forecast import PeriodName
from tenure.core.steps import Step
from tenure.core.times import literal
from tenure.labels.snapshots import FOREVER, PAID, exact_sum, paid_rows
from tenure.sources.dataset import Dataset
from tenure.success.forecast.periods import SETTLED, period_end
from tenure.success.states import paused_spans

PERIODS = "forecast_periods"
ENDS = "forecast_ends"
PAUSES = "forecast_pauses"
BOOK = ("account_id", "as_of", "mrr", "currency", "renews_at", "notice_given", "ends_at")
"""Columns of a book: of `tenure.labels.snapshots.snapshots`."""


def with_outcomes(dataset: Dataset, book: pd.DataFrame, period: PeriodName) -> pd.DataFrame:
    """Return the rows of past books whose period has been over for long enough, and what followed.

    `book` has the columns `BOOK`, of several prediction times.

    Returns:
        Those of `described`, and settled_at, end_mrr (in the account's own currency), gone (neither
        pays nor pauses at the end).  Who pays in another currency at the end, and either side of a
        merger in the period, counts as unchanged.
    """
    standing = described(book, period)
    over = standing["period_to"] + SETTLED <= dataset.observed_until
    rows = standing[over].reset_index(drop=True)
    if rows.empty:
        return rows.assign(settled_at=rows["period_to"], end_mrr=rows["mrr"], gone=False)
    ends, pauses = _read(dataset, rows)
    merged = _merged(dataset, rows)
    own = rows.merge(ends, how="left", on=["account_id", "as_of", "own_currency"])["end_mrr"]
    anything = _among(rows, ends)
    end_mrr = np.where(merged | (anything & own.isna()), rows["mrr"], own.fillna(0.0))
    return rows.assign(
        settled_at=rows["period_to"] + SETTLED,
        end_mrr=end_mrr,
        gone=~anything & ~_among(rows, pauses) & ~merged,
    )


def described(book: pd.DataFrame, period: PeriodName) -> pd.DataFrame:
    """Return the rows of books and what is known of them at their start.

    Returns:
        The columns `BOOK`, and period_to, own_currency (text; '' without one), unit (mean MRR in
        that currency then), due (its term ends in the period), known (it is under notice and ends
        in the period, or nothing says when).
    """
    rows = book[list(BOOK)].reset_index(drop=True)
    ends = {time: period_end(time, period) for time in rows["as_of"].unique()}
    until = rows["as_of"].map(ends).astype("datetime64[us]")
    notice = rows["notice_given"].to_numpy(dtype=bool)
    end = rows["ends_at"].where(notice, rows["renews_at"])
    own = rows["currency"].astype(object).where(rows["currency"].notna(), "").astype(str)
    rows = rows.assign(
        period_to=until,
        own_currency=own,
        due=(end < until).to_numpy(dtype=bool),
        known=notice & ~(rows["ends_at"] >= until).to_numpy(dtype=bool),
    )
    return rows.assign(unit=rows.groupby(["as_of", "own_currency"])["mrr"].transform("mean"))


def _among(rows: pd.DataFrame, others: pd.DataFrame) -> np.ndarray:
    keys = ["account_id", "as_of"]
    return pd.MultiIndex.from_frame(rows[keys]).isin(pd.MultiIndex.from_frame(others[keys]))


def _merged(dataset: Dataset, rows: pd.DataFrame) -> np.ndarray:
    """Return whether each row is a side of a merger in its period."""
    if not dataset.has("mergers"):
        return np.zeros(len(rows), dtype=bool)
    sides = " UNION ALL ".join(
        f'SELECT {side} AS account_id, "at" AS merged_at, known_at FROM mergers'
        for side in ("account_id", "into_account_id")
    )
    log = dataset.engine.fetch(sides).to_pandas().astype({"account_id": "str"})
    pairs = rows[["account_id", "as_of", "period_to"]].merge(log, on="account_id")
    within = (pairs["merged_at"] >= pairs["as_of"]) & (pairs["merged_at"] < pairs["period_to"])
    known = pairs["known_at"] < pairs["period_to"] + SETTLED
    return _among(rows, pairs[within & known])


def _read(dataset: Dataset, rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what was paid at the ends of the periods of some rows, and who paused."""
    periods = rows[["as_of", "period_to"]].drop_duplicates()
    columns = {
        "as_of": periods["as_of"],
        "to_at": periods["period_to"],
        "settled_at": periods["period_to"] + SETTLED,
    }
    engine = dataset.engine
    engine.register(
        PERIODS,
        pa.table({name: pa.array(one, pa.timestamp("us")) for name, one in columns.items()}),
    )
    engine.run([paid_rows(), _ends(), _pauses(literal(dataset.observed_until))])
    ends = engine.fetch(f"SELECT * FROM {ENDS}").to_pandas()
    pauses = engine.fetch(f"SELECT * FROM {PAUSES}").to_pandas()
    engine.drop(ENDS, PAUSES, PAID, PERIODS)
    texts = {"account_id": "str"}
    return ends.astype(texts | {"own_currency": "str"}), pauses.astype(texts)


def _ends() -> Step:
    return Step(
        ENDS,
        f"""
SELECT
  p.as_of, r.account_id, COALESCE(r.currency, '') AS own_currency, {exact_sum("r.mrr")} AS end_mrr
FROM {PERIODS} AS p
JOIN {PAID} AS r ON r.started_at < p.to_at AND r.seen_after < p.settled_at
  AND (r.ended_at IS NULL OR r.ended_at >= p.to_at OR r.end_seen_after >= p.settled_at)
GROUP BY p.as_of, r.account_id, COALESCE(r.currency, '')
""",
    )


def _pauses(until: str) -> Step:
    """Return the step of pauses: rows that say so, and paid rows since they fell into one."""
    return Step(
        PAUSES,
        f"""
SELECT DISTINCT p.as_of, r.account_id
FROM {PERIODS} AS p
JOIN ({paused_spans("subscriptions", until)}) AS r
  ON r.paused_at < p.to_at AND COALESCE(r.resumed_at, {FOREVER}) >= p.to_at
""",
    )
