"""What looks like the future in the data stops a run before anything is fitted, by its name."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from e2e.planting import Tables, late_category, plant
from tenure.core.config import load_config
from tenure.core.errors import DataError
from tenure.core.files import write_text
from tenure.core.progress import SILENT
from tenure.core.records.audit import AuditRecord
from tenure.core.records.shape import LifetimeRecord
from tenure.demo import write_world
from tenure.run.audit import audit, audited_plan
from tenure.run.leakage_gate import check_leaks
from tenure.run.prepare import loaded, prepare

pytestmark = pytest.mark.slow

CONFIG = """\
name: shaped
data: {{path: data}}
targets: [churn]
model: {{threads: 1, min_events: {fewest}}}
features: {{families: [usage, support]}}
audit: {{accounts: {accounts}, copied: 20, shuffles: 1, allow: {allow}}}
engine: {{threads: 1}}
"""


def spread_over_lives(tables: Tables) -> None:
    """Give accounts some usage events, whatever the length of their lives, spread over these."""
    rng = np.random.default_rng(0)
    until = pd.to_datetime(tables["usage_events"]["occurred_at"]).max()
    rows = tables["subscriptions"].groupby("account_id")
    began, ended = rows["started_at"].min(), rows["ended_at"].max()
    ended = ended.where(rows["ended_at"].count() == rows.size(), until)
    began, ended = pd.to_datetime(began), pd.to_datetime(ended)
    few = tables["usage_events"].groupby("account_id").head(80)
    share = pd.Series(rng.uniform(0.2, 1, len(began)), index=began.index)
    few = few[rng.random(len(few)) < few["account_id"].map(share)]
    start, end = few["account_id"].map(began), few["account_id"].map(ended)
    times = start + (end - start) * rng.random(len(few))
    tables["usage_events"] = few.assign(occurred_at=times)
    if "known_at" in few:
        tables["usage_events"]["known_at"] = times


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of one world: honest, with usage spread over lives, with a category written late."""
    root = tmp_path_factory.mktemp("shaped")
    write_world(root / "honest" / "data", accounts=500, months=30, seed=9)
    for name, change in (("spread", spread_over_lives), ("late", late_category)):
        shutil.copytree(root / "honest", root / name)
        plant(root / name / "data", change)
    return {path.name: path for path in root.iterdir()}


def gate(world: Path, fewest: int = 5, allow: Sequence[str] = ()) -> list[LifetimeRecord]:
    write_text(
        world / "config.yaml", CONFIG.format(fewest=fewest, accounts=2_000, allow=list(allow))
    )
    config = load_config(world / "config.yaml")
    config = config.model_copy(update={"paths": config.paths.model_copy(update=folders(world))})
    with loaded(config) as data:
        return check_leaks(config, data, prepare(config, data), SILENT)


def folders(world: Path) -> dict[str, Any]:
    return {"runs": world / "runs", "models": world / "models"}


def audited(world: Path) -> AuditRecord:
    write_text(world / "config.yaml", CONFIG.format(fewest=5, accounts=30, allow=[]))
    config = load_config(world / "config.yaml")
    with loaded(config) as data:
        return audit(config, data, audited_plan(config, data), SILENT)


def test_honest_data_passes(worlds: dict[str, Path]) -> None:
    assert gate(worlds["honest"]) == []


def test_usage_that_was_made_for_whole_lives_stops_the_run_by_name(
    worlds: dict[str, Path],
) -> None:
    with pytest.raises(DataError, match="usage_events: its rows tell how long an account") as error:
        gate(worlds["spread"])
    assert "audit.allow: [usage_events]" in str(error.value)


def test_usage_that_is_allowed_by_name_is_told_of_and_stops_nothing(
    worlds: dict[str, Path],
) -> None:
    [item] = gate(worlds["spread"], allow=["usage_events"])
    assert (item.table, item.kind, item.allowed) == ("usage_events", "spread", True)


@pytest.mark.parametrize("name", ["spread", "late"])
def test_too_few_outcomes_are_refused_before_any_leak_speaks(
    name: str, worlds: dict[str, Path]
) -> None:
    with pytest.raises(DataError):
        gate(worlds[name])
    assert gate(worlds[name], fewest=100_000) == []


def test_the_audit_names_the_table_and_doubts(worlds: dict[str, Path]) -> None:
    record = audited(worlds["spread"])
    assert record.status == "doubts"
    assert record.lifetimes is not None
    assert [item.table for item in record.lifetimes] == ["usage_events"]
