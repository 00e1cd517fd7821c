"""A column that knows the outcome stops a training run, by name, unless it is allowed by name."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from e2e.planting import known_afterwards, late_category, overwritten_attribute, plant
from e2e.road import MONTHS, Project, command
from tenure.core.errors import DataError
from tenure.demo import write_world
from tenure.model.bundle.bundle import read_bundle
from tenure.model.registry.champion import versions
from tenure.run.train import run_train

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("unrecorded")]
EVALUATION = {"max_folds": 1, "contrast": False}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("leaks")
    write_world(root / "data", accounts=240, months=MONTHS, seed=9)
    return root / "data"


@pytest.fixture
def home(world: Path, tmp_path: Path) -> Project:
    shutil.copytree(world, tmp_path / "data")
    return Project(tmp_path).set(targets=["churn"], evaluation=EVALUATION)


def test_what_is_known_only_afterwards_has_no_effect(home: Project) -> None:
    plant(home.root / "data", known_afterwards)
    entry = run_train(home.config).targets["churn"]
    assert entry.model is not None
    bundle = read_bundle(Path(entry.model.path))
    # No snapshot ever saw a rating, so there was nothing to learn from.
    assert {"category", "resolved_at"} <= set(bundle.spec.reads["tickets"])
    assert not {"csat_score", "csat_at"} & set(bundle.spec.reads["tickets"])


def test_an_attribute_that_is_overwritten_stops_the_run(home: Project) -> None:
    plant(home.root / "data", overwritten_attribute)
    home.set(targets=["churn"], data={"constant_attributes": ["stage"]})
    said = command("train", home.root / "config.yaml")
    assert said.code == DataError.exit_code
    assert "stage (from accounts.stage): too good to be true" in said.error
    assert "AUC of " in said.error
    assert "audit.allow: [stage]" in said.error
    assert versions_of(home) == ()
    assert not (home.root / "runs" / "training.json").exists()
    home.set(
        targets=["churn"],
        data={"constant_attributes": ["stage"]},
        evaluation=EVALUATION,
        audit={"allow": ["accounts.stage"]},
    )
    run_train(home.config)
    assert len(versions_of(home)) == 1


def test_a_category_that_is_written_late_stops_the_run(home: Project) -> None:
    plant(home.root / "data", late_category)
    with pytest.raises(DataError, match=r"tickets\.category.*too good to be true") as error:
        run_train(home.config)
    assert "audit.allow: [tickets.category]" in str(error.value)
    assert versions_of(home) == ()
    home.set(targets=["churn"], evaluation=EVALUATION, audit={"allow": ["tickets.category"]})
    run_train(home.config)
    assert len(versions_of(home)) == 1


def versions_of(home: Project) -> tuple[str, ...]:
    return versions(home.config.paths.models, "churn")
