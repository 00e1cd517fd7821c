"""The SELECTs that make a table of the contract of a vendor's tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tenure.core.spec import Source
from tenure.sources.contract import SOURCES
from tenure.sources.presets.candidates import Candidate
from tenure.sources.presets.declared import Part
from tenure.sources.presets.expressions import Sql
from tenure.sources.presets.links import Key, Link
from tenure.sources.presets.recognise import Match
from tenure.sources.presets.times import read_time

ACCOUNT = "account"
"""Alias of the accounts table in a query that looks an id up."""


@dataclass(frozen=True)
class Query:
    """One SELECT of a table's query."""

    columns: dict[str, str]
    """Column of the contract → SQL."""
    pieces: dict[str, str]
    """Shared piece → SQL."""
    source: str
    """What stands after FROM."""
    joins: tuple[str, ...] = ()
    where: str = ""
    """Which rows; empty for all."""

    def text(self) -> str:
        """Return the SELECT, an expression a line."""
        items = ",\n".join(
            f"  {sql}" if sql.rpartition(".")[2] == name else f"  {sql} AS {name}"
            for name, sql in (self.pieces | self.columns).items()
        )
        lines = ["SELECT", items, f"FROM {self.source}", *self.joins]
        return "\n".join([*lines, *([f"WHERE {self.where}"] if self.where else [])])


@dataclass(frozen=True)
class AccountSql:
    """How a row finds the id of its account: SQL, the objects that it reads, further joins."""

    text: str
    objects: frozenset[str] = frozenset()
    joins: tuple[str, ...] = ()


def queries(candidate: Candidate, account: AccountSql | None) -> list[Query]:
    """Return the SELECTs of a candidate: its own rows, and those of its parts."""
    scope, source = candidate.scope, SOURCES[candidate.shape.table]
    parts = [(candidate.columns, scope.first(candidate.shape.where))]
    for part in candidate.shape.parts:
        if where := scope.first(part.where):
            parts.append((_overridden(candidate, part), where))
    result = []
    for columns, where in parts:
        every = [sql for sql in (*columns.values(), where) if sql]
        read = {name for sql in every for name in sql.objects}
        texts = {name: _value(candidate, source, name, sql) for name, sql in columns.items()}
        if account:
            read |= account.objects
            texts = _second(texts, "account_id", account.text)
        start = f"{_rows(candidate.start, ())} AS {candidate.shape.start}"
        joins = (*_joins(candidate, read), *(account.joins if account else ()))
        pieces = _pieces(candidate, {name for sql in every for name in sql.lets})
        result.append(Query(texts, pieces, start, joins, where.text if where else ""))
    return result


def _pieces(candidate: Candidate, names: set[str]) -> dict[str, str]:
    """Return the shared pieces that are read, those first that others read."""
    pieces = {name: candidate.scope.piece(name) for name in candidate.shape.lets if name in names}
    depth = sorted(pieces, key=lambda name: len(pieces[name].lets))
    return {f"_{name}": pieces[name].text for name in depth}


def _overridden(candidate: Candidate, part: Part) -> dict[str, Sql]:
    columns = dict(candidate.columns)
    for name, texts in part.columns.items():
        sql = candidate.scope.first(texts)
        if sql is None or sql.text.upper() == "NULL":
            columns.pop(name, None)
        else:
            columns[name] = sql
    return columns


def _second(texts: Mapping[str, str], name: str, value: str) -> dict[str, str]:
    """Return columns with one put in the second place."""
    items = [(key, text) for key, text in texts.items() if key != name]
    return dict([*items[:1], (name, value), *items[1:]])


def _value(candidate: Candidate, source: Source, name: str, sql: Sql) -> str:
    """Return SQL of a column; times that need a format are read here."""
    column = source.column(name)
    is_time = name == "known_at" or (column is not None and column.kind == "time")
    if not is_time or sql.column is None:
        return sql.text
    (table,) = sql.objects
    form = candidate.scope.forms.form(candidate.scope.objects[table].raw, sql.column)
    return read_time(sql.column, candidate.scope.alias(table), form) if form else sql.text


def _joins(candidate: Candidate, read: set[str]) -> list[str]:
    """Return the joins of the objects that are read, and of those that these need."""
    scope = candidate.scope
    conditions = {
        name: sql
        for name, texts in candidate.shape.joins.items()
        if name in scope.objects and (sql := scope.first(texts))
    }
    wanted = set(read)
    for name in reversed(conditions):
        if name in wanted:
            wanted |= conditions[name].objects
    return [
        f"LEFT JOIN {_rows(scope.objects[name], scope.objects[name].object.latest)} AS {name} "
        f"ON {condition.text}"
        for name, condition in conditions.items()
        if name in wanted
    ]


def _rows(match: Match, latest: tuple[str, ...]) -> str:
    """Return what is read: a table, or the last row of each key in it."""
    if not latest and "history" in match.raw.label.lower():
        latest = match.object.newest
    columns = [match.columns.get(name) for name in latest]
    *keys, order = [one.of() for one in columns if one is not None] or [""]
    if not keys or len(keys) + 1 < len(latest):
        return match.raw.source
    last = f"row_number() OVER (PARTITION BY {', '.join(keys)} ORDER BY {order} DESC) = 1"
    return f"(SELECT * FROM {match.raw.source} QUALIFY {last})"


def account_sql(candidate: Candidate, link: Link | None, own_id: Key) -> AccountSql:
    """Return how rows find their account.

    `link` are the columns in which the system of the rows and that of the accounts meet, None where
    it is the same; `own_id` is the accounts' own id.
    """
    own = candidate.account
    if link is None:
        return AccountSql(own.text, own.objects) if own else AccountSql("NULL")
    value = _value_here(candidate, link)
    account_key = link.account_key
    if (
        account_key.column == own_id.column
        and account_key.raw is own_id.raw
        and not account_key.domain
    ):
        return value
    if link.single and not account_key.domain:
        condition = f"{account_key.sql(ACCOUNT)} = {value.text}"
        join = f"LEFT JOIN {account_key.raw.source} AS {ACCOUNT} ON {condition}"
        return AccountSql(account_key.account.of(ACCOUNT), value.objects, (*value.joins, join))
    one = f"count(DISTINCT {account_key.account.of()}) = 1"
    inner = (
        f"(SELECT {account_key.sql()} AS value, min({account_key.account.of()}) AS account_id "
        f"FROM {account_key.raw.source} GROUP BY ALL HAVING {one})"
    )
    join = f"LEFT JOIN {inner} AS {ACCOUNT} ON {ACCOUNT}.value = {value.text}"
    return AccountSql(f"{ACCOUNT}.account_id", value.objects, (*value.joins, join))


def _value_here(candidate: Candidate, link: Link) -> AccountSql:
    """Return the value of a row by which its account is looked up."""
    scope, row_key, own = candidate.scope, link.row_key, candidate.account
    if own and row_key.own:
        return AccountSql(own.text, own.objects)
    if row_key.raw is candidate.start.raw:
        return AccountSql(row_key.sql(scope.alias(candidate.shape.start)))
    alias = next(name for name, match in scope.objects.items() if match.raw is row_key.raw)
    objects = (own.objects if own else frozenset()) | {alias}
    joins: tuple[str, ...] = ()
    if own and alias not in candidate.shape.joins:
        condition = f"{row_key.account.of(alias)} = {own.text}"
        joins = (f"LEFT JOIN {row_key.raw.source} AS {alias} ON {condition}",)
    return AccountSql(row_key.sql(alias), objects, joins)
