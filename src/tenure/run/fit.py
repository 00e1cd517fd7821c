"""One target: refuse, or walk forward, measure, judge and explain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tenure.core.config import Config
from tenure.core.spec import Target
from tenure.core.times import show
from tenure.explain.drivers import summarise
from tenure.explain.peers import Peers, fit_peers
from tenure.labels.targets import TARGETS
from tenure.model.evaluate import EvaluationSettings, evaluate
from tenure.model.verdict import Verdict, judge, refusal
from tenure.model.walk import Fitted, WalkForward, WalkSettings, walk_forward
from tenure.run.prepare import Prepared, Progress, silent

SUMMARY_ROWS = 4_000
PEER_GROUP = "segment"
RETENTION = "churn"


@dataclass(frozen=True)
class Attempt:
    """What became of one target.

    Attributes:
        target: What is predicted.
        rows: Labelled snapshots (all of them, labelled or not), in the matrix's order.
        verdict: What may be said.
        walk: The walk through the past; None where the target is refused.
        metrics: Output of `evaluate`; empty where refused.
        peers: Typical values of retained accounts; None where refused.
        drivers: Output of `summarise` over the latest training rows; empty where refused.
    """

    target: Target
    rows: pd.DataFrame
    verdict: Verdict
    walk: WalkForward | None = None
    metrics: dict[str, Any] | None = None
    peers: Peers | None = None
    drivers: pd.DataFrame | None = None


def attempt(name: str, prepared: Prepared, config: Config, progress: Progress = silent) -> Attempt:
    """Fit and measure one target, or say why it is refused."""
    target = TARGETS[name]
    rows = prepared.labels[name]
    refused = refusal(
        rows, min_events=config.model.min_events, event=target.event, events=target.events
    )
    if refused is not None:
        return Attempt(target, rows, refused)
    walk = walk_forward(
        prepared.matrix.values,
        rows,
        WalkSettings.from_config(config),
        since=prepared.matrix.since,
        progress=lambda line: progress(f"{name}: {line}"),
    )
    progress(f"{name}: measuring")
    metrics = evaluate(walk.predictions, walk.baselines, EvaluationSettings.from_config(config))
    verdict = judge(metrics, walk.shortage)
    used = prepared.matrix.values[list(walk.final.encoder.columns)]
    train = used.iloc[walk.final.train]
    stayed = prepared.labels.get(RETENTION, rows)["label"].to_numpy(dtype=np.float64)
    peers = fit_peers(train, stayed[walk.final.train], PEER_GROUP)
    recent = used.iloc[np.sort(walk.final.train)].tail(SUMMARY_ROWS)
    drivers = summarise(_contributions(walk.final, recent), recent, prepared.matrix.specs)
    return Attempt(target, rows, verdict, walk, metrics, peers, drivers)


def _contributions(final: Fitted, values: pd.DataFrame) -> np.ndarray[Any, Any]:
    from tenure.model.estimator import TenureClassifier

    model = TenureClassifier.from_text(final.booster_text, threads=1)
    return model.contributions(final.encoder.transform(values))[:, :-1]


def label_summary(rows: pd.DataFrame) -> dict[str, Any]:
    """Return counts of snapshots, labels and outcomes, over all and by prediction time."""
    known = rows[rows["label"].notna()]
    dropped = rows.loc[rows["label"].isna(), "drop_reason"].value_counts().sort_index()
    by_cutoff = rows.groupby("as_of", sort=True)["label"].agg(["size", "count", "sum"])
    positives = known[known["label"] == 1]
    return {
        "snapshots": len(rows),
        "labelled": len(known),
        "positives": len(positives),
        "distinct_events": int(positives["outcome_id"].nunique()),
        "base_rate": float(known["label"].mean()) if len(known) else None,
        "dropped": {str(reason): int(count) for reason, count in dropped.items()},
        "by_cutoff": [
            {
                "as_of": show(as_of.to_pydatetime()),
                "snapshots": int(counts["size"]),
                "labelled": int(counts["count"]),
                "positives": int(counts["sum"]),
            }
            for as_of, counts in by_cutoff.iterrows()
        ],
    }
