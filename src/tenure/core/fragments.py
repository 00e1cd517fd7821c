"""SQL fragments that people write, parsed and checked when they are declared.

A fragment is one scalar expression over the columns of one row.  Sub-queries, window functions,
clocks, random values, second statements and unknown functions are refused, so nothing that a
fragment says can reach past its own row.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache, reduce
from operator import itemgetter
from typing import Any, Literal

import numpy as np
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from tenure.core.errors import ConfigError, Problem, suggestion

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
    """A parsed aggregate.

    Attributes:
        kind: Which aggregate.
        operand: SQL of what is aggregated; None for ``count(*)``.
        relative: ``since`` or ``until`` where the result is a time shown in days from `as_of`.
        text: Whether the result is words, not a number.
        days: Whether calendar days are counted, or their distance.
    """

    kind: AggregateKind
    operand: str | None
    relative: Literal["since", "until"] | None = None
    text: bool = False
    days: bool = False


def _fail(place: str, rule: str, text: str, fix: str = "") -> ConfigError:
    return ConfigError(Problem(place, rule, text, fix))


@lru_cache(maxsize=4096)
def _parse(text: str) -> exp.Expression:
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


def _expression(text: str, place: str) -> exp.Expression:
    try:
        expression = _parse(text)
    except SqlglotError as error:
        raise _fail(place, "is not valid SQL", text, str(error).splitlines()[0]) from None
    except ValueError as error:
        raise _fail(place, str(error), text) from None
    if isinstance(expression, exp.Alias):
        raise _fail(place, "must not carry an alias", text)
    return expression


def _check(node: exp.Expression, text: str, columns: Collection[str] | None, place: str) -> None:
    for part in node.walk():
        called = part.name.lower() if isinstance(part, exp.Anonymous) else ""
        if type(part).__name__.startswith(_CLOCKS) or called in _CLOCK_CALLS:
            raise _fail(place, "must not read a clock or chance", part.sql("duckdb"), "use columns")
        for kind, rule in _REFUSED.items():
            if isinstance(part, kind):
                raise _fail(place, rule, part.sql("duckdb"))
        if isinstance(part, exp.Column):
            if part.table:
                raise _fail(place, "must name columns without a table", part.sql("duckdb"))
            if columns is not None and part.name not in columns:
                hint = suggestion(part.name, columns)
                raise _fail(place, f"refers to an unknown column `{part.name}`", text, hint)


@lru_cache(maxsize=4096)
def columns_of(text: str) -> frozenset[str]:
    """Return the columns that a fragment reads.

    >>> sorted(columns_of("coalesce(quantity, 1) * price"))
    ['price', 'quantity']
    """
    return frozenset(column.name for column in _parse(text).find_all(exp.Column))


def rename_columns(text: str, names: Mapping[str, str]) -> str:
    """Return a fragment with some columns under other names.

    >>> rename_columns("a / (b + 1)", {"a": "c"})
    'c / (b + 1)'
    """
    node = _parse(text).copy()
    for column in node.find_all(exp.Column):
        if column.name in names:
            column.set("this", exp.to_identifier(names[column.name]))
    return node.sql("duckdb")


def check_scalar(text: str, columns: Collection[str] | None, place: str) -> str:
    """Check a scalar fragment and return it.

    Args:
        text: The SQL.
        columns: Names it may use; None allows any.
        place: Where it was written, for the message.

    Raises:
        ConfigError: If it is more than one scalar expression over known columns of one row.
    """
    _check(_expression(text, place), text, columns, place)
    return text


def check_condition(text: str, columns: Collection[str], late: Collection[str], place: str) -> str:
    """Check a condition; a late column may not be tested for being absent.

    A row counts only once its late columns are known, so ``x IS NULL`` on one can never hold.

    Raises:
        ConfigError: If the fragment breaks a rule.
    """
    check_scalar(text, columns, place)
    for test in _parse(text).find_all(exp.Is):
        absent = {column.name for column in test.find_all(exp.Column)} & set(late)
        if (
            absent
            and isinstance(test.expression, exp.Null)
            and not isinstance(test.parent, exp.Not)
        ):
            fix = "use `running: true` for rows that have not ended"
            raise _fail(place, f"tests the late column `{absent.pop()}` for absence", text, fix)
    return text


@lru_cache(maxsize=1024)
def _aggregate(text: str, place: str) -> tuple[Aggregate, exp.Expression | None]:
    node = _expression(text, place)
    relative: Literal["since", "until"] | None = None
    if isinstance(node, exp.Anonymous) and node.name.lower() in {"days_since", "days_until"}:
        relative = "since" if node.name.lower() == "days_since" else "until"
        if len(node.expressions) != 1:
            raise _fail(place, f"`{node.name}` takes one aggregate", text)
        node = node.expressions[0]
    kind, operand = _aggregated(node, text, place)
    if isinstance(operand, exp.Distinct):
        if kind != "count" or len(operand.expressions) != 1:
            raise _fail(place, "`distinct` goes with count of one expression", text)
        kind, operand = "distinct", operand.expressions[0]
    if relative and kind not in {"min", "max", "last", "top"}:
        raise _fail(place, "days_since and days_until take min, max or last of a time", text)
    if kind == "top" and relative != "since":
        raise _fail(place, "`top` stands inside days_since(…)", text)
    if operand is None or isinstance(operand, exp.Star):
        if kind != "count":
            raise _fail(place, f"`{kind}` needs a column", text)
        return Aggregate(kind, None, relative), None
    days = kind == "longest_gap" or (kind == "distinct" and _is_date(operand))
    return Aggregate(kind, operand.sql("duckdb"), relative, days=days), operand


def _aggregated(
    node: exp.Expression, text: str, place: str
) -> tuple[AggregateKind, exp.Expression | None]:
    """Return which aggregate a node is, and of what."""
    if isinstance(node, exp.Anonymous):
        for named in _NAMED:
            if node.name.lower() == named:
                if len(node.expressions) != 1:
                    raise _fail(place, f"`{named}` takes one expression", text)
                return named, node.expressions[0]
    kind = next((kind for cls, kind in _AGGREGATES.items() if type(node) is cls), None)
    if kind is None:
        raise _fail(place, "must be an aggregate", text, f"one of {_known_aggregates()}")
    if any(value for key, value in node.args.items() if key not in {"this", "big_int"}):
        raise _fail(place, f"`{kind}` takes one expression", text)
    return kind, node.this


def _is_date(node: exp.Expression) -> bool:
    return isinstance(node, exp.Cast) and node.to.this == exp.DataType.Type.DATE


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


def _known_aggregates() -> str:
    kinds = "count(*), count(x), count(distinct x), sum(x), avg(x), min(x), max(x), last(x)"
    return f"{kinds}, most(x), longest_gap(x), days_since(…), days_until(…)"


Array = np.ndarray[Any, np.dtype[np.float64]]
_FORMULA: dict[type[exp.Expression], Callable[..., Array]] = {
    exp.Add: np.add,
    exp.Sub: np.subtract,
    exp.Mul: np.multiply,
    exp.Div: lambda a, b: np.divide(a, np.where(b == 0, np.nan, b)),
    exp.Neg: np.negative,
    exp.Abs: np.abs,
    exp.Ln: lambda a: np.log(np.where(a > 0, a, np.nan)),
    exp.Sqrt: lambda a: np.sqrt(np.where(a >= 0, a, np.nan)),
    exp.Nullif: lambda a, b: np.where(a == b, np.nan, a),
}


def formula_names(text: str, place: str) -> frozenset[str]:
    """Return the feature names in a formula, after checking its form.

    Raises:
        ConfigError: If it holds more than arithmetic over names.
    """
    node = _expression(text, place)
    allowed = (*_FORMULA, exp.Paren, exp.Literal, exp.Column, exp.Identifier)
    allowed = (*allowed, exp.Least, exp.Greatest, exp.Coalesce)
    for part in node.walk():
        if not isinstance(part, allowed):
            fix = "use + - * / abs ln sqrt least greatest coalesce nullif"
            raise _fail(place, "holds something other than arithmetic", part.sql("duckdb"), fix)
        if isinstance(part, exp.Literal) and part.is_string:
            raise _fail(place, "must not hold text", part.sql("duckdb"), "use numbers and names")
        if isinstance(part, exp.Column) and part.table:
            raise _fail(place, "must name features without a table", part.sql("duckdb"))
    return frozenset(column.name for column in node.find_all(exp.Column))


def evaluate(text: str, values: Mapping[str, Array]) -> Array:
    """Return the value of a formula, row by row; NaN is missing.

    >>> evaluate("a / (b + 1)", {"a": np.array([4.0, 1.0]), "b": np.array([1.0, -1.0])})
    array([ 2., nan])
    """
    return _formula(text)(values)


Formula = Callable[[Mapping[str, Array]], Array]


@lru_cache(maxsize=4096)
def _formula(text: str) -> Formula:
    return _made(_parse(text))


def _made(node: exp.Expression) -> Formula:
    """Return what computes a formula."""
    if isinstance(node, exp.Column):
        return itemgetter(node.name)
    if isinstance(node, exp.Literal):
        number = np.asarray(float(node.this))
        return lambda _: number
    if isinstance(node, exp.Paren):
        return _made(node.this)
    if isinstance(node, exp.Least | exp.Greatest | exp.Coalesce):
        parts = [_made(part) for part in (node.this, *node.expressions)]
        if isinstance(node, exp.Coalesce):
            return lambda values: _first_there([part(values) for part in parts])
        pick = np.minimum if isinstance(node, exp.Least) else np.maximum
        return lambda values: np.asarray(reduce(pick, [part(values) for part in parts]))
    function = _FORMULA[type(node)]
    first = _made(node.this)
    if node.expression is None:
        return lambda values: function(first(values))
    second = _made(node.expression)
    return lambda values: function(first(values), second(values))


def _first_there(parts: list[Array]) -> Array:
    joined = parts[0]
    for part in parts[1:]:
        joined = np.where(np.isnan(joined), part, joined)
    return joined
