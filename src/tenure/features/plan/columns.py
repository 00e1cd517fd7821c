"""From declarations to the columns of a matrix: check, expand windows and members, name.

To add a feature, add one `Feature` or `Derived` to a family module, or to `features.custom` of a
config; nothing else changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from tenure.core.errors import ConfigError, Problem, suggestion
from tenure.core.files import digest
from tenure.core.formulas import formula_names
from tenure.core.fragments import (
    Aggregate,
    check_condition,
    columns_of,
    parse_aggregate,
    rename_columns,
)
from tenure.core.spec import Declared, Derived, Feature, Ranked, Source, Unit
from tenure.core.steps import text_literal
from tenure.features.plan.shape_checks import (
    LOADED,
    check_kind,
    check_sentence,
    check_shape,
    operand_kind,
)
from tenure.sources.contract import SOURCES

CALENDAR = frozenset({"as_of_month", "as_of_quarter_day"})
"""Names that any formula may use: what the prediction time alone says."""


@dataclass(frozen=True)
class Window:
    """A stretch of the past, relative to a cut-off: ``[cutoff − length, cutoff − lag)``.

    Attributes:
        length: Days from its start to the cut-off, None for the whole past.
        lag: Days from its end to the cut-off.
    """

    length: int | None
    lag: int = 0


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
        hidden: Whether it only serves derived features and is no column of the matrix.
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
    hidden: bool = False


@dataclass(frozen=True)
class MeasuredColumn:
    """A feature that is read from the rows of a source.

    Attributes:
        spec: Its column.
        feature: Its declaration.
        aggregate: The parsed aggregate.
        clocks: Clock columns of the late columns that it reads.
        member: The value it counts, for a feature with `each`.
    """

    spec: FeatureSpec
    feature: Feature
    aggregate: Aggregate
    clocks: tuple[str, ...]
    member: str | None = None

    @property
    def condition(self) -> str | None:
        """Return SQL that a row must meet, None for all rows."""
        chosen = None
        if self.member is not None:
            chosen = f"{self.feature.each} = {text_literal(self.member)}"
        return " AND ".join(f"({part})" for part in (self.feature.where, chosen) if part) or None

    @cached_property
    def window(self) -> Window:
        """Return the stretch of the past that it looks at."""
        return Window(self.spec.window, self.feature.lag)


@dataclass(frozen=True)
class ComputedColumn:
    """A feature that is computed from other columns of the matrix.

    Attributes:
        spec: Its column.
        declared: Its declaration.
        formula: Arithmetic over the names of columns.
    """

    spec: FeatureSpec
    declared: Derived
    formula: str

    @property
    def needs(self) -> frozenset[str]:
        """Return the columns that it is computed from."""
        return formula_names(self.formula, self.spec.name) - CALENDAR


@dataclass(frozen=True)
class PercentileColumn:
    """A feature that says where another one stands among peers; a model fits and adds it."""

    spec: FeatureSpec
    declared: Ranked

    @property
    def needs(self) -> frozenset[str]:
        """Return the columns that it is looked up by."""
        band = {self.declared.band} if self.declared.band else set()
        return frozenset({self.declared.of, *self.declared.within, *band})


@dataclass(frozen=True)
class AbsentFeature:
    """A declared feature that the data cannot give, and why."""

    name: str
    reason: str


def known_columns(source: Source) -> frozenset[str]:
    """Return the columns that a fragment over a source may read."""
    declared = {column.name for column in source.columns}
    return LOADED | declared | {column.name for column in source.computed}


def measured_columns(
    feature: Feature, family: str, columns: frozenset[str], members: Iterable[str] = ()
) -> list[MeasuredColumn]:
    """Check a declaration and expand it into one `MeasuredColumn` per window (and member).

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
    if feature.each is not None and feature.each not in columns:
        fix = suggestion(feature.each, columns)
        raise ConfigError(Problem(f"{place}: each", "is not a column", feature.each, fix))
    check_shape(feature, source, place)
    if feature.running and aggregate.kind == "longest_gap":
        raise ConfigError(Problem(f"{place}: running", "does not go with longest_gap"))
    kind = operand_kind(aggregate, feature, source)
    check_kind(aggregate, kind, f"{place}: aggregate")
    text = aggregate.kind == "last" and kind in {"text", "id"}
    aggregate = replace(aggregate, text=text)
    clocks = clocks_of(feature, source)
    measured = []
    for member in members if feature.each else (None,):
        for window in feature.windows or (None,):
            spec = _spec(feature, family, member, window, text)
            measured.append(MeasuredColumn(spec, feature, aggregate, clocks, member))
    return measured


