"""Arithmetic over features, as people write it in SQL, checked and computed by numpy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, reduce
from operator import itemgetter

import numpy as np
from sqlglot import exp

from tenure.core.arrays import Floats
from tenure.core.fragments import expression_in, fragment_error, parsed

_FORMULA: dict[type[exp.Expression], Callable[..., Floats]] = {
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
    node = expression_in(text, place)
    allowed = (*_FORMULA, exp.Paren, exp.Literal, exp.Column, exp.Identifier)
    allowed = (*allowed, exp.Least, exp.Greatest, exp.Coalesce)
    for part in node.walk():
        rule, fix = "", ""
        if not isinstance(part, allowed):
            rule = "holds something other than arithmetic"
            fix = "use + - * / abs ln sqrt least greatest coalesce nullif"
        elif isinstance(part, exp.Literal) and part.is_string:
            rule, fix = "must not hold text", "use numbers and names"
        elif isinstance(part, exp.Column) and part.table:
            rule = "must name features without a table"
        if rule:
            raise fragment_error(place, rule, part.sql("duckdb"), fix)
    return frozenset(column.name for column in node.find_all(exp.Column))


def evaluate(text: str, values: Mapping[str, Floats]) -> Floats:
    """Return the value of a formula, row by row; NaN is missing.

    >>> evaluate("a / (b + 1)", {"a": np.array([4.0, 1.0]), "b": np.array([1.0, -1.0])})
    array([ 2., nan])
    """
    return _formula(text)(values)


Formula = Callable[[Mapping[str, Floats]], Floats]


@lru_cache(maxsize=4096)
def _formula(text: str) -> Formula:
    return _compiled(parsed(text))


def _compiled(node: exp.Expression) -> Formula:
    """Return what computes a formula."""
    if isinstance(node, exp.Column):
        return itemgetter(node.name)
    if isinstance(node, exp.Literal):
        number = np.asarray(float(node.this))
        return lambda _: number
    if isinstance(node, exp.Paren):
        return _compiled(node.this)
    if isinstance(node, exp.Least | exp.Greatest | exp.Coalesce):
        parts = [_compiled(part) for part in (node.this, *node.expressions)]
        if isinstance(node, exp.Coalesce):
            return lambda values: _first_present([part(values) for part in parts])
        pick = np.minimum if isinstance(node, exp.Least) else np.maximum
        return lambda values: np.asarray(reduce(pick, [part(values) for part in parts]))
    function = _FORMULA[type(node)]
    first = _compiled(node.this)
    if node.expression is None:
        return lambda values: function(first(values))
    second = _compiled(node.expression)
    return lambda values: function(first(values), second(values))


def _first_present(parts: list[Floats]) -> Floats:
    joined = parts[0]
    for part in parts[1:]:
        joined = np.where(np.isnan(joined), part, joined)
    return joined
