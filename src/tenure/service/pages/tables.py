"""The data: what went in, what was used, what was rejected and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tenure.report.sentences.formatting import counted, sentence
from tenure.report.sentences.formatting import plain as words
from tenure.report.sentences.values import cut
from tenure.report.tables.data import data_view
from tenure.report.tables.layout import Cell, Table, table

if TYPE_CHECKING:
    from tenure.service.pages.state import PageState

SHOWN = 50
"""Rejected rows of a table that are shown."""


def data_parts(state: PageState) -> dict[str, Any]:
    """Return what the page of the data shows, by its name in the template."""
    record = state.data()
    folder = state.config.paths.runs / "rejects"
    rejects = [rejected(path) for path in sorted(folder.glob("*.parquet"))]
    return {
        "page": {"data": data_view(record)} if record else None,
        "rejects": [item for item in rejects if item is not None],
    }


def rejected(path: Path) -> Table | None:
    """Return the first rejected rows of a table, as `tenure check` wrote them."""
    from pyarrow.parquet import ParquetFile

    with ParquetFile(path) as file:
        total = file.metadata.num_rows
        batch = next(file.iter_batches(SHOWN), None)
    if batch is None:
        return None
    shown = f", of which {SHOWN} are shown" if total > SHOWN else ""
    return table(
        f"{path.stem}: {counted(total, 'rejected row')}{shown}",
        batch.to_pylist(),
        ("Reason", lambda row: Cell(sentence(words(row["reason"])), row["rule"] or "")),
        ("Row", lambda row: _row(row["row"])),
    )


def _row(text: str) -> str:
    """Return a rejected row, which is JSON, as names and values."""
    try:
        values = json.loads(text)
    except ValueError:
        return cut(text)
    shown = (f"{words(name)} {cut(str(value), 60)}" for name, value in values.items() if value)
    return " · ".join(shown)
