"""Level against peers: a feature's percentile within its group of the training past.

Pure functions: `fit` learns the spread of each ranked feature in each group from training rows,
`apply` looks values up in it.  What is learnt is plain JSON and travels with the model, so one
account alone gets the percentile that it gets in a batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from tenure.core.arrays import Array, Floats
from tenure.core.spec import Ranked

MIN_ROWS = 50
"""Rows that a group needs; a smaller one is compared with the wider group around it."""
LEVELS = 100
SEPARATOR = "\x1f"
MISSING = "\x1e"
State = dict[str, Any]


def fit(values: pd.DataFrame, declared: Iterable[Ranked]) -> State:
    """Learn the spread of features from training rows.

    Args:
        values: Feature values of the training rows, shape (n, p).
        declared: What is ranked; one whose feature is not in `values` is left out.

    Returns:
        Name → ``of``, ``within``, ``band``, ``edges`` and ``groups``: for each depth of grouping,
        from everyone to the narrowest, group → up to 101 quantiles, ascending.
    """
    return {item.name: _spread(values, item) for item in declared if item.of in values}


def apply(values: pd.DataFrame, state: Mapping[str, Any]) -> pd.DataFrame:
    """Return the percentile of each row in [0, 1], float32, missing where the feature is.

    Ties count half, so that a value that everybody has stands in the middle.

    `values` are features, shape (n, p); `state` is the output of `fit`.
    """
    grouped: dict[Any, list[Array]] = {}
    percentiles = np.empty((len(state), len(values)), dtype=np.float32)
    for place, item in enumerate(state.values()):
        groups = (tuple(item["within"]), item["band"], tuple(item["edges"]))
        if groups not in grouped:
            grouped[groups] = _keys(values, item)
        percentiles[place] = _percentiles(values, item, grouped[groups])
    return pd.DataFrame(percentiles.T, index=values.index, columns=list(state))


def parts(state: Mapping[str, Any], name: str) -> frozenset[str]:
    """Return the columns without which a percentile cannot be looked up."""
    item = state[name]
    band = {item["band"]} if item["band"] else set()
    return frozenset({item["of"], *item["within"], *band})


def _spread(values: pd.DataFrame, item: Ranked) -> State:
    grouping = {
        "of": item.of,
        "within": [name for name in item.within if name in values],
        "band": item.band if item.band in values else None,
        "edges": list(item.edges),
    }
    numbers = _numbers(values, item.of)
    groups = []
    for keys in _keys(values, grouping):
        known = pd.DataFrame({"key": keys, "value": numbers}).dropna()
        groups.append(
            {
                str(key): _quantiles(rows["value"].to_numpy())
                for key, rows in known.groupby("key", sort=True)
                if len(rows) >= MIN_ROWS or key == ""
            }
        )
    return grouping | {"groups": groups}


def _quantiles(numbers: Floats) -> list[float]:
    if len(numbers) <= LEVELS:
        return [float(value) for value in np.sort(numbers)]
    # Values that occur, not points between them: a tie stays a tie.
    quantiles = np.quantile(numbers, np.linspace(0, 1, LEVELS + 1), method="inverted_cdf")
    return [float(value) for value in quantiles]


def _percentiles(values: pd.DataFrame, item: Mapping[str, Any], keyed: list[Array]) -> Array:
    numbers = _numbers(values, item["of"])
    percentiles = np.full(len(values), np.nan)
    for keys, groups in zip(keyed, item["groups"], strict=True):
        for key in groups.keys() & set(keys):
            rows = np.flatnonzero(keys == key)
            spread = np.asarray(groups[key], dtype=np.float64)
            below = np.searchsorted(spread, numbers[rows], side="left")
            through = np.searchsorted(spread, numbers[rows], side="right")
            percentiles[rows] = (below + through) / (2 * max(len(spread), 1))
    return np.where(np.isnan(numbers), np.nan, percentiles)


def _keys(values: pd.DataFrame, item: Mapping[str, Any]) -> list[Array]:
    """Return the group of each row at each depth: everyone, then one more part each time."""
    columns = [_words(values, name) for name in item["within"]]
    if item["band"]:
        numbers = _numbers(values, item["band"])
        bands = np.searchsorted(np.asarray(item["edges"], dtype=np.float64), numbers, side="right")
        columns.append(np.where(np.isnan(numbers), MISSING, bands.astype(str)))
    keys = [np.full(len(values), "", dtype=object)]
    for column in columns:
        keys.append(keys[-1] + SEPARATOR + column.astype(object))
    return keys


def _numbers(values: pd.DataFrame, name: str) -> Floats:
    # As float32, so that a number that went through a text or a wider type ties as it did.
    numbers: Floats = values[name].to_numpy(dtype=np.float32, na_value=np.nan).astype(np.float64)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _words(values: pd.DataFrame, name: str) -> Array:
    words = values[name].to_numpy(dtype=object)
    absent = pd.isna(words)
    return np.asarray(
        [MISSING if nothing else str(word) for word, nothing in zip(words, absent, strict=True)],
        dtype=object,
    )
