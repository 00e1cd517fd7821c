"""What models say of the rows of one matrix, each booster asked once about a row."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from tenure.core.arrays import Places
from tenure.model.boosting.fit import FittedModel, Scores
from tenure.model.boosting.part import PartModel, ScoringModel

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Predictions:
    """Scores by model, which targets and horizons share: a part of an event asks two models."""

    values: pd.DataFrame
    _known: dict[int, tuple[FittedModel, Places, Scores]] = field(default_factory=dict)

    def of(self, model: ScoringModel, rows: Places) -> Scores:
        """Return the scores of rows at some positions, without repetition, by a model."""
        if isinstance(model, PartModel):
            return model.joined(self.of(model.whole, rows), self.of(model.share, rows))
        if id(model) in self._known:
            _, places, scores = self._known[id(model)]
            own = places[rows]
            if (own >= 0).all():
                whole = len(own) == len(scores.probability) and (np.diff(own) == 1).all()
                return scores if whole else scores.take(own)
        scores = model.scores(model.encoder.frame(self.values.iloc[rows]))
        places = np.full(len(self.values), -1)
        places[rows] = np.arange(len(rows))
        self._known[id(model)] = model, places, scores
        return scores
