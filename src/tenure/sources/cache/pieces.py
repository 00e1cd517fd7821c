"""Parts of a canonical table that stay as they are from one load to the next.

What follows from the rows of a part alone can be kept beside them: the staged part is replaced as a
whole when one of its files changes.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from tenure.core.files import replacing, write_json
from tenure.core.times import EPOCH
from tenure.sources.cache.manifest import ROWS
from tenure.sources.cache.update import relation_of
from tenure.sources.canonical import lasting

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tenure.engine import Engine
    from tenure.sources.cache.parts import StagedParts
    from tenure.sources.staging_sql import Layout

SPAN, SUFFIX = "span.json", ".kept.parquet"
MOST = 8
"""Tables kept in one folder, and more where they were used of late: somebody may read them."""
UNUSED_SECONDS = 86_400


@dataclass(frozen=True)
class Span:
    """Where the rows of a part lie.

    Attributes:
        rows: How many they are.
        first: Earliest event time, naive UTC.
        last: Latest event time.
        known: Latest time at which a row became known.
    """

    rows: int
    first: datetime
    last: datetime
    known: datetime


@dataclass(frozen=True)
class Pieces:
    """The parts of a canonical table.

    Attributes:
        layout: How the table was staged.
        columns: Columns found and not wholly empty.
        kept: Its staged parts, in which no row is a duplicate.
        until: `observed_until`.
    """

    layout: Layout
    columns: frozenset[str]
    kept: StagedParts
    until: datetime

    @property
    def folders(self) -> list[Path]:
        """Return the folder of each part."""
        return [self.kept.folder / part.name for part in self.kept.parts]

    def rows(self, folders: Iterable[Path]) -> str:
        """Return a SELECT of the canonical rows of some parts.

        Those of unknown accounts are among them, and whatever lies at or after `until`.
        """
        relation = relation_of([str(folder / ROWS) for folder in folders])
        return lasting(self.layout, self.columns, relation)

    def span(self, folder: Path, engine: Engine) -> Span | None:
        """Return where the rows of a part lie, nothing where it has none."""
        path = folder / SPAN
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            times = ("min(event_time)", "max(event_time)", "max(known_at)")
            columns = ", ".join(f"epoch_us({time})" for time in times)
            row = engine.fetch(f"SELECT count(*), {columns} FROM ({self.rows([folder])})")
            found = [column[0].as_py() for column in row.columns]
            write_json(path, found)
        rows, *moments = found
        return Span(rows, *(EPOCH + timedelta(microseconds=at) for at in moments)) if rows else None

    def count(self, engine: Engine) -> int:
        """Return how many rows the parts have together."""
        spans = [self.span(folder, engine) for folder in self.folders]
        return sum(span.rows for span in spans if span)


def kept_table(folder: Path, name: str, sql: str, engine: Engine) -> Path:
    """Return the Parquet file of a SELECT over kept files, made where it is not there.

    Args:
        folder: Where it is kept: that of a part, or of all parts.
        name: Stands for the SELECT.
        sql: The SELECT.
        engine: What runs it.
    """
    path = folder / f"{name}{SUFFIX}"
    if path.exists():
        os.utime(path)
        return path
    with replacing(path) as temporary:
        # The name that an engine writes to tells it the form.
        form = temporary.with_suffix(".parquet")
        engine.write(sql, str(form))
        form.replace(temporary)
    _tidy(folder)
    return path


def _tidy(folder: Path) -> None:
    used = sorted((item.stat().st_mtime, item) for item in folder.glob(f"*{SUFFIX}"))
    for when, old in used[:-MOST]:
        if when < time.time() - UNUSED_SECONDS:
            old.unlink(missing_ok=True)
