"""The same data, config and seed give the same bytes, in another process and with more threads."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.road import Project, quiet, tenure
from tenure.core.files import sha256
from tenure.run.score import run_score

# What MLflow is told has no part in a bundle, and telling it takes long.
TRAIN = (
    "import tenure.run.train as run\n"
    "run.track_all = lambda record, *_: record\n"
    "from tenure.cli import main\n"
    "main()\n"
)
EPOCH = "1767225600"
THREADS = {"model": {"threads": 2}, "engine": {"threads": 2}}


@pytest.fixture(scope="module")
def again(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project trained once more elsewhere, on the same tables."""
    root = tmp_path_factory.mktemp("again")
    shutil.copytree(project.root / "data", root / "data")
    found = Project(root).set(**THREADS)
    subprocess.run(
        [sys.executable, "-c", TRAIN, "train", "config.yaml"],
        cwd=root,
        env=quiet() | {"OMP_NUM_THREADS": "2", "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"},
        capture_output=True,
        check=True,
    )
    return found


def test_bundles_are_equal_to_the_byte(project: Project, again: Project) -> None:
    expected, found = project.files(), again.files()
    assert len(expected) == 12
    assert sorted(found) == sorted(expected)
    assert [name for name in expected if found[name] != expected[name]] == []


@pytest.mark.parametrize("suffix", ["csv", pytest.param("parquet", marks=pytest.mark.acceptance)])
def test_scores_are_equal_to_the_byte(
    project: Project, tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = project.copied(tmp_path / "own")
    first, second = tmp_path / f"first.{suffix}", tmp_path / f"second.{suffix}"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", EPOCH)
    run_score(own.config, first)
    own.set(**THREADS)
    words = ("score", own.root / "config.yaml", "--out", second)
    said = tenure(*words, cwd=own.root, PYTHONHASHSEED="7", TZ="Asia/Tokyo")
    assert said.code == 0, said.error
    assert sha256(first) == sha256(second)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(int(EPOCH) + 1))
    run_score(own.config, second)
    assert sha256(first) != sha256(second), "the time of scoring is in the file"
