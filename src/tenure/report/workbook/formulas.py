"""The SQL aggregates of metric declarations as spreadsheet formulas over rows of a sheet.

One declaration gives the number that Tenure computes and the formula that recomputes it.  Only
functions that every spreadsheet program has are used, and only such that take whole columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlglot
from sqlglot import exp

SIGNS: Mapping[type[exp.Expression], str] = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
}
COMPARISONS: Mapping[type[exp.Expression], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.LT: "<",
    exp.LTE: "<=",
}


class NoFormulaError(Exception):
    """An aggregate that has no formula, such as a median of some rows."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a sheet that a formula reads."""

    columns: Mapping[str, str]
    """Name of a column → its cells, e.g. ``Money!$H$2:$H$90``; yes and no are 1 and 0."""
    gaps: frozenset[str] = frozenset()
    """Columns in which some cells are empty."""
    conditions: tuple[str, ...] = ()
    """Formulas of 1 and 0 by row that choose among the rows."""


def formula(sql: str, rows: Rows) -> str:
    """Return the formula of a SQL aggregate, without its equals sign.

    What is null in SQL, such as a division by zero, is an error of the formula.

    >>> formula("sum(mrr) FILTER (paid)", Rows({"mrr": "B2:B9", "paid": "C2:C9"}))
    'SUMPRODUCT((C2:C9)*((B2:B9)))'

    Raises:
        NoFormulaError: If there is none.
    """
    return _aggregate(_parsed(sql), rows)


def quoted(text: str) -> str:
    """Return a text as it stands in a formula."""
    return '"' + text.replace('"', '""') + '"'


@cache
def _parsed(sql: str) -> Any:
    return sqlglot.parse_one(sql, read="duckdb")


def _aggregate(node: Any, rows: Rows) -> str:
    """Return the formula of one number."""
    if isinstance(node, exp.Filter):
        chosen = (*rows.conditions, _value(node.expression.this, rows))
        return _aggregate(node.this, Rows(rows.columns, rows.gaps, chosen))
    if isinstance(node, exp.Sum | exp.Count):
        return _total(node, rows)
    if isinstance(node, exp.IgnoreNulls):
        return _aggregate(node.this, rows)
    if isinstance(node, exp.AnyValue):
        return f"MAX({_value(node.this, rows)})"
    if isinstance(node, exp.Nullif):
        one, other = _aggregate(node.this, rows), _aggregate(node.expression, rows)
        return f"IF({one}={other},NA(),{one})"
    return _arithmetic(node, rows, _aggregate)


def _total(node: exp.Sum | exp.Count, rows: Rows) -> str:
    item, chosen = node.this, rows.conditions
    if isinstance(item, exp.Distinct):
        raise NoFormulaError
    if isinstance(node, exp.Sum):
        factors = (*chosen, *_filled(item, rows), f"({_value(item, rows)})")
    elif isinstance(item, exp.Case):
        factors = (*chosen, f"({'+'.join(met for met, _ in _branches(item, rows))})")
    elif not isinstance(item, exp.Star):
        factors = (*chosen, f'({_value(item, rows)}<>"")')
    elif not chosen:
        return f"ROWS({next(iter(rows.columns.values()))})"
    else:
        factors = chosen
    return f"SUMPRODUCT({'*'.join(factors if len(factors) > 1 else ('1', *factors))})"


def _filled(node: exp.Expression, rows: Rows) -> list[str]:
    """Return the conditions that no column of an expression is empty in a row."""
    names = {column.name for column in node.find_all(exp.Column)} & rows.gaps
    return [f'({_cells(name, rows)}<>"")' for name in sorted(names)]


def _cells(name: str, rows: Rows) -> str:
    if name not in rows.columns:
        raise NoFormulaError
    return rows.columns[name]


def _value(node: Any, rows: Rows) -> str:
    """Return the formula of a value, or of 1 and 0 for a condition, in every row."""
    if type(node) in COMPARISONS:
        sides = (_value(side, rows) for side in (node.this, node.expression))
        compared = f"({COMPARISONS[type(node)].join(sides)})"
        return f"({'*'.join((*_filled(node, rows), compared, '1'))})"
    write = VALUES.get(type(node))
    return write(node, rows) if write else _arithmetic(node, rows, _value)


def _least(node: exp.Least, rows: Rows) -> str:
    one, other = (_value(item, rows) for item in (node.this, *node.expressions))
    return f"(({one}+{other}-ABS({one}-{other}))/2)"


VALUES: Mapping[type[exp.Expression], Callable[[Any, Rows], str]] = {
    exp.Column: lambda node, rows: f"({_cells(node.name, rows)})",
    exp.Literal: lambda node, _: quoted(node.name) if node.is_string else str(node.name),
    exp.And: lambda node, rows: f"({_value(node.this, rows)}*{_value(node.expression, rows)})",
    exp.Or: lambda node, rows: f"(({_value(node.this, rows)}+{_value(node.expression, rows)}>0)*1)",
    exp.Not: lambda node, rows: f"(1-{_value(node.this, rows)})",
    exp.Is: lambda node, rows: f'(({_value(node.this, rows)}="")*1)',
    exp.Least: _least,
    exp.TimeToUnix: lambda node, rows: f"({_value(node.this, rows)}*86400)",
    exp.Case: lambda node, rows: (
        f"({'+'.join(f'{met}*{value}' for met, value in _branches(node, rows))})"
    ),
}


def _branches(node: exp.Case, rows: Rows) -> Iterator[tuple[str, str]]:
    """Yield the condition under which each branch of a CASE is the first that holds, and it."""
    before = ""
    for branch in node.args["ifs"]:
        met = _value(branch.this, rows)
        yield f"({before}{met})", _value(branch.args["true"], rows)
        before += f"(1-{met})*"


def _arithmetic(node: Any, rows: Rows, inner: Callable[[Any, Rows], str]) -> str:
    if type(node) in SIGNS:
        return f"({inner(node.this, rows)}{SIGNS[type(node)]}{inner(node.expression, rows)})"
    if isinstance(node, exp.Neg):
        return f"(0-{inner(node.this, rows)})"
    if isinstance(node, exp.Pow):
        return f"POWER({inner(node.this, rows)},{inner(node.expression, rows)})"
    if isinstance(node, exp.Paren | exp.Cast | exp.Coalesce):
        return inner(node.this, rows)
    if isinstance(node, exp.Literal) and not node.is_string:
        return str(node.name)
    raise NoFormulaError
