"""The outcomes of kept scores, from the labels of their prediction times."""

from __future__ import annotations

from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from tenure.core.config import LabelConfig
from tenure.core.times import days
from tenure.labels.snapshots import snapshots
from tenure.labels.targets import TARGETS, label
from tenure.labels.windows import RENEWAL, Horizon
from tenure.sources.dataset import Dataset

if TYPE_CHECKING:
    from tenure.score.store.outcomes import Unsettled
    from tenure.score.store.store import ScoreStore

SPANS = "scores_spans"


def settle(store: ScoreStore, dataset: Dataset, labels: LabelConfig) -> int:
    """Write the outcomes that are known of kept scores; return how many were new.

    An outcome is that of `tenure.labels`: it takes nothing that became known after its
    ``label_known_at``, and once written it stays.  An account was treated if a touchpoint lies
    between the score and its outcome, or the end of the window without one.
    """
    when, count = attrgetter("as_of"), 0
    open_ = sorted(store.unsettled(labels, dataset.observed_until), key=when)
    for as_of, group in groupby(open_, key=when):
        snaps = snapshots(dataset, [as_of])
        count += sum(
            store.write_outcomes(one, _known(dataset, snaps, one, labels)) for one in group
        )
    return count


def _known(
    dataset: Dataset, snaps: pd.DataFrame, scores: Unsettled, labels: LabelConfig
) -> pd.DataFrame:
    """Return the outcomes of scores that are known, as the store takes them."""
    horizon: Horizon = RENEWAL if scores.horizon == RENEWAL else int(scores.horizon)
    rows = label(dataset, snaps, TARGETS[scores.target], labels, horizon=horizon)
    rows = rows[rows["label"].notna()].reset_index(drop=True)
    return pd.DataFrame(
        {
            "account_id": rows["account_id"],
            "outcome": rows["label"] == 1,
            "label_known_at": rows["label_known_at"],
            "treated": _treated(dataset, rows, scores.as_of, labels),
        }
    )


def _treated(
    dataset: Dataset, rows: pd.DataFrame, as_of: datetime, labels: LabelConfig
) -> np.ndarray:
    """Return whether somebody saw to each account between its score and its outcome."""
    if not dataset.has("touchpoints") or rows.empty:
        return np.full(len(rows), None, dtype=object)
    window_end = rows["label_known_at"] - days(labels.winback_gap_days)
    until = rows["outcome_at"].where(rows["outcome_at"].notna(), window_end)
    engine = dataset.engine
    engine.register(
        SPANS,
        pa.table(
            {
                "account_id": pa.array(rows["account_id"], pa.string()),
                "as_of": pa.array([as_of] * len(rows), pa.timestamp("us")),
                "until_at": pa.array(until, pa.timestamp("us")),
                "settled_at": pa.array(rows["label_known_at"], pa.timestamp("us")),
            }
        ),
    )
    seen = engine.fetch(
        f"SELECT DISTINCT s.account_id FROM {SPANS} AS s JOIN touchpoints AS t "
        "ON t.account_id = s.account_id AND t.occurred_at >= s.as_of "
        "AND t.occurred_at < s.until_at AND t.known_at < s.settled_at"
    )
    engine.drop(SPANS)
    treated: np.ndarray = rows["account_id"].isin(seen.column("account_id").to_pylist()).to_numpy()
    return treated
