"""What became of accounts with such a value: shares of outcomes, fitted on the training past."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tenure.core.arrays import Array
from tenure.explain.peers import KINDS, groups_in, groups_of
from tenure.features.values import Values
from tenure.model.boosting.encoder import is_text

if TYPE_CHECKING:
    import pandas as pd


ROWS = 40_000
"""Training rows that are looked at, about."""
GROUP_ROWS = 500
"""Rows that a kind of account needs to have shares of its own."""
FEWEST = 50
"""Rows of like value that a share needs."""
CUTS = np.linspace(0.1, 0.9, 9)
BY = KINDS[:1]


class Shares(NamedTuple):
    """Shares of outcomes among accounts like some rows, each of shape (n,)."""

    like: Array
    """Among accounts of the same kind with such a value, NaN where these are too few."""
    every: Array
    """Among all accounts of the same kind."""


@dataclass(frozen=True)
class OutcomeShares:
    """Shares of outcomes by value of each feature."""

    horizon_days: int
    """Days within which an outcome counts."""
    every: Mapping[str, float]
    """Kind of account → share among all of it; the empty name is everyone."""
    numbers: Mapping[str, Mapping[str, tuple[list[float], list[float | None]]]]
    """Kind → feature → the values at which the next bin begins, and the share in each bin, that of
    missing values last; None where too few rows lie in it."""
    words: Mapping[str, Mapping[str, Mapping[str, float]]]
    """Kind → feature → word → share."""

    def groups(self, values: Values) -> Array:
        """Return the kind of account of each row of a matrix, shape (n,)."""
        return groups_of(values, BY, self.every)

    def lookup(self, feature: str, values: Array, groups: Array) -> Shares:
        """Return the shares of outcomes for some rows.

        `values` are those of the feature, numbers or words, shape (n,); `groups` is the kind of
        account of each row, from `groups`.
        """
        like, every = np.full(len(values), np.nan), np.full(len(values), np.nan)
        kinds = set(groups.tolist())
        for group in kinds:
            rows = np.flatnonzero(groups == group) if len(kinds) > 1 else slice(None)
            every[rows] = self.every[group]
            if (bins := self._bins.get(group, {}).get(feature)) is not None:
                edges, shares = bins
                numbers = values[rows].astype(np.float64)
                place = np.searchsorted(edges, numbers, side="right")
                like[rows] = shares[np.where(np.isnan(numbers), len(shares) - 1, place)]
            elif (words := self.words.get(group, {}).get(feature)) is not None:
                like[rows] = [words.get(word, np.nan) for word in values[rows]]
        return Shares(like, every)

    @cached_property
    def _bins(self) -> dict[str, dict[str, tuple[Array, Array]]]:
        return {
            group: {
                name: (np.asarray(edges), np.asarray(shares, dtype=np.float64))
                for name, (edges, shares) in features.items()
            }
            for group, features in self.numbers.items()
        }

    def to_json(self) -> dict[str, Any]:
        """Return the fitted state as plain JSON values."""
        return {
            "horizon_days": self.horizon_days,
            "every": dict(self.every),
            "numbers": self.numbers,
            "words": self.words,
        }

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> OutcomeShares:
        """Return the shares that `to_json` described."""
        return cls(**state)


def fit_outcomes(values: pd.DataFrame, label: Array, horizon_days: int) -> OutcomeShares:
    """Fit the shares on training rows with a known outcome.

    `values` are features, shape (n, p); the label of each row, 1 or 0, is its outcome within
    `horizon_days`.
    """
    step = 1 + len(values) // ROWS
    values, label = values.iloc[::step], np.asarray(label, dtype=np.float64)[::step]
    by = [name for name in BY if name in values]
    groups = groups_in(values, by, GROUP_ROWS)
    numbers: dict[str, dict[str, tuple[list[float], list[float | None]]]] = {}
    words: dict[str, dict[str, dict[str, float]]] = {}
    for group, rows in groups.items():
        numbers[group], words[group] = {}, {}
        for name in map(str, values.columns):
            column = values[name]
            if is_text(column):
                words[group][name] = _by_word(column.to_numpy(dtype=object)[rows], label[rows])
            else:
                numbers[group][name] = _by_bin(column.to_numpy(np.float64)[rows], label[rows])
    every = {group: round(float(label[rows].mean()), 6) for group, rows in groups.items()}
    return OutcomeShares(horizon_days, every, numbers, words)


def _by_bin(column: Array, label: Array) -> tuple[list[float], list[float | None]]:
    present = column[~np.isnan(column)]
    # What lies exactly at a cut stands with what is above it, in whole values of the data.
    cuts = np.quantile(present, CUTS, method="higher") if len(present) else present
    edges = np.unique(cuts)
    place = np.searchsorted(edges, column, side="right")
    place[np.isnan(column)] = len(edges) + 1
    counts = np.bincount(place, minlength=len(edges) + 2)
    sums = np.bincount(place, label, minlength=len(edges) + 2)
    shares = [_share(total, count) for total, count in zip(sums, counts, strict=True)]
    return [float(edge) for edge in edges], shares


def _by_word(column: Array, label: Array) -> dict[str, float]:
    shares: dict[str, float] = {}
    for word in sorted({item for item in column if isinstance(item, str)}):
        own = label[column == word]
        if (share := _share(own.sum(), len(own))) is not None:
            shares[word] = share
    return shares


def _share(total: float, count: int) -> float | None:
    return round(float(total / count), 6) if count >= FEWEST else None
