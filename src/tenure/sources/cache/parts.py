"""The staged parts of one table: taken from disk, or brought up to date first.

A part is used as long as each of its files has the size and the time of last change that it had
when it was staged; else its files are staged anew, and that is reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from tenure.core.errors import DataError
from tenure.core.files import canonical_json, digest, locked
from tenure.core.steps import Step, quote
from tenure.engine import Engine
from tenure.sources import rejected_lines
from tenure.sources.cache import manifest
from tenure.sources.cache.manifest import ROWS, TALLY, Lease, Manifest, StagedPart, Stamp
from tenure.sources.cache.update import SourceFiles, Staging, lines_of, relation, rows_in
from tenure.sources.staging_sql import Layout

SMALL_ROWS = 200_000
"""Tables of fewer rows are staged at every load: that costs nothing."""


@dataclass(frozen=True)
class StagedParts:
    """Staged parts of a table, ready to be read."""

    folder: Path
    parts: tuple[StagedPart, ...]
    distinct: bool
    """Whether no two rows share a key."""
    changes: str
    """What was staged anew and why, one sentence or nothing."""
    rows_anew: int
    """Rows that were staged anew."""
    lease: Lease
    """Keeps them from being removed."""


def staged_parts(source: SourceFiles, root: Path, engine: Engine) -> StagedParts | None:
    """Return the staged parts of a table below the folder of all, staging what is new.

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
    engines = str(engine.value("SELECT version()"))
    place = str(Path(source.files.path).absolute())
    return digest(
        *(place, *source.files.keys),
        *(layout.select(), canonical_json([*source.columns.items()])),
        *(canonical_json([*layout.types.items()]), version("tenure"), engine.dialect, engines),
    )


def _up_to_date(source: SourceFiles, folder: Path, engine: Engine) -> StagedParts | None:
    stamps = {path: manifest.stamp(path) for path in source.files.paths}
    if not (folder / manifest.MANIFEST).exists():
        sizes = rows_in(source.files, stamps, source.files.paths, engine)
        if sum(sizes.values()) < SMALL_ROWS:
            return None
    with locked(folder):
        before = after = manifest.read(folder)
        fresh: list[StagedPart] = []
        if not _is_current(before, folder, stamps):
            try:
                fresh, after = Staging(source, folder, engine, stamps).bring_up(before)
                if stamps != {path: manifest.stamp(path) for path in source.files.paths}:
                    return None
                manifest.write(folder, after)
            finally:
                manifest.tidy(folder)
        lease = Lease(folder)
    stale = [part for part in before.parts if not part.is_current(stamps)]
    anew = {path for part in stale for path in part.files}
    rows = sum(part.rows for part in fresh if anew & set(part.files))
    text = _changes(source, stale, len(before.parts), stamps) if stale else ""
    return StagedParts(folder, after.parts, after.names == after.distinct, text, rows, lease)


def _is_current(listed: Manifest, folder: Path, stamps: Mapping[str, Stamp]) -> bool:
    staged = {path: stamp for part in listed.parts for path, stamp in part.files.items()}
    return staged == stamps and all(part.is_whole(folder) for part in listed.parts)


def _changes(
    source: SourceFiles, stale: list[StagedPart], of_parts: int, stamps: Mapping[str, Stamp]
) -> str:
    """Return one sentence on the parts whose files have changed or are gone."""
    reasons = []
    staged = {path: stamp for part in stale for path, stamp in part.files.items()}
    changed = [path for path, of in staged.items() if path in stamps and stamps[path] != of]
    gone = [path for path in staged if path not in stamps]
    for verb, chosen in (("changed", changed), ("gone", gone)):
        if chosen:
            reasons.append(f"{source.files.named(chosen)} {verb}")
    were = "was" if len(stale) == 1 else "were"
    return f"{len(stale)} of {of_parts} parts {were} staged anew: {'; '.join(reasons)}"


def view_parts(layout: Layout, staged: StagedParts, engine: Engine) -> str:
    """Make the staged view of a table from its parts, and the table of its counts (its tally).

    Returns:
        The first line of its files that is no row, in words.

    Which accounts are known may change from one load to the next, so that check is made here; as
    soon as no row fails it, the view is the Parquet files and nothing else, and filters on time
    reach them.
    """
    times = ["min(_first) AS _first", "max(_last) AS _last"]
    times += [f"max({quote(clock)}) AS {quote(clock)}" for clock in layout.clocks]
    checked = _checked_reason(layout)
    tally = (
        f"SELECT {checked} AS _reason, _flags, sum(n)::BIGINT AS _n, {', '.join(times)} "
        f"FROM {relation(staged.folder, staged.parts, TALLY)} GROUP BY ALL"
    )
    engine.run([Step(layout.tally, tally)])
    numbers = engine.fetch(f"SELECT DISTINCT _reason FROM {quote(layout.tally)}").column(0)
    reason = checked if layout.unknown_account in numbers.to_pylist() else "_reason"
    names = ", ".join(quote(name) for name in layout.columns)
    source = relation(staged.folder, staged.parts, ROWS)
    engine.drop(layout.staged)
    rows = f"SELECT {names}, {reason} AS _reason, _flags FROM {source}"
    engine.run([Step(layout.staged, rows, lazy=True)])
    name = layout.source.name
    lines = lines_of(staged.folder, staged.parts)
    if not lines:
        return ""
    engine.run([Step(rejected_lines.table_of(name), lines)])
    return rejected_lines.sample(name, engine)


def _checked_reason(layout: Layout) -> str:
    """Return SQL for a staged row's reject number, with the check for unknown accounts added."""
    number = layout.unknown_account
    if number is None:
        return "_reason"
    return (
        f"CAST(CASE WHEN (_reason = 0 OR _reason > {number}) "
        f"AND account_id NOT IN ({layout.accounts}) THEN {number} ELSE _reason END AS UTINYINT)"
    )
