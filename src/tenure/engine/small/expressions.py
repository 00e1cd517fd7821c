"""Expressions as functions over columns, made once from the tree of a statement.

What stands twice in a statement is computed once for its rows, and a branch that no row takes is
not computed at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sqlglot import exp

from tenure.engine.small.frames import (
    INTEGERS,
    Frame,
    UnsupportedError,
    Vec,
    nothing,
)

Node = exp.Expr
NUMBER = "NUMBER"
"""Kind of a literal with a decimal point, which takes the kind of what it meets."""
NULL = "NULL"
PARAMETER = "#"
"""A time literal that starts with it is the parameter of that number."""


class Rows:
    """What expressions are computed from: the rows of one SELECT.

    Args:
        relations: The relations that it reads, joined to equal length.
        size: How many rows there are.
        times: Parameters: microseconds since 1970.
        tables: Finds a table by name.
        slots: How many results may be kept.
    """

    __slots__ = ("groups", "kept", "relations", "size", "tables", "times")

    def __init__(
        self,
        relations: Sequence[Frame],
        size: int,
        times: Sequence[int],
        tables: Callable[[str], Frame],
        slots: int,
    ) -> None:
        self.relations = relations
        self.size = size
        self.times = times
        self.tables = tables
        self.kept: list[Vec | None] = [None] * slots
        self.groups: Any = None


Run = Callable[[Rows], Vec]


@dataclass(frozen=True)
class Expr:
    """An expression made ready.

    Attributes:
        kind: Kind of its values.
        run: What computes them.
    """

    kind: str
    run: Run


@dataclass
class Scope:
    """The names that expressions of one SELECT may use.

    Attributes:
        relations: Alias and columns with their kinds, of each relation.
        merged: Columns that a join with USING made one.
        schema: Finds the columns of a table.
        known: Expressions made so far, by their text.
        grouped: Scope of the rows behind the groups, where the SELECT has groups.
    """

    relations: list[tuple[str, Mapping[str, str]]]
    schema: Callable[[str], Mapping[str, str]]
    merged: set[str] = field(default_factory=set)
    known: dict[str, Expr] = field(default_factory=dict)
    slots: int = 0
    grouped: Scope | None = None

    def expr(self, node: Node) -> Expr:
        """Return an expression made ready.

        Raises:
            UnsupportedError: If it holds what is left to DuckDB.
        """
        text = node.sql("duckdb")
        if text not in self.known:
            make = MAKERS.get(type(node))
            if isinstance(node, exp.Anonymous):
                make = NAMED.get(node.name.lower())
            if make is None:
                raise UnsupportedError(f"{type(node).__name__} {text[:80]}")
            made = make(self, node)
            plain = isinstance(node, _PLAIN)
            self.known[text] = made if plain else self._kept(made)
        return self.known[text]

    def exprs(self, nodes: Sequence[Node]) -> list[Expr]:
        """Return some expressions made ready, of one kind."""
        found = [self.expr(node) for node in nodes]
        kind = common([item.kind for item in found])
        return [convert(item, kind) for item in found]

    def _kept(self, made: Expr) -> Expr:
        place, run = self.slots, made.run
        self.slots += 1

        def once(rows: Rows) -> Vec:
            found = rows.kept[place]
            if found is None:
                found = rows.kept[place] = run(rows)
            return found

        return Expr(made.kind, once)


_PLAIN = (exp.Column, exp.Literal, exp.Null, exp.Boolean, exp.Paren, exp.Alias)
"""What costs no more to compute again than to keep."""
Maker = Callable[[Scope, Any], Expr]
MAKERS: dict[type[Node], Maker] = {}
NAMED: dict[str, Maker] = {}


def maker(*kinds: type[Node] | str) -> Callable[[Maker], Maker]:
    """Declare what makes expressions of some classes, or calls of some functions by name."""

    def declare(function: Maker) -> Maker:
        for kind in kinds:
            if isinstance(kind, str):
                NAMED[kind] = function
            else:
                MAKERS[kind] = function
        return function

    return declare


def common(kinds: Sequence[str]) -> str:
    """Return the kind that values of some kinds take together."""
    named = [kind for kind in dict.fromkeys(kinds) if kind != NULL]
    if len(named) == 1:
        return named[0]
    if not named:
        return NULL
    if set(named) <= {"DOUBLE", NUMBER, *INTEGERS} and "DOUBLE" in named:
        return "DOUBLE"
    order = ["SMALLINT", "INTEGER", "BIGINT"]
    if set(named) <= {*order, "UTINYINT"}:
        return max((kind for kind in named if kind in order), key=order.index)
    if set(named) == {"DATE", "TIMESTAMP"}:
        return "TIMESTAMP"
    raise UnsupportedError(f"{named} together")


def convert(item: Expr, kind: str) -> Expr:
    """Return an expression as another kind, where that changes no value."""
    if item.kind == kind:
        return item
    if item.kind == NULL:
        return Expr(kind, fixed(nothing(kind)))
    run = item.run
    if kind == "DOUBLE":
        return Expr(kind, lambda rows: _floats(run(rows)))
    if (item.kind, kind) == ("DATE", "TIMESTAMP"):
        return Expr(kind, lambda rows: _midnights(run(rows)))
    if item.kind in INTEGERS and kind in INTEGERS:
        return Expr(kind, run)
    raise UnsupportedError(f"{item.kind} as {kind}")


def fixed(vec: Vec) -> Run:
    """Return what gives the same whatever the rows."""
    return lambda _: vec


def _floats(vec: Vec) -> Vec:
    return np.asarray(vec[0], dtype=np.float64), vec[1]


def _midnights(vec: Vec) -> Vec:
    return vec[0] * 86_400_000_000, vec[1]


def both(left: Any, right: Any) -> Any:
    """Return where two columns have a value."""
    if left is None:
        return right
    return left if right is None else left & right


def truth(vec: Vec) -> Any:
    """Return where a condition is true."""
    data, there = vec
    return data if there is None else data & there


def is_single(mask: Any) -> bool:
    """Return whether one value stands for all rows."""
    return not (isinstance(mask, np.ndarray) and mask.ndim)


def some(mask: Any) -> bool:
    """Return whether a mask is true anywhere."""
    many = isinstance(mask, np.ndarray) and mask.ndim
    return bool(np.count_nonzero(mask)) if many else bool(mask)


def every(mask: Any) -> bool:
    """Return whether a mask is true everywhere."""
    many = isinstance(mask, np.ndarray) and mask.ndim
    return bool(np.count_nonzero(mask) == mask.size) if many else bool(mask)


def choose(mask: Any, first: Vec, second: Vec, kind: str) -> Vec:
    """Return the first column where a mask is true, else the second."""
    one, two = first[0], second[0]
    if kind == "VARCHAR":
        one = np.array(one, dtype=object) if isinstance(one, str) else one
        two = np.array(two, dtype=object) if isinstance(two, str) else two
    data = np.where(mask, one, two)
    if first[1] is None and second[1] is None:
        return data, None
    there = [np.True_ if vec[1] is None else vec[1] for vec in (first, second)]
    return data, np.where(mask, *there)
