"""Fetch the tables of a config that lie in databases, lakes and object stores."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from tenure.core.files import locked, publishing, sha256, write_json
from tenure.core.progress import SILENT, Progress
from tenure.core.times import now
from tenure.sources.landing import lake
from tenure.sources.landing.database import Database
from tenure.sources.landing.manifest import (
    MANIFEST,
    Landing,
    landing_folder,
    last_landing,
    origin_of,
    query_of,
)
from tenure.sources.landing.named import named_tables, settings_of
from tenure.sources.landing.rows import write_rows

if TYPE_CHECKING:
    import pyarrow as pa

    from tenure.core.config import Config

ROWS = "rows.parquet"


def landing_tables(config: Config) -> list[str]:
    """Return the tables that are fetched before they are read; Spark reads stores itself."""
    spark = config.engine.kind == "spark"
    own = [
        name
        for name, table in config.data.tables.items()
        if table.lands and not table.snapshots and not (spark and table.path is not None)
    ]
    return [*own, *named_tables(config)]


def land(config: Config, progress: Progress = SILENT, *, anew: bool) -> None:
    """Fetch the tables of a config that do not lie in files.

    Those that have landed before only `anew`, and with `data.land: once` not even then.

    Raises:
        DataError: If a database cannot be reached or a table not be read; what landed before stays.
    """
    always = anew and config.data.land == "always"
    names = [
        name for name in landing_tables(config) if always or last_landing(config, name) is None
    ]
    if names:
        progress.stage("fetching tables")
    for number, name in enumerate(names):
        steps = _Steps(progress, number, len(names), f"{name} from {origin_of(config, name)}")
        land_table(config, name, steps)


class _Steps:
    """Tells how far one of several tables has come."""

    def __init__(self, progress: Progress, number: int, total: int, what: str) -> None:
        self._progress, self._number, self._total, self._what = progress, number, total, what
        progress.step(number, total, what)

    def rows(self, rows: int) -> None:
        self._progress.step(self._number, self._total, f"{self._what}: {rows:,} rows")

    def files(self, done: int, total: int) -> None:
        self._progress.step(self._number, self._total, f"{self._what}: {done} of {total} files")


def land_table(config: Config, name: str, steps: _Steps) -> Landing:
    """Fetch one table; what landed before stays until all of it has landed.

    Raises:
        DataError: If it cannot be read.
    """
    table, folder = settings_of(config, name), landing_folder(config, name)
    rows, columns = None, None
    with locked(folder):
        before = last_landing(config, name)
        run = folder / uuid4().hex[:16]
        with publishing(run) as temporary:
            if table.path is not None:
                lake.fetch_files(name, table.path, temporary, steps.files)
            else:
                rows, columns = write_rows(_batches(config, name), temporary / ROWS, steps.rows)
            files = {str(path.relative_to(temporary)): path for path in _files(temporary)}
            landing = Landing(
                table=name,
                origin=origin_of(config, name),
                query=query_of(config, name),
                folder=run.name,
                files={file: path.stat().st_size for file, path in files.items()},
                rows=rows,
                columns=columns,
                content=_content(files),
                landed_at=now(),
            )
        if before and before.content == landing.content:
            # The files stay as old as they are, so that what was made of them can be used again.
            landing = landing.model_copy(update={"folder": before.folder})
        write_json(folder / MANIFEST, landing.to_json())
        _tidy(folder, {landing.folder, before.folder if before else ""})
    return landing


def _batches(config: Config, name: str) -> Iterator[pa.RecordBatch | pa.Table]:
    table = settings_of(config, name)
    if table.delta is not None:
        return lake.delta_batches(name, table)
    if table.iceberg is not None:
        return lake.iceberg_batches(name, table)
    connection = str(table.connection)
    sql = table.sql or f"SELECT * FROM {table.table}"
    return Database(connection, config.connections[connection]).batches(sql)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _content(files: dict[str, Path]) -> str:
    """Return the SHA-256 over names and contents of files."""
    whole = hashlib.sha256()
    for name, path in files.items():
        whole.update(f"{name}\0{sha256(path)}\n".encode())
    return whole.hexdigest()


def _tidy(folder: Path, stay: set[str]) -> None:
    """Remove what landed before the last time but one."""
    for path in folder.iterdir():
        if path.is_dir() and path.name not in stay:
            shutil.rmtree(path, ignore_errors=True)
