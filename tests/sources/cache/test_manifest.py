"""What is read is not removed, one process writes at a time, and old ways of staging go."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tenure.core.files import LOCK, locked
from tenure.sources.cache import manifest
from tenure.sources.cache.manifest import Lease, Manifest, StagedPart


def part(folder: Path, name: str) -> StagedPart:
    (folder / name).mkdir(parents=True)
    (folder / name / manifest.ROWS).write_bytes(b"rows")
    files, sizes = {"/data/x.parquet": (1, 2)}, {manifest.ROWS: 4}
    return StagedPart(name=name, files=files, rows=3, sizes=sizes)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    parts = (part(tmp_path, "one"), part(tmp_path, "two"))
    listed = Manifest(parts=parts, distinct=frozenset({"two"}))
    manifest.write(tmp_path, listed)
    assert manifest.read(tmp_path) == listed
    assert all(item.is_whole(tmp_path) for item in listed.parts)
    (tmp_path / "one" / manifest.ROWS).write_bytes(b"row")
    assert [item.is_whole(tmp_path) for item in listed.parts] == [False, True]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"parts": [{}], "distinct": []}', '{"parts": 1}'])
def test_a_manifest_that_is_none_lists_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / manifest.MANIFEST).write_text(text)
    assert manifest.read(tmp_path) == Manifest()


def test_nothing_is_deleted_while_it_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "way"
    kept = part(folder, "kept")
    part(folder, "old")
    manifest.write(folder, Manifest(parts=(kept,)))
    leases = [Lease(folder), Lease(folder)]
    for lease in leases:
        manifest.tidy(folder)
        assert (folder / "old").exists()
        lease.release()
    manifest.tidy(folder)
    assert not (folder / "old").exists()
    assert (folder / "kept").exists()
    assert not list(folder.glob(f"{manifest.LEASE}*"))


def test_a_lease_ends_with_what_holds_it(tmp_path: Path) -> None:
    folder = tmp_path / "way"
    part(folder, "old")
    lease = Lease(folder)
    del lease
    manifest.tidy(folder)
    assert not (folder / "old").exists()


def test_nothing_needs_the_locks_of_one_operating_system() -> None:
    """Windows has no `fcntl`."""
    code = "import sys; sys.modules['fcntl'] = None; import tenure.sources.load"
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)


READER = """
import sys
from pathlib import Path
from tenure.sources.cache.manifest import Lease
lease = Lease(Path(sys.argv[1]))
print("reads", flush=True)
sys.stdin.read()
"""


def test_who_is_killed_reads_no_more(tmp_path: Path) -> None:
    folder = tmp_path / "way"
    part(folder, "old")
    command = [sys.executable, "-c", READER, str(folder)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as reader:  # type: ignore[call-overload]
        assert reader.stdout.readline() == b"reads\n"
        manifest.tidy(folder)
        assert (folder / "old").exists()
        reader.kill()
    manifest.tidy(folder)
    assert not (folder / "old").exists()


def test_the_last_used_ways_stay(tmp_path: Path) -> None:
    folders = [tmp_path / str(number) for number in range(5)]
    for number, folder in enumerate(folders):
        manifest.write(folder, Manifest(parts=(part(folder, "one"),)))
        Lease(folder).release()
        os.utime(folder / LOCK, (number, number))
    reader = Lease(folders[1])
    os.utime(folders[1] / LOCK, (1, 1))
    manifest.tidy(folders[4])
    there = [(folder / "one").exists() for folder in folders]
    assert there == [False, True, True, True, True]
    reader.release()
    manifest.tidy(folders[4])
    assert [(folder / "one").exists() for folder in folders] == [False, False, True, True, True]


def test_one_writes_at_a_time(tmp_path: Path) -> None:
    order: list[str] = []

    def second() -> None:
        with locked(tmp_path):
            order.append("second")

    other = threading.Thread(target=second)
    with locked(tmp_path):
        other.start()
        other.join(0.2)
        order.append("first")
    other.join()
    assert order == ["first", "second"]
