"""Names of features and columns that a config mentions, checked against those that exist."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from tenure.core.errors import ConfigError, Problem, suggestion
from tenure.core.spec import Declared, Family, Feature
from tenure.features.families import FAMILIES
from tenure.features.plan.columns import known_columns, measured_columns
from tenure.sources.contract import SOURCES

if TYPE_CHECKING:
    from tenure.core.config import Config


def check_names(
    config: Config, families: Iterable[Family], columns: Mapping[str, frozenset[str]]
) -> None:
    """Check `features.exclude`, `evaluation.groups` and `audit.allow`.

    A feature that is declared exists, also where the data cannot give it, or its family is off.

    Args:
        config: Settings.
        families: Those of the config, with the features of the data's own attributes.
        columns: Canonical table → the columns that the data set has.

    Raises:
        ConfigError: Naming every entry that names nothing, with a suggestion.
    """
    every = list({**FAMILIES, **{family.name: family for family in families}}.values())
    items = [item for family in every for item in family.features]
    names, stems = column_names(items)
    wholes = {item.name for item in items} | {item.group for item in items if item.group}
    readable = {name: known_columns(source) for name, source in SOURCES.items()}
    readable |= {name: readable[name] | own for name, own in columns.items()}
    sources = {f"{table}.{name}" for table, listed in readable.items() for name in listed}
    problems = [
        *_unknown("features.exclude", config.features.exclude, names | wholes, stems),
        *_unknown("audit.allow", config.audit.allow, names | sources, stems),
    ]
    texts = _text_features(every, readable)
    for name in config.evaluation.groups:
        if name not in texts:
            attribute = name in columns.get("accounts", ())
            fix = f"list `{name}` under data.constant_attributes, if it never changes"
            fix = fix if attribute else suggestion(name, texts)
            problems.append(Problem("evaluation.groups", "is not a feature of words", name, fix))
    if problems:
        raise ConfigError(*problems)


def column_names(items: Iterable[Declared]) -> tuple[set[str], set[str]]:
    """Return the columns that declarations give, and the beginnings of those of members."""
    names: set[str] = set()
    stems: set[str] = set()
    for item in items:
        windows = item.windows if isinstance(item, Feature) else ()
        if isinstance(item, Feature) and item.each:
            stems.add(f"{item.name}_")
        names |= {f"{item.name}_{window}d" for window in windows} or {item.name}
    return names, stems


def _unknown(
    place: str, listed: Iterable[str], names: set[str], stems: Iterable[str]
) -> list[Problem]:
    unknown = [name for name in listed if name not in names and not name.startswith(tuple(stems))]
    return [
        Problem(place, "names nothing that exists", name, _nearest(name, names)) for name in unknown
    ]


def _nearest(name: str, names: Iterable[str]) -> str:
    fix = suggestion(name, names)
    listing = "run `tenure check CONFIG`, or see docs/features.md, for the names"
    return listing if fix.startswith("known:") else fix


def _text_features(families: Iterable[Family], readable: Mapping[str, frozenset[str]]) -> set[str]:
    """Return the features whose values are words."""
    return {
        column.spec.name
        for family in families
        for item in family.features
        if isinstance(item, Feature) and not item.each
        for column in measured_columns(item, family.name, readable.get(item.source, frozenset()))
        if column.spec.text
    }
