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
from tenure.core.records.training import AbsentFeature
from tenure.core.spec import Declared, Derived, Feature, Ranked, Signal, Source, Unit
from tenure.core.steps import text_literal
from tenure.features.families import SIGNALS
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
    """A stretch of the past, relative to a cut-off: ``[cutoff − length, cutoff − lag)``."""

    length: int | None
    """Days from its start to the cut-off, None for the whole past."""
    lag: int = 0
    """Days from its end to the cut-off."""


@dataclass(frozen=True)
class FeatureSpec:
    """A column of the feature matrix and how to speak of it.

    The others are those of its declaration, a `Feature`.
    """

    name: str
    """Column name, e.g. ``events_28d``."""
    family: str
    sentence: str
    unit: Unit
    direction: int
    lever: bool
    text: bool
    """Whether values are words rather than numbers."""
    group: str
    """The signal that it measures."""
    window: int | None
    """Window length in days, None where it looks at the whole past or the present."""
    source: str
    """Table it is read from; for a derived feature, those of its parts."""
    hidden: bool = False
    zero: str | None = None
    missing: str | None = None
    past: tuple[str, str] | None = None
    since: str | None = None
    """Column with the days for which the value has stood so, None where none says it."""
    signal: Signal | None = None
    """How to speak of that, None where it is the user's own."""
    part: bool = False
    """Whether it measures one of many values of a column, where its signal is about all."""


@dataclass(frozen=True)
class MeasuredColumn:
    """A feature that is read from the rows of a source."""

    spec: FeatureSpec
    feature: Feature
    aggregate: Aggregate
    clocks: tuple[str, ...]
    """Clock columns of the late columns that it reads."""
    member: str | None = None
    """The value it counts, for a feature with `each`."""

    @property
    def condition(self) -> str | None:
        """Return SQL that a row must meet, None for all rows."""
        chosen = None
        if self.member is not None:
            chosen = f"{self.feature.each} = {text_literal(self.member)}"
        return " AND ".join(f"({part})" for part in (self.feature.where, chosen) if part) or None

    @cached_property
    def moving(self) -> frozenset[str]:
        """Return the columns that it reads whose values depend on the prediction time."""
        read = columns_of(self.feature.aggregate) | columns_of(self.feature.where or "true")
        return read & frozenset(SOURCES[self.feature.source].moving)

    @cached_property
    def window(self) -> Window:
        """Return the stretch of the past that it looks at."""
        return Window(self.spec.window, self.feature.lag)


@dataclass(frozen=True)
class DerivedColumn:
    """A feature made from other columns: by a formula, or as a percentile that a model fits."""

    spec: FeatureSpec
    declared: Derived | Ranked
    needs: frozenset[str]
    """The columns that it is made from."""
    formula: str = ""
    """Arithmetic over the names of columns; empty for a percentile."""


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
    aggregate = replace(aggregate, text=aggregate.kind == "last" and kind in {"text", "id"})
    clocks = clocks_of(feature, source)
    measured = []
    for member in members if feature.each else (None,):
        for window in feature.windows or (None,):
            spec = _spec(feature, family, feature.source, member, window)
            if aggregate.text:
                unit: Unit = "term" if feature.unit == "term" else "text"
                spec = replace(spec, unit=unit, text=True)
            measured.append(MeasuredColumn(spec, feature, aggregate, clocks, member))
    return measured


def clocks_of(feature: Feature, source: Source) -> tuple[str, ...]:
    """Return the clocks of the late columns that a feature reads; rows count once all are known."""
    read = {feature.each, *columns_of(feature.aggregate), *columns_of(feature.where or "true")}
    clocks = {source.late[name] for name in read if name in source.late}
    return tuple(sorted(clocks | ({feature.at} if feature.at else set())))


def _spec(
    declared: Declared,
    family: str,
    source: str,
    member: str | None = None,
    window: int | None = None,
) -> FeatureSpec:
    """Return how to speak of a column of a declaration, for one member and window."""
    stem = declared.name if member is None else f"{declared.name}_{_slug_of(member)}"
    lag = declared.lag if isinstance(declared, Feature) else 0
    group = declared.group or stem

    def worded(text: str) -> str:
        text = text.replace("{window}", f"{window} days").replace("{lag}", f"{lag} days")
        return text.replace("{member}", member or "")

    name = stem if window is None else f"{stem}_{window}d"
    signal = SIGNALS.get(group)
    return FeatureSpec(
        name=name,
        family=family,
        sentence=worded(declared.sentence),
        unit=declared.unit,
        direction=declared.direction,
        lever=declared.lever,
        text=False,
        group=group if member is None else group.replace("{member}", _slug_of(member)),
        window=window,
        source=source,
        hidden=not isinstance(declared, Ranked) and declared.hidden,
        zero=worded(declared.zero) if declared.zero else None,
        missing=worded(declared.missing) if declared.missing else None,
        past=None if isinstance(declared, Ranked) else _past(declared, stem, window),
        since=_since(declared, name),
        part=member is not None and declared.group is not None and "{member}" not in group,
        signal=signal and replace(signal, label=worded(signal.label), ask=worded(signal.ask)),
    )


