"""What a mapping lacks, and what it would bring."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tenure.core.records.init import MissingPart
from tenure.sources.contract import SOURCES
from tenure.sources.meaning import Meaning
from tenure.sources.meanings import MEANINGS
from tenure.sources.presets.declared import Preset

_QUIET = ("nothing changes", "the type's usual")
"""How the contract says that nothing is lost."""
_RARE = frozenset({"fx_rates"})
"""Tables that only some businesses need."""


def missing_parts(
    provided: Mapping[str, Iterable[str]], presets: Iterable[Preset]
) -> list[MissingPart]:
    """Return the tables and columns of the contract that a mapping does not have.

    `provided` are the columns of each mapped table; of all presets, those are named that give a
    table.
    """
    presets = list(presets)
    parts: list[MissingPart] = []
    for name, source in SOURCES.items():
        if name not in provided:
            if name not in _RARE:
                parts.append(_table(name, presets))
            continue
        columns = set(provided[name])
        for column in source.columns:
            meaning = MEANINGS[name][column.name]
            if column.name not in columns and not meaning.absent.startswith(_QUIET):
                parts.append(_column(name, column.name, meaning))
    return parts


def _table(name: str, presets: Iterable[Preset]) -> MissingPart:
    vendors = dict.fromkeys(
        item.vendor
        for item in presets
        if not item.generic and name in {shape.table for shape in item.tables}
    )
    without = "required" if SOURCES[name].required else "features of it are absent"
    return MissingPart(name=name, without=without, usually=", ".join(vendors))


def _column(table: str, column: str, meaning: Meaning) -> MissingPart:
    return MissingPart(name=f"{table}.{column}", without=meaning.absent, usually=meaning.origin)
