"""Drivers: the signals that move a score most, as flat columns and as sentences.

Features of one signal count together: their contributions add up, exactly.  The value and the
sentence are those of the feature that says most: of those that contribute at least half as much as
the strongest, one whose value is unlike what it may be held against.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from tenure.core.arrays import Array
from tenure.core.flat_row import FIELDS, TOP
from tenure.core.spec import Target
from tenure.explain.comparison import NOTHING, Compared, chosen
from tenure.explain.row_words import NUMBERS, WORDS, About, Explainer, RowWords
from tenure.explain.signals import BLOCK, BySignal, summed
from tenure.features.values import Values

WORDS_SHAPE = (TOP, len(WORDS))
NUMBERS_SHAPE = (TOP, len(NUMBERS))
TOGETHER = 2
"""Other signals that a value is said to be weighed together with, at most."""
LEAST = 0.5
"""Share of the strongest contribution of a signal from which a feature may speak for it."""


class DriverArrays(NamedTuple):
    """The drivers of some rows, strongest first."""

    words: Array
    """Shape (n, `TOP`, `WORDS`), None where there is no driver."""
    numbers: Array
    """Shape (n, `TOP`, `NUMBERS`), NaN where there is none."""
    telling: Array
    """Column of the model whose value is told, -1 where there is none, shape (n, `TOP`)."""

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
    contributions: Array, values: Values, explainer: Explainer, about: About
) -> DriverArrays:
    """Return the signals that move each row most.

    `contributions` are in log-odds, columns as in `values`, which are the model's features, both of
    shape (n, p).
    """
    arrays = DriverArrays.empty(len(contributions))
    by_signal = explainer.by_signal(tuple(map(str, values)))
    sums = summed(contributions, by_signal.places)
    # Ties go to the earlier signal, so equal input gives equal output.
    order = np.argsort(-np.abs(sums), axis=1, kind="stable")[:, :TOP]
    amounts = np.take_along_axis(sums, order, axis=1)
    able = _able(contributions, order, amounts, by_signal)
    if not len(able.row):
        return arrays
    words = RowWords(values, explainer, about)
    compared, kinds = _compared(able, words, by_signal, explainer.target)
    telling = _telling(able, kinds, by_signal)
    row, place, column = able.row[telling], able.place[telling], able.column[telling]
    amount = amounts[row, place]
    arrays.telling[row, place] = column
    if explainer.levers_first:
        order = np.argsort(~by_signal.levers[arrays.telling], axis=1, kind="stable")
        place = np.argsort(order, axis=1)[row, place]
        arrays.telling[:] = np.take_along_axis(arrays.telling, order, axis=1)
    arrays.numbers[row, place, -1] = amount
    together = _together(arrays, (row, place), kinds[telling] == NOTHING, by_signal.labels)
    own = np.full(len(able.row), -1)
    own[telling] = np.arange(len(telling))
    for part, one in compared:
        tells = own[part] >= 0
        at = own[part][tells]
        if len(at):
            arrays.words[row[at], place[at]], arrays.numbers[row[at], place[at]] = words.described(
                one if tells.all() else one.take(tells),
                kinds[telling[at]],
                row[at],
                amount[at],
                [together.get(driver, ()) for driver in at.tolist()],
            )
    return arrays


class _Able(NamedTuple):
    """Columns that may speak for a driver, by row and driver; arrays of shape (m,)."""

    row: Array
    """Position of the row."""
    place: Array
    """Of the driver among those of the row, the strongest first."""
    column: Array
    """Position of the column."""
    amount: Array
    """What it contributes, positive where it goes the way of its signal."""
    raises: Array
    """Whether its signal raises the score."""


def _able(contributions: Array, order: Array, amounts: Array, by_signal: BySignal) -> _Able:
    """Return the columns that may speak for each driver: they contribute about as the strongest.

    `contributions` are those of columns, shape (n, p); `order` are the signals of the drivers,
    strongest first, shape (n, drivers), and `amounts` their contributions.
    """
    parts = [(np.empty(0, dtype=np.intp),) * 3 + (np.empty(0),)]
    for start in range(0, len(order), BLOCK):
        rows = slice(start, start + BLOCK)
        columns = by_signal.table[order[rows]]
        flat = columns.reshape(len(columns), -1)
        own = np.take_along_axis(contributions[rows], flat, axis=1).reshape(columns.shape)
        own = np.where(columns >= 0, own * np.sign(amounts[rows])[:, :, None], 0.0)
        spots = np.nonzero((own > 0) & (own >= LEAST * own.max(axis=2, keepdims=True)))
        parts.append((spots[0] + start, spots[1], columns[spots], own[spots]))
    row, place, column, amount = map(np.concatenate, zip(*parts, strict=True))
    return _Able(row, place, column, amount, amounts[row, place] > 0)


def _compared(
    able: _Able, words: RowWords, by_signal: BySignal, target: Target
) -> tuple[list[tuple[Array, Compared]], Array]:
    """Return each column beside what it may be held against, with its positions in `able`.

    Returns:
        The positions and the column, for each; and what each value is held against, shape (m,).
    """
    compared = [
        (part, words.compared(by_signal.columns[column], able.row[part], able.raises[part]))
        for column, part in _parts(able.column)
    ]
    kinds = np.empty(len(able.row), dtype=np.int8)
    places = np.concatenate([part for part, _ in compared])
    kinds[places] = chosen([one for _, one in compared], target)
    return compared, kinds


def _telling(able: _Able, kinds: Array, by_signal: BySignal) -> Array:
    """Return the positions in `able` of the column that speaks for each driver, ascending.

    `kinds` is what the value of each is held against, shape (m,).
    """
    worth = able.amount * np.where(kinds == NOTHING, LEAST, 1.0)
    worth *= np.where(by_signal.parts[able.column], LEAST, 1.0)
    driver = able.row * TOP + able.place
    starts = np.flatnonzero(np.r_[True, driver[1:] != driver[:-1]])
    lengths = np.diff(np.r_[starts, len(driver)])
    best = np.flatnonzero(worth == np.repeat(np.maximum.reduceat(worth, starts), lengths))
    # Ties go to the earlier column.
    return best[np.r_[True, driver[best[1:]] != driver[best[:-1]]]]


def _parts(numbers: Array) -> list[tuple[int, Array]]:
    """Return each number that occurs with the positions at which it does."""
    order = np.argsort(numbers, kind="stable")
    ascending = numbers[order]
    starts = [0, *(np.flatnonzero(ascending[1:] != ascending[:-1]) + 1).tolist(), len(order)]
    return [(int(ascending[start]), order[start:end]) for start, end in pairwise(starts)]


def _together(
    arrays: DriverArrays, drivers: tuple[Array, Array], silent: Array, labels: Sequence[str]
) -> dict[int, tuple[str, ...]]:
    """Return the labels of the strongest others of its direction, by position of the driver.

    `drivers` are row and place of each; only those that are `silent`, whose value is held against
    nothing, have labels of others.
    """
    amounts = arrays.numbers[:, :, -1]
    together: dict[int, tuple[str, ...]] = {}
    for at in np.flatnonzero(silent).tolist():
        row, place = drivers[0][at], drivers[1][at]
        own = amounts[row, place]
        others = [
            labels[column]
            for other, (column, amount) in enumerate(
                zip(arrays.telling[row].tolist(), amounts[row].tolist(), strict=True)
            )
            if other != place and column >= 0 and amount * own > 0
        ]
        together[at] = tuple(others[:TOGETHER])
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
