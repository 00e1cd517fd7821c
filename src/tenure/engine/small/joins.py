"""Joins of the small engine: by equal values, or by any condition where there are few pairs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np
from sqlglot import exp

from tenure.engine.small.expressions import Expr, Node, Rows, Scope, truth
from tenure.engine.small.frames import Frame, UnsupportedError, listed, spread
from tenure.engine.small.logic import condition

MOST_PAIRS = 200_000
Tables = Callable[[str], Frame]
Found = tuple[list[Frame], int]


@dataclass(frozen=True)
class Joined:
    """What stands behind FROM.

    Attributes:
        relations: Alias and columns with their kinds, of each relation.
        merged: Columns that USING made one.
        run: The rows of each relation, of equal length.
    """

    relations: list[tuple[str, Mapping[str, str]]]
    merged: set[str]
    run: Callable[[Tables, Sequence[int]], Found]


def joined(
    left: Joined,
    right: Joined,
    join: exp.Join,
    schema: Callable[[str], Mapping[str, str]],
) -> Joined:
    """Return two relations joined.

    Raises:
        UnsupportedError: If it is another join than an inner or a left one.
    """
    side, kind = join.side.upper(), join.kind.upper()
    if side not in ("", "LEFT") or kind not in ("", "INNER", "OUTER") or join.method:
        raise UnsupportedError(f"{side} {kind} join")
    using = [item.name.lower() for item in join.args.get("using") or []]
    scope = Scope([*left.relations, *right.relations], schema, left.merged | set(using))
    outer = side == "LEFT"
    pairs: list[tuple[Expr, Expr]] = []
    rest: list[Node] = []
    before, after = Scope(left.relations, schema, left.merged), Scope(right.relations, schema)
    for name in using:
        pairs.append(_same(before.expr(exp.column(name)), after.expr(exp.column(name))))
    on = join.args.get("on")
    for item in on.flatten() if isinstance(on, exp.And) else [on] if on else []:
        found = _equal(item, before, after)
        if found:
            pairs.append(found)
        else:
            rest.append(item)
    if not using and on is None:
        raise UnsupportedError("a join without a condition")
    if outer and rest:
        raise UnsupportedError("a left join by a condition")
    filters = [condition(scope, item) for item in rest]

    def run(tables: Tables, times: Sequence[int]) -> Found:
        (lefts, size), (rights, other) = left.run(tables, times), right.run(tables, times)
        one = Rows(lefts, size, times, tables, before.slots)
        two = Rows(rights, other, times, tables, after.slots)
        places, matches = _matches(pairs, one, two, outer=outer)
        there = matches >= 0 if outer and (matches < 0).any() else None
        # A missing partner is any row, told to be missing.
        partners = matches if there is None else np.where(there, matches, 0)
        # Nearly always each row has one partner, and stays where it is.
        same = len(places) == size and bool((places == np.arange(size)).all())
        frames = list(lefts) if same else [frame.take(places) for frame in lefts]
        frames += [frame.take(partners, there) for frame in rights]
        rows = Rows(frames, len(places), times, tables, scope.slots)
        for keep in filters:
            mask = np.broadcast_to(truth(keep(rows)), rows.size)
            if not mask.all():
                kept = np.flatnonzero(mask)
                frames = [frame.take(kept) for frame in rows.relations]
                rows = Rows(frames, len(kept), times, tables, scope.slots)
        return list(rows.relations), rows.size

    return Joined(scope.relations, scope.merged, run)


def _equal(node: Node, left: Scope, right: Scope) -> tuple[Expr, Expr] | None:
    """Return the two sides of an equality of columns, None where it is none."""
    node = node.unnest()
    sides = [node.this, node.expression] if isinstance(node, exp.EQ) else []
    if not all(isinstance(side, exp.Column) for side in sides) or not sides:
        return None
    for one, two in (sides, sides[::-1]):
        try:
            return _same(left.expr(one), right.expr(two))
        except UnsupportedError:
            continue
    return None


def _same(left: Expr, right: Expr) -> tuple[Expr, Expr]:
    if left.kind != right.kind:
        raise UnsupportedError(f"{left.kind} joined to {right.kind}")
    return left, right


def _matches(
    pairs: Sequence[tuple[Expr, Expr]], left: Rows, right: Rows, *, outer: bool
) -> tuple[Any, Any]:
    """Return the rows of pairs that have equal values: left, and right (-1 for none)."""
    if not pairs:
        if left.size * right.size > MOST_PAIRS:
            raise UnsupportedError("a join of many rows")
        places = np.repeat(np.arange(left.size), right.size)
        return places, np.tile(np.arange(right.size), left.size)
    if len(pairs) == 1 and right.size == 1 and not outer:
        (first, given), (second, there) = (
            side.run(rows) for side, rows in zip(pairs[0], (left, right), strict=True)
        )
        same = truth((np.asarray(first == _only(second), dtype=bool), given))
        same = same & truth((np.True_, there))
        places = np.flatnonzero(np.broadcast_to(same, left.size))
        return places, np.zeros(len(places), dtype=np.int64)
    if len(pairs) == 1 and outer:
        found = _partners(pairs[0], left, right)
        if found is not None:
            return np.arange(left.size), found
    known: dict[Any, list[int]] = {}
    for place, key in enumerate(_keys([pair[1] for pair in pairs], right)):
        if None not in key:
            known.setdefault(key, []).append(place)
    found_left: list[int] = []
    found_right: list[int] = []
    nothing: list[int] = [-1] if outer else []
    for place, key in enumerate(_keys([pair[0] for pair in pairs], left)):
        found = known.get(key, nothing)
        found_left += [place] * len(found)
        found_right += found
    return np.asarray(found_left, dtype=np.int64), np.asarray(found_right, dtype=np.int64)


def _partners(pair: tuple[Expr, Expr], left: Rows, right: Rows) -> Any:
    """Return the one row that each row goes with (-1 for none), nothing where there are several."""
    second, there = spread(pair[1].run(right), pair[1].kind, right.size)
    known = {value: place for place, value in enumerate(second.tolist())}
    if there is not None or len(known) < right.size:
        return None
    first, given = spread(pair[0].run(left), pair[0].kind, left.size)
    found = np.array(list(map(known.get, first.tolist(), repeat(-1))), dtype=np.int64)
    return found if given is None else np.where(given, found, -1)


def _only(data: Any) -> Any:
    """Return the one value of a column."""
    return data[0] if isinstance(data, np.ndarray) and data.ndim else data


def _keys(items: Sequence[Expr], rows: Rows) -> list[tuple[Any, ...]]:
    columns = []
    for item in items:
        data, there = spread(item.run(rows), item.kind, rows.size)
        columns.append(listed(data, there))
    return list(zip(*columns, strict=True))
