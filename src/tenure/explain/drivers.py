"""Drivers: the signals that move a score most, as flat columns and as sentences.

Features of one signal count together: their contributions add up, exactly.  The value and the
sentence are those of the feature that says most: of those that contribute at least half as much as
the strongest, one whose value is unlike what it may be held against.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from tenure.core.flat_row import FIELDS, TOP
from tenure.explain.comparison import NOTHING
from tenure.explain.row_words import NUMBERS, WORDS, About, Explainer, RowWords
from tenure.explain.wording import signal_label, uncapital
from tenure.features.plan.columns import FeatureSpec

WORDS_SHAPE = (TOP, len(WORDS))
NUMBERS_SHAPE = (TOP, len(NUMBERS))
TOGETHER = 2
"""Other signals that a value is said to be weighed together with, at most."""
LEAST = 0.5
"""Share of the strongest contribution of a signal from which a feature may speak for it."""
Array = np.ndarray[Any, Any]


class DriverArrays(NamedTuple):
    """The drivers of some rows, strongest first.

    Attributes:
        words: Shape (n, `TOP`, `WORDS`), None where there is no driver.
        numbers: Shape (n, `TOP`, `NUMBERS`), NaN where there is none.
        telling: Column of the model whose value is told, -1 where there is none, shape (n, `TOP`).
    """

    words: Array
    numbers: Array
    telling: Array

    @classmethod
    def empty(cls, size: int) -> DriverArrays:
        """Return the drivers of rows that have none."""
        return cls(
            np.full((size, *WORDS_SHAPE), None, dtype=object),
            np.full((size, *NUMBERS_SHAPE), np.nan),
            np.full((size, TOP), -1, dtype=np.int64),
        )


def drivers(
    contributions: Array, values: pd.DataFrame, explainer: Explainer, *, prefix: str = ""
) -> pd.DataFrame:
    """Return the drivers of `driver_arrays` as flat columns (`flat_columns`), index as `values`."""
    arrays = driver_arrays(contributions, values, explainer, About())
    return pd.DataFrame(flat_columns(arrays.words, arrays.numbers, prefix), index=values.index)


def driver_arrays(
    contributions: Array, values: pd.DataFrame, explainer: Explainer, about: About
) -> DriverArrays:
    """Return the signals that move each row most.

    Args:
        contributions: In log-odds, shape (n, p), columns as in `values`.
        values: The model's features, shape (n, p).
        explainer: How to speak of them.
        about: What else is known of the rows.
    """
    arrays = DriverArrays.empty(len(values))
    if not len(values):
        return arrays
    names = list(values.columns)
    places = list(signals(names, explainer.specs).values())
    sums = summed(contributions, places)
    # Ties go to the earlier signal, so equal input gives equal output.
    order = np.argsort(-np.abs(sums), axis=1, kind="stable")[:, :TOP]
    amounts = np.take_along_axis(sums, order, axis=1)
    words = RowWords(values, explainer, about)
    features, kinds = _telling(contributions, order, amounts, places, (names, words))
    specs = [explainer.specs[name] for name in names]
    if explainer.levers_first:
        levers = np.asarray([*(spec.lever for spec in specs), False])
        first = np.argsort(~levers[features], axis=1, kind="stable")
        amounts, features, kinds = (
            np.take_along_axis(item, first, axis=1) for item in (amounts, features, kinds)
        )
    together = _together(amounts, features, kinds, specs)
    arrays.telling[:, : features.shape[1]] = features
    row, place = np.nonzero(features >= 0)
    for column, part in _parts(features[row, place]):
        rows, at = row[part], place[part]
        compared = words.compared(names[column], rows, amounts[rows, at] > 0)
        arrays.words[rows, at], arrays.numbers[rows, at] = words.described(
            compared, kinds[rows, at], rows, amounts[rows, at], together[rows, at]
        )
    return arrays


def signals(columns: Sequence[str], specs: Mapping[str, FeatureSpec]) -> dict[str, list[int]]:
    """Return signal → positions of the columns that measure it, signals as they first appear."""
    places: dict[str, list[int]] = {}
    for place, name in enumerate(columns):
        places.setdefault(specs[name].group, []).append(place)
    return places


def summed(contributions: Array, places: Sequence[Sequence[int]]) -> Array:
    """Return the contributions of signals, shape (n, signals).

    Args:
        contributions: Of columns, shape (n, p).
        places: Positions of the columns of each signal.
    """
    sums = np.empty((len(contributions), len(places)))
    for number, columns in enumerate(places):
        # By row, so that one row alone adds up in the same order.
        sums[:, number] = np.ascontiguousarray(contributions[:, columns]).sum(axis=1)
    return sums


def _telling(
    contributions: Array,
    order: Array,
    amounts: Array,
    places: Sequence[Sequence[int]],
    speech: tuple[list[str], RowWords],
) -> tuple[Array, Array]:
    """Return the column that speaks for each driver, and what its value is held against.

    Args:
        contributions: Of columns, shape (n, p).
        order: Signals of the drivers, strongest first, shape (n, drivers).
        amounts: Their contributions.
        places: Positions of the columns of each signal.
        speech: Names of the columns, and what speaks of them.

    Returns:
        Two arrays of the shape of `order`; -1 and no comparison where nothing contributes.
    """
    names, words = speech
    features = np.full(order.shape, -1)
    kinds = np.full(order.shape, NOTHING, dtype=np.int8)
    row, place = np.nonzero(amounts)
    for signal, part in _parts(order[row, place]):
        rows, at, columns = row[part], place[part], places[signal]
        sign = np.sign(amounts[rows, at])[:, None]
        signed = contributions[np.ix_(rows, np.asarray(columns))] * sign
        least = LEAST * signed.max(axis=1)
        best = np.full(len(rows), -np.inf)
        for number, column in enumerate(columns):
            own = signed[:, number]
            able = np.flatnonzero((own >= least) & (own > 0))
            if not len(able):
                continue
            compared = words.compared(names[column], rows[able], sign[able, 0] > 0)
            held = compared.chosen(words.target)
            worth = own[able] * np.where(held == NOTHING, LEAST, 1.0)
            worth *= LEAST if words.is_part(names[column]) else 1.0
            better = worth > best[able]
            chosen = able[better]
            best[chosen] = worth[better]
            features[rows[chosen], at[chosen]] = column
            kinds[rows[chosen], at[chosen]] = held[better]
    return features, kinds


def _parts(numbers: Array) -> list[tuple[int, Array]]:
    """Return each number that occurs with the positions at which it does."""
    order = np.argsort(numbers, kind="stable")
    different, first = np.unique(numbers[order], return_index=True)
    return list(zip(different.tolist(), np.split(order, first[1:]), strict=True))


def _together(amounts: Array, features: Array, kinds: Array, specs: Sequence[FeatureSpec]) -> Array:
    """Return the labels of the strongest others of its direction, as tuples, for each driver.

    Drivers whose value is held against something have none.
    """
    labels = [uncapital(signal_label(spec)) for spec in specs]
    together = np.empty(features.shape, dtype=object)
    for row, place in zip(*np.nonzero((kinds == NOTHING) & (features >= 0)), strict=True):
        others = [
            labels[column]
            for other, column in enumerate(features[row].tolist())
            if other != place and column >= 0 and amounts[row, other] * amounts[row, place] > 0
        ]
        together[row, place] = tuple(others[:TOGETHER])
    return together


def flat_columns(words: Array, numbers: Array, prefix: str = "") -> dict[str, Any]:
    """Return the arrays of `driver_arrays` as columns: `FIELDS` of the first driver, then on."""
    # Typed here, so that an empty column has the type of a full one.
    spoken = [place for place, name in enumerate(WORDS) if name != "lever"]
    texts = as_text(words[:, :, spoken].transpose(1, 2, 0).ravel())
    rows, order = len(words), {WORDS[at]: place for place, at in enumerate(spoken)}
    columns: dict[str, Any] = {}
    for place in range(TOP):
        for name in FIELDS:
            column = f"{prefix}driver_{place + 1}_{name}"
            if name == "lever":
                columns[column] = pd.array(words[:, place, WORDS.index(name)], dtype="boolean")
            elif name in order:
                start = (place * len(order) + order[name]) * rows
                columns[column] = texts[start : start + rows]
            else:
                columns[column] = numbers[:, place, NUMBERS.index(name)]
    return columns


def as_text(words: Array) -> Any:
    """Return words, None where there is none, as a column of text."""
    return pd.array(words, dtype="str")
