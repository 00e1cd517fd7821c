"""What comparable accounts that stayed looked like: fitted on the past, looked up later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

EVERYONE = ""
MIN_ROWS = 50


@dataclass(frozen=True)
class Peers:
    """Typical feature values of retained accounts, by peer group.

    Attributes:
        by: Column that forms the groups, None where there is none.
        values: Group → feature → median (or most common word); `EVERYONE` is the whole book.
    """

    by: str | None
    values: dict[str, dict[str, float | str]]

    def lookup(self, feature: str, groups: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Return the peer value of a feature for each row's group, None where there is none."""
        overall = self.values[EVERYONE].get(feature)
        known = {group: self.values.get(group, {}).get(feature, overall) for group in set(groups)}
        return np.asarray([known[group] for group in groups], dtype=object)

    def groups(self, values: pd.DataFrame) -> np.ndarray[Any, Any]:
        """Return the peer group of each row of a matrix, shape (n,)."""
        if self.by is None or self.by not in values:
            return np.full(len(values), EVERYONE, dtype=object)
        words = values[self.by].to_numpy(dtype=object)
        groups = [word if word in self.values else EVERYONE for word in words]
        return np.asarray(groups, dtype=object)

    def to_json(self) -> dict[str, Any]:
        """Return the fitted state as plain JSON values."""
        return {"by": self.by, "values": self.values}

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Peers:
        """Return peers from their fitted state."""
        return cls(state["by"], state["values"])


def fit_peers(values: pd.DataFrame, label: np.ndarray[Any, Any], by: str | None) -> Peers:
    """Fit typical values on the training rows of retained accounts.

    Args:
        values: Feature matrix, shape (n, p).
        label: Churn label of each row: 0 means the account stayed.
        by: Text feature that forms peer groups of at least `MIN_ROWS` rows.
    """
    retained = values[np.asarray(label) == 0]
    by = by if by in values else None
    groups = {EVERYONE: retained}
    if by is not None:
        for name, rows in retained.groupby(retained[by].astype(object), sort=True):
            if len(rows) >= MIN_ROWS:
                groups[str(name)] = rows
    return Peers(by, {name: _typical(rows) for name, rows in groups.items()})


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
