"""The words of a table that mean nothing, or nothing that is known, as the report shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenure.core.steps import quote
from tenure.sources.words import PERIODS, VOCABULARIES

if TYPE_CHECKING:
    from tenure.engine import Engine
    from tenure.sources.staging_sql import Layout

MOST_WORDS = 4
"""Words that a sentence names at most."""


def word_samples(layout: Layout, column: str, engine: Engine, *, nothing: bool) -> str:
    """Return the most frequent words of a column that say that there is none, or are not known.

    The former where `nothing` is true.
    """
    unknown = f"{layout.has_value(column)} AND {layout.worded(column)} IS NULL"
    condition = layout.is_nothing(column) if nothing else unknown
    sql = (
        f"SELECT word, count(*) AS n FROM (SELECT CAST({quote(column)} AS VARCHAR) AS word "
        f"FROM {quote(layout.raw)} WHERE {condition}) GROUP BY 1 ORDER BY n DESC, word "
        f"LIMIT {MOST_WORDS + 1}"
    )
    rows = engine.fetch(sql).to_pylist()
    named = [f"`{row['word'][:40]}` {row['n']:,}" for row in rows[:MOST_WORDS]]
    return ", ".join([*named, "…"] if len(rows) > MOST_WORDS else named)


def words_of(table: str, column: str) -> str:
    """Return the words that the contract knows for a column, and what to do about others."""
    if column == "billing_period":
        names = ", ".join(name for name, *_ in PERIODS.values())
        return f"known are {names}, and lengths such as `3 months` or `P1Y`"
    words = VOCABULARIES[table, column]
    hint = f"; {words.hint}" if words.hint else ""
    return f"known are {', '.join(words.words)} and what vendors call them, see docs/data.md{hint}"


def unknown_words(layout: Layout, column: str, engine: Engine) -> str:
    """Return which words of a column are not known, and which are."""
    samples = word_samples(layout, column, engine, nothing=False)
    return f"{samples}; {words_of(layout.source.name, column)}"
