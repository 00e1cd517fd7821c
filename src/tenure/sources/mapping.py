"""From the user's columns to the contract's names: a column of theirs, or one scalar expression."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from tenure.core.errors import Problem, suggestion
from tenure.core.spec import Source
from tenure.core.steps import quote
from tenure.sources.contract import DEFAULTS
from tenure.sources.meanings import MEANINGS
from tenure.sources.staging_sql import time_columns

FORBIDDEN: tuple[tuple[tuple[type[exp.Expr], ...], str], ...] = (
    ((exp.Query, exp.Subquery, exp.Exists), "a sub-query"),
    ((exp.Window,), "a window function"),
    ((exp.AggFunc,), "an aggregate"),
    ((exp.Star,), "a star"),
    ((exp.CurrentDate, exp.CurrentTimestamp, exp.CurrentTime, exp.Rand), "a clock or chance"),
)
_CLOCKS = ("now", "today", "random", "uuid", "get_current_timestamp", "nextval", "read_text")


@dataclass(frozen=True)
class ColumnMap:
    """Canonical column → its SQL over the columns of the user, and the problems of the mapping."""

    columns: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def map_columns(
    source: Source,
    theirs: Iterable[str],
    authored: Mapping[str, str],
    spelled: Iterable[str] = (),
) -> ColumnMap:
    """Return the SQL of every canonical column that the user's columns give.

    A canonical column that is not mapped is taken from a column of the same name; an empty
    mapping (`''`) leaves it out.  Accounts also carry the user's further columns, as attributes.
    Names are compared without regard to case.

    `authored` are canonical column → the user's column or SQL, as the config says; `spelled` are
    names of attributes as the config spells them elsewhere.
    """
    theirs = list(theirs)
    names = [column.name for column in source.columns] + ["known_at"]
    result = ColumnMap()
    for name, value in authored.items():
        where = f"data.tables.{source.name}.columns.{name}"
        if name not in names and not source.open_ended:
            rule, fix = f"is not a column of {source.name}", suggestion(name, names)
            result.problems.append(Problem(where, rule, fix=fix))
        elif value.strip():
            sql = _expression(where, value.strip(), theirs)
            if isinstance(sql, Problem):
                result.problems.append(sql)
            else:
                result.columns[name] = sql
    for name in names:
        if name not in authored and (same := _same(name, theirs)):
            result.columns[name] = quote(same)
    if source.open_ended:
        spelling = {name.lower(): name for name in spelled}
        used = {name.strip().lower() for name in (*authored, *authored.values(), *result.columns)}
        for name in theirs:
            plain = name.strip()
            if plain and plain.lower() not in used and not plain.startswith("_"):
                result.columns[spelling.get(plain.lower(), plain)] = quote(name)
                used.add(plain.lower())
    result.problems.extend(_missing(source, theirs, result.columns, authored))
    return result


def _missing(
    source: Source, theirs: list[str], columns: Mapping[str, str], authored: Mapping[str, str]
) -> list[Problem]:
    mapped = columns.keys() | authored.keys()
    lacking = [
        column.name
        for column in source.columns
        if column.required
        and column.name not in mapped
        and (source.name, column.name) not in DEFAULTS
    ]
    times = time_columns(source)
    if not mapped & set(times) and not set(lacking) & set(times):
        lacking.append(" or ".join(times))
    columns_are = f"columns are {', '.join(theirs)}"
    table, fix = source.name, f"map it under data.tables.{source.name}.columns; "
    return [
        Problem(f"{table}.{name}", _rule(table, name), columns_are, fix + suggestion(name, theirs))
        for name in lacking
    ]


def _rule(table: str, name: str) -> str:
    """Return that a column is missing, and what it is."""
    parts = [MEANINGS[table][part] for part in name.split(" or ")]
    text = " or ".join(part.text for part in parts)
    return f"the required column is missing: {text}"


def _same(name: str, theirs: list[str]) -> str | None:
    if name in theirs:
        return name
    return next((other for other in theirs if other.strip().lower() == name.lower()), None)


def _expression(where: str, value: str, theirs: list[str]) -> str | Problem:
    """Return the SQL of one mapped column, or the problem with it."""
    if same := _same(value, theirs):
        return quote(same)
    try:
        statements = sqlglot.parse(value, read="duckdb")
    except SqlglotError:
        rule = "is neither a column nor valid SQL"
        return Problem(where, rule, value, suggestion(value, theirs))
    tree = statements[0]
    if len(statements) != 1 or tree is None or not isinstance(tree, exp.Condition):
        fix = f"give one expression; for the same word in all rows: `{{value: {value}}}`"
        return Problem(where, "must be one scalar expression", value, fix)
    for kinds, what in FORBIDDEN:
        if tree.find(*kinds):
            return Problem(where, f"must not hold {what}", value, "use `sql` for the whole table")
    for call in tree.find_all(exp.Anonymous):
        if call.name.lower() in _CLOCKS:
            return Problem(where, f"must not call {call.name}", value, "use columns of the row")
    for column in tree.find_all(exp.Column):
        if column.name.lower() not in {other.lower() for other in theirs}:
            fix = suggestion(column.name, theirs)
            if column is tree:
                fix = f"{fix}; for the same word in all rows: `{{value: {value}}}`"
            return Problem(where, f"the table has no column `{column.name}`", value, fix)
    return f"({value}\n)"
