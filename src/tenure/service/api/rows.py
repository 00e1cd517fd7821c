"""Flat rows as JSON values: a number keeps every digit, a time is ISO 8601 in UTC."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from tenure.core.flat_row import MAIN

ONLY_MAIN = ("health_score", "risk_band", "mrr_at_risk", "probability_change", "base_rate")


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a frame's rows as JSON values; what is missing is None."""
    names = [str(name) for name in frame.columns]
    # One array of objects is many times faster than a Series per column.
    rows = frame.to_numpy(dtype=object).tolist()
    return [dict(zip(names, map(_plain, row), strict=True)) for row in rows]


def _plain(value: Any) -> Any:
    if value is None or value is pd.NA or value is pd.NaT or value != value:  # noqa: PLR0124 - NaN
        return None
    if isinstance(value, pd.Timestamp):
        return iso(value)
    return value.item() if isinstance(value, np.generic) else value


def iso(moment: Any) -> str:
    """Return a time as rows carry it.

    >>> iso(pd.Timestamp("2025-07-01"))
    '2025-07-01T00:00:00Z'
    """
    return f"{moment.isoformat()}Z"


def for_targets(frame: pd.DataFrame, models: Iterable[str], wanted: Iterable[str]) -> pd.DataFrame:
    """Return a frame without the columns that belong to other targets than those wanted."""
    # The longest name first: `churn_voluntary_probability` is not a column of `churn`.
    names = sorted(models, key=len, reverse=True)
    others = set(models) - set(wanted)
    return frame[[column for column in frame.columns if _owner(column, names) not in others]]


def _owner(column: str, targets: Iterable[str]) -> str | None:
    """Return the target that a column belongs to, None for what all share."""
    for target in targets:
        if column.startswith(f"{target}_") or column == f"expected_{target}_mrr":
            return target
    return MAIN if column in ONLY_MAIN or column.startswith(("driver_", "model_")) else None
