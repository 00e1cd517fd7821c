"""Which object of which vendor a raw table is: its columns decide, names give a hint."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tenure.sources.presets.declared import Preset, RawObject
from tenure.sources.presets.raw_tables import RawColumn, RawTable, plain

_VENDOR_NAMED, _OBJECT_NAMED = 6, 3
"""What a name is worth, in columns."""


@dataclass(frozen=True)
class Match:
    """A raw table that may be an object of a preset."""

    preset: Preset
    object: RawObject
    raw: RawTable
    columns: Mapping[str, RawColumn]
    """The object's columns that it has."""
    score: float
    """How much speaks for it, in columns."""
    missing: tuple[str, ...] = ()
    """Needed columns that it lacks."""
    nameless: bool = False
    """Whether its name would have to say what it is, and does not."""

    @property
    def lacks(self) -> int:
        """Return how many things it would need besides."""
        return len(self.missing) + self.nameless


def recognised(raw: RawTable, presets: Iterable[Preset]) -> Match | None:
    """Return what a table most probably is, None where it is nothing that is known."""
    matches = [match for match in _matches(raw, presets) if not match.lacks]
    return max(matches, key=lambda match: match.score, default=None)


def nearest(raw: RawTable, presets: Iterable[Preset]) -> Match | None:
    """Return the object that a table lacks the fewest columns of, if it has half of them."""
    matches = (item for item in _matches(raw, presets) if item.lacks <= len(item.object.needs) / 2)
    return max(matches, key=_nearness, default=None)


def _nearness(match: Match) -> tuple[float, float, float]:
    return -match.lacks, -match.lacks / len(match.object.needs), match.score


def _matches(raw: RawTable, presets: Iterable[Preset]) -> Iterator[Match]:
    names: dict[str, RawColumn] = {}
    for column in raw.columns:
        if spelling := plain(column.name):
            names.setdefault(spelling, column)
    exact = {column.name.lower(): column for column in raw.columns}
    for preset in presets:
        for item in preset.objects.values():
            if any(plain(name) in names for name in item.never):
                continue
            columns = _columns(item, names, exact)
            missing = tuple(need for need in item.needs if need not in columns)
            score = _score(raw, preset, item, columns)
            nameless = item.named and not _named(raw, item)
            yield Match(preset, item, raw, columns, score, missing, nameless)


def _columns(
    item: RawObject, names: Mapping[str, RawColumn], exact: Mapping[str, RawColumn]
) -> dict[str, RawColumn]:
    columns: dict[str, RawColumn] = {}
    for name, spellings in item.columns.items():
        for spelling in spellings:
            column = exact.get(spelling.lower()) or _like(spelling, names)
            if column:
                columns[name] = column
                break
    return columns


def _like(spelling: str, names: Mapping[str, RawColumn]) -> RawColumn | None:
    """Return the column that is spelled so; `*` stands for anything."""
    if "*" not in spelling:
        return names.get(plain(spelling))
    pattern = ".*".join(map(plain, spelling.split("*")))
    return next((column for name, column in names.items() if re.fullmatch(pattern, name)), None)


def _named(raw: RawTable, item: RawObject) -> bool:
    """Return whether the name of a table holds a word for the object."""
    text = re.sub(r"[^a-z]+", "_", f"{raw.place}_{raw.table or ''}".lower())
    return any(re.search(rf"(^|_){word}e?s?(_|$)", text) for word in item.files)


def _score(
    raw: RawTable, preset: Preset, item: RawObject, columns: Mapping[str, RawColumn]
) -> float:
    words = {
        *re.split(r"[^a-z]+", raw.place.lower()),
        *re.split(r"[^a-z]+", (raw.table or "").lower()),
    }
    text = re.sub(r"[^a-z]+", "_", f"{raw.place}_{raw.table or ''}".lower())
    score = float(len(columns))
    if preset.name in text.replace("_", "") or preset.name.split("_")[0] in words:
        score += _VENDOR_NAMED
    if _named(raw, item):
        score += _OBJECT_NAMED
    return score / 2 if preset.generic else score