def clocks_of(feature: Feature, source: Source) -> tuple[str, ...]:
    """Return the clocks of the late columns that a feature reads; rows count once all are known."""
    read = {feature.each, *columns_of(feature.aggregate), *columns_of(feature.where or "true")}
    clocks = {source.late[name] for name in read if name in source.late}
    return tuple(sorted(clocks | ({feature.at} if feature.at else set())))


def _spec(
    feature: Feature, family: str, member: str | None, window: int | None, text: bool
) -> FeatureSpec:
    suffix = f"_{window}d" if window is not None else ""
    stem = feature.name if member is None else f"{feature.name}_{_slug_of(member)}"
    sentence = feature.sentence.replace("{window}", f"{window} days")
    sentence = sentence.replace("{lag}", f"{feature.lag} days")
    return replace(
        _column(feature, family, stem, feature.source),
        name=f"{stem}{suffix}",
        sentence=sentence.replace("{member}", member or ""),
        unit="text" if text else feature.unit,
        text=text,
        window=window,
        hidden=feature.hidden,
    )


def _column(declared: Declared, family: str, name: str, source: str) -> FeatureSpec:
    """Return how to speak of a column of numbers of the whole past or the present."""
    return FeatureSpec(
        name=name,
        family=family,
        sentence=declared.sentence,
        unit=declared.unit,
        direction=declared.direction,
        lever=declared.lever,
        text=False,
        group=declared.group or name,
        window=None,
        source=source,
    )


def computed_columns(
    derived: Derived,
    family: str,
    present: Mapping[str, FeatureSpec],
    chosen: Mapping[str, Mapping[str, str]],
) -> list[ComputedColumn] | AbsentFeature:
    """Check a derived feature, one column per member where a part has them.

    Args:
        derived: The declaration.
        family: Name of its family.
        present: Columns that the matrix has, by name.
        chosen: Name of a feature with `each` and its window → member → column.

    Returns:
        Its columns; `AbsentFeature` where a part is absent.

    Raises:
        ConfigError: If the formula is more than arithmetic.
    """
    place = f"feature `{derived.name}`"
    needs = formula_names(derived.formula, f"{place}: formula")
    check_sentence(derived.sentence, place)
    missing = sorted(needs - set(present) - set(chosen) - CALENDAR)
    if missing:
        return AbsentFeature(derived.name, f"its part `{missing[0]}` is absent")
    shared = [chosen[name] for name in sorted(needs & set(chosen))]
    if not shared:
        return [_computed(derived, family, present, {}, None)]
    members = [member for member in shared[0] if all(member in part for part in shared)]
    return [
        _computed(
            derived,
            family,
            present,
            {name: chosen[name][member] for name in needs & set(chosen)},
            member,
        )
        for member in members
    ]


def _computed(
    derived: Derived,
    family: str,
    present: Mapping[str, FeatureSpec],
    names: Mapping[str, str],
    member: str | None,
) -> ComputedColumn:
    formula = rename_columns(derived.formula, names) if names else derived.formula
    parts = sorted(formula_names(formula, derived.name) - CALENDAR)
    words = [name for name in parts if present[name].text]
    if words:
        place = f"feature `{derived.name}`: formula"
        raise ConfigError(Problem(place, "needs numbers", words[0]))
    stem = derived.name if member is None else f"{derived.name}_{_slug_of(member)}"
    source = ", ".join(sorted({present[name].source for name in parts}))
    spec = replace(
        _column(derived, family, stem, source),
        sentence=derived.sentence.replace("{member}", member or ""),
        hidden=derived.hidden,
    )
    return ComputedColumn(spec, derived, formula)


def percentile_column(
    declared: Ranked, family: str, present: Mapping[str, FeatureSpec]
) -> PercentileColumn | AbsentFeature:
    """Check a percentile among peers; `AbsentFeature` where what it ranks is absent.

    Raises:
        ConfigError: If it ranks words, or its bands are not ascending numbers.
    """
    where = f"feature `{declared.name}`"
    check_sentence(declared.sentence, where)
    if list(declared.edges) != sorted(set(declared.edges)):
        raise ConfigError(Problem(f"{where}: edges", "must ascend", str(declared.edges)))
    of = present.get(declared.of)
    if of is None:
        return AbsentFeature(declared.name, f"its part `{declared.of}` is absent")
    for name in filter(None, (declared.of, declared.band)):
        if name in present and present[name].text:
            raise ConfigError(Problem(where, "needs numbers", name))
    return PercentileColumn(_column(declared, family, declared.name, of.source), declared)


def _slug_of(member: str) -> str:
    """Return a member as part of a name; what `slug` loses is told apart by a hash."""
    return member if slug(member) == member else f"{slug(member)}_{digest(member)[:4]}"


def slug(text: str) -> str:
    """Return a value as part of a feature name.

    >>> slug("Create Deal/Quote")
    'create_deal_quote'
    """
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_") or "blank"
