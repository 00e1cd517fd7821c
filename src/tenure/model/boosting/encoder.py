"""Encoder: from feature values to the numbers a booster reads, fitted on training rows only."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tenure.core.errors import ModelError, Problem
from tenure.core.spec import Ranked
from tenure.features import peer_percentile
from tenure.features.values import Values, block, height, words

Matrix = NDArray[np.float32]

MIN_ROWS = 20
MAX_CATEGORIES = 64
BLOCK = 8_192
"""Rows that are read at a time."""


@dataclass(frozen=True)
class Encoder:
    """The used columns in the booster's order, and the code of each text value."""

    columns: tuple[str, ...]
    """Used columns, in the booster's order."""
    categories: Mapping[str, tuple[str, ...]]
    """Text columns and their values, sorted; a value's place is its code."""
    dropped: Mapping[str, str]
    """Columns left out, and why (``missing`` or ``constant`` in the training rows)."""
    peer_spread: Mapping[str, Any] = field(default_factory=dict)
    """Spread of the ranked features among peers of the training rows, by the name of the used
    column that is looked up in it."""

    @classmethod
    def fit(
        cls,
        values: pd.DataFrame,
        *,
        ranked: Iterable[Ranked] = (),
        min_rows: int = MIN_ROWS,
        limit: int = MAX_CATEGORIES,
    ) -> Self:
        """Fit on training rows.

        There is one column per feature: numbers, or text, of which a value gets a code where it has
        `min_rows` rows and is one of the `limit` most frequent.  Percentiles among peers, `ranked`,
        are fitted and added as columns.
        """
        spread = peer_percentile.fit(values, ranked)
        columns: list[str] = []
        categories: dict[str, tuple[str, ...]] = {}
        dropped: dict[str, str] = {}
        placed = peer_percentile.apply(values, spread)
        for label, column in (*values.items(), *placed.items()):
            name = str(label)
            if is_text(column):
                known = _frequent(column, min_rows, limit)
                coded = column.isin(known)
                reason = "constant" if len(known) < 2 and coded.all() else ""
                reason = "missing" if not known else reason
                if not reason:
                    categories[name] = known
            else:
                reason = _why_dropped(_numbers(column))
            if reason:
                dropped[name] = reason
            else:
                columns.append(name)
        used = {name: spread[name] for name in columns if name in spread}
        return cls(tuple(columns), categories, dropped, used)

    @cached_property
    def _coded(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.columns) if name in self.categories}

    @cached_property
    def _plain(self) -> dict[str, int]:
        return {name: at for at, name in enumerate(self.columns) if name not in self.categories}

    @cached_property
    def _codes(self) -> dict[str, dict[Any, float]]:
        return {
            name: {value: float(place) for place, value in enumerate(known)}
            for name, known in self.categories.items()
        }

    @cached_property
    def _used(self) -> frozenset[str]:
        return frozenset(self.columns)

    @property
    def categorical(self) -> tuple[int, ...]:
        """Positions of the columns that hold codes."""
        return tuple(self._coded.values())

    def absent(self, values: Values) -> tuple[str, ...]:
        """Return the used columns that are absent and that cannot be looked up."""
        names = set(map(str, values))
        names |= self.derivable(names)
        return tuple(name for name in self.columns if name not in names)

    def derivable(self, names: Collection[str]) -> set[str]:
        """Return the peer percentiles that can be derived from columns of some names."""
        return {
            name
            for name in self.peer_spread
            if peer_percentile.parts(self.peer_spread, name) <= set(names)
        }

    def frame(self, values: pd.DataFrame) -> pd.DataFrame:
        """Return the used columns; percentiles that a frame lacks are looked up.

        Raises:
            ModelError: If a used column is absent.
        """
        if tuple(values.columns) == self.columns:
            return values
        self._check(values)
        placed = peer_percentile.apply(values, self._lacking(values))
        return pd.concat([values, placed], axis=1)[list(self.columns)]

    def _lacking(self, values: Values) -> dict[str, Any]:
        return {name: item for name, item in self.peer_spread.items() if name not in values}

    def _check(self, values: Values) -> None:
        if self._used <= set(values):
            return
        if absent := self.absent(values):
            raise ModelError(
                Problem(
                    "feature values",
                    f"{len(absent)} of the model's {len(self.columns)} features are absent",
                    ", ".join(absent[:5]),
                    "give every feature of the bundle's spec; empty where it is not known",
                )
            )

    def transform(self, values: Values) -> Matrix:
        """Return the numbers, shape (rows, used columns); missing, unseen and infinite are NaN.

        Raises:
            ModelError: If a used column is absent.
        """
        self._check(values)
        size = height(values)
        # By column, as pandas and LightGBM hold them; a block of rows at a time is copied twice.
        matrix = np.empty((len(self.columns), size), dtype=np.float32).T
        plain = self._plain
        if lacking := self._lacking(values):
            placed = peer_percentile.apply(pd.DataFrame(values), lacking)
            plain = {name: place for name, place in plain.items() if name not in placed}
            for place, name in enumerate(self.columns):
                if name in placed:
                    matrix[:, place] = placed[name]
        names, places = list(plain), list(plain.values())
        for start in range(0, size, BLOCK):
            rows = slice(start, start + BLOCK)
            with np.errstate(over="ignore"):
                matrix[rows, places] = block(values, names, rows)
            part = matrix[rows]
            part[np.isinf(part)] = np.nan
        for name, place in self._coded.items():
            code = self._codes[name]
            matrix[:, place] = [code.get(word, np.nan) for word in words(values, name).tolist()]
        return matrix

    def to_json(self) -> dict[str, Any]:
        """Return the state as JSON values."""
        return {
            "columns": list(self.columns),
            "categories": {name: list(known) for name, known in self.categories.items()},
            "dropped": dict(self.dropped),
            "standing": dict(self.peer_spread),
        }

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Self:
        """Return the encoder that `to_json` described."""
        return cls(
            tuple(state["columns"]),
            {name: tuple(known) for name, known in state["categories"].items()},
            dict(state["dropped"]),
            dict(state.get("standing", {})),
        )


def is_text(column: pd.Series[Any]) -> bool:
    """Return whether a column holds text rather than numbers."""
    return not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column))


def _numbers(column: pd.Series[Any]) -> Matrix:
    with np.errstate(over="ignore"):
        numbers = column.to_numpy(dtype=np.float32, na_value=np.nan)
    finite = np.isfinite(numbers)
    return numbers if finite.all() else np.where(finite, numbers, np.float32(np.nan))


def _why_dropped(numbers: Matrix) -> str:
    present = numbers[~np.isnan(numbers)]
    if not len(present):
        return "missing"
    return "constant" if len(present) == len(numbers) and (present == present[0]).all() else ""


def _frequent(column: pd.Series[Any], min_rows: int, limit: int) -> tuple[str, ...]:
    counts = column.dropna().astype(str).value_counts()
    often = sorted(((-int(n), str(value)) for value, n in counts.items() if n >= min_rows))
    return tuple(sorted(value for _, value in often[:limit]))
