"""Bins of a column's values, and how far one count of them lies from another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from tenure.core.arrays import Ints

Codes = Ints

BINS = 10
WORDS = 20
EMPTY = 0.5
"""Rows added to each bin, so that an empty one has a logarithm."""


@dataclass(frozen=True)
class Bins:
    """Where a column is cut: at quantiles of numbers, or into its commonest words."""

    cuts: tuple[Any, ...]
    """Edges of the bins of numbers, rising, or words with a bin of their own; other words share
    one, and what is missing has the last."""
    text: bool

    @classmethod
    def of(
        cls, values: pd.Series[Any], *, text: bool, bins: int = BINS, words: int = WORDS
    ) -> Self:
        """Return bins that follow some values.

        Missing values do not count.  Numbers get so many `bins` at most, missing ones apart; so
        many `words` get a bin of their own at most.
        """
        if text:
            return cls(tuple(map(str, values.value_counts().index[:words])), text)
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        present = numbers[~np.isnan(numbers)]
        levels = np.arange(1, bins) / bins
        edges = np.quantile(present, levels, method="inverted_cdf") if len(present) else present
        return cls(tuple(np.unique(edges).tolist()), text)

    def __len__(self) -> int:
        """Return how many bins there are."""
        return len(self.cuts) + 2

    def codes(self, values: pd.Series[Any]) -> Codes:
        """Return the bin of each value, shape (rows,)."""
        if self.text:
            places = pd.Index(list(self.cuts), dtype=object).get_indexer(values.astype(str))
            codes = np.where(places < 0, len(self.cuts), places)
        else:
            numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
            codes = np.searchsorted(np.array(self.cuts, dtype=np.float64), numbers)
        return np.where(values.isna(), len(self.cuts) + 1, codes).astype(np.int64)

    @property
    def names(self) -> list[str]:
        """How to call each bin."""
        if self.text:
            return [*self.cuts, "any other value", "missing"]
        last = f"above {self.cuts[-1]:.6g}" if self.cuts else "any value"
        return [*(f"up to {edge:.6g}" for edge in self.cuts), last, "missing"]


def stability_index(before: Codes, after: Codes) -> tuple[float, int]:
    """Return the population stability index of two counts by bin, and how many bins have a row.

    Bins that are empty in both play no part.
    """
    used = before + after > 0
    one, other = before[used] + EMPTY, after[used] + EMPTY
    earlier, later = one / one.sum(), other / other.sum()
    return float(np.sum((later - earlier) * np.log(later / earlier))), int(used.sum())
