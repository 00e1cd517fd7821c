"""The audit says the same on Spark."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tenure.core.config import make_config
from tenure.core.progress import SILENT
from tenure.core.records.audit import AuditRecord
from tenure.run.audit import audit, audited_plan
from tenure.run.prepare import loaded
from worlds import tiny_world, write_world

pytestmark = pytest.mark.acceptance


def audited(folder: Path, kind: str) -> AuditRecord:
    authored = {
        "data": {"path": str(folder)},
        "calendar": {"start": "2023-08-01", "end": "2023-10-01"},
        "features": {"families": ["support"]},
        "engine": {"kind": kind, "threads": 2},
        "audit": {"shuffles": 1},
    }
    config = make_config(authored, base=folder)
    with loaded(config) as dataset:
        return audit(config, dataset, audited_plan(config, dataset), SILENT)


@pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java")
def test_the_audit_is_the_same_on_spark(tmp_path: Path) -> None:
    pytest.importorskip("pyspark")
    folder = write_world(tiny_world(), tmp_path / "data")
    one, other = audited(folder, "duckdb"), audited(folder, "spark")
    assert one.status == "clean"
    for part in ("status", "sample", "reads", "clocks", "shuffle", "late", "drift", "suspects"):
        assert getattr(one, part) == getattr(other, part), part
