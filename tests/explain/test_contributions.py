"""Contributions against what they should be by definition, and against SHAP's own."""

from __future__ import annotations

from itertools import combinations
from math import factorial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from explain.small import frame, model
from tenure.explain.contributions import explanation
from tenure.model.boosting.fit import FittedModel

if TYPE_CHECKING:
    import pandas as pd

Node = dict[str, Any]


def explained(fitted: FittedModel, values: pd.DataFrame | None = None) -> Any:
    rows = frame() if values is None else values
    return explanation(fitted, rows, fitted.contributions(rows))


@pytest.mark.parametrize("text", [True, False])
def test_contributions_add_up_to_the_log_odds(text: bool) -> None:
    fitted = model(text=text)
    found = explained(fitted)
    total = found.base_values + found.values.sum(axis=1)
    np.testing.assert_allclose(total, fitted.margins(frame()), rtol=0, atol=1e-9)
    assert np.ptp(found.base_values) == 0
    assert list(found.feature_names) == list(fitted.columns)
    assert found.data.shape == found.values.shape
    assert np.abs(found.values).max() > 0.1


def test_they_equal_those_of_a_tree_explainer() -> None:
    fitted = model(text=False)
    matrix = fitted.encoder.transform(frame())
    import shap

    explainer = shap.TreeExplainer(fitted.booster)
    explainer.model.model_type = "internal"  # so that it walks the trees itself
    theirs = explainer.shap_values(matrix, check_additivity=False)
    theirs = theirs[1] if isinstance(theirs, list) else theirs
    ours = explained(fitted)
    np.testing.assert_allclose(ours.values, theirs, rtol=0, atol=1e-6)
    np.testing.assert_allclose(
        ours.base_values[0], np.ravel(explainer.expected_value)[-1], atol=1e-6
    )


def expected(node: Node, row: np.ndarray, known: frozenset[int]) -> float:
    """The mean of a tree where only some features of a row are known."""
    if "leaf_value" in node:
        return float(node["leaf_value"])
    left, right = node["left_child"], node["right_child"]
    if node["split_feature"] in known:
        value = float(row[node["split_feature"]])
        if np.isnan(value):
            goes_left = node["default_left"] and node["missing_type"] == "NaN"
            goes_left = goes_left or (node["missing_type"] == "None" and node["threshold"] >= 0)
        else:
            goes_left = value <= node["threshold"]
        return expected(left if goes_left else right, row, known)
    counts = [child.get("internal_count", child.get("leaf_count")) for child in (left, right)]
    values = [expected(child, row, known) for child in (left, right)]
    return float(np.average(values, weights=counts))


def shapley(dump: Node, row: np.ndarray, width: int) -> list[float]:
    def worth(known: frozenset[int]) -> float:
        return sum(expected(tree["tree_structure"], row, known) for tree in dump["tree_info"])

    found = []
    for feature in range(width):
        others = [other for other in range(width) if other != feature]
        amount = 0.0
        for size in range(width):
            weight = factorial(size) * factorial(width - size - 1) / factorial(width)
            for chosen in combinations(others, size):
                before = frozenset(chosen)
                amount += weight * (worth(before | {feature}) - worth(before))
        found.append(amount)
    return found


def test_they_are_shapley_values() -> None:
    fitted = model(text=False)
    rows = frame().iloc[:12]
    matrix = fitted.encoder.transform(rows)
    assert np.isnan(matrix).any()
    dump = fitted.booster.dump_model()
    ours = explained(fitted, rows).values
    for row, found in zip(matrix, ours, strict=True):
        np.testing.assert_allclose(found, shapley(dump, row, matrix.shape[1]), rtol=0, atol=1e-6)


def test_one_row_alone_is_explained_as_in_the_batch() -> None:
    whole = explained(model())
    alone = explained(model(), frame().iloc[[7]])
    assert (alone.values[0] == whole.values[7]).all()
