"""When a backtest fits its booster again: once the outcomes known have grown by a share.

Between two fits a booster predicts as it stands, so that a walk costs a number of fits that follows
the logarithm of the outcomes, not the number of prediction times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tenure.core.arrays import Places
from tenure.labels.splits import Origin, outcomes_known

if TYPE_CHECKING:
    import pandas as pd

GROWTH, OF_MANY = 1.12, 1.25
"""Growth of the known distinct outcomes after which a booster is fitted again, and of many."""
MANY = 2_000
"""Distinct outcomes from which a quarter more teach little."""


@dataclass(frozen=True)
class Stretch:
    """Consecutive prediction times that one booster predicts."""

    origins: tuple[Origin, ...]
    """The folds, oldest first; the booster learns from the training rows of the first."""
    outcomes: int
    """Distinct outcomes behind the positive rows among them."""

    @property
    def first(self) -> Origin:
        """Return the fold whose training rows the booster learns from."""
        return self.origins[0]

    @property
    def test(self) -> Places:
        """Return the positions of the test rows of all folds."""
        return np.concatenate([origin.test for origin in self.origins])


def stretches(rows: pd.DataFrame, origins: Sequence[Origin]) -> list[Stretch]:
    """Return the folds in stretches, each of which one booster serves.

    `rows` have label, label_known_at and outcome_id; the folds stand oldest first.
    """
    counts = outcomes_known(rows, [origin.as_of for origin in origins])
    begun: list[tuple[int, list[Origin]]] = []
    for origin, count in zip(origins, counts.tolist(), strict=True):
        last = begun[-1][0] if begun else 0
        if count >= last * (OF_MANY if last >= MANY else GROWTH):
            begun.append((count, []))
        begun[-1][1].append(origin)
    return [Stretch(tuple(served), count) for count, served in begun]
