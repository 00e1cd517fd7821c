"""Columns, literals, conditions and branches of the small engine; importing it declares them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from sqlglot import exp

from tenure.engine.small.expressions import (
    NULL,
    NUMBER,
    Expr,
    Node,
    Rows,
    Run,
    Scope,
    both,
    choose,
    common,
    convert,
    every,
    fixed,
    maker,
    some,
    truth,
)
from tenure.engine.small.frames import INTEGERS, NEVER, UnsupportedError, Vec
from tenure.engine.small.ranks import rank, ranked


def spelt(columns: Iterable[str], name: str) -> str | None:
    """Return a column as its table spells it: letters may be large or small."""
    return next((one for one in columns if one.lower() == name.lower()), None)


@maker(exp.Column)
def _column(scope: Scope, node: exp.Column) -> Expr:
    table = node.table.lower()
    places = [
        (number, name)
        for number, (alias, columns) in enumerate(scope.relations)
        if table in ("", alias) and (name := spelt(columns, node.name)) is not None
    ]
    if not places or (len(places) > 1 and node.name.lower() not in scope.merged):
        raise UnsupportedError(f"column {node.sql('duckdb')}")
    place, name = places[0]
    kind = scope.relations[place][1][name]
    if scope.grouped is not None:
        return Expr(kind, lambda rows: rows.groups.first(rows.relations[place].get(name)))
    return Expr(kind, lambda rows: rows.relations[place].get(name))


@maker(exp.Literal)
def _literal(_: Scope, node: exp.Literal) -> Expr:
    if node.is_string:
        text: Vec = (node.this, None)
        return Expr("VARCHAR", fixed(text))
    written = str(node.this)
    if written.isdigit():
        value: Vec = (int(written), None)
        low, high = INTEGERS["BIGINT"]
        if not low <= value[0] <= high:
            raise UnsupportedError("a large number")
        kind = "INTEGER" if value[0] <= INTEGERS["INTEGER"][1] else "BIGINT"
        return Expr(kind, fixed(value))
    number: Vec = (float(written), None)
    return Expr("DOUBLE" if "e" in written.lower() else NUMBER, fixed(number))


@maker(exp.Boolean)
def _boolean(_: Scope, node: exp.Boolean) -> Expr:
    vec: Vec = (np.bool_(node.this), None)
    return Expr("BOOLEAN", fixed(vec))


@maker(exp.Null)
def _null(_: Scope, __: exp.Null) -> Expr:
    return Expr(NULL, fixed((0, NEVER)))


@maker(exp.Paren)
def _paren(scope: Scope, node: exp.Paren) -> Expr:
    return scope.expr(node.this)


@maker(exp.Alias)
def _alias(scope: Scope, node: exp.Alias) -> Expr:
    return scope.expr(node.this)


def flag(scope: Scope, node: Node) -> Run:
    """Return what computes a truth value, which may be missing."""
    return convert(scope.expr(node), "BOOLEAN").run


def condition(scope: Scope, node: Node) -> Run:
    """Return what computes where a condition is true; what is missing is not."""
    node = node.unnest()
    if isinstance(node, exp.And | exp.Or):
        first, second = condition(scope, node.this), condition(scope, node.expression)
        settled, join = (
            (some, np.logical_and) if isinstance(node, exp.And) else (_open, np.logical_or)
        )

        def run(rows: Rows) -> Vec:
            mask = first(rows)[0]
            return (join(mask, second(rows)[0]) if settled(mask) else mask), None

        return run
    given = flag(scope, node)
    return lambda rows: (truth(given(rows)), None)


def _open(mask: Any) -> bool:
    """Return whether a mask is false anywhere."""
    return not every(mask)


@maker(exp.And)
def _and(scope: Scope, node: exp.And) -> Expr:
    first, second = flag(scope, node.this), flag(scope, node.expression)

    def run(rows: Rows) -> Vec:
        data, there = first(rows)
        if there is None and not some(data):
            return data, there
        data2, there2 = second(rows)
        if there is None and there2 is None:
            return data & data2, None
        one = np.True_ if there is None else there
        two = np.True_ if there2 is None else there2
        return data & data2 & one & two, (one & two) | (one & ~data) | (two & ~data2)

    return Expr("BOOLEAN", run)


@maker(exp.Or)
def _or(scope: Scope, node: exp.Or) -> Expr:
    first, second = flag(scope, node.this), flag(scope, node.expression)

    def run(rows: Rows) -> Vec:
        data, there = first(rows)
        if there is None and every(data):
            return data, there
        data2, there2 = second(rows)
        if there is None and there2 is None:
            return data | data2, None
        one = np.True_ if there is None else there
        two = np.True_ if there2 is None else there2
        return (data & one) | (data2 & two), (one & two) | (one & data) | (two & data2)

    return Expr("BOOLEAN", run)


@maker(exp.Not)
def _not(scope: Scope, node: exp.Not) -> Expr:
    inner = flag(scope, node.this)

    def run(rows: Rows) -> Vec:
        data, there = inner(rows)
        return np.logical_not(data), there

    return Expr("BOOLEAN", run)


@maker(exp.Is)
def _is(scope: Scope, node: exp.Is) -> Expr:
    if not isinstance(node.expression, exp.Null):
        raise UnsupportedError("IS of anything but NULL")
    inner = scope.expr(node.this).run

    def run(rows: Rows) -> Vec:
        there = inner(rows)[1]
        return (NEVER if there is None else np.logical_not(there)), None

    return Expr("BOOLEAN", run)


_COMPARE: dict[type[Node], Callable[[Any, Any], Any]] = {
    exp.EQ: operator.eq,
    exp.NEQ: operator.ne,
    exp.LT: operator.lt,
    exp.LTE: operator.le,
    exp.GT: operator.gt,
    exp.GTE: operator.ge,
}


def comparable(kinds: Sequence[str]) -> str:
    """Return the kind as which values of some kinds are compared."""
    if set(kinds) <= {NULL, NUMBER, *INTEGERS} and NUMBER in kinds:
        return "DOUBLE"
    if set(kinds) <= {NULL, *INTEGERS}:
        return "BIGINT"
    return common(kinds)


@maker(*_COMPARE)
def _compare(scope: Scope, node: exp.Binary) -> Expr:
    return compared(type(node), scope.expr(node.this), scope.expr(node.expression))


def compared(how: type[Node], left: Expr, right: Expr) -> Expr:
    """Return the comparison of two expressions."""
    kind = comparable([left.kind, right.kind])
    function = _COMPARE[how]
    one, two = convert(left, kind).run, convert(right, kind).run

    def run(rows: Rows) -> Vec:
        (data, there), (data2, there2) = one(rows), two(rows)
        return np.asarray(function(data, data2), dtype=bool), both(there, there2)

    return Expr("BOOLEAN", run)


@maker(exp.Between)
def _between(scope: Scope, node: exp.Between) -> Expr:
    first = exp.GTE(this=node.this.copy(), expression=node.args["low"].copy())
    second = exp.LTE(this=node.this.copy(), expression=node.args["high"].copy())
    both_hold = scope.expr(exp.And(this=first, expression=second)).run
    sides = [scope.expr(item) for item in (node.this, node.args["low"], node.args["high"])]
    if len({item.kind for item in sides}) > 1:
        return Expr("BOOLEAN", both_hold)
    value, low, high = (item.run for item in sides)

    def run(rows: Rows) -> Vec:
        (least, there1), (most, there2) = low(rows), high(rows)
        if there1 is not None or there2 is not None:
            return both_hold(rows)
        data, there = value(rows)
        return np.asarray((data >= least) & (data <= most), dtype=bool), there

    return Expr("BOOLEAN", run)


@maker(exp.Case)
def _case(scope: Scope, node: exp.Case) -> Expr:
    asked = [
        exp.EQ(this=node.this.copy(), expression=item.this.copy()) if node.this else item.this
        for item in node.args["ifs"]
    ]
    conditions = [condition(scope, item) for item in asked]
    last = node.args.get("default") or exp.Null()
    values = scope.exprs([*(item.args["true"] for item in node.args["ifs"]), last])
    kind = values[0].kind
    run = branches(kind, conditions, [item.run for item in values])
    search = ranked(node)
    found = rank(scope, search, run, kind) if search and kind == "INTEGER" else None
    return found or Expr(kind, run)


def branches(kind: str, conditions: Sequence[Run], values: Sequence[Run]) -> Run:
    """Return what takes the value of the first condition that is true, else the last value."""

    def run(rows: Rows) -> Vec:
        taken: list[tuple[Any, Vec]] = []
        left: Any = None
        for asked, value in zip(conditions, values[:-1], strict=True):
            hit = asked(rows)[0]
            hit = hit if left is None else hit & left
            if not some(hit):
                continue
            if left is None and every(hit):
                return value(rows)
            taken.append((hit, value(rows)))
            left = ~hit if left is None else left & ~hit
            if not some(left):
                break
        result = values[-1](rows) if left is None or some(left) else taken.pop()[1]
        for hit, vec in reversed(taken):
            result = choose(hit, vec, result, kind)
        return result

    return run


@maker(exp.Coalesce)
def _coalesce(scope: Scope, node: exp.Coalesce) -> Expr:
    values = scope.exprs([node.this, *node.expressions])
    kind, runs = values[0].kind, [item.run for item in values]

    def run(rows: Rows) -> Vec:
        result = runs[0](rows)
        for other in runs[1:]:
            if result[1] is None:
                break
            result = choose(result[1], result, other(rows), kind)
            if result[1] is not None and every(result[1]):
                result = result[0], None
        return result

    return Expr(kind, run)
