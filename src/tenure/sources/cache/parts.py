"""The staged parts of one table: taken from disk, or brought up to date first.

A part is used as long as each of its files has the size and the time of last change that it had
when it was staged; else its files are staged anew, and that is reported.
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
from tenure.sources.cache.manifest import Lease, Manifest, StagedPart, Stamp
from tenure.sources.cache.update import SourceFiles, Staging, paths, rows_in, valid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tenure.engine import Engine

SMALL_ROWS = 200_000
"""Tables of fewer rows are staged at every load: that costs nothing."""
FILES_NAMED = 3
"""Files that a sentence on changes names at most."""


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
    parts: tuple[StagedPart, ...]
    distinct: bool
    changes: str
    rows_anew: int
    lease: Lease

    def paths(self, name: str) -> list[str]:
        """Return the files of one name in all parts."""
        return paths(self.folder, self.parts, name)


def staged_parts(source: SourceFiles, root: Path, engine: Engine) -> StagedParts | None:
    """Return the staged parts of a table, staging what is new.

    Args:
        source: The table.
        root: Folder of all staged tables.
        engine: What stages and reads.

    Returns:
        None where the table is to be staged as a whole: it is small, the engine has no local files,
        or something about its files is wrong, which staging it as a whole reports.
    """
    if engine.dialect != "duckdb":
        return None
    folder = root.absolute() / source.layout.source.name / _key(source, engine)
    try:
        return _up_to_date(source, folder, engine)
    except (OSError, DataError):
        return None


def _key(source: SourceFiles, engine: Engine) -> str:
    """Return a hash of all that decides how a file is staged."""
    layout = replace(source.layout, deferred=True)
    engines = str(engine.fetch("SELECT version()").column(0).to_pylist()[0])
    place = str(Path(source.files.path).absolute())
    return digest(
        *(place, *source.files.keys, *files.dialects(source.files, (), engine)),
        *(layout.select(), canonical_json([*source.columns.items()])),
        *(canonical_json([*layout.types.items()]), version("tenure"), engine.dialect, engines),
    )


def _up_to_date(source: SourceFiles, folder: Path, engine: Engine) -> StagedParts | None:
    stamps = {path: manifest.stamp(path) for path in source.files.paths}
    if not (folder / manifest.MANIFEST).exists():
        sizes = rows_in(source.files, stamps, source.files.paths, engine)
        if sum(sizes.values()) < SMALL_ROWS:
            return None
    with manifest.writing(folder):
        before = after = manifest.read(folder)
        fresh: list[StagedPart] = []
        if not _current(before, folder, stamps):
            try:
                fresh, after = Staging(source, folder, engine, stamps).bring_up(before)
                if stamps != {path: manifest.stamp(path) for path in source.files.paths}:
                    return None
                manifest.write(folder, after)
            finally:
                manifest.tidy(folder)
        lease = Lease(folder)
    text = _changes(source, before, stamps)
    anew = {path for part in before.parts if not valid(part, stamps) for path in part.files}
    rows = sum(part.rows for part in fresh if anew & set(part.files))
    return StagedParts(folder, after.parts, after.names == after.distinct, text, rows, lease)


def _current(listed: Manifest, folder: Path, stamps: Mapping[str, Stamp]) -> bool:
    staged = {path: stamp for part in listed.parts for path, stamp in part.files.items()}
    return staged == stamps and all(part.is_whole(folder) for part in listed.parts)


def _changes(source: SourceFiles, before: Manifest, stamps: Mapping[str, Stamp]) -> str:
    """Return one sentence on the parts whose files have changed or are gone, empty if none."""
    stale = [part for part in before.parts if not valid(part, stamps)]
    if not stale:
        return ""
    reasons = []
    staged = {path: stamp for part in stale for path, stamp in part.files.items()}
    changed = [path for path, of in staged.items() if path in stamps and stamps[path] != of]
    gone = [path for path in staged if path not in stamps]
    for verb, chosen in (("changed", changed), ("gone", gone)):
        names = [source.files.label(path) for path in chosen]
        if names:
            more = f" and {len(names) - FILES_NAMED} more" if len(names) > FILES_NAMED else ""
            reasons.append(f"{', '.join(names[:FILES_NAMED])}{more} {verb}")
    were = "was" if len(stale) == 1 else "were"
    return f"{len(stale)} of {len(before.parts)} parts {were} staged anew: {'; '.join(reasons)}"
