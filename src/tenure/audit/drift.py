"""Drift: how far each feature's values have moved from their own earlier past."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tenure.core.times import show

if TYPE_CHECKING:
    from tenure.features.compute.matrix import FeatureMatrix
    from tenure.features.plan.columns import FeatureSpec

BINS = 10
WORDS = 20
FEWEST = 50
SHIFTED = 0.1
MOSTLY = 0.95
AGES = "counts days from a fixed date, so it grows by itself as the book ages"
EMPTY = 0.5
"""Rows added to each bin, so that an empty one has a logarithm."""
Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Drift:
    """Drift of one feature.

    Attributes:
        feature: Column name.
        psi: Population stability index of the recent values against the earlier ones, missing
            values as a bin of their own; None where there are too few rows.
        noise: What the index is expected to be if nothing had moved.
        verdict: ``steady``, ``shifted``, ``drifted``, ``ages`` (it counts days from a fixed date,
            so it moves by itself) or ``too_few``.
        missing: Share of missing values, earlier and recently.
        typical: Median, earlier and recently; the commonest word of a text feature.
        text: The verdict in words.
    """

    feature: str
    psi: float | None
    noise: float | None
    verdict: str
    missing: tuple[float | None, float | None]
    typical: tuple[float | str | None, float | str | None]
    text: str


def feature_drift(matrix: FeatureMatrix, *, recent: int, limit: float) -> list[Drift]:
    """Compare each feature at the latest prediction times with the earlier ones.

    Args:
        matrix: Features of snapshots with an ``as_of``.
        recent: How many of the latest prediction times count as recent.
        limit: Index from which a feature has drifted; from 0.1 it has shifted.

    Returns:
        One entry per feature, the furthest first.
    """
    times = np.sort(matrix.rows["as_of"].unique())
    since = times[-recent] if len(times) > recent else None
    late = (matrix.rows["as_of"] >= since).to_numpy() if since is not None else None
    drifts = [
        _drift(str(name), matrix.specs[str(name)], matrix.values[name], late, limit)
        for name in matrix.values.columns
    ]
    steps = _Steps.of(matrix.rows)
    drifts = [
        replace(item, verdict="ages", text=f"{AGES}{_more(item.typical, item.missing)}")
        if item.verdict in {"shifted", "drifted"}
        and not matrix.specs[item.feature].text
        and steps.ages(matrix.values[item.feature])
        else item
        for item in drifts
    ]
    return sorted(drifts, key=lambda item: -(item.psi if item.psi is not None else -1.0))


@dataclass(frozen=True)
class _Steps:
    """Pairs of consecutive snapshots of one account, and the days between them."""

    first: Any
    second: Any
    days: Floats

    @classmethod
    def of(cls, rows: pd.DataFrame) -> _Steps:
        order = np.lexsort((rows["as_of"].to_numpy(), rows["account_id"].to_numpy(dtype=str)))
        accounts = rows["account_id"].to_numpy(dtype=str)[order]
        same = accounts[1:] == accounts[:-1]
        first, second = order[:-1][same], order[1:][same]
        times = rows["as_of"].to_numpy(dtype="datetime64[us]")
        return cls(first, second, (times[second] - times[first]) / np.timedelta64(1, "D"))

    def ages(self, values: pd.Series[Any]) -> bool:
        """Return whether a feature nearly always grows by just the days that went by."""
        numbers = values.to_numpy(dtype=np.float64)
        grown = numbers[self.second] - numbers[self.first]
        present = ~np.isnan(grown)
        by_days = np.abs(grown[present] - self.days[present]) < 0.01
        return bool(present.sum() >= FEWEST and by_days.mean() >= MOSTLY)


def since(matrix: FeatureMatrix, recent: int) -> str | None:
    """Return the first of the prediction times that count as recent, None where all would."""
    times = np.sort(matrix.rows["as_of"].unique())
    return show(pd.Timestamp(times[-recent]).to_pydatetime()) if len(times) > recent else None


def _drift(name: str, spec: FeatureSpec, values: pd.Series[Any], late: Any, limit: float) -> Drift:
    if late is None or min(late.sum(), (~late).sum()) < FEWEST:
        text = "too few rows to compare the latest prediction times with earlier ones"
        return Drift(name, None, None, "too_few", (None, None), (None, None), text)
    before, after = values[~late], values[late]
    shares = (float(before.isna().mean()), float(after.isna().mean()))
    typical = (_typical(before, spec.text), _typical(after, spec.text))
    codes = _words(values, before) if spec.text else _bins(values, before)
    codes = np.unique(codes, return_inverse=True)[1]
    size = int(codes.max()) + 1
    earlier, recent = _share(codes[~late], size), _share(codes[late], size)
    psi = float(np.sum((recent - earlier) * np.log(recent / earlier)))
    noise = float((size - 1) * (1 / len(before) + 1 / len(after)))
    steady = psi < SHIFTED or psi < 2 * noise
    verdict = "steady" if steady else "shifted" if psi < limit else "drifted"
    return Drift(name, psi, noise, verdict, shares, typical, _text(verdict, typical, shares))


def _bins(values: pd.Series[Any], before: pd.Series[Any]) -> Any:
    """Return the bin of each value, cut at the earlier deciles; the missing have the last."""
    present = before.dropna().to_numpy(dtype=np.float64)
    levels = np.arange(1, BINS) / BINS
    edges = (
        np.unique(np.quantile(present, levels, method="inverted_cdf")) if len(present) else present
    )
    numbers = values.to_numpy(dtype=np.float64)
    codes = np.searchsorted(edges, numbers, side="left")
    return np.where(np.isnan(numbers), len(edges) + 1, codes)


def _words(values: pd.Series[Any], before: pd.Series[Any]) -> Any:
    """Return the place of each word among the commonest earlier ones, then others, then missing."""
    common = {word: place for place, word in enumerate(before.value_counts().index[:WORDS])}
    codes = values.map(common).fillna(len(common)).to_numpy(dtype=np.int64)
    return np.where(values.isna(), len(common) + 1, codes)


def _share(codes: Any, size: int) -> Floats:
    """Return the share of each bin, none of them 0."""
    counts = np.bincount(codes, minlength=size) + EMPTY
    shares: Floats = counts / counts.sum()
    return shares


def _typical(values: pd.Series[Any], text: bool) -> float | str | None:
    present = values.dropna()
    if present.empty:
        return None
    return str(present.mode().iloc[0]) if text else float(present.median())


def _text(verdict: str, typical: tuple[Any, Any], missing: tuple[float, float]) -> str:
    sentence = {
        "steady": "looks as it did",
        "shifted": "looks somewhat different from its earlier past",
        "drifted": "looks different from its earlier past: a model knows little of such values",
    }[verdict]
    return f"{sentence}{_more(typical, missing)}"


def _more(typical: tuple[Any, Any], missing: tuple[float | None, float | None]) -> str:
    parts = []
    if typical[0] != typical[1]:
        parts.append(f"typically {_say(typical[0])} before and {_say(typical[1])} lately")
    before, after = missing
    if before is not None and after is not None and abs(before - after) >= 0.01:
        parts.append(f"missing {before:.0%} before and {after:.0%} lately")
    return f"; {', '.join(parts)}" if parts else ""


def _say(value: float | str | None) -> str:
    return "nothing" if value is None else value if isinstance(value, str) else f"{value:.4g}"
