"""The list of a table's staged parts on disk, and who may read, write or remove them.

A folder holds the parts of one table staged in one way, each in a folder of its own, and
`manifest.json`, which is written last: a part that it does not list does not exist.  One process
at a time stages (`writing`); whoever reads holds a `Lease`, and nothing is removed while anybody
does.  Locks are those of the operating system, so a process that is killed holds none.
"""

from __future__ import annotations

import json
import os
import shutil
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tenure.core.files import write_json

MANIFEST, LEASE, WRITER = "manifest.json", "lease", "writer"
ROWS, TALLY, KEYS = "rows.parquet", "tally.parquet", "keys.parquet"
KEPT = 3
"""Ways of staging one table that are kept on disk, the last used ones."""

Stamp = tuple[int, int]
"""Size in bytes and time of last change in nanoseconds of a file."""


@dataclass(frozen=True)
class Part:
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

    def whole(self, folder: Path) -> bool:
        """Return whether its files are there in their full size."""
        return all(size(folder / self.name / name) == of for name, of in self.sizes.items())


@dataclass(frozen=True)
class Manifest:
    """The parts of a table.

    Attributes:
        parts: In the order of their files.
        distinct: Names of parts of which no two rows share a key.
    """

    parts: tuple[Part, ...] = ()
    distinct: frozenset[str] = frozenset()

    @cached_property
    def names(self) -> frozenset[str]:
        """Return the names of the parts."""
        return frozenset(part.name for part in self.parts)


def read(folder: Path) -> Manifest:
    """Return the manifest of a folder; an empty one where there is none that can be read."""
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        parts = tuple(_part(item) for item in found["parts"])
        return Manifest(parts, frozenset(found["distinct"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Manifest()


def _part(item: dict[str, Any]) -> Part:
    files = {path: (int(stamp[0]), int(stamp[1])) for path, stamp in item["files"].items()}
    return Part(item["name"], files, item["rows"], item["sizes"])


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
    found = Path(path).stat()
    return found.st_size, found.st_mtime_ns


class Lease:
    """The right to read the parts of a folder, until it is released or no longer used.

    Raises:
        OSError: If the file system has no locks.
        ImportError: If the operating system has none of the kind.
    """

    def __init__(self, folder: Path) -> None:
        file = _opened(folder / LEASE)
        self.release = weakref.finalize(self, os.close, file)
        _lock(file, "share")
        # When it was last used decides how long a folder is kept.
        os.utime(folder / LEASE)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Wait until no other process stages into a folder, and keep others from it meanwhile."""
    file = _opened(folder / WRITER)
    try:
        _lock(file, "alone")
        yield
    finally:
        os.close(file)


def tidy(folder: Path) -> None:
    """Remove what the manifest does not list, and what has long not been used; never what is read.

    To be called by who writes, without a lease.
    """
    with _alone(folder / LEASE) as free:
        if free:
            _empty(folder, read(folder).names)
    others = [item.parent for item in folder.parent.glob(f"*/{MANIFEST}")]
    others = [item for item in others if item != folder and (item / LEASE).exists()]
    others.sort(key=lambda item: (item / LEASE).stat().st_mtime_ns)
    for other in others[: max(0, len(others) - KEPT + 1)]:
        with _alone(other / WRITER) as still, _alone(other / LEASE) as free:
            if still and free:
                (other / MANIFEST).unlink(missing_ok=True)
                _empty(other, frozenset())


def _empty(folder: Path, kept: frozenset[str]) -> None:
    """Remove parts; the files that locks are taken on stay, for who waits for them."""
    for item in folder.iterdir():
        if item.is_dir() and item.name not in kept:
            shutil.rmtree(item, ignore_errors=True)


@contextmanager
def _alone(path: Path) -> Iterator[bool]:
    file = _opened(path)
    try:
        yield _lock(file, "at once")
    finally:
        os.close(file)


def _opened(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o644)


def _lock(file: int, how: str) -> bool:
    import fcntl

    if how != "at once":
        fcntl.flock(file, fcntl.LOCK_SH if how == "share" else fcntl.LOCK_EX)
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
