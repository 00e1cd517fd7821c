"""Staged rows of large tables kept on disk, so that loading costs what is new, not a history.

A part holds the staged rows of some source files as Parquet, sorted by event time, without the
check against the accounts table, which is applied when they are read.  Beside the rows lie a tally
(rows and times by account, reason and remarks), from which every count of the data report follows,
and hashes of the keys, with which the keys of new parts are looked up in old ones.  A part is used
as long as each of its files has the size and the time of last change that it had when it was
staged; else its files are staged anew, and that is reported.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from tenure.core.errors import DataError
from tenure.core.files import canonical_json, digest
from tenure.sources import files
from tenure.sources.cache import manifest
from tenure.sources.cache.manifest import Lease, Manifest, Part, Stamp
from tenure.sources.cache.update import SourceFiles, Staging, paths, rows_in, valid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tenure.engine import Engine

SMALL_ROWS = 200_000
"""Tables of fewer rows are not kept: staging them costs nothing."""
SHOWN = 3


@dataclass(frozen=True)
class StagedParts:
    """Staged parts of a table, ready to be read.

    Attributes:
        folder: Where they lie.
        parts: The parts.
        distinct: Whether no two rows share a key.
        changes: What was staged anew and why, one sentence or nothing.
        rows_anew: Rows that were staged anew.
        lease: Keeps them from being removed.
    """

    folder: Path
    parts: tuple[Part, ...]
    distinct: bool
    changes: str
    rows_anew: int
    lease: Lease

    def paths(self, name: str) -> list[str]:
        """Return the files of one name in all parts."""
        return paths(self.folder, self.parts, name)


def staged_parts(found: SourceFiles, root: Path, engine: Engine) -> StagedParts | None:
    """Return the staged parts of a table, staging what is new; nothing where it is not to be kept.

    Args:
        found: The table.
        root: Folder of all staged tables.
        engine: What stages and reads.
    """
    if engine.dialect != "duckdb":
        return None
    try:
        return _kept(
            found, root.absolute() / found.layout.source.name / _key(found, engine), engine
        )
    except (OSError, ImportError, DataError):
        # What is wrong with a source is found by staging it all, and said there.
        return None


def _key(found: SourceFiles, engine: Engine) -> str:
    """Return a hash of all that decides how a file is staged."""
    layout = replace(found.layout, deferred=True)
    engines = str(engine.fetch("SELECT version()").column(0).to_pylist()[0])
    place = str(Path(found.files.path).absolute())
    return digest(
        *(place, *found.files.keys, *files.dialects(found.files, (), engine)),
        *(layout.select(), canonical_json([*found.columns.items()])),
        *(canonical_json([*layout.types.items()]), version("tenure"), engine.dialect, engines),
    )


def _kept(found: SourceFiles, folder: Path, engine: Engine) -> StagedParts | None:
    stamps = {path: manifest.stamp(path) for path in found.files.paths}
    known = (folder / manifest.MANIFEST).exists()
    sizes = {} if known else rows_in(found.files, stamps, found.files.paths, engine)
    if not known and sum(sizes.values()) < SMALL_ROWS:
        return None
    lease = Lease(folder)
    listed = manifest.read(folder)
    if _current(listed, folder, stamps):
        return StagedParts(folder, listed.parts, listed.names == listed.distinct, "", 0, lease)
    lease.release()
    with manifest.writing(folder):
        before = manifest.read(folder)
        try:
            fresh, after = Staging(found, folder, engine, stamps).bring_up(before)
            if stamps != {path: manifest.stamp(path) for path in found.files.paths}:
                return None
            manifest.write(folder, after)
        finally:
            manifest.tidy(folder)
        lease = Lease(folder)
    text = _changes(found, before, stamps)
    anew = {path for part in before.parts if not valid(part, stamps) for path in part.files}
    rows = sum(part.rows for part in fresh if anew & set(part.files)) if text else 0
    return StagedParts(folder, after.parts, after.names == after.distinct, text, rows, lease)


def _current(listed: Manifest, folder: Path, stamps: Mapping[str, Stamp]) -> bool:
    held = {path: stamp for part in listed.parts for path, stamp in part.files.items()}
    return held == stamps and all(part.whole(folder) for part in listed.parts)


def _changes(found: SourceFiles, before: Manifest, stamps: Mapping[str, Stamp]) -> str:
    """Return what became of parts whose files are not as they were, in one sentence."""
    stale = [part for part in before.parts if not valid(part, stamps)]
    if not stale:
        return ""
    reasons = []
    held = {path: stamp for part in stale for path, stamp in part.files.items()}
    changed = [path for path, of in held.items() if path in stamps and stamps[path] != of]
    gone = [path for path in held if path not in stamps]
    for verb, chosen in (("changed", changed), ("gone", gone)):
        names = [found.files.label(path) for path in chosen]
        if names:
            more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            reasons.append(f"{', '.join(names[:SHOWN])}{more} {verb}")
    were = "was" if len(stale) == 1 else "were"
    return f"{len(stale)} of {len(before.parts)} parts {were} staged anew: {'; '.join(reasons)}"
