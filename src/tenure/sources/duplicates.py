"""Duplicate keys: the row known first is used, whatever the order in which rows are read."""

from __future__ import annotations

from tenure.core.steps import quote
from tenure.sources import coerce
from tenure.sources.contract import OPTIONAL_KEYS
from tenure.sources.staging_sql import Layout


def deduplicated(layout: Layout, relation: str, *, keep_raw: bool = False) -> str:
    """Return a SELECT over a staged relation that marks all but the first known of a key."""
    keys = key_columns(layout)
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
    keys = ", ".join(key_columns(layout))
    return f"SELECT {keys} FROM {_keyed(layout, relation)} GROUP BY ALL HAVING count(*) > 1"


def hashes(layout: Layout, relation: str) -> str:
    """Return a SELECT of the hashed key, `_key`, of each usable row: equal keys, equal hashes."""
    return f"SELECT hash({', '.join(key_columns(layout))}) AS _key FROM {_keyed(layout, relation)}"


def key_columns(layout: Layout) -> list[str]:
    """Return the columns of a table that tell its rows apart, as identifiers."""
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
    return key_columns(layout) not in ([], [quote("valid_from")])


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
