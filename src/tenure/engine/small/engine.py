"""The small engine: a few rows, by the statements that DuckDB runs, without its cost per statement.

A statement is read once and made a function over arrays, kept by its text; the times in it are
parameters, so that another prediction time is the same statement.  Whatever it does not know, and
every value that is out of the ordinary, is left to DuckDB, so that the answer is the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from tenure.core.steps import Step, quote
from tenure.engine.base import Mapper, Pairing
from tenure.engine.small.expressions import PARAMETER
from tenure.engine.small.frames import (
    Frame,
    UnsupportedError,
    from_arrow,
    given,
    to_arrays,
    to_arrow,
)
from tenure.engine.small.relations import Query, query
from tenure.engine.small.scalars import written

if TYPE_CHECKING:
    import pyarrow as pa

    from tenure.engine.arrays import Columns, Table
    from tenure.engine.duckdb import DuckDBEngine

Kinds = tuple[tuple[str, str], ...]
_TIMES = re.compile(r"TIMESTAMP '([^']*)'")
KEPT = 1_024


class SmallEngine:
    """Runs SQL steps over a few rows.

    Args:
        behind: Opens the engine for what this one does not know.
    """

    dialect: ClassVar[str] = "duckdb"
    scatters: ClassVar[bool] = False
    threads: int = 1

    def __init__(self, behind: Callable[[], DuckDBEngine]) -> None:
        self._open = behind
        self._engine: DuckDBEngine | None = None
        self._tables: dict[str, tuple[Kinds, Frame]] = {}
        self._views: dict[str, Step] = {}
        self._there: set[str] = set()

    def run(self, steps: Sequence[Step]) -> None:
        """Create a table (or view) for each step, in order, replacing one of the same name."""
        for step in steps:
            name = step.name.lower()
            if step.lazy:
                self._forget(name)
                self._views[name] = step
                continue
            try:
                found, frame = self._rows(step.sql)
                kinds = tuple(zip(found.names, found.kinds, strict=True))
                made = kinds, frame.whole(found.names)
            except UnsupportedError:
                engine = self._behind(step.sql)
                self._forget(name)
                engine.run([step])
                self._there.add(name)
            else:
                self._forget(name)
                self._tables[name] = made

    def fetch(self, sql: str) -> pa.Table:
        """Return the rows of a SELECT as an Arrow table."""
        try:
            found, frame = self._rows(sql)
            return to_arrow(frame, found.names, found.kinds)
        except UnsupportedError:
            return self._behind(sql).fetch(sql)

    def arrays(self, sql: str) -> Columns:
        """Return the rows of a SELECT as arrays by column."""
        try:
            found, frame = self._rows(sql)
            return to_arrays(frame, found.names, found.kinds)
        except UnsupportedError:
            return self._behind(sql).arrays(sql)

    def register(self, name: str, table: Table) -> None:
        """Make a table known under a name, replacing one of the same name."""
        self._forget(name.lower())
        try:
            kinds, frame = given(table)
        except UnsupportedError:
            self._behind().register(name, table)
            self._there.add(name.lower())
        else:
            self._tables[name.lower()] = tuple(kinds.items()), frame

    def columns(self, name: str) -> dict[str, str]:
        """Return a table's columns and their SQL types, in order."""
        try:
            return dict(self._schema(name))
        except UnsupportedError:
            return self._behind(name).columns(name)

    def drop(self, *names: str) -> None:
        """Forget tables or views; unknown names are ignored."""
        for name in names:
            self._forget(name.lower())

    def close(self) -> None:
        """Release what the engine holds."""
        self._tables.clear()
        self._views.clear()
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def divide(self, step: Step, key: str, rows: int) -> None:
        """Keep the rows of a step divided by a column of whole numbers."""
        self._behind(step.sql).divide(step, key, rows)

    def share(self, name: str, value: int) -> pa.Table:
        """Return the rows of a divided step that have one value of its key."""
        return self._behind().share(name, value)

    def attach(self, name: str, path: str, table: str | None = None) -> None:
        """Make a file, or a table of a DuckDB file, known under a name."""
        self._forget(name.lower())
        self._behind().attach(name, path, table)
        self._there.add(name.lower())

    def tables(self, path: str) -> list[str]:
        """Return the names of the tables and views in a DuckDB file."""
        return self._behind().tables(path)

    def cogroup(
        self, left: str, right: str, key: str, function: Pairing, schema: pa.Schema
    ) -> pa.Table:
        """Apply a function to the rows of two SELECTs that share a key, for each of its values."""
        return self._behind(left, right).cogroup(left, right, key, function, schema)

    def map_batches(self, table: pa.Table, function: Mapper, schema: pa.Schema) -> pa.Table:
        """Apply a pure function of single rows to the rows of a table."""
        return function(table).cast(schema)

    def write(self, sql: str, path: str) -> None:
        """Write the rows of a SELECT to one Parquet or CSV file, by its suffix."""
        self._behind(sql).write(sql, path)

    def _rows(self, sql: str) -> tuple[Query, Frame]:
        """Return a statement made ready and its rows."""
        template, times = _parted(sql)
        names = _read(template)
        found = _made(template, tuple((name, self._schema(name)) for name in names))
        if found is None:
            raise UnsupportedError(template)
        return found, found.run(self._table, times)

    def _table(self, name: str) -> Frame:
        key = name.lower()
        if key in self._views:
            return self._rows(self._views[key].sql)[1]
        return self._tables[key][1]

    def _schema(self, name: str) -> Kinds:
        """Return the columns of a table and their kinds."""
        key = name.lower()
        if key in self._views:
            template, _ = _parted(self._views[key].sql)
            inner = tuple((one, self._schema(one)) for one in _read(template))
            found = _made(template, inner)
            if found is None:
                raise UnsupportedError(name)
            return tuple(zip(found.names, found.kinds, strict=True))
        if key not in self._tables:
            if key not in self._there or self._engine is None:
                raise UnsupportedError(name)
            kinds, frame = from_arrow(self._engine.fetch(f"SELECT * FROM {quote(name)}"))
            self._tables[key] = tuple(kinds.items()), frame
        return self._tables[key][0]

    def _forget(self, name: str) -> None:
        self._tables.pop(name, None)
        self._views.pop(name, None)
        if self._engine is not None:
            self._engine.drop(name)
        self._there.discard(name)

    def _behind(self, *texts: str) -> DuckDBEngine:
        """Return DuckDB, which knows the tables that some statements name."""
        if self._engine is None:
            self._engine = self._open()
        for text in texts:
            low = text.lower()
            for name in [name for name in (*self._tables, *self._views) if name in low]:
                self._hand_over(name, self._engine)
        return self._engine

    def _hand_over(self, name: str, engine: DuckDBEngine) -> None:
        if name in self._there:
            return
        self._there.add(name)
        if name in self._views:
            self._behind(self._views[name].sql)
            engine.run([self._views[name]])
        else:
            kinds, frame = self._tables[name]
            names, sorts = zip(*kinds, strict=True)
            engine.register(name, to_arrow(frame, names, sorts))


