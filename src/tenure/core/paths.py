"""Where relative paths lead: to the config's folder, and from there to the folder of the data."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

FILE_DATABASES = ("duckdb", "sqlite")
"""Databases that are a file: `duckdb:///FILE`."""


def absolute(path: str, base: Path) -> str:
    """Return a path against a folder; an absolute one or a URL is left alone."""
    if "://" in path or Path(path).is_absolute():
        return path
    return os.path.normpath(base.resolve() / path)


def present(path: str, folders: Sequence[Path]) -> str:
    """Return a path or glob against the first folder in which it exists, else the first of all."""
    candidates = [absolute(path, folder) for folder in folders]
    return next((item for item in candidates if exists(item)), candidates[0])


def exists(path: str) -> bool:
    """Return whether a file or a folder is there, or a glob matches one."""
    return Path(path).exists() or next(matches(path), None) is not None


def matches(path: str) -> Iterator[str]:
    """Return what a glob matches; a path that is none, where something is there, itself."""
    if glob.has_magic(path):
        return glob.iglob(path, recursive=True)  # noqa: PTH207 - a glob may be absolute
    return iter([path] if Path(path).exists() else [])


def database_url(url: str, base: Path) -> str:
    """Return the URL of a database whose file is named against a folder; others as they are.

    >>> database_url("sqlite:///crm.db", Path("/data")), database_url("x://host/db", Path("/data"))
    ('sqlite:////data/crm.db', 'x://host/db')
    """
    scheme, _, path = url.partition(":///")
    if scheme not in FILE_DATABASES or path.startswith("${"):
        return url
    return f"{scheme}:///{absolute(path, base)}"
