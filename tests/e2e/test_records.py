"""What a real run writes is what the records say, and what the report's own tests are built on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from e2e.road import Project
from report.record import STATES
from tenure.core.records.training import TrainingRecord
from tenure.model.bundle.bundle import read_bundle

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"


def written(project: Project) -> Any:
    return json.loads((project.root / "runs" / "training.json").read_text(encoding="utf-8"))


def schema(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8")))


def test_a_training_run_is_read_back_as_it_was_written(project: Project) -> None:
    values = written(project)
    record = TrainingRecord.from_json(values)
    assert record.to_json() == values
    assert TrainingRecord.from_json(json.loads(json.dumps(record.to_json()))) == record
    schema("train").validate(values)
    for target in record.targets.values():
        assert target.evaluation.pooled.n == sum(fold.n or 0 for fold in target.evaluation.folds)
        assert len(target.folds) == len(target.evaluation.folds) > 0
        assert target.drivers


def test_a_bundle_is_read_back_as_it_was_written(project: Project) -> None:
    for target, entry in TrainingRecord.from_json(written(project)).targets.items():
        assert entry.model is not None
        folder = project.root / "models" / target / entry.model.version
        bundle = read_bundle(folder)
        assert bundle.version == entry.model.version
        for name, text in bundle.texts().items():
            assert (folder / name).read_text(encoding="utf-8") == text
        assert bundle.metrics.verdict == entry.verdict
        for name in ("spec", "metrics"):
            values = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
            schema(f"bundle-{name}").validate(values)


def test_an_unknown_field_is_refused(project: Project) -> None:
    values = written(project) | {"mood": "good"}
    with pytest.raises(ValueError, match="mood: Extra inputs are not permitted"):
        TrainingRecord.from_json(values)
    assert not schema("train").is_valid(values)


def test_the_reports_own_records_have_the_parts_of_a_real_one(project: Project) -> None:
    """Each part that a real churn target has is shown by the tests of the report, too."""
    real, own = written(project)["targets"]["churn"], STATES["usable"]().to_json()
    assert set(real) == set(own)
    for name, part in real["evaluation"].items():
        if part:
            assert own["evaluation"].get(name), name
    assert set(real["evaluation"]["pooled"]) <= set(own["evaluation"]["pooled"]) | {"others"}
    assert set(real["labels"]) == set(own["labels"])
