"""From feature values to the numbers a booster reads: state learnt from training rows only."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from tenure.core.errors import ModelError, Problem
from tenure.features import standing
from tenure.features.held import Held, Values, objects_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from numpy.typing import NDArray

    from tenure.core.spec import Ranked

MIN_ROWS = 20
MAX_CATEGORIES = 64


@dataclass(frozen=True)
class Encoder:
    """Which columns are used, in which order, and the code of each text value.

    Attributes:
        columns: Used columns, in the booster's order.
        categories: Text columns and their values, sorted; a value's place is its code.
        dropped: Columns left out, and why (``missing`` or ``constant`` in the training rows).
        standing: Spread of the ranked features among peers of the training rows, by the name of
            the used column that is looked up in it.
    """

    columns: tuple[str, ...]
    categories: Mapping[str, tuple[str, ...]]
    dropped: Mapping[str, str]
    standing: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def fit(
        cls,
        values: pd.DataFrame,
        *,
        ranked: Iterable[Ranked] = (),
        min_rows: int = MIN_ROWS,
        limit: int = MAX_CATEGORIES,
    ) -> Self:
        """Learn from training rows.

        Args:
            values: One column per feature: numbers, or text.
            ranked: Percentiles among peers that are learnt and added as columns.
            min_rows: Rows a text value needs to get a code.
            limit: Most codes per column; the most frequent values get them.
        """
        spread = standing.fit(values, ranked)
        values = _with(values, spread)
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
        used = {name: spread[name] for name in columns if name in spread}
        return cls(tuple(columns), categories, dropped, used)

    @cached_property
    def _coded(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.columns) if name in self.categories}

    @property
    def categorical(self) -> tuple[int, ...]:
        """Positions of the columns that hold codes."""
        return tuple(self._coded.values())

    def absent(self, values: Values) -> tuple[str, ...]:
        """Return the used columns that a frame lacks and that cannot be looked up."""
        there = set(map(str, values.columns))
        there |= self.found_from(there)
        return tuple(name for name in self.columns if name not in there)

    def found_from(self, names: Collection[str]) -> set[str]:
        """Return the percentiles that can be looked up where columns of some names are there."""
        return {name for name in self.standing if standing.parts(self.standing, name) <= set(names)}

    def frame(self, values: pd.DataFrame) -> pd.DataFrame:
        """Return the used columns; percentiles that a frame lacks are looked up.

        Raises:
            ModelError: If a used column is absent.
        """
        if tuple(values.columns) == self.columns:
            return values
        self._require(values)
        lacking = {name: item for name, item in self.standing.items() if name not in values}
        found = self._of_parts(values, lacking)
        return _with(values, lacking)[list(self.columns)] if found is None else found

    def _require(self, values: Values) -> None:
        if absent := self.absent(values):
            raise ModelError(
                Problem(
                    "feature values",
                    f"{len(absent)} of the model's {len(self.columns)} features are absent",
                    ", ".join(absent[:5]),
                    "give every feature of the bundle's spec; empty where it is not known",
                )
            )

    def held(self, values: Held) -> Held:
        """Return the used columns; see `frame`."""
        if values.place is self._plain_at:
            return values
        kept = self._found.get("held")
        if kept is None or kept[0] is not values.place:
            self._require(values)
            lacking = {name: item for name, item in self.standing.items() if name not in values}
            at = {**values.place} | {name: len(values.place) + n for n, name in enumerate(lacking)}
            order = np.asarray([at[name] for name in self._plain], dtype=np.intp)
            kept = self._found["held"] = values.place, lacking, order
        _, lacking, order = kept
        numbers = values.numbers
        if lacking:
            numbers = np.concatenate([numbers, standing.looked_up(values, lacking)])
        words = {name: objects_of(values, name) for name in self.categories}
        return Held(self.columns, numbers[order], self._plain_at, words)

    def _of_parts(self, values: pd.DataFrame, lacking: Mapping[str, Any]) -> pd.DataFrame | None:
        """Return the used columns put together once, None where not all numbers are float32."""
        taken = [name for name in self._plain if name not in lacking]
        numbers = values.iloc[:, self._places(values.columns, taken)]
        if not (numbers.dtypes == np.float32).all():
            return None
        whole = numbers.to_numpy()
        if lacking:
            looked_up = standing.apply(values, lacking)
            places = {name: place for place, name in enumerate([*taken, *lacking])}
            both = np.concatenate([whole, looked_up.to_numpy()], axis=1)
            whole = both[:, [places[name] for name in self._plain]]
        found = pd.DataFrame(whole, index=values.index, columns=self._plain_index, copy=False)
        for place, name in enumerate(self.columns):
            if name in self.categories:
                found.insert(place, name, values[name])
        found.columns = self._index
        return found

    @cached_property
    def _plain(self) -> list[str]:
        return [name for name in self.columns if name not in self.categories]

    @cached_property
    def _plain_at(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self._plain)}

    @cached_property
    def _plain_places(self) -> list[int]:
        return [place for place, name in enumerate(self.columns) if name not in self.categories]

    @cached_property
    def _plain_index(self) -> pd.Index[str]:
        return pd.Index(self._plain)

    @cached_property
    def _index(self) -> pd.Index[str]:
        return pd.Index(self.columns)

    @cached_property
    def _found(self) -> dict[str, Any]:
        return {}

    def _places(self, there: pd.Index[Any], names: list[str]) -> NDArray[np.intp]:
        """Return the positions of names, found once for each set of columns that comes again."""
        kept = self._found.get("places")
        if kept is None or kept[0] is not there or kept[1] != names:
            kept = self._found["places"] = there, names, there.get_indexer(pd.Index(names))
        places: NDArray[np.intp] = kept[2]
        return places

    def transform(self, values: Values) -> NDArray[np.float64]:
        """Return the numbers, shape (rows, used columns); missing, unseen and infinite are NaN.

        Raises:
            ModelError: If a used column is absent.
        """
        matrix = np.empty((len(values), len(self.columns)), dtype=np.float64)
        if isinstance(values, Held):
            held = self.held(values)
            given = held.numbers.T.astype(np.float64)
            matrix[:, self._plain_places] = np.where(np.isfinite(given), given, np.nan)
            for name, place in self._coded.items():
                matrix[:, place] = _codes(held[name], self.categories[name])
            return matrix
        values = self.frame(values)
        numbers = values.iloc[:, self._plain_places]
        floats = {np.dtype(np.float32), np.dtype(np.float64)}
        together = set(numbers.dtypes) <= floats
        if together:
            given = numbers.to_numpy(dtype=np.float64)
            matrix[:, self._plain_places] = np.where(np.isfinite(given), given, np.nan)
        for position, name in enumerate(self.columns):
            if name in self.categories:
                matrix[:, position] = _codes(objects_of(values, name), self.categories[name])
            elif not together:
                matrix[:, position] = _numbers(values[name])
        return matrix

    def to_json(self) -> dict[str, Any]:
        """Return the state as JSON values."""
        return {
            "columns": list(self.columns),
            "categories": {name: list(known) for name, known in self.categories.items()},
            "dropped": dict(self.dropped),
            "standing": dict(self.standing),
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


def _with(values: pd.DataFrame, spread: Mapping[str, Any]) -> pd.DataFrame:
    """Return values with the percentiles that a state gives."""
    if not spread:
        return values
    return pd.concat([values, standing.apply(values, spread)], axis=1)


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


def _codes(values: NDArray[Any], known: tuple[str, ...]) -> NDArray[np.float64]:
    code = {value: float(place) for place, value in enumerate(known)}
    return np.asarray([code.get(value, np.nan) for value in values], dtype=np.float64)
