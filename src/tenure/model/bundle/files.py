"""The files of a bundle: their names, their hashes, and the errors about damaged ones."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from tenure.core.errors import ModelError, Problem
from tenure.core.files import canonical_json, sha256
from tenure.core.records.bundle import FORMAT

MANIFEST = "MANIFEST.json"
RUN = "run.json"
CONTENT = (
    "spec.json",
    "models.json",
    "metrics.json",
    "reference.json",
    "examples.json",
    "card.md",
)


def version_of(texts: Mapping[str, str]) -> str:
    """Return the version of content files: 12 hex digits over their names and hashes."""
    return _version({name: _hash(text) for name, text in texts.items()})


def write_files(texts: Mapping[str, str], run: Mapping[str, Any], folder: Path) -> None:
    """Write content files, run.json and the manifest into a folder that nobody reads yet."""
    every = {**texts, RUN: canonical_json(run) + "\n"}
    manifest = _manifest({name: _hash(text) for name, text in every.items()})
    for name, text in {**every, MANIFEST: canonical_json(manifest) + "\n"}.items():
        (folder / name).write_bytes(text.encode())


def check_files(folder: Path) -> None:
    """Make sure that every file exists, whole and unedited, and the folder is named by them.

    Raises:
        ModelError: Naming the file and what is wrong with it.
    """
    manifest = read_json(folder / MANIFEST)
    listed = manifest.get("files") if isinstance(manifest, dict) else None
    if not isinstance(listed, dict):
        fail(folder / MANIFEST, "lists no files")
    if (form := manifest.get("format")) != FORMAT:
        rule = f"is not of format {FORMAT}, which this version of Tenure reads"
        fix = "train again: `tenure train CONFIG`, or use the version of Tenure that wrote it"
        fail(folder / MANIFEST, rule, fix, value=f"format {form}")
    actual = {}
    for name in (*CONTENT, RUN):
        path = folder / name
        if not path.is_file():
            fail(path, "is missing from the bundle")
        actual[name] = sha256(path)
        if actual[name] != listed.get(name):
            value = f"{path.stat().st_size} bytes, sha256 {actual[name][:12]}…"
            fail(path, "differs from its checksum: truncated or edited", value=value)
    version = _version({name: actual[name] for name in CONTENT})
    for claim, what in ((manifest.get("version"), folder / MANIFEST), (folder.name, folder)):
        if claim != version:
            fail(what, "does not carry the version of its content", value=f"{claim}, not {version}")
    if manifest != _manifest(actual):
        fail(folder / MANIFEST, "says more or less than its files: edited")


def read_text(path: Path) -> str:
    """Return a file's text.

    Raises:
        ModelError: If it cannot be read.
    """
    try:
        return path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        fail(path, "cannot be read", value=type(error).__name__)


def read_json(path: Path) -> Any:
    """Return a file's JSON value.

    Raises:
        ModelError: If it cannot be read or is not JSON.
    """
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        fail(path, "is not JSON: truncated or edited", value=str(error))


def fail(path: Path, rule: str, fix: str = "", *, value: str = "") -> NoReturn:
    """Raise an error about a damaged file."""
    fix = fix or "restore the folder from a copy, or train again: `tenure train CONFIG`"
    raise ModelError(Problem(str(path), rule, value, fix))


def _manifest(hashes: Mapping[str, str]) -> dict[str, Any]:
    """Return the manifest of files with some hashes."""
    version = _version({name: hashes[name] for name in CONTENT})
    return {
        "format": FORMAT,
        "version": version,
        "files": dict(hashes),
        "outside_version": [RUN],
    }


def _version(hashes: Mapping[str, str]) -> str:
    return _hash("".join(f"{name} {hashes[name]}\n" for name in sorted(hashes)))[:12]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
