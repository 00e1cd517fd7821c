"""Five exports, mapped by `tenure init`, give what the contract's own tables give."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exports.world import write_histories
from tenure.core.config import Config, make_config
from tenure.core.records.init import InitRecord
from tenure.features.plan.config_checks import load_config
from tenure.run.init import InitRequest, run_init
from tenure.run.prepare import Prepared, loaded, prepare

VENDORS = {"Delighted", "HubSpot", "Segment", "Stripe", "Zendesk"}
TABLES = {
    *("accounts", "subscriptions", "usage_events", "tickets", "survey_responses"),
    *("invoices", "touchpoints"),
}


@pytest.fixture(scope="module")
def histories(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_histories(tmp_path_factory.mktemp("histories"))


@pytest.fixture(scope="module")
def proposed(histories: tuple[Path, Path]) -> InitRecord:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(histories[0].parent)
        return run_init(InitRequest(histories[0]))


def prepared(config: Config) -> Prepared:
    with loaded(config, thorough=False) as dataset:
        return prepare(config, dataset)


@pytest.mark.slow
def test_five_exports_are_recognised_mapped_and_checked(proposed: InitRecord) -> None:
    assert {item.vendor for item in proposed.files} == VENDORS
    assert {item.name for item in proposed.tables if not item.left_out} == TABLES
    assert proposed.passed
    assert proposed.check is not None
    assert all(item.rows_rejected == 0 for item in proposed.check.data.tables.values())
    assert all(len(item.rows) == 5 for item in proposed.tables)


@pytest.mark.slow
def test_labels_and_features_are_those_of_the_contracts_own_tables(
    histories: tuple[Path, Path], proposed: InitRecord
) -> None:
    exports = prepared(load_config(Path(proposed.config)))
    contract = prepared(make_config({"data": {"path": str(histories[1])}}, base=histories[1]))
    assert len(contract.matrix.values) > 1500
    for target, labels in contract.labels.items():
        assert labels["label"].sum() > 30
        pd.testing.assert_frame_equal(exports.labels[target], labels)
    ours, theirs = exports.matrix.values, contract.matrix.values
    assert list(ours) == list(theirs)
    for name in theirs:
        np.testing.assert_array_equal(ours[name].to_numpy(), theirs[name].to_numpy(), name)