def _past(declared: Feature | Derived, stem: str, window: int | None) -> tuple[str, str] | None:
    """Return the formula and words of what the account had before.

    Counts and sums of a window are compared with the rate of the next longer one.
    """
    if declared.past or isinstance(declared, Derived) or window is None:
        return declared.past
    longer = [days for days in sorted(declared.windows) if days > window]
    if not longer or not declared.aggregate.startswith(("count(*)", "sum(")):
        return None
    before = longer[0] - window
    formula = f"({stem}_{longer[0]}d - {stem}_{window}d) * {window} / {before}"
    return formula, f"{{past}} in {window} days on average over the {before} before"


def _since(declared: Declared, name: str) -> str | None:
    if isinstance(declared, Ranked):
        return None
    if isinstance(declared, Feature) and declared.since is None:
        dated = declared.aggregate.startswith("days_since(") and not declared.windows
        return name if dated else None
    return declared.since


def computed_columns(
    derived: Derived,
    family: str,
    present: Mapping[str, FeatureSpec],
    chosen: Mapping[str, Mapping[str, str]],
) -> list[DerivedColumn] | AbsentFeature:
    """Check a derived feature; return its columns, one per member where a part has them.

    Args:
        derived: The declaration.
        family: Name of its family.
        present: Columns that the matrix has, by name.
        chosen: Name of a feature with `each` and its window → member → column.

    Raises:
        ConfigError: If the formula is more than arithmetic.
    """
    place = f"feature `{derived.name}`"
    needs = formula_names(derived.formula, f"{place}: formula")
    check_sentence(derived.sentence, place)
    missing = sorted(needs - set(present) - set(chosen) - CALENDAR)
    if missing:
        return _absent(derived, missing[0])
    shared = {name: chosen[name] for name in sorted(needs & set(chosen))}
    members: Iterable[str | None] = (None,)
    if shared:
        first, *others = shared.values()
        members = [member for member in first if all(member in part for part in others)]
    columns = []
    for member in members:
        names = {name: part[member] for name, part in shared.items() if member is not None}
        formula = rename_columns(derived.formula, names) if names else derived.formula
        parts = formula_names(formula, derived.name) - CALENDAR
        words = sorted(name for name in parts if present[name].text)
        if words:
            raise ConfigError(Problem(f"{place}: formula", "needs numbers", words[0]))
        source = ", ".join(sorted({present[name].source for name in parts}))
        spec = _spec(derived, family, source, member)
        columns.append(DerivedColumn(spec, derived, parts, formula))
    return columns


def percentile_column(
    declared: Ranked, family: str, present: Mapping[str, FeatureSpec]
) -> DerivedColumn | AbsentFeature:
    """Check a percentile among peers; `AbsentFeature` where what it ranks is absent.

    Raises:
        ConfigError: If it ranks words, or its bands are not ascending numbers.
    """
    where = f"feature `{declared.name}`"
    check_sentence(declared.sentence, where)
    if list(declared.edges) != sorted(set(declared.edges)):
        raise ConfigError(Problem(f"{where}: edges", "must ascend", str(declared.edges)))
    if declared.of not in present:
        return _absent(declared, declared.of)
    numbers = [name for name in (declared.of, declared.band) if name]
    for name in numbers:
        if name in present and present[name].text:
            raise ConfigError(Problem(where, "needs numbers", name))
    spec = _spec(declared, family, present[declared.of].source)
    return DerivedColumn(spec, declared, frozenset({*numbers, *declared.within}))


def _absent(declared: Declared, part: str) -> AbsentFeature:
    return AbsentFeature(name=declared.name, reason=f"its part `{part}` is absent")


def _slug_of(member: str) -> str:
    """Return a member as part of a name; what `slug` loses is told apart by a hash."""
    return member if slug(member) == member else f"{slug(member)}_{digest(member)[:4]}"


def slug(text: str) -> str:
    """Return a value as part of a feature name.

    >>> slug("Create Deal/Quote")
    'create_deal_quote'
    """
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_") or "blank"
