"""Kept scores beside what happened, as a relation that metrics are aggregated from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from tenure.core.config import Config
from tenure.core.flat_row import BANDS
from tenure.core.steps import Step, text_literal
from tenure.core.times import days
from tenure.sources.dataset import Dataset
from tenure.success.owners import EXACT
from tenure.success.relations import name_of
from tenure.success.states import PERIODS, RATES

if TYPE_CHECKING:
    from tenure.score.store.store import ScoreStore

SCORED = "scores"
"""Kept scores, as a table beside those of the contract."""
LATE = 0.5
"""Share of a horizon by which the run that shows the bands at its end may come late."""

SCHEMA = pa.schema(
    [
        ("account_id", pa.string()),
        ("as_of", pa.timestamp("us")),
        ("currency", pa.string()),
        ("mrr", pa.float64()),
        ("probability", pa.float64()),
        ("outcome", pa.bool_()),
        ("treated", pa.bool_()),
        ("paired", pa.bool_()),
        *((name, pa.int64()) for name in ("band_rank", "after_rank", "worst_rank", "risk_rank")),
    ]
)
"""Columns of the scores: bands are numbered from 0, the best; from `risk_rank` on an account is at
risk.  `paired`: whether a run shows the bands at the end of the horizon; `after_rank` is that band,
missing where the account churned or has none then."""


def with_scores(dataset: Dataset, config: Config, store: ScoreStore) -> Dataset:
    """Return a data set with the kept scores whose outcome is known as a table, where any are."""
    table = scored_table(config, store)
    if not table.num_rows:
        return dataset
    dataset.engine.register(SCORED, table)
    return replace(dataset, columns={**dataset.columns, SCORED: frozenset(SCHEMA.names)})


def scored_table(config: Config, store: ScoreStore) -> pa.Table:
    """Return the kept churn scores of the main horizon whose outcome is known."""
    labels, horizon = config.labels, str(config.labels.horizon_days)
    rows = store.matured("churn", horizon)
    rows = rows[rows["band"].isin(BANDS)].reset_index(drop=True)
    if rows.empty:
        return SCHEMA.empty_table()
    bands = store.bands("churn", horizon)
    later = _later(rows, bands, labels.gap_days + labels.horizon_days)
    after = _after(rows, bands, later)
    numbers = {name: place for place, name in enumerate(BANDS)}
    churned = rows["outcome"].to_numpy(dtype=bool)
    frame = pd.DataFrame(
        {
            "account_id": rows["account_id"],
            "as_of": rows["as_of"],
            "currency": rows["currency"].fillna(""),
            "mrr": rows["mrr"],
            "probability": rows["probability"],
            "outcome": rows["outcome"],
            "treated": rows["treated"],
            "paired": later.notna(),
            "band_rank": rows["band"].map(numbers),
            "after_rank": after.map(numbers).mask(churned).astype("Int64"),
            "worst_rank": len(BANDS) - 1,
            "risk_rank": len(BANDS) - 1,
        }
    )
    return pa.Table.from_pandas(frame, schema=SCHEMA, preserve_index=False)


def _later(rows: pd.DataFrame, bands: pd.DataFrame, length: int) -> pd.Series[pd.Timestamp]:
    """Return the time of the first run at or soon after the end of each row's horizon."""
    times = np.sort(bands["as_of"].unique())
    later = {}
    for time in rows["as_of"].unique():
        ends = time + days(length)
        among = [one for one in times if ends <= one <= ends + days(LATE * length)]
        later[time] = among[0] if among else pd.NaT
    return rows["as_of"].map(later)


def _after(
    rows: pd.DataFrame, bands: pd.DataFrame, later: pd.Series[pd.Timestamp]
) -> pd.Series[str]:
    """Return the band of each row at a later time, missing where it has none then."""
    keys = pd.DataFrame({"account_id": rows["account_id"], "as_of": later})
    merged = keys.merge(bands, how="left", on=["account_id", "as_of"])
    return merged["band"].astype(object)


def scored_step(currency: str | None) -> Step:
    """Return the step of the scores of each period; with rates, money is in one currency."""
    money, label, join = "s.mrr", "s.currency", ""
    if currency is not None:
        money, label = "s.mrr * f.rate", text_literal(currency)
        join = f"LEFT JOIN {RATES} AS f ON f.edge_at = p.from_at AND f.currency = s.currency"
    return Step(
        name_of("scored"),
        f"""
SELECT p.period_id, s.account_id, s.probability, s.outcome, s.treated, s.paired,
  s.band_rank, s.after_rank, s.worst_rank, s.risk_rank,
  {label} AS currency, CAST({money} AS {EXACT}) AS mrr
FROM {PERIODS} AS p
JOIN {SCORED} AS s ON s.as_of >= p.from_at AND s.as_of < p.to_at
{join}
""",
    )