def _parted(sql: str) -> tuple[str, list[int]]:
    """Return a statement with its times as parameters, and these."""
    known: dict[str, int] = {}
    parts = _TIMES.split(sql)
    for place in range(1, len(parts), 2):
        number = known.setdefault(parts[place], len(known))
        parts[place] = f"TIMESTAMP '{PARAMETER}{number}'"
    return "".join(parts), written(list(known))


@lru_cache(KEPT)
def _tree(template: str) -> exp.Expr | None:
    try:
        return sqlglot.parse_one(template, read="duckdb")
    except SqlglotError:
        return None


@lru_cache(KEPT)
def _read(template: str) -> tuple[str, ...]:
    """Return the tables that a statement reads.

    Raises:
        UnsupportedError: If it cannot be read.
    """
    tree = _tree(template)
    if tree is None:
        raise UnsupportedError(template)
    return tuple(dict.fromkeys(table.name for table in tree.find_all(exp.Table)))


@lru_cache(KEPT)
def _made(template: str, schemas: tuple[tuple[str, Kinds], ...]) -> Query | None:
    """Return a statement made ready for tables of some columns, None where DuckDB has to."""
    known = {name: dict(kinds) for name, kinds in schemas}
    tree = _tree(template)
    try:
        return None if tree is None else query(tree, known.__getitem__)
    except UnsupportedError:
        return None
