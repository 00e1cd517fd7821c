"""What comparable accounts that stayed looked like: fitted on the past, looked up later.

Accounts are comparable that are of one kind: on one kind of term, and in one segment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from tenure.core.arrays import Array
from tenure.features.values import Values, height, words

if TYPE_CHECKING:
    import pandas as pd

EVERYONE = ""
MIN_ROWS = 50
KINDS = ("billing_period", "segment")
"""Columns that form the groups, the first one the widest."""
BETWEEN = " · "


@dataclass(frozen=True)
class Peers:
    """Typical feature values of retained accounts, by peer group."""

    by: tuple[str, ...]
    """Columns that form the groups; a group is looked up by all of them, else by the first ones
    alone."""
    values: dict[str, dict[str, float | str]]
    """Group → feature → median (or most common word); `EVERYONE` is the whole book."""

    def lookup(self, feature: str, groups: Array) -> Array:
        """Return the peer value of a feature for each row's group, None where there is none."""
        overall = self.values[EVERYONE].get(feature)
        known = {group: self.values.get(group, {}).get(feature, overall) for group in set(groups)}
        return np.asarray([known[group] for group in groups], dtype=object)

    def groups(self, values: Values) -> Array:
        """Return the peer group of each row of a matrix, shape (n,)."""
        return groups_of(values, self.by, self.values)

    def to_json(self) -> dict[str, Any]:
        """Return the fitted state as plain JSON values."""
        return {"by": list(self.by), "values": self.values}

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Peers:
        """Return peers from their fitted state."""
        by = state["by"] or ()
        return cls((by,) if isinstance(by, str) else tuple(by), state["values"])


def fit_peers(values: pd.DataFrame, label: Array, by: Sequence[str] = KINDS) -> Peers:
    """Fit typical values on the training rows of retained accounts.

    `values` are features, shape (n, p); the label 0 means that the account stayed.  Text features
    in `by` form peer groups of at least `MIN_ROWS` rows.
    """
    retained = values[np.asarray(label) == 0]
    by = tuple(name for name in by if name in values)
    parts = groups_in(retained, by, MIN_ROWS)
    return Peers(by, {name: _typical(retained.iloc[rows]) for name, rows in parts.items()})


def groups_of(values: Values, by: Sequence[str], known: Mapping[str, Any]) -> Array:
    """Return the narrowest known group of each row of a matrix, shape (n,).

    `values` may lack columns; `by` are the text features that form the groups, and those `known`
    are named by their values.
    """
    groups = [EVERYONE] * height(values)
    names: tuple[str, ...] = ()
    for name in by:
        if name not in values:
            break
        names = (*names, name)
        own = _named(values, names)
        groups = [
            new if new and new in known else wide for new, wide in zip(own, groups, strict=True)
        ]
    return np.asarray(groups, dtype=object)


def groups_in(values: pd.DataFrame, by: Sequence[str], least: int) -> dict[str, Array]:
    """Return group → positions of its rows, of everyone and of the groups that are large enough."""
    groups = {EVERYONE: np.arange(len(values))}
    for count in range(1, len(by) + 1):
        own = _named(values, by[:count])
        present = np.asarray([group is not None for group in own], dtype=bool)
        named = np.asarray(own, dtype=object)[present]
        names, places = np.unique(named.astype(str), return_inverse=True)
        order = np.flatnonzero(present)[np.argsort(places, kind="stable")]
        ends = np.r_[0, np.cumsum(np.bincount(places, minlength=len(names)))]
        for name, (start, end) in zip(names, pairwise(ends), strict=True):
            if end - start >= least:
                groups[str(name)] = order[start:end]
    return groups


def _named(values: Values, by: Sequence[str]) -> list[str | None]:
    """Return the name of the group of each row, None where a word is missing."""
    columns = [words(values, name).tolist() for name in by]
    return [
        BETWEEN.join(row) if all(isinstance(word, str) for word in row) else None
        for row in zip(*columns, strict=True)
    ]


def _typical(rows: pd.DataFrame) -> dict[str, float | str]:
    typical: dict[str, float | str] = {}
    for name in rows.columns:
        present = rows[name].dropna()
        if present.dtype == np.float32 and len(present):
            typical[name] = float(np.median(present.to_numpy(dtype=np.float64)))
        elif len(present):
            counts = present.astype(str).value_counts()
            typical[name] = str(min(counts[counts == counts.max()].index))
    return typical
