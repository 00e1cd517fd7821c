"""From declarations to the columns of a matrix: check, expand windows and members, name.

To add a feature, add one `Feature` or `Derived` to a family module, or to `features.custom` of a
config; nothing else changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from tenure.core.errors import ConfigError, Problem, suggestion
from tenure.core.fragments import (
    Aggregate,
    check_condition,
    check_scalar,
    columns_of,
    formula_names,
    parse_aggregate,
)
from tenure.core.spec import Derived, Feature, Source, Unit
from tenure.core.steps import text_literal
from tenure.sources.tables import SOURCES

LOADED = frozenset({"event_time", "known_at"})


@dataclass(frozen=True)
class FeatureSpec:
    """A column of the feature matrix and how to speak of it.

    Attributes:
        name: Column name, e.g. ``events_28d``.
        family: Family it belongs to.
        sentence: English with ``{value}``.
        unit: How a value is shown.
        direction: Expected effect on churn: 1 raises, -1 lowers, 0 unknown.
        lever: Whether a team can act on it.
        text: Whether values are words rather than numbers.
        group: What it is about; columns of one group are summed in summaries.
        window: Window length in days, None where it looks at the whole past or the present.
        source: Table it is read from; for a derived feature, those of its parts.
    """

    name: str
    family: str
    sentence: str
    unit: Unit
    direction: int
    lever: bool
    text: bool
    group: str
    window: int | None
    source: str


@dataclass(frozen=True)
class Measured:
    """A feature that is read from the rows of a source.

    Attributes:
        spec: Its column.
        feature: Its declaration.
        aggregate: The parsed aggregate.
        condition: SQL that a row must meet, None for all rows.
        clocks: Clock columns of the late columns that it reads.
        member: The value it counts, for a feature with `each`.
    """

    spec: FeatureSpec
    feature: Feature
    aggregate: Aggregate
    condition: str | None
    clocks: tuple[str, ...]
    member: str | None = None


@dataclass(frozen=True)
class Computed:
    """A feature that is computed from other columns of the matrix."""

    spec: FeatureSpec
    formula: str
    needs: frozenset[str]


@dataclass(frozen=True)
class Absent:
    """A declared feature that the data cannot give, and why."""

    name: str
    reason: str


def known_columns(source: Source) -> frozenset[str]:
    """Return the columns that a fragment over a source may read."""
    declared = {column.name for column in source.columns}
    return LOADED | declared | {column.name for column in source.computed}


def measure(
    feature: Feature, family: str, columns: frozenset[str], members: Iterable[str] = ()
) -> list[Measured]:
    """Check a declaration and expand it into one `Measured` per window (and member).

    Args:
        feature: The declaration.
        family: Name of its family.
        columns: Columns of its source that may be read.
        members: For a feature with `each`: the values that get a feature of their own.

    Raises:
        ConfigError: If a fragment breaks a rule; names the feature and the place.
    """
    source = SOURCES.get(feature.source)
    place = f"feature `{feature.name}`"
    if source is None:
        fix = suggestion(feature.source, SOURCES)
        raise ConfigError(Problem(f"{place}: source", "is not a table", feature.source, fix))
    aggregate = parse_aggregate(feature.aggregate, columns, f"{place}: aggregate")
    if feature.where is not None:
        check_condition(feature.where, columns, source.late, f"{place}: where")
    _check_shape(feature, source, place)
    text = _is_text(aggregate, source) if not aggregate.relative else False
    aggregate = replace(aggregate, text=text)
    clocks = clocks_of(feature, source)
    measured = []
    for member in members if feature.each else (None,):
        chosen = f"{feature.each} = {text_literal(member)}" if member is not None else None
        parts = [f"({part})" for part in (feature.where, chosen) if part]
        for window in feature.windows or (None,):
            spec = _spec(feature, family, member, window, text)
            condition = " AND ".join(parts) or None
            measured.append(
                Measured(spec, feature, aggregate, condition, clocks, member)
            )
    return measured


def clocks_of(feature: Feature, source: Source) -> tuple[str, ...]:
    """Return the clocks of all late columns that a feature reads; a row counts once all are known."""
    read = {feature.each, *columns_of(feature.aggregate), *columns_of(feature.where or "true")}
    clocks = {source.late[name] for name in read if name in source.late}
    return tuple(sorted(clocks | ({feature.at} if feature.at else set())))


def _check_shape(feature: Feature, source: Source, place: str) -> None:
    clocks = set(source.clocks)
    if feature.at is not None and feature.at not in clocks:
        raise ConfigError(
            Problem(f"{place}: at", "must be a late time", feature.at, suggestion(feature.at, clocks))
        )
    if feature.running and (source.ends is None or feature.windows or feature.at):
        raise ConfigError(
            Problem(f"{place}: running", "needs a source whose rows end, and no window or `at`")
        )
    if any(window < 1 for window in feature.windows):
        raise ConfigError(Problem(f"{place}: windows", "must be days ≥ 1", str(feature.windows)))
    if "{value}" not in feature.sentence:
        raise ConfigError(Problem(f"{place}: sentence", "must hold {value}", feature.sentence))


def _is_text(aggregate: Aggregate, source: Source) -> bool:
    if aggregate.kind != "last":
        return False
    kinds = {column.name: column.kind for column in (*source.columns, *source.computed)}
    return kinds.get((aggregate.operand or "").strip('"'), "number") in {"text", "id"}


def _spec(
    feature: Feature, family: str, member: str | None, window: int | None, text: bool
) -> FeatureSpec:
    suffix = f"_{window}d" if window is not None else ""
    stem = feature.name if member is None else f"{feature.name}_{slug(member)}"
    sentence = feature.sentence.replace("{window}", f"{window} days")
    return FeatureSpec(
        name=f"{stem}{suffix}",
        family=family,
        sentence=sentence.replace("{member}", member or ""),
        unit="text" if text else feature.unit,
        direction=feature.direction,
        lever=feature.lever,
        text=text,
        group=feature.group or stem,
        window=window,
        source=feature.source,
    )


def compute(derived: Derived, family: str, present: Mapping[str, FeatureSpec]) -> Computed | Absent:
    """Check a derived feature; `Absent` where a part of it is absent.

    Raises:
        ConfigError: If the formula is more than arithmetic.
    """
    needs = formula_names(derived.formula, f"feature `{derived.name}`: formula")
    missing = sorted(needs - set(present))
    if missing:
        return Absent(derived.name, f"its part `{missing[0]}` is absent")
    spec = FeatureSpec(
        name=derived.name,
        family=family,
        sentence=derived.sentence,
        unit=derived.unit,
        direction=derived.direction,
        lever=derived.lever,
        text=False,
        group=derived.group or derived.name,
        window=None,
        source=", ".join(sorted({present[name].source for name in needs})),
    )
    return Computed(spec, derived.formula, needs)


def slug(text: str) -> str:
    """Return a value as part of a feature name.

    >>> slug("Create Deal/Quote")
    'create_deal_quote'
    """
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_") or "blank"
