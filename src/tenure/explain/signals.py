"""Columns by the signal that they measure, and what the columns of a signal contribute together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from tenure.core.arrays import Array
from tenure.explain.wording import signal_label, uncapital
from tenure.features.plan.columns import FeatureSpec

BLOCK = 4_096
"""Rows that are added up at a time."""


@dataclass(frozen=True)
class BySignal:
    """The columns of a model by signal."""

    columns: tuple[str, ...]
    """Names."""
    places: tuple[list[int], ...]
    """Positions of the columns of each signal."""
    table: Array
    """The same as an array, shape (signals, most columns of one), filled up with -1."""
    labels: tuple[str, ...]
    """What the signal of each column is called within a sentence."""
    levers: Array
    """Whether a team can act on it, shape (columns + 1,); the last one is of no column."""
    parts: Array
    """Whether it measures only a part of what its signal is about, shape (columns,)."""

    @classmethod
    def of(cls, columns: tuple[str, ...], specs: Mapping[str, FeatureSpec]) -> Self:
        """Return the columns of a model by signal."""
        places = tuple(signals(columns, specs).values())
        table = np.full((len(places), max(map(len, places), default=0)), -1)
        for number, part in enumerate(places):
            table[number, : len(part)] = part
        listed = [specs[name] for name in columns]
        return cls(
            columns,
            places,
            table,
            tuple(uncapital(signal_label(spec)) for spec in listed),
            np.array([*(spec.lever for spec in listed), False]),
            np.array([spec.part for spec in listed], dtype=bool),
        )


def signals(columns: Sequence[str], specs: Mapping[str, FeatureSpec]) -> dict[str, list[int]]:
    """Return signal → positions of the columns that measure it, signals as they first appear."""
    places: dict[str, list[int]] = {}
    for place, name in enumerate(columns):
        places.setdefault(specs[name].group, []).append(place)
    return places


def summed(contributions: Array, places: Sequence[Sequence[int]]) -> Array:
    """Return the contributions of signals, shape (n, signals).

    A row alone adds up in the order in which it does among others.

    `contributions` are those of columns, shape (n, p); `places` are the positions of the columns of
    each signal.
    """
    sums = np.empty((len(contributions), len(places)))
    order = np.concatenate(places) if places else np.empty(0, dtype=np.intp)
    starts = np.cumsum([0, *map(len, places)])[:-1]
    for start in range(0, len(contributions), BLOCK):
        rows = slice(start, start + BLOCK)
        own = np.take(contributions[rows], order, axis=1)
        np.add.reduceat(own, starts, axis=1, out=sums[rows])
    return sums
