"""Feature values as they are held while accounts are scored: numbers side by side, and words.

A data frame of some hundred columns costs more to take apart than a few rows cost to score.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from tenure.features.fold import Array, Ints


@dataclass(frozen=True, eq=False)
class Held:
    """Feature values of some rows; like a frame, it is asked for a column by its name.

    Attributes:
        columns: Names, in order.
        numbers: Values of the columns of numbers, float32, shape (columns, rows).
        place: Name of a column of numbers → its place among them; the same object for the same
            columns, so that what is found by it can be kept.
        words: Name of a column of words → its values, shape (rows,).
    """

    columns: tuple[str, ...]
    numbers: Array
    place: Mapping[str, int]
    words: Mapping[str, Array]

    def __len__(self) -> int:
        """Return the number of rows."""
        return int(self.numbers.shape[1])

    def __contains__(self, name: object) -> bool:
        """Return whether there is a column of that name."""
        return name in self.place or name in self.words

    def __getitem__(self, name: str) -> Array:
        """Return a column."""
        found = self.words.get(name)
        return self.numbers[self.place[name]] if found is None else found

    def take(self, rows: Ints) -> Held:
        """Return some rows, by number."""
        words = {name: values[rows] for name, values in self.words.items()}
        return Held(self.columns, self.numbers[:, rows], self.place, words)

    def frame(
        self, index: pd.Index[Any] | None = None, columns: pd.Index[str] | None = None
    ) -> pd.DataFrame:
        """Return all columns in order, under names that may be kept from frame to frame."""
        frame = pd.DataFrame(self.numbers.T, index=index, columns=list(self.place), copy=False)
        order = {name: number for number, name in enumerate(self.columns)}
        for name, values in self.words.items():
            # Said, so that pandas does not choose a type by what happens to be there.
            words = pd.Series(values, index=index, dtype=object)
            frame.insert(order[name], name, words)
        frame.columns = pd.Index(self.columns) if columns is None else columns
        return frame


Values: TypeAlias = pd.DataFrame | Held
"""Feature values, by column."""


def numbers_of(values: Values, name: str) -> Array:
    """Return a column as float32, missing where it has no value."""
    column = values[name]
    if isinstance(column, np.ndarray):
        return column.astype(np.float32)
    found: Array = column.to_numpy(dtype=np.float32, na_value=np.nan)
    return found


def objects_of(values: Values, name: str) -> Array:
    """Return a column as plain objects."""
    return np.asarray(values[name], dtype=object)
