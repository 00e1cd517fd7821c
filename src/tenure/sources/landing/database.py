"""Databases, read by the driver that gives Arrow where there is one, else by SQLAlchemy.

DuckDB files are read by DuckDB itself.  SQLite is read by SQLAlchemy unless `adbc_driver_sqlite` is
named: its columns may hold values of several types, which that driver settles by the first rows.
Nothing is ever committed.
"""

from __future__ import annotations

import importlib
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from tenure.core.authored import expanded
from tenure.core.errors import DataError, Problem
from tenure.core.paths import FILE_DATABASES
from tenure.core.secrets import masked, passwords
from tenure.engine import duckdb_batches
from tenure.sources.frames import arrow_array
from tenure.sources.landing.rows import ROWS_A_BATCH

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlalchemy import Connection

    from tenure.core.tables import ConnectionConfig

ADBC = {
    "postgresql": "adbc_driver_postgresql",
    "snowflake": "adbc_driver_snowflake",
    "bigquery": "adbc_driver_bigquery",
}
"""Scheme of a URL → the package that gives Arrow."""
SQLITE = "adbc_driver_sqlite"
INSTALL = {
    "postgresql": "`pip install 'tenure[adbc]'`",
    "snowflake": "`pip install adbc-driver-snowflake`",
    "bigquery": "`pip install adbc-driver-bigquery`",
    "databricks": "`pip install databricks-sqlalchemy`",
    "redshift": "`pip install sqlalchemy-redshift`",
    "mysql": "`pip install pymysql` and write mysql+pymysql://",
    "mssql": "`pip install pyodbc` and write mssql+pyodbc://",
}
SHOWN = 300
"""Characters of a driver's reason that a message shows."""
LONG = 5
"""Characters from which the value of an option may be a secret."""
LISTING = """
SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns
WHERE lower(table_schema) NOT IN ('information_schema', 'pg_catalog')
ORDER BY table_schema, table_name, ordinal_position"""
LISTING_OF = {
    "sqlite": "SELECT 'main', m.name, p.name AS column_name, p.type FROM sqlite_master AS m, "
    "pragma_table_info(m.name) AS p WHERE m.type IN ('table', 'view') ORDER BY m.name, p.cid",
    "bigquery": LISTING.replace("information_schema.columns", "INFORMATION_SCHEMA.COLUMNS"),
}


