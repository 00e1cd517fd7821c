"""How stable a column is: its values in bins, and how far later values have moved from them.

An index of stability counts as a move where it is above what chance gives with so many accounts,
and above twice the largest move that the column made before over as long a time: a book that ages,
or a season, moves columns all the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import chi2

from tenure.model.boosting.encoder import is_text

Codes = NDArray[np.int64]

BINS = 10
WORDS = 20
EMPTY = 0.5
"""Rows added to each bin, so that an empty one has a logarithm."""
TIMES_BEFORE = 2.0


@dataclass(frozen=True)
class Move:
    """A population stability index, and the limit that is usual."""

    psi: float
    limit: float


@dataclass(frozen=True)
class Distribution:
    """How a column was distributed at the last of some times.

    Attributes:
        cuts: Edges of the bins of numbers, or words with a bin of their own; other words share one,
            and what is missing has the last.
        text: Whether they are words.
        counts: Rows in each bin, shape (cuts + 2,).
        accounts: Rows of one time, on average.
        moved: Largest index of one time against those as long before it.
    """

    cuts: tuple[Any, ...]
    text: bool
    counts: tuple[int, ...]
    accounts: int
    moved: float

    @classmethod
    def of(
        cls, values: pd.Series[Any], moments: NDArray[np.datetime64], last: int, lag: int
    ) -> Self:
        """Return the distribution at the last times.

        Args:
            values: Of all times.
            moments: Time of each.
            last: How many of the latest times count as the last.
            lag: Times from the last of these to what will be compared with them.
        """
        times, place = np.unique(moments, return_inverse=True)
        text = is_text(values)
        cuts = _cuts(values[place >= len(times) - last], text)
        size = len(cuts) + 2
        codes = place * size + _codes(values, cuts, text)
        counts = np.bincount(codes, minlength=len(times) * size).reshape(-1, size)
        before = [
            _psi(counts[end - last : end].sum(axis=0), counts[end + lag - 1])
            for end in range(last, len(times) - lag + 1 if lag else 0)
        ]
        late = counts[-last:]
        return cls(
            cuts=tuple(cuts),
            text=text,
            counts=tuple(late.sum(axis=0).tolist()),
            accounts=int(late.sum(axis=1).mean()),
            moved=max(before, default=0.0),
        )

    def move(self, values: pd.Series[Any], chance: float) -> Move | None:
        """Return how far values have moved; None where they are within the limit.

        Args:
            values: One per account.
            chance: Probability that chance alone leads beyond the limit.
        """
        before = np.array(self.counts, dtype=np.int64)
        after = np.bincount(_codes(values, self.cuts, self.text), minlength=len(before))
        used = int(np.count_nonzero(before + after))
        if used < 2:
            return None
        rows = 1 / max(self.accounts, 1) + 1 / len(values)
        limit = max(rows * float(chi2.isf(chance, used - 1)), TIMES_BEFORE * self.moved)
        psi = _psi(before, after)
        return Move(psi, limit) if psi > limit else None


def _cuts(values: pd.Series[Any], text: bool) -> list[Any]:
    present = values.dropna()
    if text:
        return sorted(present.astype(str).value_counts().index[:WORDS])
    levels = np.arange(1, BINS) / BINS
    numbers = present.to_numpy(dtype=np.float64)
    edges = np.quantile(numbers, levels, method="inverted_cdf") if len(numbers) else numbers
    return list(np.unique(edges).tolist())


def _codes(values: pd.Series[Any], cuts: Any, text: bool) -> Codes:
    if text:
        places = pd.Index(list(cuts), dtype=object).get_indexer(values.astype(str))
        codes = np.where(places < 0, len(cuts), places)
    else:
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        codes = np.searchsorted(np.array(cuts, dtype=np.float64), numbers)
    return np.where(values.isna(), len(cuts) + 1, codes).astype(np.int64)


def _psi(expected: NDArray[np.int64], actual: NDArray[np.int64]) -> float:
    """Return the population stability index of two histograms."""
    one, other = expected + EMPTY, actual + EMPTY
    shares = one / one.sum(), other / other.sum()
    return float(np.sum((shares[1] - shares[0]) * np.log(shares[1] / shares[0])))
