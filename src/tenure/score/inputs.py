"""What a model reads, and what the rows that it learnt from held there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np

from tenure.core.arrays import Array
from tenure.features.plan.columns import FeatureSpec
from tenure.features.values import Values, block, words
from tenure.model.boosting.encoder import Encoder
from tenure.model.bundle.reference_stats import QUANTILES

SELDOM = 0.01
"""Share of the training rows without a value up to which a missing one is told."""


class Doubts(NamedTuple):
    """The doubtful inputs of a row."""

    missing: list[str]
    """Features without a value that nearly every training row had."""
    out_of_range: list[str]
    """Features with a value far outside those of the training rows, or a word that none of them
    had."""


@dataclass(frozen=True)
class Inputs:
    """The features that a model reads."""

    numbers: tuple[str, ...]
    """Those that are numbers."""
    words: tuple[str, ...]
    """Those that are words."""
    always: tuple[str, ...]
    """Those that nearly every training row had."""
    bounds: Mapping[str, tuple[float, float]]
    """Feature → values between which a number is no surprise."""
    known: Mapping[str, frozenset[str]]
    """Feature → words that have a code."""

    @classmethod
    def of(
        cls, specs: Mapping[str, FeatureSpec], encoder: Encoder, features: Mapping[str, Any]
    ) -> Self:
        """Return the inputs of a model.

        The encoder knows the words; `features` is what the model's bundle tells of the training
        rows, by feature.
        """
        stated = {name: features[name] for name in encoder.columns if name in features}
        bounds = {}
        for name, one in stated.items():
            if quantiles := one.get("quantiles"):
                lo, hi = quantiles[str(QUANTILES[0])], quantiles[str(QUANTILES[-1])]
                slack = max(hi - lo, 10 * (one["sd"] or 0.0))
                bounds[name] = (lo - slack, hi + slack)
        return cls(
            tuple(name for name in encoder.columns if not specs[name].text),
            tuple(name for name in encoder.columns if specs[name].text),
            tuple(name for name, one in stated.items() if (one["missing"] or 0) < SELDOM),
            bounds,
            {
                name: frozenset(codes)
                for name, codes in encoder.categories.items()
                if name in stated
            },
        )

    def doubts(self, values: Values) -> list[Doubts]:
        """Return the doubtful inputs of each row.

        `values` are what the model reads, shape (n, p).
        """
        lo, hi, always = self._limits
        matrix = block(values, list(self.numbers))
        with np.errstate(invalid="ignore"):
            outside = (matrix < lo) | (matrix > hi)
        doubts = [Doubts([], []) for _ in range(len(matrix))]
        for which, doubtful in enumerate((np.isnan(matrix) & always, outside)):
            for row, place in np.argwhere(doubtful).tolist():
                doubts[row][which].append(self.numbers[place])
        for name in self.words:
            known, seldom_absent = self.known.get(name), name in self.always
            for doubt, word in zip(doubts, words(values, name).tolist(), strict=True):
                if not isinstance(word, str):
                    doubt.missing.extend([name] * seldom_absent)
                elif known is not None and word not in known:
                    doubt.out_of_range.append(name)
        return doubts

    @cached_property
    def names(self) -> frozenset[str]:
        """Return all of them."""
        return frozenset((*self.numbers, *self.words))

    @cached_property
    def _limits(self) -> tuple[Array, Array, Array]:
        """Return bounds of the numbers, and whether nearly every training row had them."""
        every = -np.inf, np.inf
        lo, hi = np.array([self.bounds.get(name, every) for name in self.numbers]).reshape(-1, 2).T
        return lo, hi, np.array([name in self.always for name in self.numbers], dtype=bool)
