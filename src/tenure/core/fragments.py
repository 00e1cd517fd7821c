"""SQL fragments that people write, parsed and checked when they are declared.

A fragment is one scalar expression over the columns of one row.  Sub-queries, window functions,
clocks, random values, second statements and unknown functions are refused, so nothing that a
fragment says can reach past its own row.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from tenure.core.errors import ConfigError, Problem, first_line, suggestion

AggregateKind = Literal[
    "count", "distinct", "sum", "avg", "min", "max", "last", "most", "top", "longest_gap"
]
_AGGREGATES: dict[type[exp.Expression], AggregateKind] = {
    exp.Count: "count",
    exp.Sum: "sum",
    exp.Avg: "avg",
    exp.Min: "min",
    exp.Max: "max",
    exp.Last: "last",
}
_NAMED: tuple[AggregateKind, ...] = ("most", "top", "longest_gap")
"""Aggregates that SQL has no word for."""
_KNOWN = (
    "count(*), count(x), count(distinct x), sum(x), avg(x), min(x), max(x), last(x), most(x), "
    "longest_gap(x), days_since(…), days_until(…)"
)
_REFUSED: dict[type, str] = {
    exp.Query: "must not hold a sub-query",
    exp.Window: "must not hold a window function",
    exp.AggFunc: "must not hold an aggregate here",
    exp.Star: "must not hold a star",
    exp.Parameter: "must not hold a parameter",
    exp.Placeholder: "must not hold a parameter",
    exp.Lambda: "must not hold a lambda",
    exp.Anonymous: "calls an unknown function",
    exp.UDTF: "must not make rows",
    exp.GenerateSeries: "must not make rows",
    exp.ExplodingGenerateSeries: "must not make rows",
    exp.RowNumber: "must not hold a window function",
    exp.Order: "must not hold an order",
}
_CLOCKS = ("Current", "Local", "Rand", "Uuid", "Utc", "Session")
_CLOCK_CALLS = {"now", "get_current_timestamp", "transaction_timestamp", "getdate", "sysdate"}


@dataclass(frozen=True)
class Aggregate:
    """A parsed aggregate."""

    kind: AggregateKind
    operand: str | None
    """SQL of what is aggregated; None for ``count(*)``."""
    relative: Literal["since", "until"] | None = None
    """``since`` or ``until`` where the result is a time shown in days from `as_of`."""
    text: bool = False
    """Whether the result is words, not a number."""
    days: bool = False
    """Whether calendar days are counted, or their distance."""


def fragment_error(place: str, rule: str, text: str, fix: str = "") -> ConfigError:
    """Return the error about a fragment that breaks a rule."""
    return ConfigError(Problem(place, rule, text, fix))


@lru_cache(maxsize=4096)
def parsed(text: str) -> exp.Expression:
    """Return the syntax tree of a fragment that was checked before.

    Raises:
        ValueError: If it is not one expression.
    """
    tokens = sqlglot.tokenize(text, read="duckdb")
    if any(token.comments for token in tokens):
        raise ValueError("must not hold a comment")
    statements = sqlglot.parse(f"SELECT {text}", read="duckdb")
    ended = any(token.token_type.name == "SEMICOLON" for token in tokens)
    if ended or len(statements) != 1 or not isinstance(statements[0], exp.Select):
        raise ValueError("must be one expression, not several statements")
    select = statements[0]
    clauses = [key for key, value in select.args.items() if value and key != "expressions"]
    if len(select.expressions) != 1 or clauses:
        raise ValueError("must be one expression")
    expression: exp.Expression = select.expressions[0]
    return expression


def expression_in(text: str, place: str) -> exp.Expression:
    """Return the syntax tree of a fragment.

    Raises:
        ConfigError: If it is not one expression without an alias.
    """
    try:
        expression = parsed(text)
    except SqlglotError as error:
        raise fragment_error(place, "is not valid SQL", text, first_line(error)) from None
    except ValueError as error:
        raise fragment_error(place, str(error), text) from None
    if isinstance(expression, exp.Alias):
        raise fragment_error(place, "must not carry an alias", text)
    return expression


def _check(node: exp.Expression, text: str, columns: Collection[str] | None, place: str) -> None:
    for part in node.walk():
        called = part.name.lower() if isinstance(part, exp.Anonymous) else ""
        if type(part).__name__.startswith(_CLOCKS) or called in _CLOCK_CALLS:
            rule = "must not read a clock or chance"
            raise fragment_error(place, rule, part.sql("duckdb"), "use columns")
        for kind, rule in _REFUSED.items():
            if isinstance(part, kind):
                raise fragment_error(place, rule, part.sql("duckdb"))
        if isinstance(part, exp.Column) and part.table:
            raise fragment_error(place, "must name columns without a table", part.sql("duckdb"))
        if isinstance(part, exp.Column) and columns is not None and part.name not in columns:
            rule = f"refers to an unknown column `{part.name}`"
            raise fragment_error(place, rule, text, suggestion(part.name, columns))


@lru_cache(maxsize=4096)
def columns_of(text: str) -> frozenset[str]:
    """Return the columns that a fragment reads.

    >>> sorted(columns_of("coalesce(quantity, 1) * price"))
    ['price', 'quantity']
    """
    return frozenset(column.name for column in parsed(text).find_all(exp.Column))


def rename_columns(text: str, names: Mapping[str, str]) -> str:
    """Return a fragment with some columns under other names.

    >>> rename_columns("a / (b + 1)", {"a": "c"})
    'c / (b + 1)'
    """
    node = parsed(text).copy()
    for column in node.find_all(exp.Column):
        if column.name in names:
            column.set("this", exp.to_identifier(names[column.name]))
    return node.sql("duckdb")


def check_scalar(text: str, columns: Collection[str] | None, place: str) -> str:
    """Return a scalar fragment, checked; without `columns` it may use any names.

    Raises:
        ConfigError: If it is more than one scalar expression over known columns of one row.
    """
    _check(expression_in(text, place), text, columns, place)
    return text


def check_condition(text: str, columns: Collection[str], late: Collection[str], place: str) -> str:
    """Return a condition, checked; a late column may not be tested for being absent.

    A row counts only once its late columns are known, so ``x IS NULL`` on one can never hold.

    Raises:
        ConfigError: If the fragment breaks a rule.
    """
    check_scalar(text, columns, place)
    for test in parsed(text).find_all(exp.Is):
        absent = {column.name for column in test.find_all(exp.Column)} & set(late)
        is_null = isinstance(test.expression, exp.Null) and not isinstance(test.parent, exp.Not)
        if absent and is_null:
            rule = f"tests the late column `{absent.pop()}` for absence"
            fix = "use `running: true` for rows that have not ended"
            raise fragment_error(place, rule, text, fix)
    return text


@lru_cache(maxsize=1024)
def _aggregate(text: str, place: str) -> tuple[Aggregate, exp.Expression | None]:
    node = expression_in(text, place)
    relative: Literal["since", "until"] | None = None
    if isinstance(node, exp.Anonymous) and node.name.lower() in {"days_since", "days_until"}:
        relative = "since" if node.name.lower() == "days_since" else "until"
        if len(node.expressions) != 1:
            raise fragment_error(place, f"`{node.name}` takes one aggregate", text)
        node = node.expressions[0]
    kind, operand = _aggregated(node, text, place)
    if isinstance(operand, exp.Distinct):
        if kind != "count" or len(operand.expressions) != 1:
            raise fragment_error(place, "`distinct` goes with count of one expression", text)
        kind, operand = "distinct", operand.expressions[0]
    if relative and kind not in {"min", "max", "last", "top"}:
        rule = "days_since and days_until take min, max or last of a time"
        raise fragment_error(place, rule, text)
    if kind == "top" and relative != "since":
        raise fragment_error(place, "`top` stands inside days_since(…)", text)
    if operand is None or isinstance(operand, exp.Star):
        if kind != "count":
            raise fragment_error(place, f"`{kind}` needs a column", text)
        return Aggregate(kind, None, relative), None
    is_date = isinstance(operand, exp.Cast) and operand.to.this == exp.DataType.Type.DATE
    days = kind == "longest_gap" or (kind == "distinct" and is_date)
    return Aggregate(kind, operand.sql("duckdb"), relative, days=days), operand


def _aggregated(
    node: exp.Expression, text: str, place: str
) -> tuple[AggregateKind, exp.Expression | None]:
    """Return which aggregate a node is, and of what."""
    for named in _NAMED if isinstance(node, exp.Anonymous) else ():
        if node.name.lower() == named:
            if len(node.expressions) != 1:
                raise fragment_error(place, f"`{named}` takes one expression", text)
            return named, node.expressions[0]
    kind = next((kind for cls, kind in _AGGREGATES.items() if type(node) is cls), None)
    if kind is None:
        raise fragment_error(place, "must be an aggregate", text, f"one of {_KNOWN}")
    if any(value for key, value in node.args.items() if key not in {"this", "big_int"}):
        raise fragment_error(place, f"`{kind}` takes one expression", text)
    return kind, node.this


def parse_aggregate(text: str, columns: Collection[str], place: str) -> Aggregate:
    """Parse and check an aggregate fragment.

    >>> parse_aggregate("days_since(max(opened_at))", ["opened_at"], "here")
    Aggregate(kind='max', operand='opened_at', relative='since', text=False, days=False)

    Raises:
        ConfigError: If it is not one known aggregate of one scalar over known columns.
    """
    aggregate, operand = _aggregate(text, place)
    if operand is not None:
        _check(operand, text, columns, place)
    return aggregate
