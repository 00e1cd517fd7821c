"""The targets that can be predicted, and the labels of snapshots.

A target is one `Target` declaration; `tenure.labels.outcomes` interprets it.  To add one, declare
it here: ``outcome="churn"`` is whether the account's last paid subscription is ended,
``outcome="change"`` whether its list MRR at the window's end has moved by the threshold,
``outcome="renewal"`` whether a paid term follows the renewal date in the window.

Every label is known ``winback_gap_days`` after the window's end, also that of a change: only then
is it settled whether an account that stopped paying near the end has churned or paused.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow as pa

from tenure.core.config import LabelConfig
from tenure.core.spec import Target
from tenure.core.steps import Step
from tenure.labels.outcomes import outcome_steps
from tenure.labels.spells import LABEL_WINDOWS, OUTCOMES, Rules
from tenure.labels.windows import EARLY_DAYS, RENEWAL, Horizon, horizons, windows
from tenure.sources.dataset import Dataset

VOLUNTARY = ("voluntary churn", "voluntary churns")
INVOLUNTARY = ("involuntary churn", "involuntary churns")
CHURN = Target("churn", "churn", "churn", "churns")
EXPANSION = Target("expansion", "change", "expansion", "expansions", bad=False)
TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        CHURN,
        Target("churn_voluntary", "churn", *VOLUNTARY, churn_type="voluntary"),
        Target("churn_involuntary", "churn", *INVOLUNTARY, churn_type="involuntary"),
        EXPANSION,
        Target("contraction", "change", "contraction", "contractions", sign=-1),
        Target("renewal", "renewal", "renewal", "renewals", bad=False),
    )
}

ROWS_AT_ONCE = 400_000
"""Snapshots labelled by one pass; it bounds memory, whatever the number of prediction times."""


def label(
    dataset: Dataset,
    snaps: pd.DataFrame,
    target: Target,
    labels: LabelConfig,
    *,
    horizon: Horizon | None = None,
) -> pd.DataFrame:
    """Return the snapshots with what happened to each, as far as it is known.

    Args:
        dataset: Loaded tables.
        snaps: Rows as `tenure.labels.snapshots.snapshots` returns them.
        target: One of `TARGETS`.
        labels: Horizons, gaps, threshold.
        horizon: Days, or ``renewal`` for the days until each account's renewal date; by default
            ``labels.horizon_days``.

    Returns:
        The same rows, in the same order, and: horizon (as text), horizon_days, label (1.0, 0.0;
        missing where censored or dropped), label_known_at, outcome_at and outcome_id (of positive
        rows; one event seen from several snapshots has one id), outcome_amount (change of list MRR
        per month, in the account's currency; 0 without an outcome), churn_type (``voluntary``,
        ``involuntary`` or missing) and drop_reason: empty, ``censored`` (not known before
        observation stopped), ``notice_given``, ``already_decided`` (before the prediction time, but
        known later), ``ended_in_gap``, ``merged`` (the account became part of another, or, of a
        change, took one in), ``currency_changed``, ``churn_type_unknown`` (churned, but
        nothing says how), ``not_due`` (no renewal date in the window of a renewal) or
        ``no_renewal_due`` (none in the longest horizon, under the horizon ``renewal``).
    """
    return _label(dataset, snaps, target, labels, [horizon or labels.horizon_days])[0]


def label_horizons(
    dataset: Dataset, snaps: pd.DataFrame, target: Target, labels: LabelConfig
) -> dict[str, pd.DataFrame]:
    """Return what `label` returns for each horizon of a target, computed together.

    Where the window of a target other than a renewal is longer than `EARLY_DAYS`, these are a
    horizon too.

    Returns:
        Horizon as text (``"90"``, ``"renewal"``) → rows in the order of `snaps`; the main horizon
        first.
    """
    names = horizons(target, labels)
    if target.outcome != "renewal" and labels.horizon_days > EARLY_DAYS:
        names = list(dict.fromkeys([*names, EARLY_DAYS]))
    frames = _label(dataset, snaps, target, labels, names)
    return {str(name): frame for name, frame in zip(names, frames, strict=True)}


def _label(
    dataset: Dataset,
    snaps: pd.DataFrame,
    target: Target,
    labels: LabelConfig,
    chosen: list[Horizon],
) -> list[pd.DataFrame]:
    """Label snapshots under several horizons in one pass over the subscriptions."""
    edges = pd.concat([windows(snaps, labels, item) for item in chosen], ignore_index=True)
    edges.insert(0, "row_id", np.arange(len(edges), dtype="int64"))
    reason = _early_drop_reason(dataset, snaps, target, edges)
    rules = Rules(
        winback_gap_days=labels.winback_gap_days,
        effective=labels.dated_by == "effective",
        threshold=labels.threshold,
        sign=target.sign if target.outcome == "change" else None,
        list_prices=dataset.has("subscriptions", "list_mrr"),
        rates=dataset.has("fx_rates", "currency", "rate"),
        constant_price=target.name == EXPANSION.name and labels.expansion.at_constant_price,
    )
    outcomes = _outcomes(dataset, edges[reason == ""], outcome_steps(target, rules))
    outcomes = outcomes.reindex(edges["row_id"]).reset_index(drop=True)
    judged = outcomes["drop_reason"].fillna("already_decided").to_numpy(dtype=object)
    edges["drop_reason"] = np.where(reason == "", judged, reason).astype(str)
    parts = [slice(place * len(snaps), (place + 1) * len(snaps)) for place in range(len(chosen))]
    return [_assigned(snaps, target, edges[part], outcomes[part]) for part in parts]


def _early_drop_reason(
    dataset: Dataset, snaps: pd.DataFrame, target: Target, edges: pd.DataFrame
) -> np.ndarray:
    """Return why a row has no label whatever happened after it; empty where the outcome decides."""
    notice = np.tile(snaps["notice_given"].to_numpy(dtype=bool), len(edges) // max(1, len(snaps)))
    undated = edges["due_at"].isna()
    reason = np.where(undated & (edges["horizon"] == RENEWAL), "no_renewal_due", "")
    if target.outcome == "renewal":
        reason = np.where(undated, "not_due", reason)
    reason = np.where(notice, "notice_given", reason)
    reason = np.where(_merged(dataset, target, edges), "merged", reason)
    return np.where(edges["label_known_at"] > dataset.observed_until, "censored", reason)


def _merged(dataset: Dataset, target: Target, edges: pd.DataFrame) -> np.ndarray:
    """Return whether an account merges with another before the outcome of its row is known.

    An account that became part of another has neither churned nor stayed, and one that takes
    another in has changed in no way that could be predicted.
    """
    merged = np.zeros(len(edges), dtype=bool)
    if not dataset.has("mergers"):
        return merged
    sides = ["account_id"] if target.outcome != "change" else ["account_id", "into_account_id"]
    sql = " UNION ALL ".join(f'SELECT {side} AS account_id, "at" FROM mergers' for side in sides)
    log: pd.DataFrame = dataset.engine.fetch(sql).to_pandas()
    rows = edges[["account_id", "as_of", "label_known_at"]].assign(place=np.arange(len(edges)))
    both = rows.merge(log, on="account_id")
    within = (both["at"] >= both["as_of"]) & (both["at"] < both["label_known_at"])
    merged[both.loc[within, "place"]] = True
    return merged


def _assigned(
    snaps: pd.DataFrame, target: Target, edges: pd.DataFrame, outcomes: pd.DataFrame
) -> pd.DataFrame:
    """Return the snapshots with their labels under one horizon."""
    edges, outcomes = edges.reset_index(drop=True), outcomes.reset_index(drop=True)
    reason = edges["drop_reason"]
    values = np.where(reason == "", outcomes["label"].to_numpy(dtype="float64"), np.nan)
    happened = values == 1
    at = outcomes["outcome_at"].where(happened)
    amount = outcomes["amount"].to_numpy(dtype="float64")
    if target.outcome == "churn":
        amount = -snaps["list_mrr"].to_numpy(dtype="float64")
    return snaps.assign(
        horizon=edges["horizon"].to_numpy(),
        horizon_days=edges["horizon_days"].to_numpy(),
        label=values,
        label_known_at=edges["label_known_at"].to_numpy(),
        outcome_at=at.to_numpy(dtype="datetime64[us]"),
        outcome_id=_identity(snaps["account_id"], at).to_numpy(),
        outcome_amount=np.where(happened, amount, np.where(np.isnan(values), np.nan, 0.0)),
        churn_type=outcomes["churn_type"].where(happened).to_numpy(),
        drop_reason=reason.to_numpy(),
    ).astype(dict.fromkeys(("horizon", "outcome_id", "churn_type", "drop_reason"), "str"))


def _outcomes(dataset: Dataset, edges: pd.DataFrame, steps: list[Step]) -> pd.DataFrame:
    """Return the outcomes by row_id, from a bounded number of snapshots at a time."""
    engine = dataset.engine
    engine.run(steps[:1])
    parts = []
    for part in _portions(edges):
        table = pa.Table.from_pandas(part, schema=_SCHEMA, preserve_index=False)
        engine.register(LABEL_WINDOWS, table)
        engine.run(steps[1:])
        parts.append(engine.fetch(f"SELECT * FROM {OUTCOMES}"))
    engine.drop(
        *[step.name for step in reversed(steps)], LABEL_WINDOWS
    )  # users before what they use
    frame: pd.DataFrame = pa.concat_tables(parts).to_pandas()
    return frame.set_index("row_id")


def _portions(edges: pd.DataFrame) -> Iterator[pd.DataFrame]:
    for start in range(0, max(1, len(edges)), ROWS_AT_ONCE):
        yield edges.iloc[start : start + ROWS_AT_ONCE]


_SCHEMA = pa.schema(
    [
        ("row_id", pa.int64()),
        ("account_id", pa.string()),
        *((name, pa.timestamp("us")) for name in ("as_of", "window_start", "window_end")),
        *((name, pa.timestamp("us")) for name in ("label_known_at", "due_at")),
    ]
)


def _identity(accounts: pd.Series, at: pd.Series) -> pd.Series:
    """Return the account and the time of the event as one text; missing without an event."""
    happened = at[at.notna()]
    moments = happened.dt.strftime("%Y-%m-%dT%H:%M:%S.%f")
    owners = accounts.reset_index(drop=True).astype("str")[happened.index]
    identity: pd.Series = (owners + "@" + moments).reindex(at.index)
    return identity
