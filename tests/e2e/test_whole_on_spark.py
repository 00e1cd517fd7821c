"""What is trained and scored on Spark is what is trained and scored on one machine."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from e2e.road import Project, tenure

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java"),
]
NAMES_OF_BUNDLES = ["scored_at", "model_version", "expansion_model_version"]
"""Versions are hashes that cover the settings, and with them the engine."""


def scored(project: Project, root: Path, kind: str) -> tuple[dict[str, bytes], pd.DataFrame]:
    """Train and score with one engine; return the fitted models, and the scores."""
    root.mkdir()
    shutil.copytree(project.root / "data", root / "data")
    here = Project(root).set(engine={"kind": kind, "threads": 2})
    trained = tenure("train", "config.yaml", cwd=root)
    assert trained.code == 0, trained.error
    for target in ("churn", "expansion"):
        (version,) = [path.name for path in (root / "models" / target).iterdir() if path.is_dir()]
        # The world is too small for every model to prove itself.
        words = ("--to", version, "--force", "--reason", "a test of engines")
        promoted = tenure("promote", "config.yaml", "--target", target, *words, cwd=root)
        assert promoted.code == 0, promoted.error
    said = tenure("score", "config.yaml", "--out", "scores.csv", cwd=root)
    assert said.code == 0, said.error
    models = {
        path.parent.parent.name: path.read_bytes()
        for path in (root / "models").glob("*/*/models.json")
    }
    assert here.config.engine.kind == kind
    return models, pd.read_csv(root / "scores.csv")


def test_the_same_models_and_the_same_scores(project: Project, tmp_path: Path) -> None:
    pytest.importorskip("pyspark")
    ours, scores = scored(project, tmp_path / "duckdb", "duckdb")
    theirs, again = scored(project, tmp_path / "spark", "spark")
    assert set(ours) == {"churn", "expansion"}
    assert ours == theirs
    kept = [name for name in scores if name not in NAMES_OF_BUNDLES]
    pd.testing.assert_frame_equal(scores[kept], again[kept])
