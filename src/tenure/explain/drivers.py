"""Drivers: the features that move a score most, as flat columns and as sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tenure.core.spec import Target
from tenure.explain.peers import Peers
from tenure.explain.wording import label, reason, show
from tenure.features.plan.columns import FeatureSpec

TOP = 5
FIELDS = (
    *("code", "label", "value", "value_num", "peer_value", "peer_value_num"),
    *("contribution", "direction", "sentence"),
)
WORDS = ("code", "label", "value", "peer_value", "direction", "sentence")
NUMBERS = ("value_num", "peer_value_num", "contribution")
WORDS_SHAPE = (TOP, len(WORDS))
NUMBERS_SHAPE = (TOP, len(NUMBERS))
Array = np.ndarray[Any, Any]


def drivers(
    contributions: Array,
    values: pd.DataFrame,
    specs: Mapping[str, FeatureSpec],
    peers: Peers,
    target: Target,
    *,
    prefix: str = "",
) -> pd.DataFrame:
    """Return the drivers of `driver_arrays` as flat columns (`flat_columns`), index as `values`."""
    words, numbers = driver_arrays(contributions, values, specs, peers, target)
    return pd.DataFrame(flat_columns(words, numbers, prefix), index=values.index)


def driver_arrays(
    contributions: Array,
    values: pd.DataFrame,
    specs: Mapping[str, FeatureSpec],
    peers: Peers,
    target: Target,
) -> tuple[Array, Array]:
    """Return the strongest contributions of each row: their words, and their numbers.

    Args:
        contributions: In log-odds, shape (n, p), columns as in `values`.
        values: The model's features, shape (n, p).
        specs: How to speak of each column.
        peers: Typical values of comparable retained accounts.
        target: What is predicted.

    Returns:
        Arrays of the shapes (n, `TOP`, `WORDS`) and (n, `TOP`, `NUMBERS`), missing past the last
        feature that contributes.
    """
    # Ties go to the earlier column, so equal input gives equal output.
    order = np.argsort(-np.abs(contributions), axis=1, kind="stable")[:, :TOP]
    words = np.full((len(values), *WORDS_SHAPE), None, dtype=object)
    numbers = np.full((len(values), *NUMBERS_SHAPE), np.nan)
    groups = peers.groups(values)
    amounts = np.take_along_axis(contributions, order, axis=1).ravel()
    moving = np.flatnonzero(amounts)
    features = order.ravel()[moving]
    moving = moving[np.argsort(features, kind="stable")]
    for part in np.split(moving, np.flatnonzero(np.diff(np.sort(features))) + 1):
        if not len(part):
            continue
        row, place = part // order.shape[1], part % order.shape[1]
        name = values.columns[order[row[0], place[0]]]
        words[row, place], numbers[row, place] = _describe(
            specs[name],
            values[name].to_numpy(dtype=object)[row],
            peers.lookup(name, groups[row]),
            amounts[part],
            target,
        )
    return words, numbers


def flat_columns(words: Array, numbers: Array, prefix: str = "") -> dict[str, Any]:
    """Return the arrays of `driver_arrays` as columns: `FIELDS` of the first driver, then on."""
    # Typed here, so that an empty column has the type of a full one.
    texts = as_text(words.transpose(1, 2, 0).ravel())
    rows = len(words)
    columns: dict[str, Any] = {}
    for place in range(TOP):
        for name in FIELDS:
            column = f"{prefix}driver_{place + 1}_{name}"
            if name in WORDS:
                start = (place * len(WORDS) + WORDS.index(name)) * rows
                columns[column] = texts[start : start + rows]
            else:
                columns[column] = numbers[:, place, NUMBERS.index(name)]
    return columns


def as_text(words: Array) -> Any:
    """Return words, None where there is none, as a column of text."""
    return pd.array(words, dtype="str")


def _describe(
    spec: FeatureSpec, values: Array, peer_values: Array, amounts: Array, target: Target
) -> tuple[Array, Array]:
    """Return the words and the numbers of one feature's drivers, shape (n, fields)."""
    called = label(spec)
    words = np.empty((len(values), len(WORDS)), dtype=object)
    numbers = np.full((len(values), len(NUMBERS)), np.nan)
    for row, (raw, peer, amount) in enumerate(zip(values, peer_values, amounts, strict=True)):
        value, raises = None if pd.isna(raw) else raw, bool(amount > 0)
        shown, peer_shown = show(value, spec.unit), show(peer, spec.unit)
        sentence = reason(spec, shown, peer_shown, raises=raises, target=target)
        direction = "raises" if raises else "lowers"
        words[row] = (spec.name, called, shown, peer_shown, direction, sentence)
        figures = (None, None) if spec.text else (value, peer)
        numbers[row] = [np.nan if item is None else item for item in (*figures, amount)]
    return words, numbers


def signals(columns: Sequence[str], specs: Mapping[str, FeatureSpec]) -> dict[str, list[int]]:
    """Return signal → positions of the columns that measure it, signals as they first appear."""
    places: dict[str, list[int]] = {}
    for place, name in enumerate(columns):
        places.setdefault(specs[name].group, []).append(place)
    return places


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
                "label": label(spec),
                "mean_abs": float(np.abs(contributions[:, places].sum(axis=1)).mean()),
                "lever": spec.lever,
                "association": _association(values[spec.name], contributions[:, leading]),
                "features": ", ".join(names[index] for index in places),
            }
        )
    frame = pd.DataFrame(rows).sort_values(["mean_abs", "group"], ascending=[False, True])
    frame.insert(3, "share", frame["mean_abs"] / max(frame["mean_abs"].sum(), 1e-12))
    return frame.reset_index(drop=True)


def _association(values: pd.Series[Any], contribution: Array) -> float | None:
    words = not pd.api.types.is_numeric_dtype(values)
    if words or values.nunique() < 2 or np.ptp(contribution) == 0:
        return None
    correlation = pd.Series(contribution, index=values.index).rank().corr(values.rank())
    return None if np.isnan(correlation) else float(correlation)
