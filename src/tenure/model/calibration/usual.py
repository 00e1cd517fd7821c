"""How unlike the training rows a row is: by the columns whose value is unusual among them.

On simulated worlds with known true probabilities the squared error of rows with many unusual values
is a multiple of that of others.  How far boosters of resampled accounts disagree on a row says much
less: all of them put an unusual row with its nearest usual ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tenure.core.arrays import Array, Floats

Matrix = NDArray[np.floating[Any]]

TAIL = 0.005
"""Share of the training rows beyond which a value is unusual, at each end."""
ROWS = 20_000
"""Training rows that are looked at, about."""


@dataclass(frozen=True)
class UsualValues:
    """The usual values of the columns that a booster reads."""

    column: tuple[int, ...]
    """Position of each column that counts."""
    low: tuple[float, ...]
    high: tuple[float, ...]
    missing: tuple[bool, ...]
    """Whether it is usual that there is none."""
    weight: tuple[float, ...]
    """Share of the column in what the booster knows; they add up to 1."""

    @classmethod
    def fit(cls, matrix: Matrix, weight: Floats, categorical: Sequence[int] = ()) -> Self:
        """Learn which values are usual.

        `matrix` are encoded training rows, shape (rows, columns); `weight` is the share of each
        column in the booster's gain, shape (columns,), and `categorical` are the positions of
        category codes.
        """
        used = np.flatnonzero(weight > 0)
        seen = matrix[:: 1 + len(matrix) // ROWS, used].astype(np.float64)
        missing = np.isnan(seen).mean(axis=0)
        used, seen = used[missing < 1], seen[:, missing < 1]
        coded = np.isin(used, np.asarray(categorical, dtype=np.intp))
        tails = np.where(coded, 0.0, TAIL)
        ends = [_quantiles(column, tail) for column, tail in zip(seen.T, tails, strict=True)]
        return cls(
            tuple(used.tolist()),
            tuple(low for low, _ in ends),
            tuple(high for _, high in ends),
            tuple((missing[missing < 1] >= TAIL).tolist()),
            tuple((weight[used] / (weight[used].sum() or 1.0)).tolist()),
        )

    def unusual(self, matrix: Matrix) -> Floats:
        """Return the weight of the columns whose value is unusual, for each row, from 0 to 1."""
        column, low, high, missing, weight = self._arrays
        values = matrix[:, column].astype(np.float64)
        outside = (values < low) | (values > high)
        outside |= np.isnan(values) & ~missing
        # A sum along each row, as a matrix product may round a row otherwise alone.
        return np.asarray((outside * weight).sum(axis=1))

    @cached_property
    def _arrays(self) -> tuple[Array, ...]:
        kinds = (np.intp, np.float64, np.float64, np.bool_, np.float64)
        fields = (self.column, self.low, self.high, self.missing, self.weight)
        return tuple(np.asarray(item, dtype=kind) for item, kind in zip(fields, kinds, strict=True))

    def to_json(self) -> dict[str, Any]:
        """Return the usual values as JSON values."""
        return {name: list(values) for name, values in asdict(self).items()}

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Self:
        """Return the usual values that `to_json` described."""
        return cls(**{name: tuple(values) for name, values in state.items()})


def _quantiles(column: Floats, tail: float) -> tuple[float, float]:
    low, high = np.nanquantile(column, [tail, 1 - tail], method="closest_observation")
    return float(low), float(high)
