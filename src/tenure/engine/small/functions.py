"""The functions, casts and arithmetic of the small engine; importing it declares them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import numpy as np
from sqlglot import exp

from tenure.engine.small import scalars
from tenure.engine.small.expressions import (
    NULL,
    NUMBER,
    PARAMETER,
    Expr,
    Node,
    Rows,
    Run,
    Scope,
    both,
    convert,
    fixed,
    is_single,
    maker,
    some,
)
from tenure.engine.small.frames import (
    INTEGERS,
    LIST,
    NEVER,
    SUM,
    UnsupportedError,
    Vec,
    listed,
    spread,
)
from tenure.engine.small.logic import comparable
from tenure.engine.small.ranks import ranked
from tenure.engine.small.texts import among, of_text

_TYPES = {"TIMESTAMPNTZ": "TIMESTAMP", "INT": "INTEGER", "TEXT": "VARCHAR", "USMALLINT": ""}


def kind_of(node: exp.DataType) -> str:
    """Return the kind of a type as SQL spells it."""
    if node.sql("duckdb").replace(" ", "") == SUM:
        return SUM
    if node.sql("duckdb") == LIST:
        return LIST
    name = str(node.this.value)
    return _TYPES.get(name, name)


@maker(exp.Cast, exp.TryCast)
def _cast(scope: Scope, node: exp.Cast) -> Expr:
    kind, gently = kind_of(node.args["to"]), isinstance(node, exp.TryCast)
    if kind == LIST and isinstance(node.this, exp.Array):
        return _list([convert(scope.expr(item), "BIGINT").run for item in node.this.expressions])
    if isinstance(node.this, exp.Literal) and node.this.is_string and not gently:
        return _constant(node.this.this, kind)
    value = scope.expr(node.this)
    if value.kind == kind:
        return value
    if value.kind == NULL:
        return convert(value, kind)
    run = value.run
    search = ranked(node.this) if kind in INTEGERS and value.kind in INTEGERS else None
    if search and max(search.leaves) <= INTEGERS[kind][1]:
        return Expr(kind, run)
    change = _casts(value.kind, kind, gently)
    return Expr(kind, lambda rows: change(run(rows)))


def _list(items: Sequence[Run]) -> Expr:
    def run(rows: Rows) -> Vec:
        columns = [spread(item(rows), "BIGINT", rows.size) for item in items]
        if any(there is not None for _, there in columns):
            raise UnsupportedError("a list with nothing in it")
        found = np.empty(rows.size, dtype=object)
        for place in range(rows.size):
            found[place] = [int(data[place]) for data, _ in columns]
        return found, None

    return Expr(LIST, run)


def _constant(text: str, kind: str) -> Expr:
    if kind == "TIMESTAMP" and text.startswith(PARAMETER):
        number = int(text[1:])
        return Expr(kind, lambda rows: (rows.times[number], None))
    if kind == "TIMESTAMP":
        value: Any = scalars.moment(text)
        if value is None:
            raise UnsupportedError("a time that is none")
    elif kind == "DATE":
        value = (date.fromisoformat(text) - date(1970, 1, 1)).days
    elif kind == "VARCHAR":
        value = text
    else:
        raise UnsupportedError(f"text as {kind}")
    return Expr(kind, fixed((value, None)))


def _casts(given: str, kind: str, gently: bool) -> Callable[[Vec], Vec]:
    """Return what turns a column of one kind into another."""
    if given == "VARCHAR":
        return _from_text(kind, gently)
    change = _CASTS.get((_family(given), _family(kind)))
    if change is None:
        raise UnsupportedError(f"{given} as {kind}")
    return lambda vec: (change(vec, kind), vec[1])


def _filled(vec: Vec) -> Any:
    return vec[0] if vec[1] is None else np.where(vec[1], vec[0], 0)


def _within(vec: Vec, kind: str) -> Any:
    data, (low, high) = _filled(vec), INTEGERS[kind]
    if some((np.asarray(data) < low) | (np.asarray(data) > high)):
        raise UnsupportedError("a number out of range")
    return data


def _family(kind: str) -> str:
    return "INTEGER" if kind in INTEGERS else kind


_CASTS: dict[tuple[str, str], Callable[[Vec, str], Any]] = {
    ("INTEGER", "DOUBLE"): lambda vec, _: np.asarray(vec[0], dtype=np.float64),
    (NUMBER, "DOUBLE"): lambda vec, _: np.asarray(vec[0], dtype=np.float64),
    ("INTEGER", "INTEGER"): _within,
    ("DOUBLE", "INTEGER"): lambda vec, kind: scalars.to_integer(_filled(vec), *INTEGERS[kind]),
    ("BOOLEAN", "INTEGER"): lambda vec, _: np.asarray(vec[0]).astype(np.int64),
    ("DOUBLE", SUM): lambda vec, _: scalars.to_sum(_filled(vec)),
    ("INTEGER", SUM): lambda vec, _: scalars.exact(_filled(vec)),
    (SUM, "DOUBLE"): lambda vec, _: scalars.each(scalars.from_sum, vec[0], np.float64),
    ("INTEGER", "VARCHAR"): lambda vec, _: scalars.each(str, vec[0]),
    ("TIMESTAMP", "DATE"): lambda vec, _: np.floor_divide(vec[0], scalars.DAY),
    ("DATE", "TIMESTAMP"): lambda vec, _: vec[0] * scalars.DAY,
}
"""Kind and other kind → values as these; text is read by `_from_text`."""


def _from_text(kind: str, gently: bool) -> Callable[[Vec], Vec]:
    if kind == "TIMESTAMPTZ" and gently:
        return scalars.moments
    if kind == "DOUBLE" and gently:
        return lambda vec: scalars.parsed(scalars.number, vec, np.float64)
    if kind in INTEGERS:

        def change(vec: Vec) -> Vec:
            data, there = scalars.parsed(scalars.whole, vec, np.int64)
            low, high = INTEGERS[kind]
            valid = both((np.asarray(data) >= low) & (np.asarray(data) <= high), there)
            if not gently and some(~valid if vec[1] is None else vec[1] & ~valid):
                raise UnsupportedError("a number in another form")
            return data, valid

        return change
    raise UnsupportedError(f"text as {kind}")


@maker(exp.Nullif)
def _nullif(scope: Scope, node: exp.Nullif) -> Expr:
    value, other = scope.expr(node.this), scope.expr(node.expression)
    kind = comparable([value.kind, other.kind])
    one, two, run = convert(value, kind).run, convert(other, kind).run, value.run

    def without(rows: Rows) -> Vec:
        (data, there), (data2, there2) = one(rows), two(rows)
        same = np.asarray(data == data2, dtype=bool)
        same = same if there2 is None else same & there2
        return (run(rows)[0], there) if not some(same) else (run(rows)[0], both(~same, there))

    return Expr(value.kind, without)


@maker(exp.Bracket)
def _bracket(scope: Scope, node: exp.Bracket) -> Expr:
    if not isinstance(node.this, exp.Array) or len(node.expressions) != 1:
        raise UnsupportedError("a place in a list")
    if isinstance(node.expressions[0], exp.Literal):
        raise UnsupportedError("a place in a list")
    values = [int(item.name) for item in node.this.expressions]
    listed = np.asarray([0, *values], dtype=np.int64)
    place = scope.expr(node.expressions[0])
    if place.kind not in INTEGERS:
        raise UnsupportedError("a place in a list")

    def run(rows: Rows) -> Vec:
        data, there = place.run(rows)
        inside = (np.asarray(data) > 0) & (np.asarray(data) < len(listed))
        return listed[np.where(inside, data, 0)], both(inside, there)

    return Expr("INTEGER", run)


@maker(exp.In)
def _in(scope: Scope, node: exp.In) -> Expr:
    if node.args.get("query"):
        return _in_rows(scope, node)
    value = scope.expr(node.this)
    literals = all(isinstance(item, exp.Literal) and item.is_string for item in node.expressions)
    if value.kind == "VARCHAR" and literals:
        listed = frozenset(item.this for item in node.expressions)
        return of_text(scope, node.this, among(listed), "BOOLEAN")
    any_of: Node = exp.EQ(this=node.this.copy(), expression=node.expressions[0].copy())
    for item in node.expressions[1:]:
        same = exp.EQ(this=node.this.copy(), expression=item.copy())
        any_of = exp.Or(this=any_of, expression=same)
    return scope.expr(any_of)


def _in_rows(scope: Scope, node: exp.In) -> Expr:
    from tenure.engine.small.relations import query

    inner = query(node.args["query"].unnest(), scope.schema)
    value = scope.expr(node.this)
    if len(inner.names) != 1 or (value.kind, *inner.kinds) != ("VARCHAR", "VARCHAR"):
        raise UnsupportedError("IN of other than one column of texts")
    name = inner.names[0]

    def run(rows: Rows) -> Vec:
        frame = inner.run(rows.tables, rows.times)
        data, there = spread(frame.get(name), "VARCHAR", frame.size)
        listed = set(data.tolist() if there is None else data[there].tolist())
        if not frame.size:
            return NEVER, None
        asked, given = value.run(rows)
        found = scalars.each(lambda text: text in listed, asked, bool)
        if there is not None and not there.all():
            given = both(found, given)
        return found, given

    return Expr("BOOLEAN", run)


@maker("hash")
def _hash(scope: Scope, node: exp.Anonymous) -> Expr:
    """Number the pairs of an account and a value: all that is asked is which ones are the same."""
    first = node.expressions[0]
    if len(node.expressions) != 2 or not isinstance(first, exp.Column):
        raise UnsupportedError("hash")
    if first.name.lower() != "account_id":
        raise UnsupportedError("hash")
    items = [scope.expr(item) for item in node.expressions]

    def run(rows: Rows) -> Vec:
        account, owned = items[0].run(rows)
        # One account for all rows tells no two of them apart.
        alone = owned is None and is_single(account)
        columns = []
        for item in items[1:] if alone else items:
            data, there = spread(item.run(rows), item.kind, rows.size)
            columns.append(listed(data, there))
        keys = columns[0] if alone else list(zip(*columns, strict=True))
        numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
        return np.array(list(map(numbers.__getitem__, keys)), dtype=np.int64), None

    return Expr("UBIGINT", run)


@maker(exp.Greatest, exp.Least)
def _extreme(scope: Scope, node: exp.Greatest | exp.Least) -> Expr:
    values = scope.exprs([node.this, *node.expressions])
    pick = np.maximum if isinstance(node, exp.Greatest) else np.minimum
    kind = values[0].kind
    if kind in ("VARCHAR", "BOOLEAN", SUM):
        raise UnsupportedError(f"greatest of {kind}")

    def run(rows: Rows) -> Vec:
        data, there = values[0].run(rows)
        for item in values[1:]:
            other, given = item.run(rows)
            if there is None and given is None:
                data = pick(data, other)
                continue
            one = np.True_ if there is None else there
            two = np.True_ if given is None else given
            data = np.where(one & two, pick(data, other), np.where(one, data, other))
            there = one | two
        return data, there

    return Expr(kind, run)
