"""Staging of new and changed source files as parts, and merging of tiny parts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from tenure.core.errors import DataError
from tenure.core.files import publishing
from tenure.core.steps import Step, quote, text_literal
from tenure.engine import Engine
from tenure.sources import duplicates, rejected_lines
from tenure.sources.cache.manifest import KEYS, LINES, ROWS, TALLY, Manifest, StagedPart, Stamp
from tenure.sources.files import Files
from tenure.sources.staging_sql import Layout

T = TypeVar("T")

PART_ROWS = 1_000_000
MOST_PARTS = 30
BYTES_A_ROW = 60
"""Of a CSV file, to tell small tables."""


@dataclass(frozen=True)
class SourceFiles:
    """A table that comes as files, and how they are staged."""

    layout: Layout
    files: Files
    """Where its rows come from."""
    columns: Mapping[str, str]
    """Canonical column → its SQL over the columns of the files."""


@dataclass(frozen=True)
class Staging:
    """What stages the new files of one table, with these stamps, as parts in a folder."""

    source: SourceFiles
    folder: Path
    engine: Engine
    stamps: Mapping[str, Stamp]

    def bring_up(self, before: Manifest) -> tuple[list[StagedPart], Manifest]:
        """Stage the files that no valid part holds; return the new parts and the new manifest."""
        old = [
            part
            for part in before.parts
            if part.is_current(self.stamps) and part.is_whole(self.folder)
        ]
        groups = self._groups(before, old)
        for group in groups:
            self._look(group)
        fresh = [self._staged(group) for group in groups]
        parts = sorted([*old, *fresh], key=lambda part: min(part.files))
        distinct = before.distinct & {part.name for part in parts}
        if self._distinct(parts, distinct):
            distinct = frozenset(part.name for part in parts)
        return fresh, self._merged(Manifest(parts=parts, distinct=distinct))

    def _groups(self, before: Manifest, old: Sequence[StagedPart]) -> list[list[str]]:
        """Return the files to stage, grouped by part: files of one old part stay together."""
        done = {path for part in old for path in part.files}
        groups = []
        for part in before.parts:
            again = [path for path in part.files if path in self.stamps and path not in done]
            if again:
                groups.append(again)
                done.update(again)
        new = [path for path in self.source.files.paths if path not in done]
        sizes = rows_in(self.source.files, self.stamps, new, self.engine) if new else {}
        return groups + _packed(new, sizes.__getitem__)

    def _look(self, paths: Sequence[str]) -> str:
        """Make a view of some files' mapped columns and return its name.

        Raises:
            DataError: If they have to be read in another way than the files as a whole.
        """
        source, engine = self.source, self.engine
        items = ", ".join(f"{sql} AS {quote(name)}" for name, sql in source.columns.items())
        raw = "_mapped_part"
        select = source.files.select(paths)
        engine.run([Step(raw, f"SELECT {items} FROM ({select})", lazy=True)])
        types = engine.columns(raw)
        if any(types[name] != kind for name, kind in source.layout.types.items()):
            raise DataError(f"{paths[0]}: columns are of other types")
        return raw

    def _staged(self, paths: Sequence[str]) -> StagedPart:
        """Stage some files as a part."""
        raw = self._look(paths)
        layout = replace(self.source.layout, raw=raw, deferred=True)
        stamps = {path: self.stamps[path] for path in paths}
        part = self._written(f"SELECT * FROM ({layout.select()})", stamps)
        name, engine = layout.source.name, self.engine
        places = self.source.files.places(paths)
        if not rejected_lines.collect(name, (self.source.files,), engine, places):
            return part
        if problem := rejected_lines.encoding_problem(name, raw, engine):
            raise DataError(problem)
        rows = _parquet([self.folder / part.name / ROWS])
        lines = f"SELECT * FROM {quote(rejected_lines.table_of(name))}"
        return self._written(rejected_lines.with_lines(layout, rows), stamps, lines)

    def _written(self, select: str, stamps: dict[str, Stamp], lines: str = "") -> StagedPart:
        """Write the rows of a SELECT over staged columns as a part.

        `lines` is a SELECT of the lines of the files that are no rows.
        """
        layout, name = self.source.layout, uuid4().hex
        with publishing(self.folder / name) as place:
            rows = place / ROWS
            self.engine.write(f"{select} ORDER BY {layout.event_time()}", str(rows))
            staged, tally = _parquet([rows]), _parquet([place / TALLY])
            self.engine.write(_tally(layout, staged), str(place / TALLY))
            if lines:
                self.engine.write(lines, str(place / LINES))
            if duplicates.has_key(layout):
                self.engine.write(duplicates.hashes(layout, staged), str(place / KEYS))
            counted = f"SELECT coalesce(sum(n), 0)::BIGINT FROM {tally}"
            number = int(self.engine.value(counted))
            sizes = {item.name: item.stat().st_size for item in place.iterdir()}
        return StagedPart(name=name, files=stamps, rows=number, sizes=sizes)

    def _distinct(self, parts: Sequence[StagedPart], known: frozenset[str]) -> bool:
        """Return whether no two rows of all parts share a key; those of `known` do not."""
        new = [part for part in parts if part.name not in known]
        if not new or not duplicates.has_key(self.source.layout):
            return True
        fresh = relation(self.folder, new, KEYS)
        sql = f"SELECT count(*) - count(DISTINCT _key) AS twice FROM {fresh}"
        old = [part for part in parts if part.name in known]
        if old:
            earlier = relation(self.folder, old, KEYS)
            sql += f" UNION ALL SELECT count(*) FROM {earlier} WHERE _key IN (FROM {fresh})"
        return not any(self.engine.fetch(sql).column(0).to_pylist())

    def _merged(self, listed: Manifest) -> Manifest:
        """Merge tiny neighbours where there are many parts."""
        if len(listed.parts) <= MOST_PARTS:
            return listed
        parts: list[StagedPart] = []
        distinct = set(listed.distinct)
        for run in _packed(listed.parts, lambda part: part.rows, largest=PART_ROWS // 2):
            if len(run) == 1:
                parts += run
                continue
            stamps = {path: stamp for part in run for path, stamp in part.files.items()}
            rows = f"SELECT * FROM {relation(self.folder, run, ROWS)}"
            merged = self._written(rows, stamps, lines_of(self.folder, run))
            parts.append(merged)
            if distinct.issuperset(part.name for part in run):
                distinct.add(merged.name)
        names = {part.name for part in parts}
        return Manifest(parts=parts, distinct=distinct & names)


def relation(folder: Path, parts: Iterable[StagedPart], name: str) -> str:
    """Return SQL of a relation that reads the files of one name in some parts."""
    return _parquet([folder / part.name / name for part in parts])


def lines_of(folder: Path, parts: Iterable[StagedPart]) -> str:
    """Return a SELECT of the lines that are no rows in the files of some parts, if any are."""
    with_lines = [part for part in parts if LINES in part.sizes]
    return f"SELECT * FROM {relation(folder, with_lines, LINES)}" if with_lines else ""


def _parquet(paths: Sequence[Path]) -> str:
    listed = ", ".join(text_literal(str(path)) for path in paths)
    return f"read_parquet([{listed}], hive_partitioning=false)"


def _packed(
    items: Iterable[T], rows_of: Callable[[T], int], largest: float = math.inf
) -> list[list[T]]:
    """Return neighbours together up to the rows of a part; what has more than `largest`, alone."""
    groups: list[list[T]] = []
    room = 0
    for item in items:
        rows = rows_of(item)
        if not groups or rows > min(room, largest):
            groups.append([])
            room = PART_ROWS if rows <= largest else 0
        groups[-1].append(item)
        room -= rows
    return groups


def _tally(layout: Layout, relation: str) -> str:
    """Return a SELECT that counts staged rows by account, reason and remarks."""
    account = "account_id" if "account_id" in layout.columns else "CAST(NULL AS VARCHAR)"
    time = layout.event_time()
    clocks = "".join(f", max({quote(clock)}) AS {quote(clock)}" for clock in layout.clocks)
    return (
        f"SELECT {account} AS account_id, _reason, _flags, count(*) AS n, min({time}) AS _first, "
        f"max({time}) AS _last{clocks} FROM {relation} GROUP BY ALL"
    )


def rows_in(
    files: Files, stamps: Mapping[str, Stamp], paths: Sequence[str], engine: Engine
) -> dict[str, int]:
    """Return the rows of files, estimated where they are text."""
    if files.text:
        return {path: stamps[path][0] // BYTES_A_ROW for path in paths}
    names = ", ".join(map(text_literal, paths))
    sql = f"SELECT file_name, num_rows FROM parquet_file_metadata([{names}])"
    return {row["file_name"]: row["num_rows"] for row in engine.fetch(sql).to_pylist()}
