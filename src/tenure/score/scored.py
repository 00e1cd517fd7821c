"""Scores and what stands behind them: the rows, the features, the contributions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from tenure.core.arrays import Array
from tenure.core.files import digest
from tenure.core.records.score_drift import BookDrift
from tenure.features.compute.matrix import FeatureMatrix
from tenure.score.model import Model
from tenure.score.unseen import no_words


@dataclass(frozen=True)
class Contributions:
    """Contributions of the features of one horizon's model to some rows."""

    rows: Array
    """Positions of the rows in `Scored.rows`, ascending, shape (n,)."""
    values: Array
    """In log-odds before calibration, shape (n, columns + 1): columns as the model's, the base
    value last.  A row adds up to its score before calibration."""
    telling: Array
    """Column whose value each driver tells, -1 where there is none, shape (n, drivers)."""


@dataclass(frozen=True)
class Scored:
    """Scores and what stands behind them.

    Attributes:
        rows: Flat rows, one per account and horizon.
        matrix: Snapshots of the accounts and their features, one row per account in the order of
            the main horizon's rows.
        models: Target → the model that was asked.
        contributions: Target → horizon, as text → contributions.
        unseen: Words of the accounts that a model never learnt from; see `unseen_words`.
        drift: Target → how a whole book differs from the last known prediction times, where it was
            compared.
    """

    rows: pd.DataFrame
    matrix: FeatureMatrix
    models: Mapping[str, Model]
    contributions: Mapping[str, Mapping[str, Contributions]] = field(repr=False)
    unseen: pd.DataFrame = field(default_factory=no_words, repr=False)
    drift: Mapping[str, BookDrift] = field(default_factory=dict, repr=False)

    @property
    def fingerprint(self) -> str:
        """Hash of what the models saw: the snapshots and their features.

        It takes no pass over the tables, and what no snapshot and no feature shows leaves it alone.
        """
        frames = (self.matrix.rows, self.matrix.values)
        hashes = (pd.util.hash_pandas_object(frame, index=False) for frame in frames)
        return digest(*(column.to_numpy().tobytes().hex() for column in hashes))

    def values(self, target: str) -> pd.DataFrame:
        """Return the features that a target's main model reads, one row per account."""
        return self.models[target].main.encoder.frame(self.matrix.values)

    def main(self, target: str) -> Contributions:
        """Return the contributions to a target's main horizon, one row per account."""
        return self.contributions[target][str(self.models[target].horizon_days)]

    def doubts(self, accounts: Collection[str]) -> dict[str, dict[str, dict[str, list[str]]]]:
        """Return account → target → its doubtful inputs (`Doubts`), where there are any."""
        every = self.matrix.rows["account_id"]
        places = np.flatnonzero(every.isin(list(accounts)))
        doubtful: dict[str, dict[str, dict[str, list[str]]]] = {}
        for target, model in self.models.items():
            doubts = model.inputs.doubts(self.values(target).iloc[places])
            for name, one in zip(every.iloc[places], doubts, strict=True):
                if any(one):
                    doubtful.setdefault(name, {})[target] = one._asdict()
        return doubtful
