"""When a backtest fits its booster again: once the outcomes known have grown by a share.

Between two fits a booster predicts as it stands, so that a walk costs a number of fits that follows
the logarithm of the outcomes, not the number of prediction times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tenure.labels.splits import Origin

if TYPE_CHECKING:
    from numpy.typing import NDArray

GROWTH = 1.12
"""Growth of the known distinct outcomes after which a booster is fitted again."""


@dataclass(frozen=True)
class Stretch:
    """Consecutive prediction times that one booster predicts.

    Attributes:
        origins: The folds, oldest first; the booster learns from the training rows of the first.
        outcomes: Distinct outcomes behind the positive rows among them.
    """

    origins: tuple[Origin, ...]
    outcomes: int

    @property
    def first(self) -> Origin:
        """Return the fold whose training rows the booster learns from."""
        return self.origins[0]

    @property
    def test(self) -> NDArray[np.intp]:
        """Return the positions of the test rows of all folds."""
        return np.concatenate([origin.test for origin in self.origins])


def stretches(
    rows: pd.DataFrame, origins: Sequence[Origin], growth: float = GROWTH
) -> list[Stretch]:
    """Return the folds in stretches, each of which one booster serves.

    Args:
        rows: Labelled snapshots with label, label_known_at and outcome_id.
        origins: Folds over them, oldest first.
        growth: Growth of the known distinct outcomes that begins a new stretch.
    """
    counts = outcomes_known(rows, [origin.as_of for origin in origins])
    begun: list[tuple[int, list[Origin]]] = []
    for origin, count in zip(origins, counts.tolist(), strict=True):
        if not begun or count >= growth * begun[-1][0]:
            begun.append((count, []))
        begun[-1][1].append(origin)
    return [Stretch(tuple(served), count) for count, served in begun]


def outcomes_known(rows: pd.DataFrame, moments: Sequence[pd.Timestamp]) -> NDArray[np.intp]:
    """Return how many distinct outcomes were known at each of some times, shape (times,)."""
    positive = rows[rows["label"] == 1]
    first = positive.groupby(outcome_codes(positive))["label_known_at"].min()
    known = np.sort(first.to_numpy(dtype="datetime64[us]"))
    times = np.asarray([np.datetime64(moment, "us") for moment in moments], dtype="datetime64[us]")
    return np.searchsorted(known, times, side="right")


def outcome_codes(rows: pd.DataFrame) -> NDArray[np.intp]:
    """Return a number per row that rows of one outcome share; a row without an id has its own."""
    codes, names = pd.factorize(rows["outcome_id"])
    alone = codes < 0
    codes[alone] = len(names) + np.arange(alone.sum())
    return np.asarray(codes, dtype=np.intp)
