"""Lead time: how long before an outcome a team's list held the account, without a break."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tenure.core.arrays import Floats
from tenure.model.evaluation.bootstrap import Resamples, interval, safe
from tenure.model.evaluation.capacity import TENTH, on_list

DAY = np.timedelta64(1, "D")
STEPS = (1, 30, 60, 90, 120, 150, 180, 270, 365)
FEWEST = 10  # outcomes that must have been watched that long for a share to be shown


def lead_times(predictions: pd.DataFrame, length: float = TENTH) -> pd.DataFrame:
    """Look back from each outcome over the predictions made of that account before it.

    The predictions have account_id, as_of, label, probability and, of positive rows, outcome_at and
    outcome_id.  The list of a prediction time has so many accounts; a `length` below 1 is a share
    of all.

    Returns:
        One row per distinct outcome that a positive row stands for: outcome_id, row (position of
        the last prediction before it), watched_days (from the first prediction since the account's
        previous outcome), lead_days: from the first prediction time whose list held the account
        and after which every list did; missing where the last one did not; and chance: that a list
        in random order holds it at the last one.  An account that ties with others is held only
        where all of them fit.
    """
    columns = ["account_id", "as_of", "probability", "label", "outcome_at", "outcome_id"]
    rows = predictions[columns].reset_index(drop=True)
    rows[["as_of", "outcome_at"]] = rows[["as_of", "outcome_at"]].astype("datetime64[us]")
    rows["row"] = np.arange(len(rows))
    scores = rows["probability"].to_numpy(dtype=np.float64)
    times = pd.factorize(rows["as_of"])[0]
    rows["top"] = on_list(scores, times, length) >= 1
    rows["chance"] = on_list(0 * scores, times, length)
    named = (rows["label"] == 1) & rows["outcome_at"].notna()
    events = rows.loc[named, ["account_id", "outcome_at", "outcome_id"]].drop_duplicates()
    ordered = rows[["account_id", "as_of", "row", "top", "chance"]].sort_values(
        "as_of", kind="stable"
    )
    seen = pd.merge_asof(
        ordered,
        events.sort_values("outcome_at", kind="stable"),
        left_on="as_of",
        right_on="outcome_at",
        by="account_id",
        direction="forward",
        allow_exact_matches=False,
    ).dropna(subset=["outcome_at"])
    left = (seen["outcome_at"] - seen["as_of"]).to_numpy() / DAY
    seen = seen.assign(days=left, out=np.where(seen["top"], np.inf, left))
    by = seen.groupby("outcome_id", sort=True)
    broken = by["out"].transform("min")  # days from the last prediction outside the list
    stayed = seen["days"].where(seen["days"] < broken)
    leads = by.agg(row=("row", "last"), watched_days=("days", "max"), chance=("chance", "last"))
    leads["lead_days"] = stayed.groupby(seen["outcome_id"]).max()
    return leads.reset_index()


def lead_summary(leads: pd.DataFrame, resamples: Resamples, level: float) -> dict[str, Any]:
    """Summarise lead times, with intervals over accounts.

    `leads` is the output of `lead_times`; `resamples` draw over the predictions that they were
    looked up in.

    Returns:
        JSON-safe: outcomes, watched_days (median), warned (share of the outcomes that the list
        held when last scored), by_chance (the share that lists in random order would hold), days
        (median over those warned of) and curve: for some numbers of days, the share held that early
        among the outcomes watched at least that long, and their n.
    """
    if leads.empty:
        return {}
    counts = resamples.counts[:, resamples.account[leads["row"].to_numpy()]].astype(np.float64)
    lead = leads["lead_days"].to_numpy(dtype=np.float64)
    warned = ~np.isnan(lead)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (counts @ warned) / counts.sum(axis=1)
    return {
        "outcomes": len(leads),
        "watched_days": safe(leads["watched_days"].median()),
        "warned": interval(share, level),
        "by_chance": safe(leads["chance"].mean()),
        "days": interval(_medians(lead[warned], counts[:, warned]), level),
        "curve": _curve(lead, leads["watched_days"].to_numpy(dtype=np.float64)),
    }


def _medians(values: Floats, weights: Floats) -> Floats:
    """Return the weighted median of values per line of weights; NaN where all weigh nothing."""
    if not len(values):
        return np.full(len(weights), np.nan)
    order = np.argsort(values, kind="stable")
    running = np.cumsum(weights[:, order], axis=1)
    half = running[:, -1:] / 2
    low = values[order][np.argmax(running >= half, axis=1)]
    high = values[order][np.argmax(running > half, axis=1)]
    return np.where(running[:, -1] > 0, (low + high) / 2, np.nan)


def _curve(lead: Floats, watched: Floats) -> list[dict[str, Any]]:
    curve = []
    for step in STEPS:
        long = watched >= step
        if long.sum() >= FEWEST:
            early = np.nan_to_num(lead[long], nan=-1.0) >= step
            curve.append({"days": step, "n": int(long.sum()), "share": float(early.mean())})
    return curve
