"""The configs for data from outside read it as its README says; skipped where it is absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tenure.core.config import load_config
from tenure.core.records.data import DataRecord
from tenure.engine import open_engine
from tenure.sources.load import load

CONFIGS = Path(__file__).parents[2] / "configs"
DATA = Path(os.environ.get("TENURE_TESTDATA") or CONFIGS / "../../shared/data")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"no test data from outside under {DATA}"),
]


def report(name: str) -> DataRecord:
    config = load_config(CONFIGS / f"{name}.yaml")
    engine = open_engine(config)
    try:
        return load(config, engine).report
    finally:
        engine.close()


def test_churnsim() -> None:
    found = report("churnsim")
    assert found.accounts == 1643
    assert found.tables["usage_events"].rows_used == 13_873_786
    # 23 terms begin on the day observation ends; of the others, 1,287 run on.
    subscriptions = found.tables["subscriptions"]
    assert (subscriptions.rows_in, subscriptions.set_aside) == (14_680, 23)
    due = [remark.rows for remark in subscriptions.remarks if remark.code == "due_date"]
    assert due == [1_287]
    assert found.red == ()


def test_saas_growth() -> None:
    found = report("saas_growth")
    assert found.accounts == 12_000
    assert found.tables["subscriptions"].rows_used == 12_000 + 5_617
    assert not any(table.rejected for table in found.tables.values())
    assert set(found.tables["tickets"].assumptions) == {"resolved_at", "csat_at"}


@pytest.mark.parametrize(
    ("name", "share"), [("ravenstack", 0.52), ("ravenstack_subscriptions", 0.76)]
)
def test_ravenstack_is_red(name: str, share: float) -> None:
    found = report(name)
    usage = {remark.code: remark for remark in found.tables["usage_events"].remarks}
    assert round(usage["outside_subscription"].share or 0, 2) == 0.78
    assert (usage["before_created"].share or 0) > share
    assert len(found.red) >= 3
    assert found.usable
    assert found.tables["usage_events"].rejected == {"duplicate_key": 21}
