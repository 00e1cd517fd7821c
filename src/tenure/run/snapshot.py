"""`tenure snapshot`: a copy of the day of the tables that are overwritten at their source."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tenure.core.config import Config
from tenure.core.errors import ConfigError, Problem
from tenure.core.progress import SILENT, Progress
from tenure.core.times import now
from tenure.engine import open_engine
from tenure.run.runs_folder import claim_runs_folder
from tenure.sources.landing.land import land
from tenure.sources.landing.snapshots import Copy, require_key, take
from tenure.sources.origin import attach_table


@dataclass(frozen=True)
class Snapshots:
    """What a run copied."""

    copies: dict[str, Copy | None]
    """Table → its copy of the day, None where there was one already."""

    def to_json(self) -> dict[str, Any]:
        """Return the copies as JSON values."""
        return {name: copy and copy.to_json() for name, copy in self.copies.items()}

    def lines(self) -> list[str]:
        """Return a sentence for each table."""
        return [
            f"{name}: {copy.rows:,} rows; {copy.new:,} new, {copy.changed:,} changed, "
            f"{copy.gone:,} gone"
            if copy
            else f"{name}: today's copy was taken before; nothing added"
            for name, copy in self.copies.items()
        ]


def run_snapshot(
    config: Config, progress: Progress = SILENT, *, at: datetime | None = None, force: bool = False
) -> Snapshots:
    """Copy what changed in the tables with `snapshots: true` since their last copy.

    At a time in naive UTC, now by default; with `force` also where many rows are gone.

    Raises:
        ConfigError: If no table is to be copied.
        DataError: If a table cannot be read, or looks cut off.
    """
    tables = config.data.tables
    names = [name for name, table in tables.items() if table.snapshots]
    if not names:
        fix = "write e.g. `accounts: {path: crm.csv, snapshots: true}` under data.tables"
        raise ConfigError(Problem("data.tables", "none has `snapshots: true`", fix=fix))
    for name in names:
        require_key(name)
    sources = {name: tables[name].model_copy(update={"snapshots": False}) for name in names}
    today = config.model_copy(
        update={
            "data": config.data.model_copy(update={"tables": sources, "land": "always"}),
            "engine": config.engine.model_copy(update={"kind": "duckdb"}),
        }
    )
    claim_runs_folder(config)
    land(today, progress, anew=True)
    progress.stage("copies of the day")
    copies: dict[str, Copy | None] = {}
    with closing(open_engine(today)) as engine:
        for number, name in enumerate(names):
            progress.step(number, len(names), name)
            attach_table(name, today, engine)
            copies[name] = take(today, name, engine, at or now(), force=force)
    return Snapshots(copies)
