"""Staged rows of large tables kept on disk, so that loading costs what is new, not a history.

A part holds the staged rows of some source files as Parquet, sorted by event time, without the
check against the accounts table, which is applied when they are read.  Beside the rows lie a tally
(rows and times by account, reason and remarks), from which every count of the data report follows,
and hashes of the keys, with which the keys of new parts are looked up in old ones.  A part is used
as long as each of its files has the size and the time of last change that it had when it was
staged; else its files are staged anew, and that is reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from tenure import __version__
from tenure.core.errors import DataError
from tenure.core.files import canonical_json, digest, publishing
from tenure.core.steps import Step, quote, text_literal
from tenure.sources import duplicates, files, manifest
from tenure.sources.manifest import KEYS, ROWS, TALLY, Lease, Manifest, Part, Stamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tenure.engine import Engine
    from tenure.sources.files import Files
    from tenure.sources.stage import Layout

SMALL_ROWS = 200_000
"""Tables of fewer rows are not kept: staging them costs nothing."""
PART_ROWS = 1_000_000
MOST_PARTS = 30
BYTES_A_ROW = 60
"""Of a CSV file, to tell small tables."""
SHOWN = 3


@dataclass(frozen=True)
class Found:
    """A table as it is found: its files, and how they are staged.

    Attributes:
        layout: How it is staged.
        files: Where its rows come from.
        columns: SQL of each column over the rows as found.
    """

    layout: Layout
    files: Files
    columns: Mapping[str, str]


@dataclass(frozen=True)
class Kept:
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


def kept(found: Found, root: Path, engine: Engine) -> Kept | None:
    """Return the staged parts of a table, staging what is new; nothing where it is not to be kept.

    Args:
        found: The table.
        root: Folder of all staged tables.
        engine: What stages and reads.
    """
    if engine.dialect != "duckdb":
        return None
    try:
        return _kept(found, root / found.layout.source.name / _key(found, engine), engine)
    except (OSError, ImportError, DataError):
        # What is wrong with a source is found by staging it all, and said there.
        return None


def _key(found: Found, engine: Engine) -> str:
    """Return a hash of all that decides how a file is staged."""
    layout = replace(found.layout, deferred=True)
    version = str(engine.fetch("SELECT version()").column(0).to_pylist()[0])
    place = str(Path(found.files.path).absolute())
    return digest(
        *(place, *found.files.keys, *files.dialects(found.files, (), engine)),
        *(layout.select(), canonical_json([*found.columns.items()])),
        *(canonical_json([*layout.types.items()]), __version__, engine.dialect, version),
    )


def _kept(found: Found, folder: Path, engine: Engine) -> Kept | None:
    stamps = {path: manifest.stamp(path) for path in found.files.paths}
    known = (folder / manifest.MANIFEST).exists()
    sizes = {} if known else _rows(found.files, stamps, found.files.paths, engine)
    if not known and sum(sizes.values()) < SMALL_ROWS:
        return None
    lease = Lease(folder)
    listed = manifest.read(folder)
    if _current(listed, folder, stamps):
        return Kept(folder, listed.parts, listed.names == listed.distinct, "", 0, lease)
    lease.release()
    with manifest.writing(folder):
        before = manifest.read(folder)
        staging = _Staging(found, folder, engine, stamps)
        fresh, after = staging.bring_up(before)
        if stamps != {path: manifest.stamp(path) for path in found.files.paths}:
            return None
        manifest.write(folder, after)
        manifest.tidy(folder)
        lease = Lease(folder)
    text = _changes(found, before, stamps)
    anew = {path for part in before.parts if not _valid(part, stamps) for path in part.files}
    rows = sum(part.rows for part in fresh if anew & set(part.files)) if text else 0
    return Kept(folder, after.parts, after.names == after.distinct, text, rows, lease)


def _valid(part: Part, stamps: Mapping[str, Stamp]) -> bool:
    return all(stamps.get(path) == stamp for path, stamp in part.files.items())


def _current(listed: Manifest, folder: Path, stamps: Mapping[str, Stamp]) -> bool:
    held = {path: stamp for part in listed.parts for path, stamp in part.files.items()}
    return held == stamps and all(part.whole(folder) for part in listed.parts)


def _rows(
    found: Files, stamps: Mapping[str, Stamp], paths: Sequence[str], engine: Engine
) -> dict[str, int]:
    """Return the rows of files, estimated where they are text."""
    if found.text:
        return {path: stamps[path][0] // BYTES_A_ROW for path in paths}
    names = ", ".join(map(text_literal, paths))
    sql = f"SELECT file_name, num_rows FROM parquet_file_metadata([{names}])"
    return {row["file_name"]: row["num_rows"] for row in engine.fetch(sql).to_pylist()}


def _changes(found: Found, before: Manifest, stamps: Mapping[str, Stamp]) -> str:
    """Return what became of parts whose files are not as they were, in one sentence."""
    stale = [part for part in before.parts if not _valid(part, stamps)]
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


@dataclass(frozen=True)
class _Staging:
    """One bringing up to date of a folder."""

    found: Found
    folder: Path
    engine: Engine
    stamps: Mapping[str, Stamp]

    def bring_up(self, before: Manifest) -> tuple[list[Part], Manifest]:
        """Stage what is not staged yet; return the new parts and the manifest to be."""
        valid = [part for part in before.parts if _valid(part, self.stamps)]
        old = [part for part in valid if part.whole(self.folder)]
        fresh = [self._staged(group) for group in self._groups(before, old)]
        parts = _ordered([*old, *fresh])
        distinct = before.distinct & {part.name for part in parts}
        if self._distinct(parts, distinct):
            distinct = frozenset(part.name for part in parts)
        return fresh, self._merged(Manifest(tuple(parts), distinct))

    def _groups(self, before: Manifest, old: Sequence[Part]) -> list[list[str]]:
        """Return the files to be staged, by part: those of a part together, new ones packed."""
        done = {path for part in old for path in part.files}
        groups = []
        for part in before.parts:
            again = [path for path in part.files if path in self.stamps and path not in done]
            if again:
                groups.append(again)
                done.update(again)
        new = [path for path in self.found.files.paths if path not in done]
        sizes = _rows(self.found.files, self.stamps, new, self.engine) if new else {}
        return groups + _packed([(path, sizes[path]) for path in new])

    def _staged(self, paths: Sequence[str]) -> Part:
        """Stage some files as a part."""
        found, engine = self.found, self.engine
        if len(files.dialects(found.files, paths[:1], engine)) > 1:
            raise DataError(f"{paths[0]}: values are separated in another way")
        items = ", ".join(f"{sql} AS {quote(name)}" for name, sql in found.columns.items())
        raw = "_mapped_part"
        select = found.files.select(paths)
        engine.run([Step(raw, f"SELECT {items} FROM ({select})", lazy=True)])
        types = engine.columns(raw)
        if any(types[name] != kind for name, kind in found.layout.types.items()):
            raise DataError(f"{paths[0]}: columns are of other types")
        layout = replace(found.layout, raw=raw, deferred=True)
        return self._written(
            f"SELECT * FROM ({layout.select()})", {p: self.stamps[p] for p in paths}
        )

    def _written(self, select: str, stamps: dict[str, Stamp]) -> Part:
        """Write the rows of a SELECT over staged columns as a part."""
        layout, name = self.found.layout, uuid4().hex
        with publishing(self.folder / name) as place:
            rows = place / ROWS
            self.engine.write(f"{select} ORDER BY {layout.event_time()}", str(rows))
            relation = relation_of([str(rows)])
            self.engine.write(_tally(layout, relation), str(place / TALLY))
            if duplicates.has_key(layout):
                self.engine.write(duplicates.hashes(layout, relation), str(place / KEYS))
            counted = f"SELECT coalesce(sum(n), 0)::BIGINT FROM {relation_of([str(place / TALLY)])}"
            number = int(self.engine.fetch(counted).column(0).to_pylist()[0])
            sizes = {item.name: item.stat().st_size for item in place.iterdir()}
        return Part(name, stamps, number, sizes)

    def _distinct(self, parts: Sequence[Part], known: frozenset[str]) -> bool:
        """Return whether no key stands in two rows, if that is so of the known parts together."""
        new = [part for part in parts if part.name not in known]
        if not new or not duplicates.has_key(self.found.layout):
            return True
        fresh = relation_of(paths(self.folder, new, KEYS))
        sql = f"SELECT count(*) - count(DISTINCT _key) AS twice FROM {fresh}"
        old = [part for part in parts if part.name in known]
        if old:
            earlier = relation_of(paths(self.folder, old, KEYS))
            sql += f" UNION ALL SELECT count(*) FROM {earlier} WHERE _key IN (FROM {fresh})"
        return not any(self.engine.fetch(sql).column(0).to_pylist())

    def _merged(self, listed: Manifest) -> Manifest:
        """Merge tiny neighbours where there are many parts."""
        if len(listed.parts) <= MOST_PARTS:
            return listed
        parts: list[Part] = []
        distinct = set(listed.distinct)
        for run in _runs(listed.parts):
            if len(run) == 1:
                parts += run
                continue
            source = relation_of(paths(self.folder, run, ROWS))
            stamps = {path: stamp for part in run for path, stamp in part.files.items()}
            merged = self._written(f"SELECT * FROM {source}", stamps)
            parts.append(merged)
            if distinct.issuperset(part.name for part in run):
                distinct.add(merged.name)
        names = {part.name for part in parts}
        return Manifest(tuple(parts), frozenset(distinct & names))


def paths(folder: Path, parts: Iterable[Part], name: str) -> list[str]:
    """Return the files of one name in some parts."""
    return [str(folder / part.name / name) for part in parts]


def relation_of(found: Sequence[str]) -> str:
    """Return SQL of a relation that reads Parquet files."""
    listed = ", ".join(map(text_literal, found))
    return f"read_parquet([{listed}], hive_partitioning=false)"


def _ordered(parts: Iterable[Part]) -> list[Part]:
    return sorted(parts, key=lambda part: min(part.files))


def _packed(sizes: Iterable[tuple[str, int]]) -> list[list[str]]:
    """Return neighbouring files together, up to the size of a part."""
    groups: list[list[str]] = []
    room = 0
    for path, rows in sizes:
        if not groups or rows > room:
            groups.append([])
            room = PART_ROWS
        groups[-1].append(path)
        room -= rows
    return groups


def _runs(parts: Iterable[Part]) -> list[list[Part]]:
    """Return parts, tiny neighbours together up to the size of a part."""
    runs: list[list[Part]] = []
    room = 0
    for part in parts:
        if not runs or part.rows > PART_ROWS // 2 or part.rows > room:
            runs.append([])
            room = PART_ROWS if part.rows <= PART_ROWS // 2 else 0
        runs[-1].append(part)
        room -= part.rows
    return runs


def _tally(layout: Layout, relation: str) -> str:
    """Return a SELECT that counts staged rows by account, reason and remarks."""
    account = "account_id" if "account_id" in layout.columns else "CAST(NULL AS VARCHAR)"
    time = layout.event_time()
    clocks = "".join(f", max({quote(clock)}) AS {quote(clock)}" for clock in layout.clocks)
    return (
        f"SELECT {account} AS account_id, _reason, _flags, count(*) AS n, min({time}) AS _first, "
        f"max({time}) AS _last{clocks} FROM {relation} GROUP BY ALL"
    )
