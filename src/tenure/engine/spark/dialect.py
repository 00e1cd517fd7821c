"""Where DuckDB and Spark differ: one declared table of rewrites, and one of what is refused.

All SQL is written once, in the DuckDB dialect.  sqlglot translates what it knows; `REWRITES` says
what it does not, or not exactly, so that both engines mean the same; `REFUSED` what Spark cannot
do.  Times of the package are naive UTC: `TIMESTAMP_NTZ`, in a session whose zone is UTC.

To add a rewrite, name the sqlglot class of the call (or, for a function that sqlglot does not
know, its name) and give a function from the node to what stands for it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from tenure.core.errors import DataError, Problem, first_line
from tenure.engine.spark.strptime import timestamp_sql

Node = exp.Expr
_TYPES = {
    exp.DataType.Type.TIMESTAMPTZ: "TIMESTAMPLTZ",
    exp.DataType.Type.UBIGINT: "BIGINT",
    exp.DataType.Type.UINT: "BIGINT",
    exp.DataType.Type.USMALLINT: "INT",
    exp.DataType.Type.INT128: "DECIMAL(38, 0)",
    exp.DataType.Type.UINT128: "DECIMAL(38, 0)",
}
_SECONDS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600}

REFUSED: dict[str, str] = {
    "asof join": "write a join on the key and a range of times",
    "at time zone": "only `(x AT TIME ZONE '…') AT TIME ZONE 'UTC'` means the same on both engines",
    "pivot": "write CASE expressions",
    "positional reference": "name the column",
    "read of a file": "read_csv or read_parquet of one path; all_varchar, header and sep at most",
    "date_diff": "second, minute, hour, day or month",
}
"""What Spark cannot run, and what to write instead."""


@lru_cache(maxsize=512)
def to_spark(sql: str) -> str:
    """Translate one SELECT from the DuckDB dialect to Spark's.

    Raises:
        DataError: If it holds what Spark cannot do.
    """
    try:
        tree = sqlglot.parse_one(sql, read="duckdb")
    except SqlglotError as error:
        fix = f"the SQL was:\n{sql}"
        raise DataError(Problem("SQL", "cannot be read", first_line(error), fix)) from error
    return rewritten(tree).sql("spark")


def rewritten(tree: Node) -> Node:
    """Return a tree with every rewrite applied, from the leaves up."""
    for node in reversed(list(tree.bfs())):
        key = node.name.lower() if isinstance(node, exp.Anonymous) else type(node)
        rewrite = REWRITES.get(key)
        new = rewrite(node) if rewrite else node
        if new is not node and node is tree:
            tree = new
        elif new is not node:
            node.replace(new)
    return tree


def refuse(what: str, node: Node) -> DataError:
    """Return the error for something on the list of what Spark cannot do."""
    text = node.sql("duckdb")[:200]
    return DataError(Problem("Spark", f"cannot run this {what}", text, REFUSED[what]))


def _call(name: str, *parts: Node | str) -> Node:
    """Return a call of a Spark function by its name; texts are SQL of Spark."""
    nodes = [_sql(part) if isinstance(part, str) else part.copy() for part in parts]
    return exp.Anonymous(this=name, expressions=nodes)


def _sql(text: str) -> Node:
    return sqlglot.parse_one(text, read="spark")


def _shown(node: Node) -> str:
    return node.sql("spark")


def _cast(node: Node, kind: str) -> Node:
    return exp.Cast(this=node.copy(), to=exp.DataType.build(kind))


def _naive(node: Node) -> Node:
    return _cast(node, "TIMESTAMPNTZ")


def _argument(node: Node, place: int = 0) -> Node:
    argument: Node = node.expressions[place]
    return argument


def _type(node: Node) -> Node:
    kind = _TYPES.get(node.this)
    return exp.DataType.build(kind) if kind else node


def _try_cast(node: Node) -> Node:
    """Keep what counts as a number, and as a time with a zone, as DuckDB has it."""
    kind, value = node.args["to"], _shown(node.this)
    if kind.is_type(exp.DataType.Type.UTINYINT):
        number = f"TRY_CAST({value} AS INT)"
        return _sql(f"CASE WHEN {number} BETWEEN 0 AND 255 THEN {number} END")
    if kind.is_type(exp.DataType.Type.DOUBLE):
        text = f"REGEXP_REPLACE(CAST({value} AS STRING), '([0-9.])[dDfF] *$', '$1?')"
        digits = f"REGEXP_REPLACE({text}, '(?<=[0-9])_(?=[0-9])', '')"
        return _sql(f"TRY_CAST({digits} AS DOUBLE)")
    if kind.is_type(exp.DataType.Type.TIMESTAMPTZ, exp.DataType.Type.TIMESTAMPLTZ):
        return _time(value, "TIMESTAMP_LTZ")
    if kind.is_type(exp.DataType.Type.TIMESTAMP, exp.DataType.Type.TIMESTAMPNTZ):
        return _time(value, "TIMESTAMP_NTZ")
    return node


def _time(text: str, kind: str) -> Node:
    """Return the time that a text tells; 24:00 is the next day's midnight."""
    value = f"CAST({text} AS STRING)"
    hours = f"REGEXP_REPLACE({value}, '(:[0-9]{{2}}([.][0-9]+)?)([+-][0-9]{{2}})$', '$1$3:00')"
    zone = f"REGEXP_REPLACE({hours}, ' ?UTC$', 'Z')"
    plain = f"REGEXP_REPLACE({zone}, '([T ][0-9]{{2}}:[0-9]{{2}})([Z+-])', '$1:00$2')"
    late = "[T ]24:00(:00([.]0+)?)?"
    moment = f"TRY_CAST(REGEXP_REPLACE({plain}, '([T ])24:', '$100:') AS {kind})"
    return _sql(
        f"CASE WHEN {value} RLIKE '{late}' THEN {moment} + INTERVAL '1' DAY "
        f"WHEN NOT {value} RLIKE '[T ]24:' THEN {moment} END"
    )


