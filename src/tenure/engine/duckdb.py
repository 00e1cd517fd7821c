"""The embedded engine: DuckDB, in memory, spilling to disk past its memory limit."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import duckdb

from tenure.core.errors import DataError, Problem
from tenure.core.steps import Step, quote, text_literal
from tenure.engine.base import CSV_SUFFIXES, DATABASE_SUFFIXES, Engine, Pairing, has_suffix

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_IN_MEMORY = 16_000_000
"""Rows up to which a divided step is one table, filtered for each share."""

# Of small tables that copy takes less time than what it saves: see `DuckDBEngine.fetch`.
warnings.filterwarnings("ignore", "Arrow output on a DB-API result makes an extra copy")


class DuckDBEngine(Engine):
    """Runs SQL steps in one DuckDB connection.

    Args:
        threads: Worker threads.
        memory_limit: What DuckDB may hold before it spills, e.g. ``4GB``.
        search_path: Folders in which relative file names inside SQL are looked for.
        optimize: Whether DuckDB plans each statement with care, which pays from thousands of rows.
    """

    dialect: ClassVar[str] = "duckdb"
    scatters: ClassVar[bool] = False

    def __init__(
        self,
        threads: int = 2,
        memory_limit: str = "4GB",
        search_path: Sequence[str | Path] = (),
        *,
        optimize: bool = True,
    ) -> None:
        self.threads = threads
        self._optimizes = optimize
        self._kinds: dict[str, str] = {}
        self._divided: dict[str, tuple[str, str]] = {}
        self._spill = tempfile.TemporaryDirectory(prefix="tenure-")
        self.scratch = self._spill.name
        self._connection = duckdb.connect(
            ":memory:",
            config={
                "threads": threads,
                "memory_limit": memory_limit,
                "temp_directory": self._spill.name,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "preserve_insertion_order": False,
            },
        )
        self._connection.execute("SET TimeZone='UTC'")
        if not optimize:
            self._connection.execute("PRAGMA disable_optimizer")
        if search_path:
            # DuckDB reads a file once for each folder that holds it, also where two are the same.
            folders = ",".join(dict.fromkeys(str(folder) for folder in search_path))
            self._connection.execute(f"SET file_search_path={text_literal(folders)}")

    def run(self, steps: Sequence[Step]) -> None:
        """Create a table (or view) for each step, in order, replacing one of the same name."""
        for step in steps:
            self._create("VIEW" if step.lazy else "TABLE", step.name, step.sql)

    def _create(self, kind: str, name: str, select: str) -> None:
        if self._kinds.get(name, kind) != kind:
            self.drop(name)
        self._execute(f"CREATE OR REPLACE TEMP {kind} {quote(name)} AS {select}")
        self._kinds[name] = kind

    def fetch(self, sql: str) -> pa.Table:
        """Return the rows of a SELECT as an Arrow table."""
        with _explained(sql):
            # A relation plans its statement twice; a result copies its rows, here few.
            run = self._connection.sql if self._optimizes else self._connection.execute
            return run(sql).to_arrow_table()

    def divide(self, step: Step, key: str, rows: int) -> None:
        """Compute the rows of a step, to be read by a column of whole numbers; many lie on disk."""
        folder = self._folder(step.name)
        shutil.rmtree(folder, ignore_errors=True)
        if rows <= ROWS_IN_MEMORY:
            self.run([step])
            self._divided[step.name] = (key, "")
            return
        options = f"FORMAT parquet, PARTITION_BY ({quote(key)})"
        self._execute(f"COPY ({step.sql}) TO {text_literal(str(folder))} ({options})")
        self._divided[step.name] = (key, step.sql)

    def share(self, name: str, value: int) -> pa.Table:
        """Return the rows of a divided step that have one value of its key."""
        key, text = self._divided[name]
        if not text:
            rest = f"SELECT * EXCLUDE ({quote(key)}) FROM {quote(name)}"
            return self.fetch(f"{rest} WHERE {quote(key)} = {value}")
        folder = self._folder(name) / f"{key}={value}"
        if not folder.is_dir():
            return self.fetch(f"SELECT * EXCLUDE ({quote(key)}) FROM ({text}) LIMIT 0")
        files = text_literal(f"{folder}/*.parquet")
        return self.fetch(f"SELECT * FROM read_parquet({files}, hive_partitioning = false)")

    def _folder(self, name: str) -> Path:
        return Path(self._spill.name) / f"divided-{name}"

    def register(self, name: str, table: pa.Table) -> None:
        """Make a table known under a name, replacing one of the same name."""
        self._connection.register("_incoming", table)
        self._create("TABLE", name, "SELECT * FROM _incoming")
        self._connection.unregister("_incoming")

    def attach(self, name: str, path: str, table: str | None = None) -> None:
        """Make a CSV or Parquet file (or glob), or a table of a DuckDB file, known under a name."""
        if not path:
            fix = "set `engine: {kind: spark}`, or give the file that holds the table as `path`"
            raise DataError(Problem(f"table {table}", "DuckDB has no catalogue", fix=fix))
        if has_suffix(path, DATABASE_SUFFIXES):
            schema, _, inner = (table or name).rpartition(".")
            source = f"{self._database(path)}.{quote(schema or 'main')}.{quote(inner)}"
        elif has_suffix(path, CSV_SUFFIXES):
            # Every value stays text: types are coerced by the declared rules, not guessed.
            options = "all_varchar=true, header=true, skip=0, union_by_name=true"
            source = f"read_csv({text_literal(path)}, {options})"
        else:
            options = "union_by_name=true, can_have_nan=true"
            source = f"read_parquet({text_literal(path)}, {options})"
        self._create("VIEW", name, f"SELECT * FROM {source}")

    def _database(self, path: str) -> str:
        alias = quote(f"db:{path}")
        self._execute(f"ATTACH IF NOT EXISTS {text_literal(path)} AS {alias} (READ_ONLY)")
        return alias

    def tables(self, path: str) -> list[str]:
        """Return the names of the tables and views in a DuckDB file, with schemas but `main`."""
        self._database(path)
        rows = self._execute(
            "SELECT CASE WHEN table_schema = 'main' THEN '' ELSE table_schema || '.' END || "
            "table_name FROM information_schema.tables "
            f"WHERE table_catalog = {text_literal(f'db:{path}')} ORDER BY 1"
        ).fetchall()
        return [row[0] for row in rows]

    def columns(self, name: str) -> dict[str, str]:
        """Return a table's columns and their SQL types, in order."""
        rows = self._execute(f"DESCRIBE SELECT * FROM {quote(name)}").fetchall()
        return {row[0]: row[1] for row in rows}

    def cogroup(
        self, left: str, right: str, key: str, function: Pairing, schema: pa.Schema
    ) -> pa.Table:
        """Apply a function to the rows of two SELECTs that share a key, for each of its values."""
        import pyarrow

        keys = self.fetch(f"SELECT {key} FROM ({left}) UNION SELECT {key} FROM ({right})")
        parts = [schema.empty_table()]
        for value in keys.column(0).to_pylist():
            sides = [
                self.fetch(f"SELECT * FROM ({sql}) WHERE {key} = {value}") for sql in (left, right)
            ]
            parts.append(function(*sides))
        return pyarrow.concat_tables(parts)

    def write(self, sql: str, path: str) -> None:
        """Write the rows of a SELECT to one Parquet or CSV file, by its suffix."""
        form = "FORMAT csv, HEADER" if ".csv" in Path(path).name else "FORMAT parquet"
        self._execute(f"COPY ({sql}) TO {text_literal(path)} ({form})")

    def drop(self, *names: str) -> None:
        """Forget tables or views; unknown names are ignored."""
        for name in names:
            if self._divided.pop(name, ("", ""))[1]:
                shutil.rmtree(self._folder(name), ignore_errors=True)
        known = {name: self._kinds.pop(name) for name in names if name in self._kinds}
        if known:
            self._execute("; ".join(f"DROP {kind} {quote(name)}" for name, kind in known.items()))

    def clear(self) -> None:
        """Forget all tables and views."""
        self.drop(*self._divided, *self._kinds)

    def close(self) -> None:
        """Release the connection and its spill files."""
        self._connection.close()
        self._spill.cleanup()

    def _execute(self, sql: str) -> duckdb.DuckDBPyConnection:
        with _explained(sql):
            return self._connection.execute(sql)


def duckdb_batches(path: str, sql: str, rows: int) -> Iterator[pa.RecordBatch | pa.Table]:
    """Yield the rows of a query over the tables of a DuckDB file, which is only read.

    Raises:
        DataError: If DuckDB refuses it.
    """
    with contextlib.closing(duckdb.connect(":memory:")) as connection, _explained(sql):
        connection.execute(f"ATTACH {text_literal(path)} AS source (READ_ONLY)")
        connection.execute("USE source")
        reader: pa.RecordBatchReader = connection.execute(sql).to_arrow_reader(rows)
        yield reader.schema.empty_table()
        yield from reader


@contextlib.contextmanager
def _explained(sql: str) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        # DuckDB's answer to Ctrl-C
        raise (KeyboardInterrupt if str(error) == "Query interrupted" else error) from None
    except duckdb.Error as error:
        raise DataError(
            Problem("DuckDB", str(error).strip(), fix=f"the SQL was:\n{sql.strip()}")
        ) from error
