"""Drivers: the features that move a score most, as flat columns and as sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from tenure.core.spec import Target
from tenure.explain.peers import Peers
from tenure.explain.wording import label, reason, show
from tenure.features.declare import FeatureSpec

TOP = 5
FIELDS = (
    "code",
    "label",
    "value",
    "value_num",
    "peer_value",
    "peer_value_num",
    "contribution",
    "direction",
    "sentence",
)
Array = np.ndarray[Any, Any]


def driver_columns(prefix: str = "", top: int = TOP) -> list[str]:
    """Return the flat column names of the drivers, in order."""
    return [f"{prefix}driver_{place}_{name}" for place in range(1, top + 1) for name in FIELDS]


def drivers(
    contributions: Array,
    values: pd.DataFrame,
    specs: Mapping[str, FeatureSpec],
    peers: Peers,
    target: Target,
    *,
    prefix: str = "",
) -> pd.DataFrame:
    """Return the strongest contributions of each row as flat columns.

    Args:
        contributions: In log-odds, shape (n, p), columns as in `values`.
        values: The model's features, shape (n, p).
        specs: How to speak of each column.
        peers: Typical values of comparable retained accounts.
        target: What is predicted.
        prefix: Put before each column name.

    Returns:
        Index as `values`; columns as `driver_columns`, missing past the last feature that
        contributes.
    """
    names = list(values.columns)
    # Ties go to the earlier column, so equal input gives equal output.
    order = np.argsort(-np.abs(contributions), axis=1, kind="stable")[:, :TOP]
    out = {name: np.full(len(values), None, dtype=object) for name in driver_columns(prefix)}
    groups = peers.groups(values)
    for place in range(order.shape[1]):
        chosen = order[:, place]
        for feature in np.unique(chosen):
            rows = np.flatnonzero(chosen == feature)
            rows = rows[contributions[rows, feature] != 0]
            if not len(rows):
                continue
            spec = specs[names[feature]]
            found = _describe(
                spec,
                values[spec.name].iloc[rows],
                peers.lookup(spec.name, groups.iloc[rows]),
                contributions[rows, feature],
                target,
            )
            for field, column in found.items():
                out[f"{prefix}driver_{place + 1}_{field}"][rows] = column
    frame = pd.DataFrame(out, index=values.index)
    numeric = [name for name in out if name.endswith(("value_num", "contribution"))]
    # Said, so that a column of which nothing is there has the type of one that is full.
    return frame.astype({name: "float64" if name in numeric else "str" for name in out})


def _describe(
    spec: FeatureSpec, values: pd.Series[Any], peer_values: Array, amounts: Array, target: Target
) -> dict[str, Array]:
    raw = [None if pd.isna(value) else value for value in values.tolist()]
    said = [show(value, spec.unit) for value in raw]
    peers = [show(value, spec.unit) for value in peer_values]
    raises = amounts > 0
    sentences = [
        reason(spec, value, peer, raises=bool(up), target=target)
        for value, peer, up in zip(said, peers, raises, strict=True)
    ]
    size = len(raw)
    numbers = [None] * size if spec.text else raw
    peer_numbers = [None] * size if spec.text else peer_values.tolist()
    return {
        "code": _objects([spec.name] * size),
        "label": _objects([label(spec)] * size),
        "value": _objects(said),
        "value_num": _objects(numbers),
        "peer_value": _objects(peers),
        "peer_value_num": _objects(peer_numbers),
        "contribution": amounts.astype(object),
        "direction": np.where(raises, "raises", "lowers").astype(object),
        "sentence": _objects(sentences),
    }


def _objects(items: list[Any]) -> Array:
    column = np.empty(len(items), dtype=object)
    column[:] = items
    return column


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
    members: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        members.setdefault(specs[name].group, []).append(index)
    rows = []
    for group, found in members.items():
        strength = np.abs(contributions[:, found]).mean(axis=0)
        leading = found[int(np.argmax(strength))]
        spec = specs[names[leading]]
        rows.append(
            {
                "group": group,
                "label": label(spec),
                "mean_abs": float(np.abs(contributions[:, found].sum(axis=1)).mean()),
                "lever": spec.lever,
                "association": _association(values[spec.name], contributions[:, leading]),
                "features": ", ".join(names[index] for index in found),
            }
        )
    frame = pd.DataFrame(rows).sort_values(["mean_abs", "group"], ascending=[False, True])
    frame.insert(3, "share", frame["mean_abs"] / max(frame["mean_abs"].sum(), 1e-12))
    return frame.reset_index(drop=True)


def _association(values: pd.Series[Any], contribution: Array) -> float | None:
    words = not pd.api.types.is_numeric_dtype(values)
    if words or values.nunique() < 2 or np.ptp(contribution) == 0:
        return None
    found = pd.Series(contribution, index=values.index).rank().corr(values.rank())
    return None if np.isnan(found) else float(found)
