"""The closed past: cells of the parts of a table, kept beside them, so that a new day costs a day.

A part all of whose rows were known before a cut-off stands in one place of its grid, if it lies in
one slot too.  Its cells can then be made without knowing who asks and when, once for all later
cut-offs.  Parts that are still open, or that the edge of a window cuts, are read as rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from tenure.core.errors import DataError
from tenure.core.files import digest
from tenure.core.steps import Step
from tenure.features.compute.source_query import SCOPE, WEIGHT, SourceQuery, grouped
from tenure.sources.cache.pieces import kept_table
from tenure.sources.cache.update import relation_of
from tenure.sources.contract import SOURCES

if TYPE_CHECKING:
    from pathlib import Path

    from tenure.engine import Engine
    from tenure.features.compute.timeline import Timeline
    from tenure.sources.cache.pieces import Pieces

LEAST_ROWS = 100_000
"""Rows of a part below which they are read as they are."""
_ADDED = "CAST(sum({}) AS BIGINT)"
_AGAIN = {WEIGHT: _ADDED, "sum": _ADDED, "count": _ADDED, "min": "min({})", "max": "max({})"}
"""How what cells join is joined once more, by how its name ends."""


def with_kept_cells(
    engine: Engine, reading: SourceQuery, timeline: Timeline, pieces: Pieces | None
) -> Step | None:
    """Return the step of a reading for one cut-off, with kept cells for the parts that are closed.

    Args:
        engine: Reads the parts.
        reading: What is read.
        timeline: The grid, of one cut-off.
        pieces: Parts of the source, where it has any.

    Returns:
        A step that gives the cells of `Reading.step`; nothing where none are kept.
    """
    if pieces is None or not _stays(reading) or timeline.cutoffs[-1] > pieces.until:
        return None
    try:
        placed, rows = _placed(engine, reading, timeline, pieces)
    except (OSError, OverflowError, DataError):
        # Whatever cannot be kept is read: the features are the same.
        return None
    if not placed:
        return None
    parts = [_in_place(reading, cells, slot) for slot, cells in placed.items()]
    if rows:
        relation = f"({pieces.rows(rows)}) AS {reading.source}"
        parts.append(f"SELECT * FROM ({reading.text(timeline, relation)})")
    text = _again(reading, "\nUNION ALL BY NAME\n".join(parts), reading.place)
    return Step(reading.step(timeline).name, text)


def _stays(reading: SourceQuery) -> bool:
    """Return whether cells can be made of rows before it is known who asks and when."""
    clocks, times = set(reading.seen), set(reading.slot)
    return reading.cells and not SOURCES[reading.source].ends and (clocks, times) == ({()}, {None})


def _placed(
    engine: Engine, reading: SourceQuery, timeline: Timeline, pieces: Pieces
) -> tuple[Mapping[int, str], list[Path]]:
    """Return a file of cells for each slot that parts lie in, and the folders of other parts."""
    placed: dict[int, list[str]] = {}
    rows: list[Path] = []
    for folder in pieces.folders:
        span = pieces.span(folder, engine)
        if span is None:
            continue
        first, last = (timeline.slot_of(moment) for moment in (span.first, span.last))
        if last == 0 and timeline.earliest is not None:
            continue  # before every window
        if span.known >= timeline.cutoffs[0] or first != last or span.rows < LEAST_ROWS:
            rows.append(folder)
        else:
            placed.setdefault(first, []).append(_cells(engine, reading, pieces, folder))
    files = {
        slot: _together(engine, reading, cells, pieces.kept.folder)
        for slot, cells in sorted(placed.items())
    }
    return files, rows


def _together(engine: Engine, reading: SourceQuery, cells: list[str], folder: Path) -> str:
    """Return one file with the cells of some parts: the next part that closes makes it anew."""
    if len(cells) == 1:
        return cells[0]
    text = _again(reading, f"SELECT * FROM {relation_of(cells)}", ["account_id"])
    return str(kept_table(folder, f"cells-{digest(text)}", text, engine))


def _again(reading: SourceQuery, cells: str, place: Iterable[str]) -> str:
    """Return SQL that joins cells which stand in one place."""
    again = {name: _AGAIN[name.rpartition("_")[2]].format(name) for name in reading.totals}
    return grouped(cells, [*place, *reading.told_apart], again)


def _cells(engine: Engine, reading: SourceQuery, pieces: Pieces, folder: Path) -> str:
    """Return the file with the cells of a part, told apart by ``account_id``; made if need be."""
    numbered, joins = reading.numbered()
    items = [f"{reading.source}.account_id", *numbered]
    items += [f"{expression} AS {name}" for expression, name in reading.columns.items()]
    source = f"FROM ({pieces.rows([folder])}) AS {reading.source}"
    rows = "\n".join([f"SELECT {', '.join(items)}", source, *joins])
    text = grouped(rows, ["account_id", *reading.told_apart], reading.totals)
    return str(kept_table(folder, f"cells-{digest(text)}", text, engine))


def _in_place(reading: SourceQuery, cells: str, slot: int) -> str:
    """Return SQL that puts kept cells in the place of rows that were long seen."""
    places = [f"CAST(0 AS SMALLINT) AS {name}" for name in reading.seen.values()]
    places += [f"CAST({slot} AS SMALLINT) AS {name}" for name in reading.slot.values()]
    listed = ", ".join(["scope._no AS account_no", *places, *reading.told_apart, *reading.totals])
    return (
        f"SELECT {listed} FROM {relation_of([cells])} AS cells "
        f"JOIN {SCOPE} AS scope USING (account_id)"
    )
