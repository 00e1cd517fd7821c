"""The tables of a database as they are: all are listed, and those that are known are looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from tenure.core.errors import DataError, Problem
from tenure.core.tables import ConnectionConfig
from tenure.engine import Engine
from tenure.sources.landing.database import Database
from tenure.sources.landing.rows import write_rows
from tenure.sources.presets.declared import Preset
from tenure.sources.presets.raw_tables import RawColumn, RawTable, columns_of
from tenure.sources.presets.recognise import recognised

_ROWS = 200_000
"""Rows of a table that are looked at."""


def connection_tables(
    name: str, url: str, folder: Path, engine: Engine, presets: Iterable[Preset]
) -> Iterator[RawTable | Problem]:
    """Yield the tables of a database, and the problems with those that cannot be read.

    `name` is what the config calls the connection.  The first rows of tables that the presets know
    are put into the folder, and become known in the engine.

    Raises:
        DataError: If the database cannot be reached.
    """
    database = Database(name, ConnectionConfig(url=url))
    for number, (table, types) in enumerate(database.tables().items()):
        names = tuple(RawColumn(column.lower(), "", kind) for column, kind in types.items())
        listed = RawTable(name, "", names, table, connection=True)
        if not recognised(listed, presets):
            yield listed
            continue
        relation, path = f"_look_{number}", folder / f"{number}.parquet"
        sql = f"SELECT * FROM {listed.in_database}"
        try:
            with closing(database.batches(sql)) as batches:
                write_rows(_first(batches), path, lambda _: None)
        except DataError as error:
            yield Problem(listed.label, "cannot be read", str(error.problems[0]))
            continue
        engine.attach(relation, str(path))
        yield RawTable(name, relation, columns_of(relation, engine), table, connection=True)


def _first(batches: Iterable[Any]) -> Iterator[Any]:
    """Yield batches until they hold enough rows."""
    rows = 0
    for batch in batches:
        yield batch
        rows += batch.num_rows
        if rows >= _ROWS:
            return