def _at_time_zone(node: Node) -> Node:
    zone, inner = node.args["zone"], node.this.unnest()
    if isinstance(inner, exp.AtTimeZone) and zone.name == "UTC":
        return _from_zone(_shown(inner.this), _shown(inner.args["zone"]))
    if zone.name == "UTC":
        return _naive(inner)
    outer = node.parent
    while isinstance(outer, exp.Paren):
        outer = outer.parent
    if isinstance(outer, exp.AtTimeZone) and outer.args["zone"].name == "UTC":
        return node
    raise refuse("at time zone", node)


def _from_zone(moment: str, zone: str) -> Node:
    """Return a zone's local time in UTC; of an hour that occurs twice, the later."""
    early = f"CONVERT_TIMEZONE({zone}, 'UTC', {moment})"
    late = f"{early} + INTERVAL '1' HOUR"
    again = f"CONVERT_TIMEZONE('UTC', {zone}, {late}) = {moment}"
    return _sql(f"CASE WHEN {again} THEN {late} ELSE {early} END")


def _strptime(text: Node, form: Node) -> Node:
    if not isinstance(form, exp.Literal):
        raise refuse("read of a file", form)
    return _sql(timestamp_sql(_shown(text), form.name))


def _date_diff(node: Node) -> Node:
    """Count the boundaries between two times."""
    unit = node.args["unit"].name.upper()
    later, earlier = _shown(node.this), _shown(node.expression)
    if unit == "DAY":
        return _sql(f"DATEDIFF(CAST({later} AS DATE), CAST({earlier} AS DATE))")
    if unit == "MONTH":
        return _sql(f"(12 * (YEAR({later}) - YEAR({earlier})) + MONTH({later}) - MONTH({earlier}))")
    if unit not in _SECONDS:
        raise refuse("date_diff", node)
    edges = [f"UNIX_SECONDS(DATE_TRUNC('{unit}', {moment}))" for moment in (later, earlier)]
    return _sql(f"(({edges[0]} - {edges[1]}) DIV {_SECONDS[unit]})")


def _bracket(node: Node) -> Node:
    if not isinstance(node.this.unnest(), exp.Array) or len(node.expressions) != 1:
        return node
    if isinstance(node.expressions[0], exp.Literal):
        return node
    place = f"NULLIF(CAST({_shown(node.expressions[0])} AS INT), 0)"
    return _call("TRY_ELEMENT_AT", node.this, place)


def _left(node: Node) -> Node:
    length = node.expression
    if not isinstance(length, exp.Neg):
        return node
    value = _shown(node.this)
    return _sql(f"SUBSTRING({value}, 1, LENGTH({value}) - {_shown(length.this)})")


def _in(node: Node) -> Node:
    """Test membership outside a filter by EXISTS, which is joined by hash; null is in none."""
    query = node.args.get("query")
    place = node.find_ancestor(exp.Where, exp.Having, exp.Join, exp.Select)
    if query is None or not isinstance(place, exp.Select):
        return node
    listed = _shown(query.unnest())
    return _sql(
        f"EXISTS (SELECT 1 FROM ({listed}) AS listed(listed_value) "
        f"WHERE listed_value = {_shown(node.this)})"
    )


def _union(node: Node) -> Node:
    """Spell out BY NAME: Spark joins by place."""
    if not node.args.get("by_name"):
        return node
    left, right = node.this, node.expression
    by_name = {item.alias_or_name: item for item in right.selects}
    order = [item.alias_or_name for item in left.selects]
    if set(order) != set(by_name) or "*" in by_name:
        raise refuse("positional reference", node)
    right.set("expressions", [by_name[name] for name in order])
    node.set("by_name", False)
    return node


