"""The database behind the store: connections, transactions and the version of its schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, inspect, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionError

from tenure.core.config import Config
from tenure.core.errors import ConfigError, Problem, first_line
from tenure.score.store.schema import HEAD

__all__ = [
    "UNREACHABLE",
    "Connection",
    "Engine",
    "StoreError",
    "connect",
    "store_url",
    "write_columns",
    "writing",
]
StoreError = SQLAlchemyError
UNREACHABLE = (OperationalError, InterfaceError, NoConnectionError)
"""Errors of a database that is not there, or has no connection left."""
FILE = "tenure.db"
PATIENCE = 300.0
"""Seconds that a writer waits for another one."""
INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
"""Name of a database → its insert that knows what to do with a row that stands already."""
CONNECT_SECONDS = 5
VERSIONS = Path(__file__).with_name("versions")
MIGRATING = 7_310_465
"""Number of the lock that PostgreSQL holds while the schema is brought up to date."""


def store_url(config: Config) -> str:
    """Return the URL of a config's store."""
    return config.store.url or f"sqlite:///{config.paths.runs / FILE}"


def stands(config: Config) -> bool:
    """Return whether a config names a database, or its own file is there."""
    return config.store.url is not None or (config.paths.runs / FILE).is_file()


def connect(url: str) -> Engine:
    """Return a way into the store, whose schema is brought up to date where it is older.

    `url` is SQLAlchemy's; a SQLite file is made where there is none.

    Raises:
        ConfigError: If the database cannot be reached or used, or is newer than this version.
    """
    place = make_url(url)
    if place.get_backend_name() == "sqlite":
        Path(str(place.database)).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(place, connect_args={"timeout": PATIENCE})
        event.listen(engine, "connect", _configured)
        event.listen(engine, "begin", _begun)
    else:
        server = place.set(drivername="postgresql+psycopg")
        # A connection that was cut is noticed before a statement is lost on it.
        engine = create_engine(
            server, pool_pre_ping=True, connect_args={"connect_timeout": CONNECT_SECONDS}
        )
    try:
        _bring_up_to_date(engine)
    except ConfigError:
        engine.dispose()
        raise
    except SQLAlchemyError as error:
        engine.dispose()
        shown = place.render_as_string(hide_password=True)
        fix = "check `store.url`, and that the database runs and may be written"
        raise ConfigError(
            Problem(f"store {shown}", "cannot be used", first_line(error), fix)
        ) from None
    return engine


def _configured(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # transactions begin below, not where the driver thinks fit
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA foreign_keys=ON")
    # SQLite's own knows the letters of ASCII alone: nobody would find Söhne under SÖHNE.
    connection.create_function("lower", 1, _lower, deterministic=True)


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _begun(connection: Connection) -> None:
    """Begin a transaction; one that writes waits here for any other writer."""
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Yield a connection in a transaction that writes all or nothing."""
    with engine.execution_options(writes=True).begin() as connection:
        yield connection


def write_columns(
    connection: Connection,
    table: Table,
    same: Mapping[str, Any],
    columns: Mapping[str, Sequence[Any]],
) -> None:
    """Write many rows of plain values, as fast as the driver takes them.

    The connection is in a transaction that writes; `same` is column → the value of every row,
    `columns` column → the values of the rows.
    """
    dialect, names = connection.dialect, [*same, *columns]
    values: list[Any] = [*map(repeat, same.values()), *columns.values()]
    for place, name in enumerate(names):
        if bind := table.c[name].type.dialect_impl(dialect).bind_processor(dialect):
            values[place] = map(bind, values[place])
    rows = zip(*values, strict=False)  # what is the same in all rows has no end
    listed = ", ".join(map(dialect.identifier_preparer.quote, names))
    if dialect.name != "postgresql":
        marks = ", ".join("?" * len(names))
        statement = f"INSERT INTO {table.name} ({listed}) VALUES ({marks})"
        if many := list(rows):
            connection.exec_driver_sql(statement, many)
        return
    statement = f"COPY {table.name} ({listed}) FROM STDIN"
    base: Any = dialect.loaded_dbapi.Error
    try:
        with connection.connection.cursor().copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except base as error:
        raise DBAPIError.instance(statement, (), error, base, dialect=dialect) from error


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _bring_up_to_date(engine: Engine) -> None:
    with engine.connect() as connection:
        if _version(connection) == HEAD:
            return
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": MIGRATING})
        _migrate(connection)


def _migrate(connection: Connection) -> None:
    """Run the steps that the schema lacks, as part of the transaction that is open."""
    from alembic.config import Config as Settings
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    script = ScriptDirectory(str(VERSIONS.parent), version_locations=[str(VERSIONS)])

    def steps(version: Any, _: Any) -> Any:
        return script._upgrade_revs("head", version)

    try:
        with EnvironmentContext(Settings(), script, fn=steps) as environment:
            environment.configure(connection=connection)
            environment.run_migrations()
    except CommandError:
        shown = connection.engine.url.render_as_string(hide_password=True)
        rule = "was written by another version of Tenure"
        fix = "use that version, or set `store.url` to another database"
        raise ConfigError(
            Problem(f"store {shown}", rule, f"schema {_version(connection)}", fix)
        ) from None
