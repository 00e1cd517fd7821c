"""Killed at any point, or run twice at once, a promotion leaves one valid champion."""

from __future__ import annotations

import random
import subprocess
import time
from pathlib import Path

import pytest

from champions import set_champion
from e2e.bundles import EARLY, TARGET, bundle_of, early, publish
from e2e.killer import killer
from e2e.road import TENURE, Project, quiet, tenure
from tenure.core.errors import ModelError
from tenure.core.times import show
from tenure.model.bundle.bundle import read_bundle
from tenure.model.registry.champion import champion, history

pytestmark = pytest.mark.slow


@pytest.fixture
def own(project: Project, tmp_path: Path) -> Project:
    return project.copied(tmp_path / "own").set(targets=[TARGET])


def contested(own: Project) -> tuple[str, str]:
    """Put a bad champion beside a good challenger; return both versions."""
    good = bundle_of(own)
    return early(own, shift=2.5), publish(own, good, trained_until=show(EARLY))


def run(own: Project, *given: str) -> int:
    return subprocess.run(
        given, cwd=own.root, env=quiet(), capture_output=True, check=False
    ).returncode


def whole(own: Project) -> str:
    """Assert that there is one champion that can be read, and a history that leads to it."""
    found = champion(own.root / "models", TARGET)
    assert found is not None
    read_bundle(own.root / "models" / TARGET / found.version)
    lines = history(own.root / "models", TARGET)
    assert [line.previous for line in lines[1:]] == [line.version for line in lines[:-1]]
    # A writer killed between the two files leaves its line to the next one.
    assert found == lines[-1] or found.previous == lines[-1].version
    return found.version


def complete(own: Project, good: str, *more: str) -> None:
    said = tenure("promote", own.root / "config.yaml", *more, cwd=own.root)
    assert said.code == 0, said.error
    assert whole(own) == good == history(own.root / "models", TARGET)[-1].version
    assert list((own.root / "models" / TARGET).glob(".*.tmp")) == []


@pytest.mark.acceptance
def test_killed_at_every_rename(own: Project, tmp_path: Path) -> None:
    """A version that was champion before is not compared, but put in place like any other."""
    bad, good = contested(own)
    for version in (good, bad):
        set_champion(own.root / "models", TARGET, version, "test", "test")
    counted = own.copied(tmp_path / "counted").set(targets=[TARGET])
    words = ["promote", "config.yaml", "--to", good]
    seen = set()
    with killer(quiet()) as killed_at:
        renames = killed_at.renames(counted.root, *words)
        assert whole(counted) == good
        assert renames >= 2
        for place in range(1, renames + 1):
            for side in ("after", "before"):
                other = own.copied(tmp_path / f"{side}-{place}").set(targets=[TARGET])
                assert killed_at(other.root, place, side, *words)
                seen.add(whole(other))
            complete(other, good, "--to", good)
    assert seen == {bad, good}


@pytest.mark.acceptance
@pytest.mark.timeout(3600)
def test_killed_at_random_moments(own: Project) -> None:
    bad, good = contested(own)
    dice = random.Random(20)
    started = time.monotonic()
    assert run(own, *TENURE, "promote", "config.yaml", "--dry-run") == 0
    longest = time.monotonic() - started
    hits = 0
    for _ in range(20):
        process = subprocess.Popen(
            [*TENURE, "promote", "config.yaml"],
            cwd=own.root,
            env=quiet(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(dice.uniform(0.1, longest))
        process.kill()
        hits += process.wait() != 0
        assert whole(own) in {bad, good}
    assert hits > 0
    complete(own, good)


def test_two_at_once_leave_one_champion(own: Project) -> None:
    first = bundle_of(own)
    bad, good = contested(own)
    for version in (good, first.version):
        set_champion(own.root / "models", TARGET, version, "test", "test")
    before = len(history(own.root / "models", TARGET))
    # Both were champion before, so neither has to be compared.
    both = [
        subprocess.Popen(
            [*TENURE, "promote", "config.yaml", "--to", version],
            cwd=own.root,
            env=quiet(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for version in (bad, good)
    ]
    codes = [process.wait() for process in both]
    # One that finds another champion than it decided against says so and leaves it.
    assert set(codes) <= {0, ModelError.exit_code}
    assert 0 in codes
    changed = len(history(own.root / "models", TARGET)) - before
    assert whole(own) in {bad, good}
    assert 1 <= changed <= codes.count(0)
