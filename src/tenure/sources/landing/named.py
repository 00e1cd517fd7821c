"""Tables of connections that queries over files name: `FROM crm.public.companies`."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from tenure.core.config import Config
from tenure.core.tables import TableConfig


def connection_table(table: exp.Table, connections: Collection[str]) -> str | None:
    """Return what a table of a connection is called where it lands, None for any other table."""
    parts = [part for part in table.parts if isinstance(part, exp.Identifier)]
    if len(parts) < 2 or parts[0].name not in connections:
        return None
    return ".".join(part.name for part in parts)


def named_tables(config: Config) -> dict[str, TableConfig]:
    """Return the tables of connections that the queries of a config name, by what they are called.

    A name in quotes stays in quotes where the database is asked for it.
    """
    tables: dict[str, TableConfig] = {}
    for item in config.data.tables.values():
        if not config.connections or not item.sql or item.connection or item.snapshots:
            continue
        for table in _tables(item.sql):
            if name := connection_table(table, config.connections):
                first, *rest = table.parts
                place = ".".join(part.sql(dialect="postgres") for part in rest)
                tables[name] = TableConfig(connection=first.name, table=place)
    return tables


def settings_of(config: Config, name: str) -> TableConfig:
    """Return where a table of the contract, or one that a query names, comes from."""
    table = config.data.tables.get(name)
    return table if table is not None else named_tables(config)[name]


@lru_cache(maxsize=64)
def _tables(sql: str) -> tuple[exp.Table, ...]:
    try:
        return tuple(sqlglot.parse_one(sql, read="duckdb").find_all(exp.Table))
    except SqlglotError:
        return ()  # said where the query is run
