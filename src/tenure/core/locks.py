"""One writer at a time per folder, and nothing left behind by writers that were killed."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from filelock import FileLock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; it is freed when the block ends or the process dies.

    Every writer of the folder holds it, so temporary names found meanwhile belong to the dead and
    are removed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock", fallback_to_soft=False):
        _sweep(folder)
        yield


def _sweep(folder: Path) -> None:
    for path in folder.glob(".*.tmp"):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
