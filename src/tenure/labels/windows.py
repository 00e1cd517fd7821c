"""The label window of each snapshot, for a horizon in days or up to the account's renewal date.

A window is ``[as_of + gap_days, as_of + gap_days + horizon_days)``.  For the horizon ``renewal``
it is as many whole days long as it takes to hold the renewal date, as agreed at ``as_of``.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from tenure.core.arrays import Flags, Ints, Moments
from tenure.core.config import LabelConfig
from tenure.core.spec import Target
from tenure.core.times import DAY, days

RENEWAL: Literal["renewal"] = "renewal"
Horizon: TypeAlias = int | Literal["renewal"]

EARLY_DAYS = 30
"""First days of a window, whose outcomes tell early how the rate of all accounts moves."""


def horizons(target: Target, labels: LabelConfig) -> list[Horizon]:
    """Return the horizons of a target, the main one first.

    Whether a term is renewed does not depend on how far ahead one looks, so that a renewal has
    its main horizon alone.
    """
    if target.outcome == "renewal":
        return [labels.horizon_days]
    return list(dict.fromkeys([labels.horizon_days, *labels.horizons]))


def cadence(times: Moments) -> float:
    """Return the usual days from one prediction time to the next.

    The times are distinct and rising, two at least.
    """
    return float(np.median(np.diff(times) / np.timedelta64(1, "D")))


def longest(labels: LabelConfig) -> int:
    """Return the longest horizon in days; renewal dates beyond it do not count."""
    return max(labels.horizon_days, *(item for item in labels.horizons if item != RENEWAL), 1)


def days_to_renewal(
    as_of: pd.Series, renews_at: pd.Series, *, gap_days: int, longest: int
) -> pd.Series[int]:
    """Return the days of the shortest window that holds the renewal date.

    Args:
        as_of: Prediction times.
        renews_at: Renewal dates as agreed then, missing where there is none.
        gap_days: Days between the prediction time and the window.
        longest: The most days a window may have.

    Returns:
        1 to `longest`; missing where no renewal date lies in the longest window.
    """
    ahead, due = ahead_to_renewal(as_of, renews_at, gap_days=gap_days, longest=longest)
    return pd.Series(pd.arrays.IntegerArray(ahead, ~due), index=as_of.index)


def ahead_to_renewal(
    as_of: pd.Series, renews_at: pd.Series, *, gap_days: int, longest: int
) -> tuple[Ints, Flags]:
    """Return the days of `days_to_renewal` (1 where missing), and the mask of where they exist."""
    start = as_of.to_numpy(dtype="datetime64[us]").astype(np.int64)
    renewal = renews_at.to_numpy(dtype="datetime64[us]")
    day = DAY // timedelta(microseconds=1)
    ahead = (renewal.astype(np.int64) - (start + gap_days * day)) // day + 1
    due = ~np.isnat(renewal) & (ahead >= 1) & (ahead <= longest)
    return np.where(due, ahead, 1), due


def windows(snaps: pd.DataFrame, labels: LabelConfig, horizon: Horizon) -> pd.DataFrame:
    """Return the window of each snapshot.

    Args:
        snaps: Rows as `tenure.labels.snapshots.snapshots` returns them.
        labels: Horizons and gaps.
        horizon: Days, or ``renewal``.

    Returns:
        Index from 0; account_id, as_of, window_start, window_end (exclusive), label_known_at,
        horizon (as text), horizon_days and due_at: the renewal date in the window, missing where
        there is none.  Under the horizon ``renewal`` an account without a renewal date in the
        longest window has that window.
    """
    as_of = snaps["as_of"].reset_index(drop=True)
    renews_at = snaps["renews_at"].reset_index(drop=True)
    most = longest(labels)
    length = pd.Series(most if horizon == RENEWAL else horizon, index=as_of.index, dtype="int64")
    if horizon == RENEWAL:
        ahead = days_to_renewal(as_of, renews_at, gap_days=labels.gap_days, longest=most)
        length = ahead.fillna(most).astype("int64")
    start = as_of + days(labels.gap_days)
    end = start + pd.to_timedelta(length, unit="D")
    return pd.DataFrame(
        {
            "account_id": snaps["account_id"].to_numpy(),
            "as_of": as_of,
            "window_start": start,
            "window_end": end,
            "label_known_at": end + days(labels.winback_gap_days),
            "horizon": str(horizon),
            "horizon_days": length,
            "due_at": renews_at.where((renews_at >= start) & (renews_at < end)),
        }
    )
