"""Arithmetic and times of the small engine; importing it declares them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sqlglot import exp

from tenure.engine.small import scalars
from tenure.engine.small.expressions import (
    NUMBER,
    Expr,
    Node,
    Rows,
    Scope,
    both,
    common,
    convert,
    fixed,
    maker,
    some,
)
from tenure.engine.small.frames import INTEGERS, UnsupportedError, Vec

INTERVAL = "INTERVAL"
"""Kind of a stretch of time, in microseconds."""
MONTHS = "MONTHS"
_UNITS = scalars.UNITS | {"MICROSECOND": 1, "MILLISECOND": 1_000}
_SAFE = 2.0**62
_WHOLE: dict[type[Node], Callable[[Any, Any], Any]] = {
    exp.Add: np.add,
    exp.Sub: np.subtract,
    exp.Mul: np.multiply,
}
Moment = tuple[str, ...]


def _masked(vec: Vec) -> Any:
    return vec[0] if vec[1] is None else np.where(vec[1], vec[0], 0)


@maker(exp.Add, exp.Sub, exp.Mul)
def _arithmetic(scope: Scope, node: exp.Binary) -> Expr:
    left, right = scope.expr(node.this), scope.expr(node.expression)
    timed = _of_times(type(node), left, right)
    if timed is not None:
        return timed
    kind = common([left.kind, right.kind])
    if kind not in INTEGERS and kind != "DOUBLE":
        raise UnsupportedError(f"arithmetic of {kind}")
    function = _WHOLE[type(node)]
    one, two = convert(left, kind).run, convert(right, kind).run

    def run(rows: Rows) -> Vec:
        first, second = one(rows), two(rows)
        found = function(_masked(first), _masked(second))
        _check(found, kind, function, first, second)
        return found, both(first[1], second[1])

    return Expr(kind, run)


def _check(found: Any, kind: str, function: Any, first: Vec, second: Vec) -> None:
    """Leave it to DuckDB to complain of what does not fit.

    Raises:
        UnsupportedError: If a result does not.
    """
    if kind == "DOUBLE":
        if some(~np.isfinite(np.asarray(found))):
            raise UnsupportedError("a number that is not finite")
        return
    low, high = INTEGERS[kind]
    about = function(np.asarray(_masked(first), float), np.asarray(_masked(second), float))
    if some((about < max(low, -_SAFE)) | (about > min(high, _SAFE))):
        raise UnsupportedError("a number out of range")


def _of_times(how: type[Node], left: Expr, right: Expr) -> Expr | None:
    """Return the sum or difference of times and stretches of time, None where there are none."""
    kinds = (left.kind, right.kind)
    if not {"TIMESTAMP", INTERVAL, MONTHS, "DATE"} & set(kinds):
        return None
    one, two = left.run, right.run
    if kinds == ("TIMESTAMP", INTERVAL) and how in (exp.Add, exp.Sub):
        function = _WHOLE[how]
    elif kinds == ("TIMESTAMP", "TIMESTAMP") and how is exp.Sub:
        function = np.subtract
    elif kinds == ("TIMESTAMP", MONTHS) and how is exp.Add:
        function = scalars.add_months
    else:
        raise UnsupportedError(f"{how.__name__} of {kinds}")

    def run(rows: Rows) -> Vec:
        (data, there), (data2, there2) = one(rows), two(rows)
        return function(data, data2), both(there, there2)

    return Expr(INTERVAL if kinds[1] == "TIMESTAMP" else "TIMESTAMP", run)


@maker(exp.Div)
def _quotient(scope: Scope, node: exp.Div) -> Expr:
    sides = [scope.expr(node.this), scope.expr(node.expression)]
    if not {item.kind for item in sides} <= {"DOUBLE", NUMBER, *INTEGERS}:
        raise UnsupportedError("a quotient of other than numbers")
    one, two = (convert(item, "DOUBLE").run for item in sides)

    def run(rows: Rows) -> Vec:
        (data, there), (data2, there2) = one(rows), two(rows)
        valid = both(there, there2)
        below = data2 if valid is None else np.where(valid, data2, 1.0)
        if some(np.asarray(below) == 0):
            raise UnsupportedError("division by zero")
        found = _masked((data, there)) / below
        if some(~np.isfinite(found)):
            raise UnsupportedError("a number that is not finite")
        return found, valid

    return Expr("DOUBLE", run)


@maker(exp.Mod)
def _rest(scope: Scope, node: exp.Mod) -> Expr:
    divisor = node.expression
    value = scope.expr(node.this)
    if not isinstance(divisor, exp.Literal) or not divisor.name.isdigit() or divisor.name == "0":
        raise UnsupportedError("a rest")
    if value.kind not in ("INTEGER", "BIGINT"):
        raise UnsupportedError("a rest")
    size = int(divisor.name)

    def run(rows: Rows) -> Vec:
        data, there = value.run(rows)
        return np.fmod(data, size), there

    return Expr(value.kind, run)


@maker(exp.BitwiseLeftShift)
def _shift(scope: Scope, node: exp.BitwiseLeftShift) -> Expr:
    value, places = scope.expr(node.this), int(node.expression.name)
    if value.kind != "UBIGINT" or places > 60:
        raise UnsupportedError("a shift")

    def run(rows: Rows) -> Vec:
        data, there = value.run(rows)
        if some(np.asarray(data) > 1):
            raise UnsupportedError("a shift of more than a flag")
        return np.left_shift(data, places), there

    return Expr("UBIGINT", run)


@maker(exp.BitwiseOr)
def _bits(scope: Scope, node: exp.BitwiseOr) -> Expr:
    left, right = scope.expr(node.this), scope.expr(node.expression)
    if (left.kind, right.kind) != ("UBIGINT", "UBIGINT"):
        raise UnsupportedError("bits")

    def run(rows: Rows) -> Vec:
        (data, there), (data2, there2) = left.run(rows), right.run(rows)
        return np.bitwise_or(data, data2), both(there, there2)

    return Expr("UBIGINT", run)


@maker(exp.Round)
def _round(scope: Scope, node: exp.Round) -> Expr:
    value = scope.expr(node.this)
    if value.kind != "DOUBLE" or node.args.get("decimals"):
        raise UnsupportedError("a rounding")

    def run(rows: Rows) -> Vec:
        data, there = value.run(rows)
        return scalars.rounded(np.asarray(data)), there

    return Expr("DOUBLE", run)


@maker(exp.IsNan, "isfinite")
def _finite(scope: Scope, node: Node) -> Expr:
    """No number here is anything but finite."""
    value = scope.expr(node.this if isinstance(node, exp.IsNan) else node.expressions[0])
    if value.kind != "DOUBLE":
        raise UnsupportedError("isnan of other than numbers")
    answer = np.bool_(not isinstance(node, exp.IsNan))
    return Expr("BOOLEAN", lambda rows: (answer, value.run(rows)[1]))


@maker(exp.Interval)
def _interval(_: Scope, node: exp.Interval) -> Expr:
    unit = node.args["unit"].name.upper()
    if unit not in _UNITS or not isinstance(node.this, exp.Literal) or not node.this.name.isdigit():
        raise UnsupportedError(f"interval of {unit}")
    length: Vec = (int(node.this.name) * _UNITS[unit], None)
    return Expr(INTERVAL, fixed(length))


@maker("to_months")
def _months(scope: Scope, node: exp.Anonymous) -> Expr:
    value = scope.expr(node.expressions[0])
    if value.kind not in INTEGERS:
        raise UnsupportedError("to_months of other than whole numbers")
    return Expr(MONTHS, value.run)


def _time(scope: Scope, node: Node, *kinds: str) -> Expr:
    value = scope.expr(node)
    if value.kind not in (kinds or ("TIMESTAMP",)):
        raise UnsupportedError(f"a time of {value.kind}")
    return value


@maker("epoch_us")
def _epoch(scope: Scope, node: exp.Anonymous) -> Expr:
    return Expr("BIGINT", _time(scope, node.expressions[0]).run)


@maker(exp.AtTimeZone)
def _zone(scope: Scope, node: exp.AtTimeZone) -> Expr:
    if node.args["zone"].name != "UTC":
        raise UnsupportedError("another time zone")
    return Expr("TIMESTAMP", _time(scope, node.this, "TIMESTAMPTZ").run)


@maker(exp.TimestampTrunc)
def _start(scope: Scope, node: exp.TimestampTrunc) -> Expr:
    value, unit = _time(scope, node.this), node.args["unit"].name.upper()
    if unit not in (*scalars.UNITS, "WEEK", "MONTH"):
        raise UnsupportedError(f"date_trunc {unit}")

    def run(rows: Rows) -> Vec:
        data, there = value.run(rows)
        return scalars.truncated(data, unit), there

    return Expr("TIMESTAMP", run)


@maker(exp.DateDiff)
def _distance(scope: Scope, node: exp.DateDiff) -> Expr:
    unit = node.args["unit"].name.upper()
    sides = [_time(scope, part, "TIMESTAMP", "DATE") for part in (node.expression, node.this)]
    if unit not in (*scalars.UNITS, "MONTH"):
        raise UnsupportedError(f"date_diff {unit}")
    earlier, later = (convert(item, "TIMESTAMP").run for item in sides)

    def run(rows: Rows) -> Vec:
        (data, there), (data2, there2) = earlier(rows), later(rows)
        return scalars.distance(unit, data, data2), both(there, there2)

    return Expr("BIGINT", run)


@maker(exp.Hour)
def _hour(scope: Scope, node: exp.Hour) -> Expr:
    value = _time(scope, node.this)

    def run(rows: Rows) -> Vec:
        data, there = value.run(rows)
        return np.mod(np.floor_divide(data, scalars.UNITS["HOUR"]), 24), there

    return Expr("BIGINT", run)
