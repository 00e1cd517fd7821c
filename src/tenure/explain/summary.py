"""What moves the scores of a whole book: signals by size and direction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from tenure.core.arrays import Array
from tenure.explain.signals import signals
from tenure.explain.wording import signal_label
from tenure.features.plan.columns import FeatureSpec


def summarise(
    contributions: Array, values: pd.DataFrame, specs: Mapping[str, FeatureSpec]
) -> pd.DataFrame:
    """Return what moves the scores of a whole book, grouped by what features are about.

    A group's contribution to a row is the sum over its columns, which is exact: contributions add
    up.  Columns: ``group``, ``label``, ``mean_abs`` (log-odds), ``share``, ``lever``,
    ``association`` (rank correlation of the leading feature with its contribution, -1 to 1) and
    ``features``; strongest first.
    """
    names = list(values.columns)
    rows = []
    for group, places in signals(names, specs).items():
        strength = np.abs(contributions[:, places]).mean(axis=0)
        leading = places[int(np.argmax(strength))]
        spec = specs[names[leading]]
        rows.append(
            {
                "group": group,
                "label": signal_label(spec),
                "mean_abs": float(np.abs(contributions[:, places].sum(axis=1)).mean()),
                "lever": spec.lever,
                "association": association(values[spec.name], contributions[:, leading]),
                "features": ", ".join(names[index] for index in places),
            }
        )
    frame = pd.DataFrame(rows).sort_values(["mean_abs", "group"], ascending=[False, True])
    frame.insert(3, "share", frame["mean_abs"] / max(frame["mean_abs"].sum(), 1e-12))
    return frame.reset_index(drop=True)


def association(values: pd.Series[Any], contribution: Array) -> float | None:
    """Return the rank correlation of values with contributions; None of words, and without any."""
    words = not pd.api.types.is_numeric_dtype(values)
    if words or values.nunique() < 2 or np.ptp(contribution) == 0:
        return None
    correlation = pd.Series(contribution, index=values.index).rank().corr(values.rank())
    return None if np.isnan(correlation) else float(correlation)
