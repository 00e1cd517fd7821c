"""How stable a column is: its values in bins, and how far later values have moved from them.

An index of stability counts as a move where it is above what chance gives with so many accounts,
and above twice the largest move that the column made before over as long a time: a book that ages,
or a season, moves columns all the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy.stats import chi2

from tenure.core.arrays import Moments
from tenure.model.boosting.encoder import is_text
from tenure.model.evaluation.bins import Bins, stability_index

if TYPE_CHECKING:
    import pandas as pd

TIMES_BEFORE = 2.0


@dataclass(frozen=True)
class Move:
    """A population stability index, and the limit that is usual."""

    psi: float
    limit: float


@dataclass(frozen=True)
class Distribution:
    """How a column was distributed at the last of some times."""

    bins: Bins
    counts: tuple[int, ...]
    accounts: int
    """Rows of one time, on average."""
    moved: float
    """Largest index of one time against those as long before it."""

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Self:
        """Return the distribution whose fields JSON values hold; others are left alone."""
        known = {name: state[name] for name in ("counts", "accounts", "moved")}
        return cls(bins=Bins(tuple(state["bins"]["cuts"]), state["bins"]["text"]), **known)

    @classmethod
    def of(cls, values: pd.Series[Any], moments: Moments, last: int, lag: int) -> Self:
        """Return the distribution at the last times.

        `moments` holds the time of each value.  The `last` of the times count, that many; `lag`
        times later comes what will be compared with them.
        """
        times, place = np.unique(moments, return_inverse=True)
        bins = Bins.of(values[place >= len(times) - last], text=is_text(values))
        size = len(bins)
        codes = place * size + bins.codes(values)
        counts = np.bincount(codes, minlength=len(times) * size).reshape(-1, size)
        before = [
            stability_index(counts[end - last : end].sum(axis=0), counts[end + lag - 1])[0]
            for end in range(last, len(times) - lag + 1 if lag else 0)
        ]
        late = counts[-last:]
        return cls(
            bins=bins,
            counts=tuple(late.sum(axis=0).tolist()),
            accounts=int(late.sum(axis=1).mean()),
            moved=max(before, default=0.0),
        )

    def move(self, values: pd.Series[Any], chance: float) -> Move | None:
        """Return how far values have moved; None where they are within the limit.

        There is one value per account; chance alone leads beyond the limit with the probability
        `chance`.
        """
        before = np.array(self.counts, dtype=np.int64)
        after = np.bincount(self.bins.codes(values), minlength=len(before))
        psi, used = stability_index(before, after)
        if used < 2:
            return None
        rows = 1 / max(self.accounts, 1) + 1 / len(values)
        limit = max(rows * float(chi2.isf(chance, used - 1)), TIMES_BEFORE * self.moved)
        return Move(psi, limit) if psi > limit else None
