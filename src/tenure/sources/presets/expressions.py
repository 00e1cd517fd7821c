"""From an expression of a preset to SQL over the tables that were recognised."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

import sqlglot
from sqlglot import exp

from tenure.sources import coerce
from tenure.sources.presets.raw_tables import RawColumn
from tenure.sources.presets.recognise import Match
from tenure.sources.presets.times import TimeForms, read_time

_WHOLE_CURRENCIES = (
    *("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG"),
    *("RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"),
)
"""ISO 4217: currencies without a smaller unit."""
_THOUSANDTHS = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
"""ISO 4217: currencies of a thousand smaller units."""
_WORDS = ("as_time", "as_number", "as_flag", "months", "minor_units", "file_word")


@dataclass(frozen=True)
class Sql:
    """An expression over raw tables."""

    text: str
    objects: frozenset[str]
    """Names of the objects that it reads."""
    column: RawColumn | None = None
    """The column, where it is nothing but one."""
    lets: frozenset[str] = frozenset()
    """Names of the shared pieces that it reads by their name, those inside others too."""


@dataclass(frozen=True)
class Scope:
    """What an expression may read."""

    objects: Mapping[str, Match]
    """Object → the table that is it."""
    lets: Mapping[str, tuple[str, ...]]
    """Shared piece → its expressions."""
    forms: TimeForms = field(repr=False)
    """How times are written."""
    start: str
    """The object whose rows are read."""
    bare: bool = False
    """Whether columns are named without the table, for there is one only, and shared pieces are
    written out, for there is no query in which they could have a name."""

    def first(self, texts: tuple[str, ...]) -> Sql | None:
        """Return the first of several expressions whose columns all exist, None without one."""
        return next((sql for text in texts if (sql := self.resolved(text)) is not None), None)

    def resolved(self, text: str) -> Sql | None:
        """Return an expression as SQL, None where a column of it does not exist."""
        uses = _Uses()
        node = _parsed(text)
        try:
            tree = self._replaced(node.copy(), uses)
        except LookupError:
            return None
        column = None
        if isinstance(node, exp.Column) and node.table != "let":
            column = self.objects[node.table].columns[node.name]
        return Sql(written(tree), frozenset(uses.objects), column, frozenset(uses.lets))

    def piece(self, name: str) -> Sql:
        """Return a shared piece.

        Raises:
            LookupError: If none of its expressions can be had.
        """
        sql = self.first(self.lets[name])
        if sql is None:
            raise LookupError(name)
        return sql

    def alias(self, name: str) -> str:
        """Return what an object is called in the query; empty where it is the only one."""
        return "" if self.bare else name

    def _replaced(self, tree: exp.Expr, uses: _Uses) -> exp.Expr:
        """Return a tree with the columns and words of the preset replaced."""
        holder = exp.Paren(this=tree)
        for call in list(tree.find_all(exp.Anonymous)):
            if call.name.lower() in _WORDS:
                call.replace(_wrapped(self._word(call, uses)))
        for column in list(holder.find_all(exp.Column)):
            if not column.meta.get("raw"):
                column.replace(self._column(column, uses))
        result: exp.Expr = holder.this
        return result

    def _column(self, node: exp.Column, uses: _Uses) -> exp.Expr:
        if node.table == "let":
            inner = self.piece(node.name)
            uses.objects |= inner.objects
            if self.bare:
                return _wrapped(inner.text)
            uses.lets |= {node.name, *inner.lets}
            return _wrapped(f"_{node.name}")
        column = self._raw(node)
        uses.objects.add(node.table)
        return _wrapped(column.of(self.alias(node.table)))

    def _raw(self, node: exp.Expr) -> RawColumn:
        if not isinstance(node, exp.Column):
            raise TypeError(f"{node.sql()} is no column")
        match = self.objects.get(node.table)
        if match is None or node.name not in match.columns:
            raise LookupError(node.sql())
        return match.columns[node.name]

    def _word(self, node: exp.Anonymous, uses: _Uses) -> str:
        """Return SQL of one of the words that presets may use."""
        name, arguments = node.name.lower(), node.expressions
        if name == "file_word":
            place = self.objects[self.start].raw.label.lower()
            words = [item.name for item in arguments if re.search(item.name, place)]
            if not words:
                raise LookupError(name)
            return f"'{words[0]}'"
        if name.startswith("as_"):
            return self._read(name, arguments[0], uses)
        parts = [written(self._replaced(item.copy(), uses)) for item in arguments]
        return _months(*parts) if name == "months" else _minor_units(*parts)

    def _read(self, name: str, node: exp.Expr, uses: _Uses) -> str:
        column = self._raw(node)
        table = node.text("table")
        uses.objects.add(table)
        alias = self.alias(table)
        if name == "as_time":
            form = self.forms.form(self.objects[table].raw, column)
            return read_time(column, alias, form)
        value, family = column.of(alias), coerce.base_type(column.type)
        if name == "as_number":
            return f"TRY_CAST({value} AS DOUBLE)" if family == "VARCHAR" else value
        words = "('true', 't', 'yes', 'y', '1')"
        return value if family == "BOOLEAN" else f"lower(CAST({value} AS VARCHAR)) IN {words}"


@dataclass
class _Uses:
    """What an expression reads, collected while it is put together."""

    objects: set[str] = field(default_factory=set)
    lets: set[str] = field(default_factory=set)


def written(tree: exp.Expr) -> str:
    """Return a tree as SQL."""
    return tree.sql(dialect="duckdb", normalize_functions="lower")


@cache
def _parsed(text: str) -> exp.Expr:
    return sqlglot.parse_one(text, read="duckdb")


def _wrapped(text: str) -> exp.Expr:
    """Return SQL as a tree whose columns are those of the user, in brackets where needed."""
    tree = sqlglot.parse_one(text, read="duckdb")
    for node in tree.find_all(exp.Column):
        node.meta["raw"] = True
    simple = isinstance(tree, exp.Column | exp.Func | exp.Literal | exp.Paren | exp.Dot)
    return tree if simple else exp.Paren(this=tree)


def _months(unit: str, count: str = "1") -> str:
    """Return SQL of the months of an interval such as 1 year, or 3 months."""
    months = f"CASE left(lower({unit}), 1) WHEN 'y' THEN 12.0 WHEN 'm' THEN 1.0 "
    months += "WHEN 'q' THEN 3.0 WHEN 'w' THEN 12 / 52.0 WHEN 'd' THEN 12 / 365.0 END"
    return months if count == "1" else f"({months}) * {count}"


def _minor_units(currency: str) -> str:
    """Return SQL of how many of the smallest unit make one of a currency."""
    whole = ", ".join(f"'{code}'" for code in _WHOLE_CURRENCIES)
    thousandths = ", ".join(f"'{code}'" for code in _THOUSANDTHS)
    return (
        f"CASE WHEN upper({currency}) IN ({whole}) THEN 1 "
        f"WHEN upper({currency}) IN ({thousandths}) THEN 1000 ELSE 100 END"
    )
