"""`kill -9` at any moment leaves the last good champion and the last scores whole.

Killed are processes of their own: at every rename, just before and just after it, and at random
moments.  A run that is then let through completes, and nothing half-written counts as a result.
"""

from __future__ import annotations

import json
import random
import subprocess
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from e2e.killer import killer
from e2e.road import TENURE, UNTIL, Project, quiet, tenure
from tenure.core.times import show
from tenure.model.bundle.bundle import read_bundle
from tenure.model.registry.champion import champion, versions
from tenure.run.score import run_score
from tenure.score.store.store import ScoreStore

pytestmark = pytest.mark.slow


@pytest.fixture
def own(project: Project, tmp_path: Path) -> Project:
    """A copy whose next training makes other bundles."""
    copied = project.copied(tmp_path / "own")
    return copied.set(model={"seed": 1})


def words(own: Project, command: str) -> list[str]:
    out = ["--out", str(own.root / "scores.csv")] if command == "score" else []
    return [command, str(own.root / "config.yaml"), *out]


def run(own: Project, *given: str) -> int:
    return subprocess.run(
        given, cwd=own.root, env=quiet(), capture_output=True, check=False
    ).returncode


def killed_after(own: Project, command: str, seconds: float) -> bool:
    process = subprocess.Popen(
        [*TENURE, *words(own, command)],
        cwd=own.root,
        env=quiet(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(seconds)
    process.kill()
    return process.wait() != 0


def whole(own: Project, rows: int) -> None:
    """Assert that everything that may be read is whole, and that the champions score."""
    config = own.config
    for target in config.targets:
        standing = champion(config.paths.models, target)
        assert standing is not None
        found = versions(config.paths.models, target)
        assert standing.version in found
        for version in found:
            read_bundle(config.paths.models / target / version)
    for path in config.paths.runs.glob("*.json"):
        json.loads(path.read_text(encoding="utf-8"))
    assert (
        (config.paths.runs / "report.html").read_text(encoding="utf-8").rstrip().endswith("</html>")
    )
    assert len(pd.read_csv(own.root / "scores.csv")) == rows
    assert len(pd.read_parquet(config.paths.runs / "scores.parquet")) == rows
    with ScoreStore.open(config) as store:
        runs = store.runs()
        assert runs
        per_run = {len(store.scores(run)) for run in runs}
    assert len(per_run) == 1, "every run that can be seen is whole"
    leftovers = [
        path
        for path in own.root.rglob("*.tmp*")
        if not path.name.startswith(".") and not any(p.name.startswith(".") for p in path.parents)
    ]
    assert leftovers == []


def complete(own: Project, command: str, rows: int) -> None:
    """Assert that the run, let through, completes, and that the champions still score."""
    said = tenure(*words(own, command), cwd=own.root)
    assert said.code == 0, said.error
    whole(own, rows)
    if command == "train":
        for target in own.config.targets:
            home = own.config.paths.models / target
            assert len(versions(own.config.paths.models, target)) == 2
            assert list(home.glob(".*.tmp")) == []
    assert run_score(own.config, own.root / "again.csv").rows == rows


def size(own: Project) -> int:
    return len(pd.read_parquet(own.config.paths.runs / "scores.parquet"))


def at_every_rename(
    own: Project,
    command: str,
    fresh: Callable[[int, str], Project],
    sides: Callable[[int], Sequence[str]] = lambda place: ("before", "after"),
) -> None:
    rows = size(own)
    with killer(quiet()) as killed_at:
        count = killed_at.renames(own.root, *words(own, command))
        assert count >= 2
        for place in range(1, count + 1):
            for side in sides(place):
                other = fresh(place, side)
                assert killed_at(other.root, place, side, *words(other, command))
                whole(other, rows)
    complete(other, command, rows)


def test_score_killed_at_every_rename(own: Project) -> None:
    """Before one, after the next: the other sides are acceptance."""
    turns = ("after",), ("before",)
    at_every_rename(own, "score", lambda place, side: own, lambda place: turns[place % 2])


@pytest.mark.acceptance
def test_score_killed_on_both_sides_of_every_rename(own: Project) -> None:
    at_every_rename(own, "score", lambda place, side: own)


@pytest.mark.acceptance
@pytest.mark.timeout(3600)
def test_train_killed_at_every_rename(own: Project, project: Project, tmp_path: Path) -> None:
    def fresh(place: int, side: str) -> Project:
        return project.copied(tmp_path / f"{side}-{place}").set(model={"seed": 1})

    at_every_rename(own, "train", fresh)


@pytest.mark.acceptance
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("command", ["train", "score"])
def test_killed_at_random_moments(own: Project, command: str) -> None:
    rows = size(own)
    started = time.monotonic()
    assert run(own, *TENURE, *words(own, "score")) == 0
    longest = (time.monotonic() - started) * (4 if command == "train" else 1)
    dice = random.Random(20)
    hits = sum(killed_after(own, command, dice.uniform(0.1, longest)) for _ in range(20))
    assert hits > 0
    whole(own, rows)
    complete(own, command, rows)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("moments", [2, pytest.param(20, marks=pytest.mark.acceptance)])
def test_score_killed_while_it_keeps_a_new_run(own: Project, moments: int) -> None:
    dice, hits, longest = random.Random(moments), 0, 0.4
    with ScoreStore.open(own.config) as store:
        (first,) = store.runs()
        size = len(store.scores(first))
    for n in range(moments):
        words_of = [*words(own, "score"), "--as-of", show(UNTIL - timedelta(days=n + 1))]
        process = subprocess.Popen(
            [*TENURE, *words_of], cwd=own.root, env=quiet(), stderr=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        while "keeping the scores" not in (line := process.stderr.readline()):
            assert line, "the process ended before it wrote"
        time.sleep(dice.uniform(0, longest))
        process.kill()
        process.stderr.close()
        killed = process.wait() != 0
        hits, longest = hits + killed, longest if killed else longest / 3  # it was over before
        with ScoreStore.open(own.config) as store:
            for run in store.runs():
                rows = store.scores(run)
                assert len({row.account_id for row in rows}) == run.accounts
                assert len(rows) == 2 * run.accounts
            assert len(store.scores(first)) == size
    assert hits > 0
