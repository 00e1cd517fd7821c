"""What every engine does; the stages know this alone, and import neither duckdb nor pyspark."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from tenure.core.steps import Step

if TYPE_CHECKING:
    import pyarrow as pa

Pairing = Callable[["pa.Table", "pa.Table"], "pa.Table"]
"""A function from two tables to one."""

ENGINES = frozenset({"DuckDB", "Spark"})
"""Things of problems whose rule is the error message of an engine."""

CSV_SUFFIXES = tuple(
    f".{name}{packed}"
    for name in ("csv", "tsv", "tab", "psv", "txt")
    for packed in ("", ".gz", ".zst")
)
PARQUET_SUFFIXES = (".parquet", ".pq", ".parq")
DATABASE_SUFFIXES = (".duckdb", ".ddb", ".db")


def has_suffix(path: str, suffixes: tuple[str, ...]) -> bool:
    """Return whether a path ends in one of some suffixes, in capitals or not.

    >>> has_suffix("exports/Accounts.CSV", CSV_SUFFIXES)
    True
    """
    return path.lower().endswith(suffixes)


class Engine(Protocol):
    """Runs named SQL steps over named tables."""

    dialect: ClassVar[str]
    threads: int
    """Threads that may work in this process."""
    scratch: str
    """Folder for files of a run, which is removed when the engine is closed."""
    scatters: ClassVar[bool]
    """Whether rows lie on several machines, where functions of them then run (`cogroup`)."""

    def run(self, steps: Sequence[Step]) -> None:
        """Create a table (or view) for each step, in order, replacing one of the same name."""

    def fetch(self, sql: str) -> pa.Table:
        """Return the rows of a SELECT, written in the DuckDB dialect, as an Arrow table."""

    def row(self, sql: str) -> dict[str, Any]:
        """Return the first row of a SELECT by column."""
        first: dict[str, Any] = self.fetch(sql).to_pylist()[0]
        return first

    def value(self, sql: str) -> Any:
        """Return the first value of the first row of a SELECT."""
        return next(iter(self.row(sql).values()))

    def divide(self, step: Step, key: str, rows: int) -> None:
        """Compute the rows of a step and divide them by a column of whole numbers, for `share`.

        The step has about so many `rows` at most and replaces a table of its name; the shares do
        not hold the column `key`.
        """

    def share(self, name: str, value: int) -> pa.Table:
        """Return the rows of a divided step that have one value of its key."""

    def register(self, name: str, table: pa.Table) -> None:
        """Make an Arrow table known under a name, replacing one of the same name."""

    def attach(self, name: str, path: str, table: str | None = None) -> None:
        """Make a file, glob or table known under a name, as a view.

        `path` is a CSV or Parquet file or glob, or a DuckDB file with the `table`; empty for a
        `table` of a catalogue.
        """

    def tables(self, path: str) -> list[str]:
        """Return the names of the tables and views in a DuckDB file.

        Those outside the schema `main` are named with their schema (`marts.accounts`).
        """

    def columns(self, name: str) -> dict[str, str]:
        """Return a table's columns and their SQL types, in order."""

    def cogroup(
        self, left: str, right: str, key: str, function: Pairing, schema: pa.Schema
    ) -> pa.Table:
        """Apply a function to the rows of two SELECTs that share a key, for each of its values.

        `key` is a column of whole numbers that both SELECTs have; either side of the pure function
        may have no rows, and `schema` names the columns of what it returns.

        Returns:
            All results, in no order.
        """

    def write(self, sql: str, path: str) -> None:
        """Write the rows of a SELECT to one Parquet or CSV file, by its suffix."""

    def drop(self, *names: str) -> None:
        """Forget tables or views; unknown names are ignored."""

    def clear(self) -> None:
        """Forget all tables and views."""

    def close(self) -> None:
        """Release what the engine holds."""
