"""Functions of texts in the small engine; importing it declares them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sqlglot import exp

from tenure.engine.small import scalars
from tenure.engine.small.expressions import Expr, Node, Rows, Scope, both, maker
from tenure.engine.small.frames import UnsupportedError, Vec


def of_text(scope: Scope, node: Node, change: Callable[[Any], Any], kind: str) -> Expr:
    """Return a function of a column of texts."""
    value = scope.expr(node)
    if value.kind != "VARCHAR":
        raise UnsupportedError(f"text function of {value.kind}")
    given = value.run

    def run(rows: Rows) -> Vec:
        data, there = given(rows)
        return change(data), there

    return Expr(kind, run)


def word_of(node: Node | None) -> str:
    """Return a text that is written in the statement."""
    if not isinstance(node, exp.Literal) or not node.is_string:
        raise UnsupportedError("text that is computed")
    return str(node.this)


@maker(exp.Trim)
def _trim(scope: Scope, node: exp.Trim) -> Expr:
    letters = word_of(node.expression) if node.expression else scalars.SPACES
    where = node.args.get("position") or ""
    strip = {"": str.strip, "TRAILING": str.rstrip, "LEADING": str.lstrip}[where]
    plain = [letter for letter in letters if letter.isascii()]

    def idle(joined: str) -> bool:
        if not joined.isascii() or joined[0] in plain:
            return False
        return not any(f"{one}\n" in joined or f"\n{one}" in joined for one in plain)

    def change(data: Any) -> Any:
        return scalars.rewritten(lambda text: strip(text, letters), data, idle)

    return of_text(scope, node.this, change, "VARCHAR")


@maker(exp.Lower)
def _lower(scope: Scope, node: exp.Lower) -> Expr:
    return of_text(scope, node.this, lambda data: scalars.recased(scalars.lower, data), "VARCHAR")


@maker(exp.Upper)
def _upper(scope: Scope, node: exp.Upper) -> Expr:
    return of_text(scope, node.this, lambda data: scalars.recased(scalars.upper, data), "VARCHAR")


@maker(exp.Left)
def _left(scope: Scope, node: exp.Left) -> Expr:
    length = node.expression
    sign = -1 if isinstance(length, exp.Neg) else 1
    size = sign * int((length.this if sign < 0 else length).name)

    def change(data: Any) -> Any:
        return scalars.each(lambda text: scalars.left(text, size), data)

    return of_text(scope, node.this, change, "VARCHAR")


@maker(exp.Replace)
def _replace(scope: Scope, node: exp.Replace) -> Expr:
    old, new = word_of(node.expression), word_of(node.args.get("replacement"))

    def change(data: Any) -> Any:
        idle = (lambda joined: old not in joined) if old else bool
        return scalars.rewritten(lambda text: text.replace(old, new), data, idle)

    return of_text(scope, node.this, change, "VARCHAR")


@maker(exp.RegexpFullMatch)
def _match(scope: Scope, node: exp.RegexpFullMatch) -> Expr:
    match, every = scalars.patterns(word_of(node.expression))

    def change(data: Any) -> Any:
        joined = scalars.lines(data)
        if joined is not None and every(joined):
            return np.True_
        return scalars.each(lambda text: match(text) is not None, data, bool)

    return of_text(scope, node.this, change, "BOOLEAN")


@maker(exp.StartsWith, exp.EndsWith, exp.Contains)
def _part(scope: Scope, node: exp.Binary) -> Expr:
    word = word_of(node.expression)
    tests: dict[type[Node], Callable[[str], bool]] = {
        exp.StartsWith: lambda text: text.startswith(word),
        exp.EndsWith: lambda text: text.endswith(word),
        exp.Contains: lambda text: word in text,
    }
    test = tests[type(node)]
    within = f"{word}\n" if isinstance(node, exp.EndsWith) else word

    def change(data: Any) -> Any:
        return scalars.told(test, data, lambda joined: within not in joined)

    return of_text(scope, node.this, change, "BOOLEAN")


@maker(exp.DPipe)
def _joined(scope: Scope, node: exp.DPipe) -> Expr:
    word = word_of(node.expression)

    def change(data: Any) -> Any:
        return scalars.each(lambda text: text + word, data)

    return of_text(scope, node.this, change, "VARCHAR")


def among(words: frozenset[str]) -> Callable[[Any], Any]:
    """Return what tells which texts are among some words."""

    def change(data: Any) -> Any:
        if isinstance(data, np.ndarray) and data.ndim and words.isdisjoint(data.tolist()):
            return np.False_
        return scalars.each(lambda text: text in words, data, bool)

    return change


@maker(exp.ArrayContains)
def _contained(scope: Scope, node: exp.ArrayContains) -> Expr:
    listed = frozenset(map(word_of, node.this.expressions))
    return of_text(scope, node.expression, among(listed), "BOOLEAN")


@maker("list_position")
def _position(scope: Scope, node: exp.Anonymous) -> Expr:
    places: dict[str, int] = {}
    for place, item in enumerate(node.expressions[0].expressions, 1):
        places.setdefault(word_of(item), place)
    value = scope.expr(node.expressions[1])
    if value.kind != "VARCHAR":
        raise UnsupportedError("list_position of no text")

    def run(rows: Rows) -> Vec:
        data, there = value.run(rows)
        found = scalars.each(lambda text: places.get(text, 0), data, np.int64)
        return found, both(found != 0, there)

    return Expr("INTEGER", run)
