"""SELECT statements as functions from tables to rows, made once from their tree."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlglot import exp

from tenure.engine.small import functions, logic, numbers
from tenure.engine.small.aggregates import Groups, grouping, is_aggregated, numbered
from tenure.engine.small.expressions import (
    NULL,
    NUMBER,
    Expr,
    Node,
    Rows,
    Scope,
    common,
    every,
    truth,
)
from tenure.engine.small.frames import Computed, Frame, UnsupportedError, Vec, listed, spread
from tenure.engine.small.joins import Joined, joined
from tenure.engine.small.logic import condition

__all__ = ["Query", "functions", "logic", "numbers", "query"]

Tables = Callable[[str], Frame]
Schema = Callable[[str], Mapping[str, str]]
KNOWN = {"expressions", "from_", "joins", "where", "group", "having", "order", "limit", "distinct"}


@dataclass(frozen=True)
class Query:
    """A SELECT made ready.

    Attributes:
        names: Its columns.
        kinds: Their kinds.
        run: Its rows, from what finds a table and the time parameters.
    """

    names: tuple[str, ...]
    kinds: tuple[str, ...]
    run: Callable[[Tables, Sequence[int]], Frame]

    @property
    def schema(self) -> dict[str, str]:
        """Return the kinds of the columns by name."""
        return dict(zip(self.names, self.kinds, strict=True))


def query(node: Node, schema: Schema) -> Query:
    """Return a statement made ready.

    Args:
        node: Its tree.
        schema: Finds the columns of a table and their kinds.

    Raises:
        UnsupportedError: If it holds what is left to DuckDB.
    """
    node = node.unnest() if isinstance(node, exp.Subquery) else node
    if isinstance(node, exp.Union):
        return _union(node, schema)
    if not isinstance(node, exp.Select):
        raise UnsupportedError(type(node).__name__)
    given = {name for name, value in node.args.items() if value}
    if not given <= KNOWN:
        raise UnsupportedError(", ".join(sorted(given - KNOWN)))
    return _select(node, schema)


def _select(node: exp.Select, schema: Schema) -> Query:
    source = _source(node, schema)
    scope = Scope(source.relations, schema, source.merged)
    where = node.args.get("where")
    keep = condition(scope, where.this) if where else None
    if node.args.get("group") or any(map(is_aggregated, node.expressions)):
        found, inner = _grouped(node, scope)
    else:
        found, inner = _plain(node, scope), None
    slots = (scope.slots, 0)
    made = _ended(node, found)
    runs = {name: item.run for name, item in zip(found.names, found.items, strict=True)}

    def run(tables: Tables, times: Sequence[int]) -> Frame:
        frames, size = source.run(tables, times)
        rows = Rows(frames, size, times, tables, slots[0])
        if keep is not None:
            mask = truth(keep(rows))
            if not every(mask):
                places = np.flatnonzero(np.broadcast_to(mask, size))
                frames = [frame.take(places) for frame in frames]
                rows = Rows(frames, len(places), times, tables, slots[0])
        if inner is not None:
            rows = inner(rows)
        frame: Frame = Computed(rows.size, runs, rows)
        if found.having is not None:
            mask = np.broadcast_to(truth(found.having(rows)), rows.size)
            frame = frame.take(np.flatnonzero(mask))
        return made(frame)

    return Query(found.names, tuple(item.kind for item in found.items), run)


@dataclass(frozen=True)
class _Items:
    """What a SELECT gives: names, expressions, and which groups it keeps."""

    names: tuple[str, ...]
    items: tuple[Expr, ...]
    having: Callable[[Rows], Vec] | None = None


def _plain(node: exp.Select, scope: Scope) -> _Items:
    if node.args.get("having"):
        raise UnsupportedError("HAVING without groups")
    named: list[tuple[str, Expr]] = []
    for item in node.expressions:
        if isinstance(item, exp.Star):
            named += _star(item, scope)
        else:
            named.append((_name(item), _typed(scope.expr(item))))
    names = tuple(name for name, _ in named)
    if len({name.lower() for name in names}) < len(names):
        raise UnsupportedError("columns of one name")
    return _Items(names, tuple(item for _, item in named))


def _typed(item: Expr) -> Expr:
    if item.kind in (NUMBER, NULL):
        raise UnsupportedError("a column of no kind")
    return item


def _name(node: Node) -> str:
    if isinstance(node, exp.Alias | exp.Column):
        return str(node.alias_or_name)
    raise UnsupportedError("a column without a name")


def _star(node: exp.Star, scope: Scope) -> list[tuple[str, Expr]]:
    if len(scope.relations) != 1 or node.args.get("except_") or node.args.get("rename"):
        raise UnsupportedError("a star of several tables")
    replaced = {item.alias.lower(): item.this for item in node.args.get("replace") or []}
    return [
        (name, scope.expr(replaced.get(name.lower(), exp.column(name, quoted=True))))
        for name in scope.relations[0][1]
    ]


def _grouped(node: exp.Select, scope: Scope) -> tuple[_Items, Callable[[Rows], Rows]]:
    group = node.args.get("group")
    keys: list[Node] = []
    if group and group.args.get("all"):
        keys = [item for item in node.expressions if not is_aggregated(item)]
        keys = [item for item in keys if not isinstance(item.unalias(), exp.Literal)]
    elif group:
        keys = list(group.expressions)
    if any(isinstance(key, exp.Literal) for key in keys):
        raise UnsupportedError("groups by place")
    made = [scope.expr(key) for key in keys]
    outer = Scope(scope.relations, scope.schema, scope.merged, grouped=scope)
    grouping(outer)
    names = tuple(map(_name, node.expressions))
    items = tuple(_typed(outer.expr(item)) for item in node.expressions)
    having = node.args.get("having")
    kept = condition(outer, having.this) if having else None
    slots = outer

    def run(rows: Rows) -> Rows:
        groups = Groups.of(rows, made)
        found = Rows(rows.relations, groups.size, rows.times, rows.tables, slots.slots)
        found.groups = groups
        return found

    return _Items(names, items, kept), run


def _source(node: exp.Select, schema: Schema) -> Joined:
    first = node.args.get("from_")
    if first is None:
        raise UnsupportedError("SELECT without FROM")
    left = _relation(first.this, schema)
    for join in node.args.get("joins") or []:
        left = joined(left, _relation(join.this, schema), join, schema)
    return left


def _relation(node: Node, schema: Schema) -> Joined:
    """Return a table, a SELECT or listed values as a relation."""
    if isinstance(node, exp.Table):
        if node.args.get("joins") or not isinstance(node.this, exp.Identifier) or node.db:
            raise UnsupportedError("a table that is none")
        name = node.name
        columns = schema(name)
        alias = (node.alias or name).lower()
        return Joined([(alias, columns)], set(), lambda tables, _: _one(tables(name)))
    if isinstance(node, exp.Values):
        return _values(node)
    if isinstance(node, exp.Subquery):
        if node.args.get("joins") or any(node.alias_column_names):
            raise UnsupportedError("a SELECT with named columns")
        inner = query(node.this, schema)
        return Joined(
            [(node.alias.lower(), inner.schema)],
            set(),
            lambda tables, times: _one(inner.run(tables, times)),
        )
    raise UnsupportedError(type(node).__name__)


def _one(frame: Frame) -> tuple[list[Frame], int]:
    return [frame], frame.size


def _values(node: exp.Values) -> Joined:
    rows = [[_listed(item) for item in row.expressions] for row in node.expressions]
    names = list(node.alias_column_names)
    columns: dict[str, Vec] = {}
    kinds = {}
    for name, column in zip(names, zip(*rows, strict=True), strict=True):
        kind = "VARCHAR" if isinstance(column[0], str) else "INTEGER"
        if any(isinstance(value, str) != (kind == "VARCHAR") for value in column):
            raise UnsupportedError("values of several kinds")
        held = np.empty(len(column), dtype=object if kind == "VARCHAR" else np.int64)
        held[:] = column
        kinds[name], columns[name] = kind, (held, None)
    frame = Frame(len(rows), columns)
    return Joined([(node.alias.lower(), kinds)], set(), lambda _, __: _one(frame))


def _listed(node: Node) -> str | int:
    if not isinstance(node, exp.Literal) or not (node.is_string or node.name.isdigit()):
        raise UnsupportedError("values that are computed")
    return str(node.this) if node.is_string else int(node.this)


def _union(node: exp.Union, schema: Schema) -> Query:
    if node.args.get("distinct") or node.args.get("by_name") or node.args.get("with_"):
        raise UnsupportedError("UNION of distinct rows")
    if any(node.args.get(name) for name in ("order", "limit", "offset")):
        raise UnsupportedError("UNION in order")
    parts = [query(side, schema) for side in (node.left, node.right)]
    names = parts[0].names
    if len(parts[1].names) != len(names):
        raise UnsupportedError("UNION of unlike rows")
    kinds = [common(pair) for pair in zip(parts[0].kinds, parts[1].kinds, strict=True)]
    if any(kind != one for part in parts for kind, one in zip(kinds, part.kinds, strict=True)):
        raise UnsupportedError("UNION of unlike rows")

    def run(tables: Tables, times: Sequence[int]) -> Frame:
        frames = [part.run(tables, times) for part in parts]
        columns: dict[str, Vec] = {}
        for place, name in enumerate(names):
            pairs = [
                spread(frame.get(part.names[place]), kinds[place], frame.size)
                for part, frame in zip(parts, frames, strict=True)
            ]
            columns[name] = _stacked(pairs)
        return Frame(sum(frame.size for frame in frames), columns)

    return Query(names, tuple(kinds), run)


def _stacked(pairs: Sequence[Vec]) -> Vec:
    data = np.concatenate([vec[0] for vec in pairs])
    if all(vec[1] is None for vec in pairs):
        return data, None
    there = [np.ones(len(vec[0]), bool) if vec[1] is None else vec[1] for vec in pairs]
    return data, np.concatenate(there)


def _ended(node: exp.Select, found: _Items) -> Callable[[Frame], Frame]:
    """Return what drops repeated rows, sorts and cuts, as a SELECT asks for."""
    distinct, order, limit = (node.args.get(name) for name in ("distinct", "order", "limit"))
    if distinct and distinct.args.get("on"):
        raise UnsupportedError("DISTINCT ON")
    keys = [_key(item, found) for item in order.expressions] if order else []
    most = int(limit.expression.name) if limit else None
    kinds = [(name, item.kind) for name, item in zip(found.names, found.items, strict=True)]

    def run(frame: Frame) -> Frame:
        if distinct:
            columns = [spread(frame.get(name), kind, frame.size) for name, kind in kinds]
            frame = frame.take(numbered(columns, frame.size)[1])
        if keys and frame.size > 1:
            columns = [spread(frame.get(name), kind, frame.size) for name, kind in keys]
            frame = frame.take(_sorted(columns, frame.size))
        if most is not None and frame.size > most:
            frame = frame.take(np.arange(most))
        return frame

    return run


def _key(node: exp.Ordered, found: _Items) -> tuple[str, str]:
    if node.args.get("desc") or node.args.get("nulls_first"):
        raise UnsupportedError("another order")
    names = [name.lower() for name in found.names]
    item = node.this
    if isinstance(item, exp.Literal) and item.name.isdigit():
        place = int(item.name) - 1
    elif isinstance(item, exp.Column) and item.name.lower() in names:
        place = names.index(item.name.lower())
    else:
        raise UnsupportedError("an order by what is computed")
    return found.names[place], found.items[place].kind


def _sorted(columns: Sequence[Vec], size: int) -> Any:
    """Return the rows in order, what is missing last."""
    lists = [[(value is None, value) for value in listed(*column)] for column in columns]
    rows = sorted(range(size), key=lambda row: [_rank(column[row]) for column in lists])
    return np.asarray(rows, dtype=np.int64)


def _rank(value: tuple[bool, Any]) -> tuple[Any, ...]:
    return value if not value[0] else (True,)
