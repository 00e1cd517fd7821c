"""Groups of rows and what is said of each: counts, exact sums, smallest and largest values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlglot import exp

from tenure.engine.small.expressions import (
    Expr,
    Node,
    Rows,
    Scope,
    both,
    fixed,
    is_single,
    maker,
    truth,
)
from tenure.engine.small.frames import SUM, UnsupportedError, Vec, dtype_of, listed, nothing, spread
from tenure.engine.small.logic import condition

AGGREGATES = (exp.Count, exp.Min, exp.Max, exp.Sum)


def is_aggregated(node: Node) -> bool:
    """Return whether an expression says something of a group."""
    return any(isinstance(item, exp.AggFunc) for item in node.walk())


@dataclass(frozen=True)
class Groups:
    """Rows in groups.

    Attributes:
        rows: The rows.
        number: Group of each row, shape (n,).
        leaders: First row of each group, shape (g,); None where all rows are one group.
        size: How many groups there are.
    """

    rows: Rows
    number: Any
    leaders: Any
    size: int

    @classmethod
    def of(cls, rows: Rows, keys: Sequence[Expr]) -> Groups:
        """Group rows by some expressions; without any they are one group."""
        if not keys:
            return cls(rows, np.zeros(rows.size, dtype=np.int64), None, 1)
        columns = [spread(key.run(rows), key.kind, rows.size) for key in keys]
        number, leaders = numbered(columns, rows.size)
        return cls(rows, number, leaders, len(leaders))

    def first(self, vec: Vec) -> Vec:
        """Return the value of each group's first row."""
        if self.leaders is None:
            raise UnsupportedError("a column of no group")
        data, there = vec
        data = data[self.leaders] if isinstance(data, np.ndarray) and data.ndim else data
        if isinstance(there, np.ndarray) and there.ndim:
            there = there[self.leaders]
        return data, there


def numbered(columns: Sequence[Vec], size: int) -> tuple[Any, Any]:
    """Return the number of each row among distinct rows, and where each of these first stands."""
    lists = []
    for data, there in columns:
        lists.append(listed(data, there))
    known: dict[Any, int] = {}
    number = np.empty(size, dtype=np.int64)
    number[:] = [known.setdefault(key, len(known)) for key in zip(*lists, strict=True)]
    leaders = np.full(len(known), size, dtype=np.int64)
    np.minimum.at(leaders, number, np.arange(size))
    return number, leaders


def grouping(scope: Scope) -> None:
    """Refuse what a scope of groups cannot know."""
    if scope.grouped is None:
        raise UnsupportedError("groups")


@maker(*AGGREGATES)
def _aggregate(scope: Scope, node: exp.AggFunc) -> Expr:
    return _made(scope, node, None)


@maker(exp.Filter)
def _filtered(scope: Scope, node: exp.Filter) -> Expr:
    return _made(scope, node.this, node.expression.this)


def _made(scope: Scope, node: Node, where: Node | None) -> Expr:
    inner = scope.grouped
    if inner is None or not isinstance(node, AGGREGATES) or node.expressions:
        raise UnsupportedError("an aggregate")
    if isinstance(node, exp.Count) and isinstance(node.this, exp.Distinct) and where is None:
        return _distinct(inner, node.this)
    keep = condition(inner, where) if where is not None else None
    # A row of values is one even where these are missing.
    if isinstance(node, exp.Count) and isinstance(node.this, exp.Star | exp.Tuple):
        value = Expr("BIGINT", fixed((0, None)))
    elif isinstance(node.this, exp.Distinct):
        raise UnsupportedError("DISTINCT in an aggregate")
    else:
        value = inner.expr(node.this)
    kind = "BIGINT" if isinstance(node, exp.Count) else value.kind
    if isinstance(node, exp.Sum) and kind != SUM:
        raise UnsupportedError(f"sum of {kind}")

    def run(rows: Rows) -> Vec:
        groups: Groups = rows.groups
        data, there = value.run(groups.rows)
        if keep is not None:
            there = both(truth(keep(groups.rows)), there)
        if groups.leaders is None:
            return _of_all(node, (data, there), groups.rows.size, kind)
        chosen = np.ones(groups.rows.size, dtype=bool)
        chosen &= True if there is None else there
        number = groups.number[chosen]
        counts = np.bincount(number, minlength=groups.size)
        if isinstance(node, exp.Count):
            return counts.astype(np.int64), None
        whole = spread((data, None), value.kind, groups.rows.size)[0][chosen]
        return _over(node, whole, number, groups.size, kind), None if counts.all() else counts > 0

    return Expr(kind, run)


def _of_all(node: Node, vec: Vec, size: int, kind: str) -> Vec:
    """Return what is said of all rows."""
    data, there = vec
    if there is None:
        count = size
    elif is_single(there):
        count = size if there else 0
    else:
        count = int(np.count_nonzero(there))
    if isinstance(node, exp.Count):
        return np.array([count]), None
    if not count:
        return np.array([nothing(kind)[0]], dtype=dtype_of(kind)), np.zeros(1, dtype=bool)
    whole = spread((data, None), kind, size)[0]
    chosen = whole if count == size else whole[there]
    return _over(node, chosen, np.zeros(count, dtype=np.int64), 1, kind), None


def _distinct(scope: Scope, node: exp.Distinct) -> Expr:
    """Return the count of distinct values, or of distinct rows of values."""
    (only,) = node.expressions
    several = isinstance(only, exp.Tuple)
    values = [scope.expr(item) for item in (only.expressions if several else [only])]
    if any(value.kind == "DOUBLE" for value in values):
        raise UnsupportedError("distinct numbers")

    def run(rows: Rows) -> Vec:
        groups: Groups = rows.groups
        size = groups.rows.size
        if groups.leaders is None and not several:
            data, there = spread(values[0].run(groups.rows), values[0].kind, size)
            return np.array([len(set((data if there is None else data[there]).tolist()))]), None
        lists = [listed(*spread(item.run(groups.rows), item.kind, size)) for item in values]
        found = set(zip(groups.number.tolist(), *lists, strict=True))
        numbers = [key[0] for key in found if several or key[1] is not None]
        return np.bincount(np.asarray(numbers, dtype=np.int64), minlength=groups.size), None

    return Expr("BIGINT", run)


def _over(node: Node, data: Any, number: Any, size: int, kind: str) -> Any:
    """Return a sum or an extreme of each group."""
    found = np.empty(size, dtype=dtype_of(kind))
    found[...] = nothing(kind)[0]
    if not len(data):
        return found
    if isinstance(node, exp.Sum):
        for place, value in zip(number.tolist(), data.tolist(), strict=True):
            found[place] += value
        return found
    if size == 1:
        found[0] = data.min() if isinstance(node, exp.Min) else data.max()
        return found
    pick = min if isinstance(node, exp.Min) else max
    known: dict[int, Any] = {}
    for place, value in zip(number.tolist(), data.tolist(), strict=True):
        known[place] = pick(known[place], value) if place in known else value
    for place, value in known.items():
        found[place] = value
    return found
