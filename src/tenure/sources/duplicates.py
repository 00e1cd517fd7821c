"""Duplicate keys: the row known first is used, whatever the order in which rows are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenure.core.records.data import RemarkRecord
from tenure.core.steps import quote
from tenure.sources import coerce
from tenure.sources.contract import OPTIONAL_KEYS
from tenure.sources.staging_sql import Layout

if TYPE_CHECKING:
    from tenure.engine import Engine
    from tenure.sources.layout import IncomingTable


def deduplicated(layout: Layout, relation: str, *, keep_raw: bool = False) -> str:
    """Return a SELECT over a staged relation that marks all but the first known of a key."""
    keys = _keys(layout)
    match = " AND ".join(f"_all.{name} IS NOT DISTINCT FROM _twice.{name}" for name in keys)
    names = [f"_all.{quote(name)}" for name in layout.columns]
    columns = ", ".join([*names, "_flags", "_row"] if keep_raw else [*names, "_flags"])
    rank = (
        f"row_number() OVER (PARTITION BY {', '.join(f'_all.{name}' for name in keys)} "
        f"ORDER BY {', '.join(_first_known(layout))})"
    )
    return (
        f"WITH _twice AS ({repeated(layout, relation)}) "
        f"SELECT {columns}, _reason FROM {relation} AS _all "
        f"WHERE NOT (_reason = 0 AND EXISTS (SELECT 1 FROM _twice WHERE {match})) "
        f"UNION ALL BY NAME SELECT {columns}, "
        f"CAST(CASE WHEN {rank} > 1 THEN {layout.duplicate} ELSE 0 END AS UTINYINT) AS _reason "
        f"FROM {relation} AS _all JOIN _twice ON {match} WHERE _reason = 0"
    )


def repeated(layout: Layout, relation: str) -> str:
    """Return a SELECT of the keys that more than one usable row has."""
    keys = ", ".join(_keys(layout))
    return f"SELECT {keys} FROM {_keyed(layout, relation)} GROUP BY ALL HAVING count(*) > 1"


def hashes(layout: Layout, relation: str) -> str:
    """Return a SELECT of the hashed key, `_key`, of each usable row: equal keys, equal hashes."""
    return f"SELECT hash({', '.join(_keys(layout))}) AS _key FROM {_keyed(layout, relation)}"


def _keys(layout: Layout) -> list[str]:
    return [quote(name) for name in layout.source.key if name in layout.columns]


def _keyed(layout: Layout, relation: str) -> str:
    named = "".join(
        f" AND {quote(name)} IS NOT NULL"
        for name in layout.source.key
        if name in OPTIONAL_KEYS and name in layout.columns
    )
    return f"{relation} WHERE _reason = 0{named}"


def has_key(layout: Layout) -> bool:
    """Return whether rows of the table can be duplicates of each other."""
    return _keys(layout) not in ([], [quote("valid_from")])


def _first_known(layout: Layout) -> list[str]:
    """Return the order in which the first known comes first, whatever the order of rows.

    Late columns come last and by their clocks: what is learnt later never decides.
    """
    late = layout.source.late
    early = [name for name in sorted(layout.columns) if name not in late and name != "known_at"]
    clocks = [coerce.known(f"_all.{quote(name)}") for name in layout.clocks]
    first = [f"least({', '.join(clocks)}) NULLS LAST"] if clocks else []
    return [
        layout.known_at("_all."),
        *(f"_all.{quote(name)} NULLS LAST" for name in early),
        *first,
        *(f"{clock} NULLS LAST" for clock in clocks),
        *(f"_all.{quote(name)} NULLS LAST" for name in sorted(late) if name in layout.columns),
        "_all._flags",
    ]


MEASURES = {"subscriptions": "mrr", "invoices": "amount"}
"""What rows of one key that are no copies would add up to."""


def note_parts(table: IncomingTable, engine: Engine) -> None:
    """Note rows of one key that differ in what is known with the row: they are no copies."""
    layout = table.layout
    late, keys = layout.source.late, _keys(layout)
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
