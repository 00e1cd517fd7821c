"""From feature values to the numbers a booster reads: state learnt from training rows only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from tenure.core.errors import ModelError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

MIN_ROWS = 20
MAX_CATEGORIES = 64


@dataclass(frozen=True)
class Encoder:
    """Which columns are used, in which order, and the code of each text value.

    Attributes:
        columns: Used columns, in the booster's order.
        categories: Text columns and their values, sorted; a value's place is its code.
        dropped: Columns left out, and why (``missing`` or ``constant`` in the training rows).
    """

    columns: tuple[str, ...]
    categories: Mapping[str, tuple[str, ...]]
    dropped: Mapping[str, str]

    @classmethod
    def fit(
        cls, values: pd.DataFrame, *, min_rows: int = MIN_ROWS, limit: int = MAX_CATEGORIES
    ) -> Self:
        """Learn from training rows.

        Args:
            values: One column per feature: numbers, or text.
            min_rows: Rows a text value needs to get a code.
            limit: Most codes per column; the most frequent values get them.
        """
        columns: list[str] = []
        categories: dict[str, tuple[str, ...]] = {}
        dropped: dict[str, str] = {}
        for name in map(str, values.columns):
            column = values[name]
            if is_text(column):
                known = _frequent(column, min_rows, limit)
                coded = column.isin(known)
                reason = "constant" if len(known) < 2 and coded.all() else ""
                reason = "missing" if not known else reason
                if not reason:
                    categories[name] = known
            else:
                reason = _idle(_numbers(column))
            if reason:
                dropped[name] = reason
            else:
                columns.append(name)
        return cls(tuple(columns), categories, dropped)

    @property
    def categorical(self) -> tuple[int, ...]:
        """Positions of the columns that hold codes."""
        return tuple(i for i, name in enumerate(self.columns) if name in self.categories)

    def absent(self, values: pd.DataFrame) -> tuple[str, ...]:
        """Return the used columns that a frame lacks."""
        return tuple(name for name in self.columns if name not in values.columns)

    def transform(self, values: pd.DataFrame) -> NDArray[np.float64]:
        """Return the numbers, shape (rows, used columns); missing, unseen and infinite are NaN.

        Raises:
            ModelError: If a used column is absent.
        """
        if absent := self.absent(values):
            raise ModelError(
                Problem(
                    "feature values",
                    f"{len(absent)} of the model's {len(self.columns)} features are absent",
                    ", ".join(absent[:5]),
                    "give every feature of the bundle's spec; empty where it is not known",
                )
            )
        matrix = np.empty((len(values), len(self.columns)), dtype=np.float64)
        for position, name in enumerate(self.columns):
            known = self.categories.get(name)
            column = values[name]
            matrix[:, position] = _numbers(column) if known is None else _codes(column, known)
        return matrix

    def to_json(self) -> dict[str, Any]:
        """Return the state as JSON values."""
        return {
            "columns": list(self.columns),
            "categories": {name: list(known) for name, known in self.categories.items()},
            "dropped": dict(self.dropped),
        }

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Self:
        """Return the encoder that `to_json` described."""
        return cls(
            tuple(state["columns"]),
            {name: tuple(known) for name, known in state["categories"].items()},
            dict(state["dropped"]),
        )


def is_text(column: pd.Series[Any]) -> bool:
    """Return whether a column holds text rather than numbers."""
    return not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column))


def _numbers(column: pd.Series[Any]) -> NDArray[np.float64]:
    numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    finite = np.isfinite(numbers)
    return numbers if finite.all() else np.where(finite, numbers, np.nan)


def _idle(numbers: NDArray[np.float64]) -> str:
    present = numbers[~np.isnan(numbers)]
    if not len(present):
        return "missing"
    return "constant" if len(present) == len(numbers) and (present == present[0]).all() else ""


def _frequent(column: pd.Series[Any], min_rows: int, limit: int) -> tuple[str, ...]:
    counts = column.dropna().astype(str).value_counts()
    often = sorted(((-int(n), str(value)) for value, n in counts.items() if n >= min_rows))
    return tuple(sorted(value for _, value in often[:limit]))


def _codes(column: pd.Series[Any], known: tuple[str, ...]) -> NDArray[np.float64]:
    codes = pd.Index(known, dtype="object").get_indexer(pd.Index(column.astype("object")))
    return np.where(codes < 0, np.nan, codes.astype(np.float64))
