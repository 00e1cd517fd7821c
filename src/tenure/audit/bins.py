"""Bins of a feature's values, cut where its past has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from tenure.features.plan.columns import FeatureSpec


def binned(
    values: pd.Series[Any], past: NDArray[np.bool_], spec: FeatureSpec, *, bins: int, words: int
) -> tuple[NDArray[np.int64], list[str]]:
    """Return the bin of each value, and how to call each bin; missing values have the last.

    Args:
        values: The feature's values.
        past: Which of them the bins follow: quantiles of numbers, the commonest words of texts.
        spec: The feature.
        bins: Bins of numbers at most, missing ones apart.
        words: Words with a bin of their own at most; the others share one.
    """
    if spec.text:
        common = [str(word) for word in values[past].value_counts().index[:words]]
        places = values.astype(str).map({word: place for place, word in enumerate(common)})
        codes = np.where(values.isna(), len(common) + 1, places.fillna(len(common)))
        return codes.astype(np.int64), [*common, "any other value", "missing"]
    numbers = values.to_numpy(dtype=np.float64)
    present = numbers[past & ~np.isnan(numbers)]
    levels = np.arange(1, bins) / bins
    edges = np.quantile(present, levels, method="inverted_cdf") if len(present) else present
    edges = np.unique(edges)
    codes = np.where(np.isnan(numbers), len(edges) + 1, np.searchsorted(edges, numbers))
    names = [f"up to {edge:.6g}" for edge in edges]
    names += [f"above {edges[-1]:.6g}" if len(edges) else "any value", "missing"]
    return codes.astype(np.int64), names
