"""Files that a reader never sees half-written: a temporary name beside them, then a rename.

A folder with several writers has a lock, which those that were killed do not keep.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from tenure.core.errors import ConfigError, Problem

if TYPE_CHECKING:
    import pandas as pd

LOCK = ".lock"
"""The file of a folder by which one writer at a time is told from the others."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it onto `path` when the block succeeds.

    The temporary file is removed if the block fails.  A killed process leaves the old file whole.

    Raises:
        ConfigError: If nothing can be written there.
    """
    path = Path(path)
    check_writable(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        yield temporary
        _sync(temporary)
        temporary.replace(path)
        _sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def check_writable(path: Path) -> None:
    """Refuse a path, of a file or of a folder, at which nothing can be written; leave no trace.

    Raises:
        ConfigError: With the system's reason.
    """
    try:
        places = (path / "file" if path.is_dir() else path).absolute().parents
        TemporaryFile(dir=next(place for place in places if place.exists())).close()
    except OSError as error:
        rule = f"cannot be written: {error.strerror or error}"
        fix = "choose a folder you may write to"
        raise ConfigError(Problem(str(path), rule, fix=fix)) from error


@contextmanager
def publishing(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder; rename it to `folder` when the block succeeds.

    If `folder` exists by then, whole and from another run, it is kept and the new one dropped:
    folders published this way are named by their content.
    """
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}.tmp")
    temporary.mkdir()
    try:
        yield temporary
        for file in temporary.rglob("*"):
            _sync(file)
        if not folder.exists():
            temporary.rename(folder)
            _sync(folder.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; it is freed when the block ends or the process dies.

    Every writer of the folder holds it, so temporary names in it belong to the dead and are
    removed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / LOCK, fallback_to_soft=False):
        for path in folder.glob(".*.tmp"):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        yield


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame to a ``.csv`` or ``.parquet`` file, atomically; times as ISO 8601 in CSV."""
    with replacing(path) as temporary:
        if path.suffix == ".csv":
            times = "%Y-%m-%dT%H:%M:%SZ"
            frame.to_csv(temporary, index=False, date_format=times, lineterminator="\n")
        else:
            frame.to_parquet(temporary, index=False)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text, atomically."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value: Any) -> None:
    """Write canonical JSON, atomically."""
    write_text(path, canonical_json(value) + "\n")


def canonical_json(value: Any) -> str:
    r"""Return JSON with sorted keys and no NaN, so that equal values give equal bytes.

    >>> canonical_json({"b": 1, "a": [0.1]})
    '{\n "a": [\n  0.1\n ],\n "b": 1\n}'
    """
    return json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, as hex."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest(*parts: str) -> str:
    """Return a short, stable hash of texts, as 16 hex digits."""
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:16]


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
