"""Queries of a user's own over files: which files they name, and how those are read.

Beside files, a query may name tables of DuckDB files, `"crm.duckdb".marts.accounts`, and tables of
connections, `crm.public.accounts`, which have landed as files.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from tenure.core.config import Config, DataConfig
from tenure.core.errors import DataError, Problem, first_line, suggestion
from tenure.core.paths import absolute, exists
from tenure.core.steps import Step
from tenure.engine import ENGINES, Engine
from tenure.engine.base import CSV_SUFFIXES, DATABASE_SUFFIXES, PARQUET_SUFFIXES, has_suffix
from tenure.sources.contract import SOURCES
from tenure.sources.files import Files, files_of
from tenure.sources.landing.manifest import landed_files
from tenure.sources.landing.named import connection_table
from tenure.sources.text_files import engine_reason

_SUFFIXES = (*CSV_SUFFIXES, *PARQUET_SUFFIXES)
_CSV_READERS = ("read_csv", "read_csv_auto")
_TYPED = ("all_varchar", "columns", "types", "dtypes", "auto_type_candidates", "dateformat")
_SHOWN = 300
"""Characters of a query that a message shows."""


def attach_query(name: str, sql: str, config: Config, engine: Engine) -> tuple[Files, ...]:
    """Make the rows of a user's SELECT known as `_raw_<name>`.

    A relative file name refers to the config's folder, or, where nothing there has that name, to
    `data.path`.  Files are read like those given by path, unless the query says how.

    Returns:
        The files that are read like those given by path.

    Raises:
        DataError: If it is no SELECT, a file does not exist, or the engine refuses it.
    """
    where = f"data.tables.{name}.sql"
    query, data = _query(where, sql), config.data
    inner = _database_tables(where, query, config, engine)
    changes = [inner, *(_placed(node, where, data) for node in _names(query))]
    reads = _attached(f"_raw_{name}", query, sql, data, engine)
    changes += [_as_text(table) for table in query.find_all(exp.Table)]
    changed = any(changes) or bool(reads)
    text = query.sql(dialect="duckdb") if changed else sql.strip().rstrip(";")
    try:
        engine.run([Step(f"_raw_{name}", text, lazy=True)])
        return reads
    except DataError as error:
        authored = " ".join(sql.split())
        shown = authored if len(authored) <= _SHOWN else f"{authored[:_SHOWN]} …"
        fix = f"correct the query: {shown}"
        raise DataError(
            Problem(where, "cannot be run", engine_reason(error.problems[0]), fix)
        ) from error


def query_files(sql: str, data: DataConfig) -> set[str]:
    """Return the files and globs that a query names, in each folder in which they may lie.

    There are none where it is no query.
    """
    try:
        query = _query("sql", sql)
    except DataError:
        return set()
    names = {node.name for node in _names(query)}
    names |= {
        table.parts[0].name
        for table in query.find_all(exp.Table)
        if len(table.parts) > 1 and has_suffix(table.parts[0].name, DATABASE_SUFFIXES)
    }
    return {absolute(name, Path(folder)) for name in names for folder in data.folders}


def _database_tables(where: str, query: exp.Query, config: Config, engine: Engine) -> bool:
    """Put views in the place of tables of databases; return whether there were any."""
    changed = False
    for number, table in enumerate(list(query.find_all(exp.Table))):
        first, *rest = [part.name for part in table.parts]
        landed = connection_table(table, config.connections)
        if not rest or not (landed or has_suffix(first, DATABASE_SUFFIXES)):
            continue
        if engine.dialect != "duckdb":
            rule, fix = "names a table of a database", "set `engine: {kind: duckdb}`"
            raise DataError(Problem(where, rule, ".".join((first, *rest)), fix))
        view = f"{where.replace('.', '_')}_{number}"
        if landed:
            engine.attach(view, f"{landed_files(config, landed)}/*.parquet")
        else:
            path = _present(first, where, config.data.folders)
            engine.attach(view, path, _table_of(".".join(rest), where, path, engine))
        table.set("this", exp.to_identifier(view, quoted=True))
        table.set("db", None)
        table.set("catalog", None)
        _call(table, rest[-1])
        changed = True
    return changed


def _call(table: exp.Table, name: str) -> None:
    """Give a table that another one stands in for its name, unless the query gives it one."""
    if not table.alias:
        table.set("alias", exp.TableAlias(this=exp.to_identifier(name, quoted=True)))


def _present(name: str, where: str, folders: Collection[str | Path]) -> str:
    """Return the place of a file that a query names."""
    places = list(dict.fromkeys(absolute(name, Path(folder)) for folder in folders))
    if not (present := [place for place in places if exists(place)]):
        fix = f"looked for {' and '.join(places)}"
        raise DataError(Problem(where, "names no file that exists", name, fix))
    return present[0]


def _table_of(name: str, where: str, path: str, engine: Engine) -> str:
    """Return a table of a DuckDB file as that spells it."""
    tables = engine.tables(path)
    alike = [table for table in tables if table.lower() == name.lower().removeprefix("main.")]
    if not alike:
        rule = f"names no table of {path}"
        raise DataError(Problem(where, rule, name, suggestion(name, tables)))
    return name if name in alike else alike[0]


def _attached(
    relation: str, query: exp.Query, sql: str, data: DataConfig, engine: Engine
) -> tuple[Files, ...]:
    """Put views in the place of files of which the query does not say how they are read."""
    if engine.dialect != "duckdb":
        return ()
    table_name = relation.removeprefix("_raw_")
    words = {column.name for column in SOURCES[table_name].columns} | {*re.findall(r"\w+", sql)}
    reads: list[Files] = []
    for table in list(query.find_all(exp.Table)):
        inner, path = table.this, _plain_file(table, data)
        name = f"{relation}_file_{len(reads)}"
        try:
            files = files_of(path, words, name, engine) if path else None
        except DataError as error:
            raise DataError(
                *(unread(f"data.tables.{table_name}.sql", item) for item in error.problems)
            ) from error
        if files:
            engine.run([Step(name, files.select(), lazy=True)])
            stem = Path(inner.name).name.split(".")[0]
            alias = stem if isinstance(inner, exp.Identifier) else inner.sql_name().lower()
            table.set("this", exp.to_identifier(name, quoted=True))
            _call(table, alias)
            reads.append(files)
    return tuple(reads)


def unread(where: str, item: Problem | str) -> Problem:
    """Return the problem with a query whose file cannot be read."""
    if isinstance(item, Problem) and item.thing not in ENGINES:
        return Problem(where, f"{item.thing} {item.rule}", item.value, item.fix)
    return Problem(where, "names a file that cannot be read", engine_reason(item), "check the file")


def _plain_file(table: exp.Table, data: DataConfig) -> str | None:
    """Return the place of the file that a query names as a table, or reads without options."""
    inner = table.this
    if isinstance(inner, exp.Identifier):
        name = inner.name if has_suffix(inner.name, _SUFFIXES) else ""
    else:
        readers = isinstance(inner, exp.ReadCSV | exp.ReadParquet)
        parts = [*inner.expressions, *([inner.this] if readers and inner.this else [])]
        plain = readers and len(parts) == 1 and isinstance(parts[0], exp.Literal)
        name = parts[0].name if plain and has_suffix(parts[0].name, _SUFFIXES) else ""
    if not name:
        return None
    places = [absolute(name, Path(base)) for base in data.folders]
    return next((place for place in places if exists(place)), None)


def _query(where: str, sql: str) -> exp.Query:
    try:
        statements = [item for item in sqlglot.parse(sql, read="duckdb") if item is not None]
    except SqlglotError as error:
        problem = Problem(where, "is not valid SQL", first_line(error), "correct the query")
        raise DataError(problem) from error
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise DataError(Problem(where, "must be one SELECT", sql.strip()[:80], "remove the rest"))
    return statements[0]


def _names(query: exp.Query) -> Iterator[exp.Identifier | exp.Literal]:
    """Yield the names of files that a query reads."""
    for table in query.find_all(exp.Table):
        inner = table.this
        if isinstance(inner, exp.Identifier):
            if has_suffix(inner.name, _SUFFIXES):
                yield inner
        elif isinstance(inner, exp.ReadCSV | exp.ReadParquet) or (
            isinstance(inner, exp.Anonymous) and inner.name.lower().startswith("read_")
        ):
            for literal in inner.find_all(exp.Literal):
                if literal.is_string and not literal.find_ancestor(exp.EQ, exp.Kwarg):
                    yield literal


def _placed(node: exp.Identifier | exp.Literal, where: str, data: DataConfig) -> bool:
    """Settle where a relative name leads; return whether the query had to be changed for it."""
    name = node.name
    places = list(dict.fromkeys(absolute(name, Path(base)) for base in data.folders))
    if len(places) == 1:
        return False
    first = _present(name, where, data.folders)
    if several := sum(map(exists, places)) > 1:
        # An engine that looks in both folders would read both files.
        node.set("this", first)
    return several


def _as_text(table: exp.Table) -> bool:
    """Make a query read a CSV file as text, unless it declares types; return whether it did."""
    inner = table.this
    if isinstance(inner, exp.Identifier) and has_suffix(inner.name, CSV_SUFFIXES):
        name = inner.name
        inner = exp.Anonymous(this="read_csv", expressions=[exp.Literal.string(name)])
        table.set("this", inner)
        _call(table, Path(name).name.split(".")[0])
    reader = isinstance(inner, exp.Anonymous) and inner.name.lower() in _CSV_READERS
    if not reader and not isinstance(inner, exp.ReadCSV):
        return False
    if any(item.this.name.lower() in _TYPED for item in inner.expressions if item.find(exp.EQ)):
        return False
    option = exp.EQ(this=exp.column("all_varchar"), expression=exp.true())
    inner.set("expressions", [*inner.expressions, option])
    return True