class Database:
    """A database that a config names.

    Args:
        name: Its name under `connections`.
        settings: How it is reached.

    Raises:
        DataError: If it has no URL, or one that is not understood.
    """

    def __init__(self, name: str, settings: ConnectionConfig) -> None:
        self.name, self.driver = name, settings.driver
        self.url = expanded(settings.url or "")
        self.options = {key: expanded(value) for key, value in settings.options.items()}
        self.scheme = self.url.partition("://")[0]
        held = passwords(self.url)
        options = [value for value in self.options.values() if len(value) > LONG]
        self._secrets = [*held, *map(unquote, held), *options]
        if "://" not in self.url and not (self.driver and self.options):
            fix = "write e.g. `url: postgresql://user:${PASSWORD}@host/database`"
            raise DataError(
                Problem(f"connections.{name}", "needs a `url`", self._safe(self.url), fix)
            )

    def batches(self, sql: str) -> Generator[pa.RecordBatch | pa.Table, None, None]:
        """Yield the rows of a query in batches, at least one.

        Raises:
            DataError: If the database cannot be reached or refuses the query; no password is in
                the message.
        """
        with self._explained():
            if self.scheme in FILE_DATABASES and not self.driver:
                yield from self._of_file(sql)
            elif package := self._arrow_driver():
                yield from self._of_adbc(package, sql)
            else:
                yield from self._of_sqlalchemy(self.url, sql)

    def tables(self) -> dict[str, dict[str, str]]:
        """Return the tables of the database, as ``schema.name``, with their columns and types.

        Raises:
            DataError: If the database cannot be reached or has no catalogue to read.
        """
        listed: dict[str, dict[str, str]] = {}
        for batch in self.batches(LISTING_OF.get(self.scheme, LISTING)):
            columns = [batch.column(place).to_pylist() for place in range(4)]
            for schema, table, column, kind in zip(*columns, strict=True):
                name = table if schema == "main" else f"{schema}.{table}"
                listed.setdefault(name, {})[column] = kind
        return listed

    def _of_file(self, sql: str) -> Iterator[Any]:
        path = self.url.partition(":///")[2]
        if not Path(path).is_file():
            rule, fix = "the file does not exist", f"correct connections.{self.name}.url"
            raise DataError(Problem(f"connection {self.name}", rule, path, fix))
        if self.scheme == "duckdb":
            return duckdb_batches(path, sql, ROWS_A_BATCH)
        return self._of_sqlalchemy(f"sqlite:///file:{path}?mode=ro&uri=true", sql)

    def _arrow_driver(self) -> str | None:
        """Return the package of the ADBC driver that is to be used, if any."""
        if self.driver:
            return self.driver
        package = ADBC.get(self.scheme)
        wanted = (package, "adbc_driver_manager") if package else ()
        return package if wanted and all(map(find_spec, wanted)) else None

    def _of_adbc(self, package: str, sql: str) -> Iterator[Any]:
        try:
            dbapi: Any = importlib.import_module(f"{package}.dbapi")
        except ModuleNotFoundError as error:
            if error.name and not f"{package}.dbapi".startswith(error.name):
                raise
            fix = f"`pip install {package.replace('_', '-')}`, or leave `driver` out"
            rule = "is no ADBC driver that is installed"
            raise DataError(
                Problem(f"connections.{self.name}.driver", rule, package, fix)
            ) from None
        place, options = _place(self.url, package), self.options
        if package == ADBC["bigquery"] and place:
            project, _, dataset = place.partition("/")
            keys = ("adbc.bigquery.sql.project_id", "adbc.bigquery.sql.dataset_id")
            options = {**dict(zip(keys, filter(None, (project, dataset)), strict=False)), **options}
            place = ""
        arguments = (place,) if place else ()
        keywords = {"db_kwargs": options} if options else {}
        with (
            closing(dbapi.connect(*arguments, **keywords)) as connection,
            closing(connection.cursor()) as cursor,
        ):
            cursor.execute(sql)
            reader = cursor.fetch_record_batch()
            yield reader.schema.empty_table()
            yield from reader

    def _of_sqlalchemy(self, url: str, sql: str) -> Iterator[Any]:
        from sqlalchemy import create_engine, make_url
        from sqlalchemy.pool import NullPool

        place = make_url(url)
        if place.drivername == "postgresql":
            place = place.set(drivername="postgresql+psycopg")
        engine = create_engine(place, poolclass=NullPool)
        with engine.connect() as connection:
            yield from _fetched(connection, sql)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn whatever a driver raises into one message without passwords."""
        try:
            yield
        except (DataError, GeneratorExit):
            raise
        except Exception as error:
            raise DataError(self._problem(error)) from None

    def _problem(self, error: Exception) -> Problem:
        inner = getattr(error, "orig", None) or error
        text = self._safe(" ".join(str(inner).split()) or type(inner).__name__)
        reason = text if len(text) <= SHOWN else f"{text[:SHOWN]} …"
        if type(error).__name__ == "NoSuchModuleError" or isinstance(error, ModuleNotFoundError):
            kind = self.scheme.partition("+")[0]
            fix = INSTALL.get(kind, "install the package with SQLAlchemy's dialect for it")
            rule = f"needs a driver for {kind}, which is not installed"
            return Problem(f"connection {self.name}", rule, reason, fix)
        fix = "check the URL, that the database runs and may be read, and the query or table name"
        return Problem(f"connection {self.name}", "cannot be read", reason, fix)

    def _safe(self, text: str) -> str:
        return masked(text, self._secrets)


def _place(url: str, package: str) -> str:
    """Return a URL as a driver wants it: some know their database without its scheme."""
    scheme, _, rest = url.partition("://")
    if package == SQLITE:
        return rest.removeprefix("/")
    bare = ADBC.get(scheme) == package and scheme != "postgresql"
    return rest if bare else url


def _fetched(connection: Connection, sql: str) -> Iterator[Any]:
    import pyarrow

    options = connection.execution_options(stream_results=True, no_parameters=True)
    result = options.exec_driver_sql(sql)
    names = list(result.keys())
    yield pyarrow.table([pyarrow.nulls(0) for _ in names], names=names)
    while rows := result.fetchmany(ROWS_A_BATCH):
        values = [list(column) for column in zip(*rows, strict=True)]
        arrays = [
            pyarrow.nulls(len(column))
            if all(value is None for value in column)
            else arrow_array(column)
            for column in values
        ]
        yield pyarrow.table(arrays, names=names)
