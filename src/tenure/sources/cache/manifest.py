"""The list of a table's staged parts on disk, and who may read, write or remove them.

A folder holds the parts of one table staged in one way, each in a folder of its own, and
`manifest.json`, which is written last: a part that it does not list does not exist.  One process
at a time holds the folder's lock (`tenure.core.files.locked`); it alone stages, takes leases and
removes what nobody reads.  Locks are those of the operating system, so a process that is killed
holds none.
"""

from __future__ import annotations

import shutil
import weakref
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from filelock import FileLock, Timeout

from tenure.core.files import LOCK, write_json
from tenure.core.records.base import Record

MANIFEST, LEASE = "manifest.json", "lease-"
ROWS, TALLY, KEYS = "rows.parquet", "tally.parquet", "keys.parquet"
LINES = "lines.parquet"
"""Of parts some of whose files have lines that are no rows."""
MOST_FOLDERS = 3
"""Ways of staging one table whose parts stay on disk, the last used ones."""

Stamp = tuple[int, int]
"""Size in bytes and time of last change in nanoseconds of a file."""


class StagedPart(Record):
    """Source files staged together."""

    name: str
    """Name of its folder."""
    files: dict[str, Stamp]
    """Source file → its stamp when it was staged."""
    rows: int
    sizes: dict[str, int]
    """File of the part → its size in bytes."""

    def is_whole(self, folder: Path) -> bool:
        """Return whether all its files exist in full size."""
        return all(size(folder / self.name / name) == of for name, of in self.sizes.items())

    def is_current(self, stamps: Mapping[str, Stamp]) -> bool:
        """Return whether its source files are as they were when it was staged."""
        return all(stamps.get(path) == stamp for path, stamp in self.files.items())


class Manifest(Record):
    """The parts of a table."""

    parts: tuple[StagedPart, ...] = ()
    """In the order of their files."""
    distinct: frozenset[str] = frozenset()
    """Names of parts of which no two rows share a key."""

    @property
    def names(self) -> frozenset[str]:
        """Return the names of the parts."""
        return frozenset(part.name for part in self.parts)


def read(folder: Path) -> Manifest:
    """Return the manifest of a folder; an empty one where there is none that can be read."""
    try:
        return Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return Manifest()


def write(folder: Path, manifest: Manifest) -> None:
    """Write a manifest, whole or not at all."""
    write_json(folder / MANIFEST, manifest.to_json())


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


class Lease:
    """The right to read the parts of a folder, until it is released or no longer referenced.

    Each locks a file of its own, so that any number may read.  To be taken under the folder's lock.
    """

    def __init__(self, folder: Path) -> None:
        lock = _lock(folder / f"{LEASE}{uuid4().hex}")
        lock.acquire()
        self.release = weakref.finalize(self, lock.release)
        # When it was last used decides how long a folder stays.
        (folder / LOCK).touch()


def tidy(folder: Path) -> None:
    """Delete parts that the manifest does not list, and all parts of folders long not used.

    What is under a lease stays.  To be called under the folder's lock.
    """
    if not _is_read(folder):
        _delete_parts(folder, read(folder).names)
    others = [item.parent for item in folder.parent.glob(f"*/{MANIFEST}")]
    others = [item for item in others if item != folder and (item / LOCK).exists()]
    others.sort(key=lambda item: (item / LOCK).stat().st_mtime_ns)
    for other in others[: max(0, len(others) - MOST_FOLDERS + 1)]:
        with suppress(Timeout), _lock(other / LOCK).acquire(blocking=False):
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
