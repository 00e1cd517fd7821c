"""What landed last of a table, and where its files lie."""

from __future__ import annotations

import re
from pathlib import Path

from tenure.core.config import Config
from tenure.core.errors import DataError, Problem
from tenure.core.files import digest
from tenure.core.records.base import Record, Time
from tenure.core.secrets import masked
from tenure.sources.landing.named import settings_of

MANIFEST = "manifest.json"


class Landing(Record):
    """One table as it landed."""

    table: str
    """Canonical name."""
    origin: str
    """Where it came from, in words."""
    query: str
    """Hash of what was asked for, and of whom."""
    folder: str
    """Name of the folder that holds its files."""
    files: dict[str, int]
    """Names of the files → their sizes in bytes."""
    rows: int | None
    """Rows; None of files of an object store, which are not opened."""
    columns: dict[str, str] | None
    """Columns and their Arrow types, likewise."""
    content: str
    """SHA-256 over the files."""
    landed_at: Time
    """When it landed."""


def landing_folder(config: Config, name: str) -> Path:
    """Return the folder of all that landed of a table."""
    return (config.paths.runs / "landing" / re.sub(r"[^\w.-]", "_", name)).absolute()


def origin_of(config: Config, name: str) -> str:
    """Return where a table comes from, in words and without passwords."""
    table = settings_of(config, name)
    if table.connection is not None:
        return f"{table.connection}: {table.table or 'query'}"
    if table.delta is not None:
        return f"Delta table {masked(table.delta)}"
    return f"Iceberg table {table.iceberg}" if table.iceberg else masked(table.path or "")


def query_of(config: Config, name: str) -> str:
    """Return a hash of what is asked for and of whom; no password is a part of it."""
    table = settings_of(config, name)
    source = config.connections[table.connection] if table.connection else None
    url = masked(source.url or "") if source else ""
    parts = (table.connection, table.table, table.sql, table.path, table.delta, table.iceberg)
    more = (table.catalog, table.version, url, source.driver if source else None)
    return digest(*(str(part) for part in (*parts, *more)))


def last_landing(config: Config, name: str) -> Landing | None:
    """Return what landed last of a table as the config asks for it, if its files are whole."""
    folder = landing_folder(config, name)
    try:
        landing = Landing.model_validate_json((folder / MANIFEST).read_bytes())
        whole = all(
            (folder / landing.folder / file).stat().st_size == size
            for file, size in landing.files.items()
        )
    except (OSError, ValueError):
        return None
    return landing if whole and landing.query == query_of(config, name) else None


def landed_files(config: Config, name: str) -> Path:
    """Return the folder with the files that landed last of a table.

    Raises:
        DataError: If nothing has landed yet, as the config asks for it.
    """
    landing = last_landing(config, name)
    if landing is None:
        fix = "run `tenure check CONFIG`, which fetches it"
        raise DataError(Problem(name, "has not been fetched yet", origin_of(config, name), fix))
    return landing_folder(config, name) / landing.folder
