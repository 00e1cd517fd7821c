"""Names of LightGBM parameters."""

from __future__ import annotations

import pytest

from tenure.core.errors import ConfigError
from tenure.model.boosting.parameter_names import check_parameters


def test_lightgbm_s_own_names_pass() -> None:
    check_parameters([])
    check_parameters(["num_leaves", "min_data_in_leaf", "num_iterations", "learning_rate"])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("num_leafs", "is no LightGBM parameter (found: num_leafs) → did you mean `num_leaves`?"),
        ("n_estimators", "is another name of a parameter (found: n_estimators) → write `num_iter"),
        ("zzzzzz", "is no LightGBM parameter (found: zzzzzz) → see https://lightgbm"),
    ],
)
def test_other_names_are_refused(name: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_parameters(["num_leaves", name])
    assert said in str(caught.value)
