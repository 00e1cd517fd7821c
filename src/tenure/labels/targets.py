"""What is predicted: the targets, and their labels.

A target is one `Target` declaration; `tenure.labels.outcomes` interprets it.  To add one, declare
it here: ``outcome="churn"`` asks whether the account's last paid subscription is ended,
``outcome="change"`` whether its list MRR at the window's end has moved by the threshold.

Every label is known ``winback_gap_days`` after the window's end, also that of a change: only then
is it settled whether an account that stopped paying near the end has churned or paused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from tenure.core.config import LabelConfig
from tenure.core.spec import Target
from tenure.core.steps import Step
from tenure.core.times import days
from tenure.labels.outcomes import OUTCOMES, outcome_steps
from tenure.labels.spells import ASKED, Rules

if TYPE_CHECKING:
    from tenure.sources.dataset import Dataset

CHURN = Target(name="churn", outcome="churn", event="churn", events="churns")
EXPANSION = Target(
    name="expansion",
    outcome="change",
    event="expansion",
    events="expansions",
    sign=1,
    bad=False,
)
CONTRACTION = Target(
    name="contraction",
    outcome="change",
    event="contraction",
    events="contractions",
    sign=-1,
)
TARGETS: dict[str, Target] = {target.name: target for target in (CHURN, EXPANSION, CONTRACTION)}

ROWS_AT_ONCE = 400_000
"""Snapshots labelled by one pass; it bounds memory, whatever the number of prediction times."""


def label(
    dataset: Dataset, snaps: pd.DataFrame, target: Target, labels: LabelConfig
) -> pd.DataFrame:
    """Return the snapshots with what happened to each, as far as it is known.

    Args:
        dataset: Loaded tables.
        snaps: Rows as `tenure.labels.snapshots.snapshots` returns them.
        target: One of `TARGETS`.
        labels: Horizon, gaps, threshold.

    Returns:
        The same rows, in the same order, and: label (1.0, 0.0; missing where censored or dropped),
        label_known_at, outcome_at and outcome_id (of positive rows; one event seen from several
        snapshots has one id), outcome_amount (change of list MRR per month, in the account's
        currency; 0 without an outcome), churn_type (``voluntary``, ``involuntary`` or missing) and
        drop_reason: empty, ``censored`` (not known before observation stopped), ``notice_given``,
        ``already_decided`` (before the prediction time, but known later), ``ended_in_gap`` or
        ``currency_changed``.
    """
    asked = _asked(snaps, labels)
    censored = (asked["label_known_at"] > dataset.observed_until).to_numpy(dtype=bool)
    notice = snaps["notice_given"].to_numpy(dtype=bool)
    rules = Rules(
        winback_gap_days=labels.winback_gap_days,
        effective=labels.dated_by == "effective",
        threshold=labels.threshold,
        sign=target.sign if target.outcome == "change" else None,
        list_prices=dataset.has("subscriptions", "list_mrr"),
        rates=dataset.has("fx_rates", "currency", "rate"),
    )
    found = _outcomes(dataset, asked[~censored & ~notice], outcome_steps(target, rules))
    found = found.reindex(asked["row_id"])
    reason = found["drop_reason"].fillna("already_decided").to_numpy(dtype=object)
    reason = np.where(notice, "notice_given", reason)
    reason = np.where(censored, "censored", reason)
    values = np.where(reason == "", found["label"].to_numpy(dtype="float64"), np.nan)
    happened = values == 1
    at = found["outcome_at"].reset_index(drop=True).where(happened)
    amount = found["amount"].to_numpy(dtype="float64")
    if target.outcome == "churn":
        amount = -snaps["list_mrr"].to_numpy(dtype="float64")
    return snaps.assign(
        label=values,
        label_known_at=asked["label_known_at"].to_numpy(),
        outcome_at=at.to_numpy(dtype="datetime64[us]"),
        outcome_id=_identity(snaps["account_id"], at).to_numpy(),
        outcome_amount=np.where(happened, amount, np.where(np.isnan(values), np.nan, 0.0)),
        churn_type=found["churn_type"].reset_index(drop=True).where(happened).to_numpy(),
        drop_reason=reason.astype(str),
    ).astype({"outcome_id": "str", "churn_type": "str", "drop_reason": "str"})


def _asked(snaps: pd.DataFrame, labels: LabelConfig) -> pd.DataFrame:
    """Return the edges of each snapshot's window, under a number of its own."""
    as_of = snaps["as_of"].reset_index(drop=True)
    start = as_of + days(labels.gap_days)
    end = start + days(labels.horizon_days)
    return pd.DataFrame(
        {
            "row_id": np.arange(len(snaps), dtype="int64"),
            "account_id": snaps["account_id"].to_numpy(),
            "as_of": as_of,
            "window_start": start,
            "window_end": end,
            "label_known_at": end + days(labels.winback_gap_days),
        }
    )


def _outcomes(dataset: Dataset, asked: pd.DataFrame, steps: list[Step]) -> pd.DataFrame:
    """Run the steps over a bounded number of snapshots at a time."""
    engine = dataset.engine
    engine.run(steps[:1])
    parts = []
    for part in _portions(asked):
        table = pa.Table.from_pandas(part, schema=_SCHEMA, preserve_index=False)
        engine.register(ASKED, table)
        engine.run(steps[1:])
        parts.append(engine.fetch(f"SELECT * FROM {OUTCOMES}"))
    engine.drop(*[step.name for step in reversed(steps)], ASKED)  # users before what they use
    frame: pd.DataFrame = pa.concat_tables(parts).to_pandas()
    return frame.set_index("row_id")


def _portions(asked: pd.DataFrame) -> Iterator[pd.DataFrame]:
    for start in range(0, max(1, len(asked)), ROWS_AT_ONCE):
        yield asked.iloc[start : start + ROWS_AT_ONCE]


_SCHEMA = pa.schema(
    [
        ("row_id", pa.int64()),
        ("account_id", pa.string()),
        *((name, pa.timestamp("us")) for name in ("as_of", "window_start", "window_end")),
        ("label_known_at", pa.timestamp("us")),
    ]
)


def _identity(accounts: pd.Series, at: pd.Series) -> pd.Series:
    """Return the account and the time of the event as one text; missing without an event."""
    happened = at[at.notna()]
    moments = happened.dt.strftime("%Y-%m-%dT%H:%M:%S.%f")
    owners = accounts.reset_index(drop=True).astype("str")[happened.index]
    identity: pd.Series = (owners + "@" + moments).reindex(at.index)
    return identity