def _star(node: Node) -> Node:
    """Put the replaced columns behind the others: Spark has `EXCEPT` but no `REPLACE`."""
    replaced = node.args.get("replace")
    select = node.parent
    if not replaced or not isinstance(select, exp.Select):
        return node
    names = [exp.to_identifier(item.alias, quoted=True) for item in replaced]
    node.set("replace", None)
    node.set("except_", [*(node.args.get("except_") or []), *names])
    select.set("expressions", [*select.expressions, *(item.copy() for item in replaced)])
    return node


def _json(node: Node) -> Node:
    row = _argument(node)
    if not isinstance(row, exp.Column) or row.table:
        return node
    return _sql(f"TO_JSON(STRUCT({_shown(row)}.*), MAP('ignoreNullFields', 'false'))")


def _hash(node: Node) -> Node:
    """Hash what is null too: Spark passes it over."""
    parts: list[Node] = []
    for item in node.expressions:
        parts += [item, _sql(f"{_shown(item)} IS NULL")]
    return _call("XXHASH64", *parts)


def _finite(node: Node) -> Node:
    value = _shown(_argument(node) if node.expressions else node.this)
    return _sql(f"(NOT ISNAN({value}) AND ABS({value}) < DOUBLE('inf'))")


def _one(node: Node) -> Node:
    only: Node = node.this
    return node if node.expressions else only


def _division(node: Node) -> Node:
    return _call("TRY_DIVIDE", _cast(node.this, "DOUBLE"), _cast(node.expression, "DOUBLE"))


def _join(node: Node) -> Node:
    if str(node.args.get("method") or "").upper() == "ASOF":
        raise refuse("asof join", node)
    return node


def _cte(node: Node) -> Node:
    node.set("materialized", None)
    return node


def _extract(node: Node) -> Node:
    part, moment = node.name.upper(), _shown(node.expression)
    if part in ("DOW", "DAYOFWEEK", "WEEKDAY"):
        return _sql(f"(DAYOFWEEK({moment}) - 1)")
    if part == "ISODOW":
        return _sql(f"(WEEKDAY({moment}) + 1)")
    if part == "EPOCH":
        return _sql(f"(UNIX_MICROS({moment}) / 1000000D)")
    return _sql(f"CAST(FLOOR(EXTRACT({part} FROM {moment})) AS BIGINT)")


def _no_pivot(node: Node) -> Node:
    raise refuse("pivot", node)


REWRITES: dict[type[Node] | str, Callable[[Node], Node]] = {
    # Types and casts
    exp.DataType: _type,
    exp.TryCast: _try_cast,
    # Times
    exp.AtTimeZone: _at_time_zone,
    exp.TimestampTrunc: _naive,
    exp.DateTrunc: _naive,
    exp.UnixToTime: _naive,
    exp.DateDiff: _date_diff,
    exp.Extract: _extract,
    exp.DayOfWeek: lambda node: _sql(f"(DAYOFWEEK({_shown(node.this)}) - 1)"),
    exp.DayOfWeekIso: lambda node: _sql(f"(WEEKDAY({_shown(node.this)}) + 1)"),
    exp.TimeToUnix: lambda node: _sql(f"(UNIX_MICROS({_shown(node.this)}) / 1000000D)"),
    exp.StrToTime: lambda node: _strptime(node.this, node.args["format"]),
    "try_strptime": lambda node: _strptime(_argument(node), _argument(node, 1)),
    "epoch_us": lambda node: _call("UNIX_MICROS", _argument(node)),
    "to_months": lambda node: _call("MAKE_YM_INTERVAL", "0", _argument(node)),
    exp.ToDays: lambda node: _call("MAKE_DT_INTERVAL", node.this),
    # Numbers
    exp.Div: _division,
    exp.Least: _one,
    exp.Greatest: _one,
    "isfinite": _finite,
    "hash": _hash,
    # Text and lists
    exp.RegexpFullMatch: lambda node: _sql(
        f"{_shown(node.this)} RLIKE CONCAT('^(?:', {_shown(node.expression)}, ')\\\\z')"
    ),
    exp.Left: _left,
    exp.Bracket: _bracket,
    "list_position": lambda node: _sql(
        f"NULLIF(ARRAY_POSITION({_shown(_argument(node))}, {_shown(_argument(node, 1))}), 0)"
    ),
    "to_json": _json,
    # Shape of the statement
    exp.In: _in,
    exp.Union: _union,
    exp.Star: _star,
    exp.CTE: _cte,
    exp.Join: _join,
    exp.Pivot: _no_pivot,
}
"""sqlglot class, or name of a function that it does not know → what stands for it on Spark."""
