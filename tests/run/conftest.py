"""A small simulated business, once per session."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tenure.core.files import write_text
from tenure.core.progress import SILENT
from tenure.demo import write_world
from tenure.run.project import Project

CONFIG = """\
name: small
data: {path: data}
targets: [churn]
model: {threads: 1, min_events: 5, min_train_positives: 10, parameters: {num_iterations: 20}}
evaluation: {max_folds: 3, bootstrap: 50, contrast: false}
engine: {threads: 1}
"""


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a config and the tables of 80 accounts."""
    root = tmp_path_factory.mktemp("small")
    write_world(root / "data", accounts=80, months=24, seed=3)
    write_text(root / "small.yaml", CONFIG)
    return root


@pytest.fixture(scope="session")
def settings(world: Path) -> dict[str, Any]:
    """Where the runs of the world write."""
    paths = {"models": str(world / "models"), "runs": str(world / "runs")}
    return {"paths": paths, "progress": SILENT}


@pytest.fixture(scope="session")
def project(world: Path, settings: dict[str, Any]) -> Project:
    return Project(world / "small.yaml", **settings)
