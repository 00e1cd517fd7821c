"""Files in a vendor's shape are recognised, and mapped to the right values."""

from __future__ import annotations

from pathlib import Path

import pytest

from sources.presets.copied_cases import COPIES
from sources.presets.folders import Folder
from sources.presets.vendor_cases import CASES, OWN, Case
from tenure.sources.presets.declared import presets


def test_every_preset_has_a_case() -> None:
    assert {case.vendor for case in CASES} == set(presets())


@pytest.mark.parametrize(
    "case", [*CASES, *COPIES], ids=lambda case: f"{case.vendor} {case.name}".strip()
)
def test_a_vendors_files_are_recognised_and_mapped(case: Case, tmp_path: Path) -> None:
    with Folder(tmp_path, case.files) as folder:
        vendors = {m.object.name for m in folder.matches if m.preset.name == case.vendor}
        assert vendors == case.objects
        own = set() if case.vendor == "warehouse" else set(OWN)
        others = {m.raw.place for m in folder.matches if m.preset.name != case.vendor}
        assert others <= own
        for table, (columns, rows) in case.tables.items():
            assert folder.rows(table, columns) == rows
