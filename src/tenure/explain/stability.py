"""How often drivers stay among the strongest over models of resampled accounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from tenure.core.arrays import Array
from tenure.core.flat_row import TOP
from tenure.explain.signals import signals, summed
from tenure.features.plan.columns import FeatureSpec
from tenure.model.boosting.fit import FittedModel
from tenure.model.boosting.part import ScoringModel

if TYPE_CHECKING:
    import pandas as pd


ROWS = 300
"""Latest training rows that are looked at."""
FEWEST = 10
"""Rows with a signal at a rank from which the share is that rank's own."""
UNSTABLE = 0.5
"""Share below which a driver is marked."""

Stability = dict[str, list[float]]
"""Signal → by rank, the share of the models of resampled accounts that have it among their
strongest too, where this model has it at that rank."""


def fit_stability(
    model: ScoringModel, values: pd.DataFrame, specs: Mapping[str, FeatureSpec]
) -> Stability:
    """Return how often drivers stay among the five strongest; empty without resampled accounts.

    The model is just fitted; `values` are its features of some rows, shape (n, p).
    """
    if not isinstance(model, FittedModel) or not model.members or values.empty:
        return {}
    groups = signals(list(values.columns), specs)
    places = list(groups.values())
    own = _ranked(summed(model.contributions(values), places))
    others = [_among(summed(item, places)) for item in model.member_contributions(values)]
    return stability(own, np.mean(others, axis=0), list(groups))


def stability(ranked: Array, shares: Array, names: list[str]) -> Stability:
    """Return the stability of signals.

    `ranked` are the signals of each row, strongest first, shape (n, ranks); `shares` is the share
    of the other models that have a signal among their strongest, shape (n, signals).
    """
    by_signal: Stability = {}
    held = np.take_along_axis(shares, ranked, axis=1)
    for number, name in enumerate(names):
        at = ranked == number
        if not at.any():
            continue
        overall = float(held[at].mean())
        by_rank = [held[at[:, rank], rank] for rank in range(ranked.shape[1])]
        means = [float(own.mean()) if len(own) >= FEWEST else overall for own in by_rank]
        by_signal[name] = [round(mean, 4) for mean in means]
    return by_signal


def _ranked(sums: Array) -> Array:
    return np.argsort(-np.abs(sums), axis=1, kind="stable")[:, :TOP]


def _among(sums: Array) -> Array:
    """Return whether each signal is among the strongest of each row, shape (n, signals)."""
    among = np.zeros(sums.shape)
    np.put_along_axis(among, _ranked(sums), 1.0, axis=1)
    return among
