"""Drift: how far each feature's values have moved from their own earlier past."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tenure.core.arrays import Flags, Floats, Places
from tenure.core.records.audit import DriftRecord, DriftsRecord
from tenure.model.evaluation.bins import Bins, stability_index

if TYPE_CHECKING:
    from tenure.features.compute.matrix import FeatureMatrix
    from tenure.features.plan.columns import FeatureSpec

FEWEST = 50
SHIFTED = 0.1
MOSTLY = 0.95
TOO_FEW = "too few rows to compare the latest prediction times with earlier ones"
SENTENCES = {
    "steady": "looks as it did",
    "shifted": "looks somewhat different from its earlier past",
    "drifted": "looks different from its earlier past: a model knows little of such values",
    "ages": "counts days from a fixed date, so it grows by itself as the book ages",
}
Steps = tuple[Places, Places, Floats]
"""Places of consecutive snapshots of one account, first and second, and the days between them."""


def feature_drift(matrix: FeatureMatrix, *, recent: int, limit: float) -> DriftsRecord:
    """Compare each feature at the latest prediction times with the earlier ones.

    Args:
        matrix: Features of snapshots with an ``as_of``.
        recent: How many of the latest prediction times count as recent.
        limit: Index from which a feature has drifted; from 0.1 it has shifted.
    """
    times = np.sort(matrix.rows["as_of"].unique())
    since = pd.Timestamp(times[-recent]) if len(times) > recent else None
    late = np.zeros(len(matrix.rows), bool) if since is None else matrix.rows["as_of"] >= since
    steps = _steps(matrix.rows)
    drifts = [
        _drift(matrix.specs[str(name)], matrix.values[name], np.asarray(late), limit, steps)
        for name in matrix.values.columns
    ]
    drifts.sort(key=lambda item: -(item.psi if item.psi is not None else -1.0))
    return DriftsRecord(
        recent_since=since.to_pydatetime() if since is not None else None, features=drifts
    )


def _steps(rows: pd.DataFrame) -> Steps:
    order = np.lexsort((rows["as_of"].to_numpy(), rows["account_id"].to_numpy(dtype=str)))
    accounts = rows["account_id"].to_numpy(dtype=str)[order]
    same = accounts[1:] == accounts[:-1]
    first, second = order[:-1][same], order[1:][same]
    times = rows["as_of"].to_numpy(dtype="datetime64[us]")
    return first, second, (times[second] - times[first]) / np.timedelta64(1, "D")


def _ages(values: pd.Series[Any], steps: Steps) -> bool:
    """Return whether a feature nearly always grows by just the days that went by."""
    first, second, days = steps
    numbers = values.to_numpy(dtype=np.float64)
    grown = numbers[second] - numbers[first]
    present = ~np.isnan(grown)
    by_days = np.abs(grown[present] - days[present]) < 0.01
    return bool(present.sum() >= FEWEST and by_days.mean() >= MOSTLY)


def _drift(
    spec: FeatureSpec, values: pd.Series[Any], late: Flags, limit: float, steps: Steps
) -> DriftRecord:
    if min(late.sum(), (~late).sum()) < FEWEST:
        none = {"psi": None, "noise": None, "missing": (None, None), "typical": (None, None)}
        return DriftRecord(feature=spec.name, verdict="too_few", text=TOO_FEW, **none)
    before, after = values[~late], values[late]
    missing = (float(before.isna().mean()), float(after.isna().mean()))
    typical = (_typical(before, spec.text), _typical(after, spec.text))
    bins = Bins.of(before, text=spec.text)
    counts = (np.bincount(bins.codes(part), minlength=len(bins)) for part in (before, after))
    psi, used = stability_index(*counts)
    noise = float((used - 1) * (1 / len(before) + 1 / len(after)))
    steady = psi < SHIFTED or psi < 2 * noise
    verdict = "steady" if steady else "shifted" if psi < limit else "drifted"
    if not steady and not spec.text and _ages(values, steps):
        verdict = "ages"
    return DriftRecord(
        feature=spec.name,
        psi=psi,
        noise=noise,
        verdict=verdict,
        missing=missing,
        typical=typical,
        text=f"{SENTENCES[verdict]}{_more(typical, missing)}",
    )


def _typical(values: pd.Series[Any], text: bool) -> float | str | None:
    present = values.dropna()
    if present.empty:
        return None
    return str(present.mode().iloc[0]) if text else float(present.median())


def _more(typical: tuple[Any, Any], missing: tuple[float, float]) -> str:
    parts = []
    if typical[0] != typical[1]:
        parts.append(f"typically {_shown(typical[0])} before and {_shown(typical[1])} lately")
    before, after = missing
    if abs(before - after) >= 0.01:
        parts.append(f"missing {before:.0%} before and {after:.0%} lately")
    return f"; {', '.join(parts)}" if parts else ""


def _shown(value: float | str | None) -> str:
    return "nothing" if value is None else value if isinstance(value, str) else f"{value:.4g}"
