"""The whole road for tests: a small project on disk, and the commands as a user gives them."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml

from champions import set_champion
from tenure.cli import main
from tenure.core.config import Config, load_config
from tenure.core.files import write_text
from tenure.core.times import show
from tenure.demo import write_world
from tenure.model.registry.champion import champion
from tenure.run import train
from tenure.run.score import run_score
from tenure.run.train import run_train

ACCOUNTS, MONTHS, SEED = 160, 24, 4
UNTIL = datetime(2024, 1, 1)
SETTINGS: Mapping[str, Any] = {
    "name": "small",
    "data": {"path": "data", "observed_until": show(UNTIL)},
    "calendar": {"start": "2022-10-01"},
    "model": {
        "threads": 1,
        "min_events": 5,
        "min_train_positives": 10,
        "parameters": {"num_iterations": 40},
    },
    "evaluation": {"max_folds": 3, "bootstrap": 50},
    "audit": {"shuffles": 1},
    "engine": {"threads": 1},
}
CONFIG = "config.yaml"
TENURE = (sys.executable, "-c", "from tenure.cli import main; main()")


@dataclass(frozen=True)
class Project:
    """A folder with data, a config, models and runs.

    Attributes:
        root: The folder; commands run in it.
    """

    root: Path

    @property
    def config(self) -> Config:
        """Return the resolved config."""
        return load_config(self.root / CONFIG)

    def set(self, **sections: Any) -> Project:
        """Write the config with some sections changed; return the project."""
        settings: dict[str, Any] = json.loads(json.dumps(SETTINGS))
        settings["paths"] = {"models": f"{self.root}/models", "runs": f"{self.root}/runs"}
        for name, change in sections.items():
            nested = isinstance(change, Mapping)
            settings[name] = {**settings.get(name, {}), **change} if nested else change
        write_text(self.root / CONFIG, yaml.safe_dump(settings))
        return self

    def copied(self, root: Path) -> Project:
        """Return a copy that may be changed; MLflow's artifacts stay where they are."""
        shutil.copytree(self.root, root, ignore=shutil.ignore_patterns("mlartifacts"))
        return Project(root).set()

    def files(self) -> dict[str, bytes]:
        """Return content files of all bundles, by path below the models folder."""
        home = self.root / "models"
        found = (path for path in sorted(home.glob("*/*/*")) if path.is_file())
        return {
            str(path.relative_to(home)): path.read_bytes()
            for path in found
            if path.name not in {"run.json", "MANIFEST.json"}
        }


@dataclass(frozen=True)
class Said:
    """What a command said: exit code, stdout, stderr without the lines of progress."""

    code: int
    out: str
    error: str


def tenure(*words: str | Path, cwd: Path, **environment: str) -> Said:
    """Run a command in a process of its own."""
    done = subprocess.run(
        [*TENURE, *map(str, words)],
        cwd=cwd,
        env=quiet() | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return Said(done.returncode, done.stdout, without_progress(done.stderr))


def command(*words: str | Path) -> Said:
    """Run a command in this process, as a terminal would."""
    out, error = io.StringIO(), io.StringIO()
    with (
        patch.object(sys, "argv", ["tenure", *map(str, words)]),
        redirect_stdout(out),
        redirect_stderr(error),
    ):
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
    return Said(code, out.getvalue(), without_progress(error.getvalue()))


@contextmanager
def without_mlflow() -> Iterator[None]:
    """Let training tell MLflow nothing, which takes a third of the time of a small run."""
    with (
        patch.object(train, "track_all", lambda record, *_: record),
        patch.object(train, "catch_up", lambda *_: None),
    ):
        yield


def without_progress(error: str) -> str:
    """Return what stands on stderr beside the lines of progress."""
    lines = error.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("… "))


def quiet() -> dict[str, str]:
    """Return the environment of a process that uses one core."""
    return os.environ | {"OMP_NUM_THREADS": "1"}


def make(root: Path) -> Project:
    """Simulate a small business, train on it and score it; both targets get a champion."""
    write_world(root / "data", accounts=ACCOUNTS, months=MONTHS, seed=SEED)
    project = Project(root).set()
    config = project.config
    record = run_train(config)
    for target, entry in record.targets.items():
        assert entry.model is not None
        if champion(config.paths.models, target) is None:
            # The world is too small for every model to prove itself.
            set_champion(config.paths.models, target, entry.model.version, "test", "test")
    run_score(config, root / "scores.csv")
    return project
