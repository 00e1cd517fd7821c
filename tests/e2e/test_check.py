"""`tenure check` on a user's own data: a verdict, a page, and every planted leak by name."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from e2e.planting import (
    Change,
    Tables,
    known_afterwards,
    late_category,
    overwritten_attribute,
    plant,
)
from e2e.road import MONTHS, Project, command
from tenure.core.records.audit import AuditRecord
from tenure.demo import write_world
from tenure.features.compute.timeline import Timeline
from tenure.run.audit import last_audit
from tenure.run.check import run_check


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("check")
    write_world(root / "data", accounts=240, months=MONTHS, seed=9)
    return root / "data"


@pytest.fixture
def home(world: Path, tmp_path: Path) -> Project:
    shutil.copytree(world, tmp_path / "data")
    return Project(tmp_path).set()


def planted(home: Project, change: Change, **data: Any) -> AuditRecord:
    """Change the tables, check them, and return the audit."""
    plant(home.root / "data", change)
    return run_check(home.set(data=data, audit={"shuffles": 1}).config).audit


def columns(audit: AuditRecord) -> set[str]:
    return {item.column for item in audit.suspects or ()}


OWN = {
    "name": "own_exports",
    "source": "usage_events",
    "aggregate": "count(*)",
    "where": "event = 'export'",
    "windows": [28],
    "sentence": "{value} exports in the last {window}",
}


def test_a_clean_world_passes_and_leaves_its_files(home: Project) -> None:
    home.set(features={"custom": [OWN]}, audit={"shuffles": 3})
    said = command("check", home.root / "config.yaml")
    assert said.code == 0
    assert "point-in-time audit: clean" in said.out
    runs = home.root / "runs"
    assert "point-in-time" in (runs / "audit.html").read_text(encoding="utf-8").lower()
    audit = json.loads((runs / "audit.json").read_text(encoding="utf-8"))
    assert set(audit) >= {
        *("format", "name", "created_at", "fingerprint", "observed_until", "settings", "status"),
        *("sample", "reads", "clocks", "shuffle", "late", "drift", "suspects"),
    }
    assert audit["reads"]["violations"] == []
    assert "own_exports_28d" in audit["reads"]["features"]
    assert "own_exports_28d" in {item["feature"] for item in audit["drift"]["features"]}
    assert [item["moved"] for item in audit["shuffle"]] == [[], [], []]
    assert audit["suspects"] == []
    usage = next(x for x in audit["late"]["arrivals"] if x["table"] == "usage_events")
    assert usage["late"] > 0
    record = last_audit(home.config, audit["fingerprint"])
    assert record is not None
    assert record.to_json() == audit
    assert last_audit(home.config, "of other data") is None


def test_a_cut_that_is_wrong_by_one_fails_the_command(
    home: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = Timeline.seen_sql

    def wrong(self: Timeline, moments: Sequence[str]) -> str:
        return f"greatest({right(self, moments)} - 1, 0)"

    monkeypatch.setattr(Timeline, "seen_sql", wrong)
    home.set(audit={"accounts": 60, "shuffles": 1})
    said = command("check", home.root / "config.yaml", "--json")
    assert said.code == 1
    found = json.loads(said.out)
    assert found["passed"] is False
    assert found["audit"]["status"] == "violated"
    assert "mrr" in found["audit"]["reads"]["violations"]
    assert len(found["audit"]["shuffle"][0]["moved"]) > 20


def test_an_attribute_that_is_overwritten_at_the_end_is_named(home: Project) -> None:
    audit = planted(home, overwritten_attribute, constant_attributes=["stage"])
    assert audit.status == "doubts"
    assert columns(audit) == {"stage"}


def test_a_category_that_is_written_late_is_named_until_it_is_allowed(home: Project) -> None:
    audit = planted(home, late_category)
    names = {"tickets.category", "tickets_about_cancellation_182d"}
    assert "tickets.category" in columns(audit) <= names
    home.set(audit={"allow": ["tickets.category"], "shuffles": 0})
    audit = run_check(home.config).audit
    assert audit.status == "clean"
    assert all(item.allowed for item in audit.suspects or ())


def test_a_column_that_is_known_only_after_the_end_is_cut_by_its_clock(home: Project) -> None:
    audit = planted(home, known_afterwards)
    assert audit.status == "clean"


def test_data_that_nobody_pays_for_cannot_be_audited(home: Project) -> None:
    def change(tables: Tables) -> None:
        tables["subscriptions"]["mrr"] = 0.0

    audit = planted(home, change)
    assert audit.status == "not_possible"
    assert audit.reason == (
        "there is no prediction time at which an account pays. Give a longer history, or "
        "data.observed_until where the export is of a later day"
    )
