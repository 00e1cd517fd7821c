"""Account-clustered bootstrap: accounts are drawn with replacement, with all their rows.

A resample is a count per account, so every metric is computed from weights, for many resamples at
once.  The first resample has every count at 1: it gives the metric itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from tenure.core.arrays import Floats, Places, Singles

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

CELLS = 2_000_000  # resamples × rows held at once
FEWEST = 0.9  # share of resamples that must give a value for an interval to be shown


@dataclass(frozen=True)
class Resamples:
    """Draws of accounts."""

    account: Places
    """Account number of each row."""
    counts: Singles
    """How often each account is drawn, shape (1 + resamples, accounts)."""

    @classmethod
    def draw(cls, accounts: ArrayLike, resamples: int, seed: int) -> Self:
        """Draw resamples of the accounts that own the rows.

        `accounts` holds the account id of each row.
        """
        account, names = pd.factorize(np.asarray(accounts), sort=True)
        size = len(names)
        rng = np.random.default_rng(seed)
        counts = np.ones((resamples + 1, size), dtype=np.float32)
        for row in range(1, resamples + 1):
            counts[row] = np.bincount(rng.integers(0, size, size), minlength=size)
        return cls(account, counts)

    def sums(self, columns: Floats) -> Floats:
        """Return weighted sums of columns, shape (1 + resamples, columns)."""
        size = self.counts.shape[1]
        totals = np.column_stack(
            [np.bincount(self.account, weights=column, minlength=size) for column in columns.T]
        )
        return np.asarray(self.counts.astype(np.float64) @ totals)

    def weights(self, order: Places) -> Iterator[tuple[slice, Floats]]:
        """Yield row weights of some resamples at a time, rows in some order."""
        owners = self.account[order]
        step = max(1, CELLS // max(len(order), 1))
        for start in range(0, len(self.counts), step):
            part = slice(start, min(start + step, len(self.counts)))
            yield part, self.counts[part].astype(np.float64)[:, owners]


@dataclass(frozen=True)
class Ranking:
    """Metrics of order, one value per resample; the first is the metric itself."""

    auc: Floats
    """Area under the ROC curve."""
    average_precision: Floats
    """Area under the precision-recall steps."""
    capture: Floats
    """Share of the positives among the highest scores, shape (1 + resamples, shares)."""


def ranking(
    resamples: Resamples, labels: Floats, scores: Floats, shares: Sequence[float]
) -> Ranking:
    """Compute metrics of order for every resample.

    Labels are 1 or 0, higher scores likelier, and ties share their rank; `shares` of the rows are
    looked at from the top, e.g. 0.1.

    Returns:
        Values; NaN where a resample has one class only.
    """
    ranks = _Ranks(labels, scores)
    size = len(resamples.counts)
    out = Ranking(np.empty(size), np.empty(size), np.empty((size, len(shares))))
    with np.errstate(divide="ignore", invalid="ignore"):
        for part, weights in resamples.weights(ranks.order):
            seen = np.cumsum(weights, axis=1)
            hits = _running(weights[:, ranks.positives])
            out.auc[part], out.average_precision[part] = ranks.areas(seen, hits)
            for column, share in enumerate(shares):
                out.capture[part, column] = ranks.top(seen, hits, share) / hits[:, -1]
    return out


def _running(rows: Floats) -> Floats:
    """Return running sums along each line, a 0 before them."""
    sums = np.zeros((len(rows), rows.shape[1] + 1))
    np.cumsum(rows, axis=1, out=sums[:, 1:])
    return sums


class _Ranks:
    """Rows from the highest score down, in groups of equal scores.

    Only groups with a positive add to the areas, so weights are summed up once and looked up there.
    """

    def __init__(self, labels: Floats, scores: Floats) -> None:
        self.order = np.argsort(-scores, kind="stable")
        ranked = scores[self.order]
        changes = ranked[1:] != ranked[:-1]
        self.first = np.flatnonzero(np.r_[True, changes])
        self.last = np.flatnonzero(np.r_[changes, True])
        self.group = np.cumsum(np.r_[0, changes])
        self.positives = np.flatnonzero(labels[self.order] > 0.5)
        self.before = np.searchsorted(self.positives, self.first)
        self.through = np.searchsorted(self.positives, self.last, side="right")

    def areas(self, seen: Floats, hits: Floats) -> tuple[Floats, Floats]:
        """Return AUC and average precision from running sums of weights and of positives."""
        held = np.flatnonzero(self.through > self.before)
        before, through = hits[:, self.before[held]], hits[:, self.through[held]]
        until = seen[:, self.last[held]]
        outside = np.where(self.first[held] > 0, seen[:, self.first[held] - 1], 0.0)
        caught, every = through - before, hits[:, -1]
        negatives = seen[:, -1] - every
        passed, tied = until - through, (until - through) - (outside - before)
        outranked = np.sum(caught * (negatives[:, None] - passed + tied / 2), axis=1)
        precision = np.where(until > 0, through / until, 0.0)
        return outranked / (every * negatives), np.sum(caught * precision, axis=1) / every

    def top(self, seen: Floats, hits: Floats, share: float) -> Floats:
        """Return how many positives a top share of the rows holds, ties in proportion.

        `seen` are running sums of weights over the ranked rows, `hits` the same over the positives.
        """
        rows = np.arange(len(seen))
        wanted = share * seen[:, -1]
        ends = [np.searchsorted(line, want) for line, want in zip(seen, wanted, strict=True)]
        group = self.group[np.minimum(ends, seen.shape[1] - 1)]
        first = self.first[group]
        outside = np.where(first > 0, seen[rows, first - 1], 0.0)
        width = seen[rows, self.last[group]] - outside
        part = np.where(width > 0, (wanted - outside) / np.where(width > 0, width, 1), 0.0)
        before, through = hits[rows, self.before[group]], hits[rows, self.through[group]]
        return np.asarray(before + part * (through - before))


def interval(draws: Floats, level: float) -> dict[str, float | None]:
    """Return a metric with its percentile interval, widened to hold the metric, JSON-safe.

    Resampling inflates a sum of absolute gaps, so that all resamples may lie above the value.

    The first of the `draws` is the metric itself; `level` is the coverage, e.g. 0.95.

    Returns:
        ``value``, ``lo``, ``hi``; None where a value does not exist.
    """
    value, rest = float(draws[0]), draws[1:][np.isfinite(draws[1:])]
    known = len(rest) >= FEWEST * max(len(draws) - 1, 1) and len(rest) > 0
    tail = (1 - level) / 2
    lo, hi = np.quantile(rest, [tail, 1 - tail]) if known else (np.nan, np.nan)
    return {
        "value": safe(value),
        "lo": safe(np.minimum(lo, value)),
        "hi": safe(np.maximum(hi, value)),
    }


def safe(value: float | np.floating[Any]) -> float | None:
    """Return a finite number as float, anything else as None."""
    return float(value) if np.isfinite(value) else None
