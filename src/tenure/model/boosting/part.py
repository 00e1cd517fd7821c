"""A part of an event: the probability of the event times that of its type, given the event.

Voluntary and involuntary churn share one model of the type, so that they add up to churn in every
row and at every horizon, and none of them falls as the horizon grows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self, TypeAlias

import numpy as np

from tenure.core.arrays import Floats
from tenure.features.values import Values
from tenure.model.boosting.encoder import Encoder
from tenure.model.boosting.fit import FittedModel, Scores

Bounded = tuple[Floats, Floats, Floats]


@dataclass(frozen=True)
class PartModel:
    """The model of a part of an event; it can do what a `FittedModel` can."""

    whole: FittedModel
    share: FittedModel
    """Model of the type, given the event."""
    other: bool
    """Whether the part is what does not have that type."""

    @cached_property
    def encoder(self) -> Encoder:
        """The columns that either model reads."""
        one, two = self.whole.encoder, self.share.encoder
        return Encoder(
            tuple(dict.fromkeys((*one.columns, *two.columns))),
            {**two.categories, **one.categories},
            {name: why for name, why in one.dropped.items() if name not in two.columns},
            {**two.peer_spread, **one.peer_spread},
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """Feature columns that either booster reads."""
        return self.encoder.columns

    @property
    def parameters(self) -> Mapping[str, Any]:
        """LightGBM parameters of the model of the type."""
        return self.share.parameters

    @property
    def rows(self) -> int:
        """Training rows."""
        return self.whole.rows

    @property
    def positives(self) -> int:
        """Training rows that had the part, among those that say which type they had."""
        share = self.share
        return share.rows - share.positives if self.other else share.positives

    @property
    def base_rate(self) -> float:
        """Share of the rows with known outcome that had the part."""
        return self.whole.base_rate * float(typed(np.array(self.share.base_rate), self.other))

    def margins(self, values: Values) -> Floats:
        """Return log-odds before calibration, of the event and of its type together, per row."""
        sign = -1 if self.other else 1
        return self.whole.margins(values) + sign * self.share.margins(values)

    def probabilities(self, values: Values) -> Floats:
        """Return calibrated probabilities, one per row; the same alone as in a batch."""
        return self.whole.probabilities(values) * typed(
            self.share.probabilities(values), self.other
        )

    def contributions(self, values: Values) -> Floats:
        """Return contributions to `margins`, shape (rows, columns + 1), the base value last."""
        return self._summed(self.whole.contributions(values), self.share.contributions(values))

    def scores(self, values: Values) -> Scores:
        """Return probabilities, their bounds and contributions."""
        return self.joined(self.whole.scores(values), self.share.scores(values))

    def joined(self, whole: Scores, share: Scores) -> Scores:
        """Return the scores of rows of which the scores by either model are known."""
        part = typed_with_bounds(share[:3], self.other)
        chances = whole.probability * part[0]
        summed = self._summed(whole.contributions, share.contributions)
        return Scores(chances, *product_bounds(whole[:3], part), summed)

    def _summed(self, of_whole: Floats, of_share: Floats) -> Floats:
        place = {name: number for number, name in enumerate(self.columns)}
        summed = np.zeros((len(of_whole), len(place) + 1))
        sign = -1 if self.other else 1
        for model, own in ((self.whole, of_whole), (self.share, sign * of_share)):
            summed[:, [*(place[name] for name in model.columns), len(place)]] += own
        return summed

    def calibration(self) -> dict[str, Any]:
        """Return the calibrators as JSON values."""
        return {
            "kind": "product",
            "whole": self.whole.calibration(),
            "share": self.share.calibration(),
        }

    def to_json(self) -> dict[str, Any]:
        """Return the models as JSON values."""
        return {
            "whole": self.whole.to_json(),
            "share": self.share.to_json(),
            "other": self.other,
        }

    @classmethod
    def from_json(cls, state: Mapping[str, Any], *, threads: int = 1) -> Self:
        """Return the models that `to_json` described."""
        whole, share = (
            FittedModel.from_json(state[name], threads=threads) for name in ("whole", "share")
        )
        return cls(whole, share, bool(state["other"]))


ScoringModel: TypeAlias = FittedModel | PartModel
"""From feature values to probabilities, bounds and contributions."""


def model_from_json(state: Mapping[str, Any], *, threads: int = 1) -> ScoringModel:
    """Return the model that `to_json` of either class described."""
    kind = PartModel if "whole" in state else FittedModel
    return kind.from_json(state, threads=threads)


def typed(shares: Floats, other: bool) -> Floats:
    """Return the probabilities of a type, or those of not having it."""
    return 1 - shares if other else shares


def typed_with_bounds(share: Bounded, other: bool) -> Bounded:
    """Return the probabilities of a type and their bounds, or those of not having it."""
    chance, lo, hi = share
    return (1 - chance, 1 - hi, 1 - lo) if other else share


def product_bounds(whole: Bounded, share: Bounded) -> tuple[Floats, Floats]:
    """Return the bounds of a product: its factors err apart, so their widths add as squares do.

    Both are a probability and its bounds; the `share` is that of the type, given the event.

    Returns:
        The lower bound and the upper one, which is never above that of the event.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        down, up = (
            np.hypot(np.log(whole[0] / whole[end]), np.log(share[0] / share[end])) for end in (1, 2)
        )
        product = whole[0] * share[0]
        return product * np.exp(-down), np.minimum(product * np.exp(up), whole[2])
