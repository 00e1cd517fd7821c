"""SQL as named steps: pure functions return them, one engine runs them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """One named piece of SQL, written in the DuckDB dialect."""

    name: str
    """The table the step creates."""
    sql: str
    """One SELECT statement."""
    lazy: bool = False
    """Whether a view is enough; else the rows are computed once and kept."""


def quote(name: str) -> str:
    """Return a column or table name quoted for SQL.

    >>> quote('a"b')
    '"a""b"'
    """
    return '"' + name.replace('"', '""') + '"'


def text_literal(value: str) -> str:
    """Return a string as a SQL literal.

    >>> text_literal("it's")
    "'it''s'"
    """
    return "'" + value.replace("'", "''") + "'"
