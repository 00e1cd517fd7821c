"""Models of further horizons, which a bundle carries beside that of its main horizon.

Each horizon has a booster, a calibrator and an interval of its own.  A model of several horizons at
once, with the horizon as a rising column, was measured too: it ranked worse at every horizon
(`benchmarks/horizons.py`).  That a longer horizon is never less likely is seen to afterwards, by
`rising`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from tenure.model import calibrate
from tenure.model.encode import Encoder
from tenure.model.estimator import TenureClassifier
from tenure.model.interval import Interval

if TYPE_CHECKING:
    import pandas as pd

    from tenure.features.held import Values
    from tenure.model.calibrate import Calibrator
    from tenure.model.fit import Fitted

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ahead:
    """The model of one further horizon.

    Attributes:
        model_text: LightGBM's text of the booster.
        encoder: From feature values to the booster's numbers.
        calibrator: From log-odds to probability.
        base_rate: Positive share of its training rows.
        interval: From probability to its bounds, where it was fitted.
    """

    model_text: str
    encoder: Encoder
    calibrator: Calibrator
    base_rate: float
    interval: Interval | None = None

    @classmethod
    def of(cls, fitted: Fitted) -> Self:
        """Return what scoring needs of a fitted model."""
        return cls(
            fitted.booster_text,
            fitted.encoder,
            fitted.calibrator,
            fitted.base_rate,
            fitted.interval,
        )

    @cached_property
    def classifier(self) -> TenureClassifier:
        """The booster, read from its text."""
        return TenureClassifier.from_text(self.model_text)

    def scores_and_contributions(self, values: Values) -> tuple[Floats, Floats]:
        """Return probabilities, and contributions with the base value last."""
        if not len(values):
            return np.empty(0), np.empty((0, len(self.encoder.columns) + 1))
        matrix = self.encoder.transform(values)
        margins = self.classifier.decision_function(matrix)
        return self.calibrator.probability(margins), self.classifier.contributions(matrix)

    def to_json(self) -> dict[str, Any]:
        """Return the state as JSON values."""
        return {
            "model": self.model_text,
            "encoder": self.encoder.to_json(),
            "calibrator": self.calibrator.to_json(),
            "base_rate": self.base_rate,
            "interval": self.interval.to_json() if self.interval else None,
        }

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Self:
        """Return the model that `to_json` described."""
        found = state["interval"]
        return cls(
            str(state["model"]),
            Encoder.from_json(state["encoder"]),
            calibrate.from_json(state["calibrator"]),
            float(state["base_rate"]),
            None if found is None else Interval.from_json(found),
        )


def rising(found: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Return figures that never fall with the horizon, the main horizon's as they were.

    Args:
        found: Rows with `row` (the account), `days` (the horizon), `main` (whether it is the main
            one) and the figures; any index.
        names: The figures.

    Returns:
        The same rows: a shorter horizon is lowered to the next longer one, and a longer one lifted
        to the next shorter, going out from the main horizon.
    """
    if found["main"].all():
        return found
    order = found.sort_values(["row", "days", "main"], kind="stable")
    at = order["days"].where(order["main"]).groupby(order["row"]).transform("max")
    before, after = order["days"] <= at, order["days"] >= at
    rows = order["row"]
    for name in names:
        column = order[name]
        lowered = column.where(before)[::-1].groupby(rows[::-1]).cummin()[::-1]
        lifted = column.where(after).groupby(rows).cummax()
        order[name] = lowered.where(before & ~order["main"], lifted).where(~order["main"], column)
    return order.reindex(found.index)
