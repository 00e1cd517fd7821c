"""Exact tree contributions, for notebooks as a `shap.Explanation`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    import shap
    from shap import Explanation as Explanation  # noqa: PLC0414 - for annotations elsewhere

    from tenure.model.bundle import Bundle


def explanation(bundle: Bundle, values: pd.DataFrame) -> shap.Explanation:
    """Return the contributions of a model's features as a `shap.Explanation`.

    They are in the booster's log-odds: base value plus the sum of a row's contributions is its
    raw score; the calibrator then maps that monotonically to the probability.

    Args:
        bundle: A trained model.
        values: Feature matrix with at least the model's columns, shape (n, p).
    """
    import shap

    contributions = bundle.contributions(values)
    columns = bundle.encoder.columns
    return shap.Explanation(
        values=contributions[:, :-1],
        base_values=contributions[:, -1],
        data=bundle.encoder.transform(values),
        feature_names=list(columns),
    )


def trees(bundle: Bundle) -> shap.TreeExplainer:
    """Return SHAP's own explainer over the same trees, to check the contributions against."""
    import shap

    return shap.TreeExplainer(bundle.booster)
