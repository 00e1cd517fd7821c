"""Sections of a config that say where tables come from."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_serializer, model_validator

from tenure.core.sections import Section
from tenure.core.steps import text_literal


class ConnectionConfig(Section):
    """How a database is reached; its tables land as files before they are read."""

    # It may hold a password, which no record of a run is to repeat.
    url: str | None = Field(None, exclude=True, repr=False)
    """`postgresql://user:${PASSWORD}@host/database`, `sqlite:///file.db`, `duckdb:///file.duckdb`,
    `snowflake://…`, or any other of SQLAlchemy; passwords only from the environment."""
    driver: str | None = None
    """Python package of an ADBC driver, e.g. `adbc_driver_flightsql`; default: the one for the URL
    where it is installed, else SQLAlchemy."""
    options: dict[str, str] = Field({}, exclude=True, repr=False)
    """Options of the ADBC driver, by their names."""


def _constant(value: Any) -> Any:
    """Return the SQL of a constant, `{value: nps}`; anything else as it is."""
    if not isinstance(value, dict):
        return value
    constant = value.get("value")
    if set(value) != {"value"} or not isinstance(constant, str | int | float):
        raise ValueError("is your column, SQL, or a constant: `{value: WORD}`")
    return text_literal(str(constant))


Mapped = Annotated[str, BeforeValidator(_constant)]


class TableConfig(Section):
    """Where one table comes from and how its columns map onto the contract's."""

    path: str | None = None
    """CSV or Parquet file or glob, or a DuckDB file; relative to the config file, or else to
    `data.path`."""
    table: str | None = None
    """Table inside a DuckDB file or of a connection; without either, of Spark's catalogue."""
    sql: str | None = None
    """A SELECT over files (relative names likewise), tables of DuckDB files
    (`"crm.duckdb".accounts`) and of connections (`crm.public.accounts`). With a connection, one in
    the language of its database."""
    connection: str | None = None
    """Name of one of `connections`, which holds the `table` or answers `sql`."""
    delta: str | None = None
    """Folder or URL of a Delta table."""
    iceberg: str | None = None
    """Name of an Iceberg table, or the path of its metadata file."""
    catalog: str | None = None
    """Catalog of the Iceberg table, as PyIceberg's."""
    version: int | str | None = None
    """Version (or time) of a Delta table, or snapshot id of an Iceberg table; default: the
    latest."""
    snapshots: bool = False
    """Of accounts and subscriptions: `tenure snapshot` keeps what changed since the day before, and
    all else reads that history in the place of the table as it is today."""
    columns: dict[str, Mapped] = Field({})
    """Canonical name → your column, SQL, or `{value: WORD}` for the same in all rows."""
    formats: dict[str, str] = Field({})
    """Canonical time column → `iso`, `epoch_s`, `epoch_ms` or a strptime format."""
    ended_at: Literal["inclusive", "exclusive"] | None = None
    """Of subscriptions: whether an end without a time is the last paid day (`inclusive`) or the
    first unpaid one; by default, rows that follow each other tell."""
    assumptions: dict[str, str] = Field({})
    """Canonical column → what you assumed about it; listed by the audit."""
    frame: Any = Field(None, repr=False)
    """Rows that a program holds, in the place of a file: see `tenure.Project`."""

    @field_serializer("frame")
    def _shown(self, frame: Any) -> str | None:
        return None if frame is None else "in memory"

    @model_validator(mode="after")
    def _one_origin(self) -> TableConfig:
        if self.frame is not None:
            return self
        lake = [place for place in (self.delta, self.iceberg) if place is not None]
        if self.connection is not None:
            if (self.table is None) == (self.sql is None) or self.path is not None or lake:
                raise ValueError("`connection` needs exactly one of `table` and `sql`, and no file")
            return self
        catalogue = self.table is not None and self.path is None and self.sql is None
        places = [place for place in (self.path, self.sql, *lake) if place is not None]
        if len(places) != 1 and not (catalogue and not lake):
            raise ValueError(
                "needs exactly one of `path` and `sql`, or a `connection`, `delta` or `iceberg`"
            )
        if (self.version is not None and not lake) or (self.catalog and not self.iceberg):
            raise ValueError("`version` is of `delta` or `iceberg`, and `catalog` of `iceberg`")
        return self

    @property
    def lands(self) -> bool:
        """Return whether the rows are fetched into files before they are read."""
        remote = self.path is not None and "://" in self.path
        return self.frame is None and any((self.connection, self.delta, self.iceberg, remote))


def table_config(value: Any) -> Any:
    """Return the mapping of a table; a text is its path."""
    return {"path": value} if isinstance(value, str) else value


def connection_config(value: Any) -> Any:
    """Return the mapping of a connection; a text is its URL."""
    return {"url": value} if isinstance(value, str) else value
