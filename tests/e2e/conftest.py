"""One small trained project, made once per test run and changed by nobody."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.road import Project, make, without_mlflow


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent  # the workers share it
    root = Path(base) / "e2e"
    root.mkdir(exist_ok=True)
    with (root / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if not (root / "project" / "scores.csv").is_file():
            return make(root / "project")
    return Project(root / "project")


@pytest.fixture
def unrecorded() -> Iterator[None]:
    with without_mlflow():
        yield
