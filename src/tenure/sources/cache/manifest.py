"""The list of a table's staged parts on disk, and who may read, write or remove them.

A folder holds the parts of one table staged in one way, each in a folder of its own, and
`manifest.json`, which is written last: a part that it does not list does not exist.  One process
at a time is `writing`; it alone stages, takes leases and removes what nobody reads.  Locks are
those of the operating system, so a process that is killed holds none.
"""

from __future__ import annotations

import json
import shutil
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

from filelock import FileLock, Timeout

from tenure.core.files import write_json

MANIFEST, WRITER, LEASE = "manifest.json", "writer", "lease-"
ROWS, TALLY, KEYS = "rows.parquet", "tally.parquet", "keys.parquet"
MOST_FOLDERS = 3
"""Ways of staging one table whose parts stay on disk, the last used ones."""

Stamp = tuple[int, int]
"""Size in bytes and time of last change in nanoseconds of a file."""


@dataclass(frozen=True)
class StagedPart:
    """Source files staged together.

    Attributes:
        name: Name of its folder.
        files: Source file → its stamp when it was staged.
        rows: Staged rows.
        sizes: File of the part → its size in bytes.
    """

    name: str
    files: dict[str, Stamp]
    rows: int
    sizes: dict[str, int]

    def is_whole(self, folder: Path) -> bool:
        """Return whether all its files exist in full size."""
        return all(size(folder / self.name / name) == of for name, of in self.sizes.items())


@dataclass(frozen=True)
class Manifest:
    """The parts of a table.

    Attributes:
        parts: In the order of their files.
        distinct: Names of parts of which no two rows share a key.
    """

    parts: tuple[StagedPart, ...] = ()
    distinct: frozenset[str] = frozenset()

    @cached_property
    def names(self) -> frozenset[str]:
        """Return the names of the parts."""
        return frozenset(part.name for part in self.parts)


def read(folder: Path) -> Manifest:
    """Return the manifest of a folder; an empty one where there is none that can be read."""
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        parts = tuple(_part(item) for item in content["parts"])
        return Manifest(parts, frozenset(content["distinct"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Manifest()


def _part(item: dict[str, Any]) -> StagedPart:
    files = {path: (int(stamp[0]), int(stamp[1])) for path, stamp in item["files"].items()}
    return StagedPart(item["name"], files, item["rows"], item["sizes"])


def write(folder: Path, manifest: Manifest) -> None:
    """Write a manifest, whole or not at all."""
    parts = [asdict(part) for part in manifest.parts]
    write_json(folder / MANIFEST, {"parts": parts, "distinct": sorted(manifest.distinct)})


def size(path: Path) -> int:
    """Return the size of a file in bytes, -1 where there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return -1


def stamp(path: str) -> Stamp:
    """Return the stamp of a source file.

    Raises:
        OSError: If there is none.
    """
    status = Path(path).stat()
    return status.st_size, status.st_mtime_ns


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Wait until no other process writes in a folder, and keep others from it meanwhile.

    Raises:
        OSError: If the folder cannot be made, or its file system has no locks.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _lock(folder / WRITER):
        yield


class Lease:
    """The right to read the parts of a folder, until it is released or no longer referenced.

    Each locks a file of its own, so that any number may read.  To be taken while `writing`.

    Args:
        folder: What is read.
    """

    def __init__(self, folder: Path) -> None:
        lock = _lock(folder / f"{LEASE}{uuid4().hex}")
        lock.acquire()
        self.release = weakref.finalize(self, lock.release)
        # When it was last used decides how long a folder stays.
        (folder / WRITER).touch()


def tidy(folder: Path) -> None:
    """Delete parts that the manifest does not list, and all parts of folders long not used.

    What is under a lease stays.  To be called while `writing` in the folder.
    """
    if not _is_read(folder):
        _delete_parts(folder, read(folder).names)
    others = [item.parent for item in folder.parent.glob(f"*/{MANIFEST}")]
    others = [item for item in others if item != folder and (item / WRITER).exists()]
    others.sort(key=lambda item: (item / WRITER).stat().st_mtime_ns)
    for other in others[: max(0, len(others) - MOST_FOLDERS + 1)]:
        with suppress(Timeout), _lock(other / WRITER).acquire(blocking=False):
            if not _is_read(other):
                (other / MANIFEST).unlink(missing_ok=True)
                _delete_parts(other, frozenset())


def _delete_parts(folder: Path, listed: frozenset[str]) -> None:
    for item in folder.iterdir():
        if item.is_dir() and item.name not in listed:
            shutil.rmtree(item, ignore_errors=True)


def _is_read(folder: Path) -> bool:
    """Return whether anybody holds a lease; delete the files of those that have ended."""
    held = False
    for path in list(folder.glob(f"{LEASE}*")):
        try:
            _lock(path).acquire(blocking=False).lock.release()
        except Timeout:
            held = True
        else:
            path.unlink(missing_ok=True)
    return held


def _lock(path: Path) -> FileLock:
    """Return a lock that any thread may release, and that nothing but the system holds."""
    return FileLock(path, thread_local=False, fallback_to_soft=False)
