"""Exact tree contributions, for notebooks as a `shap.Explanation`."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from tenure.core.arrays import Array

if TYPE_CHECKING:
    import pandas as pd
    import shap
    from shap import Explanation as Explanation  # noqa: PLC0414 - for annotations elsewhere

    from tenure.model.boosting.part import ScoringModel


def explanation(
    model: ScoringModel, values: pd.DataFrame, contributions: Array
) -> shap.Explanation:
    """Return the contributions of a model's features as a `shap.Explanation`.

    They are in the booster's log-odds: base value plus the sum of a row's contributions is its
    raw score; the calibrator then maps that monotonically to the probability.

    `values` have at least the model's columns, shape (n, p); `contributions` are those that
    `FittedModel.contributions` gives for them, the base value last.
    """
    with warnings.catch_warnings():
        # Its progress bars want a notebook extension that nothing here needs.
        warnings.filterwarnings("ignore", message="IProgress not found")
        import shap

    return shap.Explanation(
        values=contributions[:, :-1],
        base_values=contributions[:, -1],
        data=model.encoder.transform(values),
        feature_names=list(model.columns),
    )
