from __future__ import annotations

import pandas as pd
import pytest

from tenure.service.api.rows import for_targets

OF = {
    "churn": ["churn_probability", "churn_rank", "driver_1_code", "model_version", "base_rate"],
    "churn_voluntary": ["churn_voluntary_probability", "churn_voluntary_driver_1_code"],
    "expansion": ["expansion_probability", "expected_expansion_mrr"],
}
SHARED = ["account_id", "horizon_days", "mrr", "abstain_reason"]


@pytest.mark.parametrize(
    "wanted", [["churn"], ["churn_voluntary"], ["expansion", "churn"], list(OF)]
)
def test_each_column_goes_with_its_own_target(wanted: list[str]) -> None:
    columns = [*SHARED, *(name for names in OF.values() for name in names)]
    found = for_targets(pd.DataFrame(columns=columns), OF, wanted)
    expected = {*SHARED, *(name for target in wanted for name in OF[target])}
    assert list(found.columns) == [name for name in columns if name in expected]


def test_columns_of_targets_without_a_model_stay() -> None:
    frame = pd.DataFrame(columns=[*SHARED, *OF["churn"], *OF["expansion"]])
    assert list(for_targets(frame, ["churn"], ["churn"]).columns) == list(frame.columns)
