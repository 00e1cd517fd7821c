"""What the report notes of a table once it is staged: words, copies and ids that do not match."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenure.core.records.data import RemarkRecord
from tenure.core.steps import quote
from tenure.sources import duplicates, id_hints
from tenure.sources.quality import unread
from tenure.sources.wording import WORDINGS
from tenure.sources.words import VOCABULARIES

if TYPE_CHECKING:
    from tenure.engine import Engine
    from tenure.sources.counts import Counts
    from tenure.sources.layout import IncomingTable
    from tenure.sources.staging_sql import Layout

MEASURES = {"subscriptions": "mrr", "invoices": "amount"}
"""What rows of one key that are no copies would add up to."""
WORTH = 0.05
"""Share of rows without a known account from which on a reason is looked for."""


def note_words(table: IncomingTable, engine: Engine) -> None:
    """Fill what the report says of words: of a table from the cache, only of unknown ones."""
    layout, counts = table.layout, table.counts
    for place, bit in enumerate(layout.bits):
        if not counts.remarks[place]:
            continue
        if bit.kind == "nothing" and table.parts is None:
            words = unread.word_samples(layout, bit.column, engine, nothing=True)
            table.samples["nothing", bit.column] = words
        elif bit.kind == "unread" and (layout.source.name, bit.column) in WORDINGS:
            table.samples["unread", bit.column] = unread.unknown_words(layout, bit.column, engine)


def mostly_unknown(layout: Layout, counts: Counts) -> list[str]:
    """Return the optional columns of which most words are not known: they count as absent."""
    numbers: dict[tuple[str, str], int] = {
        (bit.kind, bit.column): counts.remarks[place] for place, bit in enumerate(layout.bits)
    }
    return [
        column
        for table, column in VOCABULARIES
        if table == layout.source.name
        and column in layout.optional
        and numbers.get(("unread", column), 0) > numbers.get(("present", column), 0)
        and ("present", column) in numbers
    ]


def note_parts(table: IncomingTable, engine: Engine) -> None:
    """Note rows of one key that differ in what is known with the row: they are no copies."""
    layout = table.layout
    late, keys = layout.source.late, duplicates.key_columns(layout)
    columns = [
        column.name
        for column in layout.source.columns
        if column.name in layout.columns and column.name not in (*late, *layout.source.key)
    ]
    measure = MEASURES.get(layout.source.name, "0")
    differs = [
        f"coalesce(min({quote(name)}) <> max({quote(name)}), false) "
        f"OR count({quote(name)}) BETWEEN 1 AND count(*) - 1 AS d{place}"
        for place, name in enumerate(columns)
    ]
    left = f"sum({measure}) FILTER (_reason = {layout.duplicate}) AS left_out"
    groups = (
        f"SELECT {', '.join([*differs, left])}, count(*) - 1 AS more FROM {quote(layout.staged)} "
        f"WHERE _reason IN (0, {layout.duplicate}) GROUP BY {', '.join(keys)} HAVING count(*) > 1"
    )
    numbers = [f"d{place}" for place in range(len(columns))]
    sums = ", ".join(f"count(*) FILTER ({name}) AS {name}" for name in numbers)
    row = engine.row(
        f"SELECT count(*) AS n, sum(more) AS more, sum(left_out) AS left_out, {sums} "
        f"FROM ({groups}) WHERE {' OR '.join(numbers)}"
    )
    if not row["n"]:
        return
    names = [name for place, name in enumerate(columns) if row[f"d{place}"]]
    amount = f"; {measure} {row['left_out'] or 0:,.10g} is left out" if measure != "0" else ""
    key = next(name for name in layout.source.key if name in layout.columns)
    text = (
        f"{row['n']:,} {'key stands' if row['n'] == 1 else 'keys stand'} more than once with "
        f"different {', '.join(names)}{amount}: the first known of each is used. Where they are "
        "parts of one thing, such as items of a subscription, make the key tell them apart: "
        f"`{key}: your_id || '-' || your_item_id`"
    )
    rows = int(row["more"])
    table.notes.append(RemarkRecord(code="no_copies", text=text, rows=rows, red=True))


def note_differences(table: IncomingTable, engine: Engine) -> None:
    """Note why rows of a table have no known account, where many have none."""
    counts = table.counts
    rows = counts.rejected["unknown_account"]
    if (
        counts.used
        and rows > WORTH * counts.rows
        and (text := id_hints.difference(table.layout, engine))
    ):
        text = f"{rows:,} rows are of no known account, and {text}"
        table.notes.append(RemarkRecord(code="ids_differ", text=text, rows=rows, red=True))
