"""Which features a data set and a config give, and which they cannot, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from pydantic import TypeAdapter

from tenure.core.config import FeatureConfig
from tenure.core.errors import ConfigError, Problem, suggestion
from tenure.core.fragments import columns_of
from tenure.core.records.training import AbsentFeature
from tenure.core.spec import Declared, Derived, Family, Feature, Ranked
from tenure.features.families import FAMILIES, account
from tenure.features.plan.columns import (
    DerivedColumn,
    FeatureSpec,
    MeasuredColumn,
    computed_columns,
    known_columns,
    measured_columns,
    percentile_column,
)
from tenure.features.plan.custom import own_families
from tenure.features.plan.shape_checks import LOADED
from tenure.sources.contract import SOURCES


@dataclass(frozen=True)
class Plan:
    """The columns of a feature matrix, resolved against a data set."""

    measured: tuple[MeasuredColumn, ...]
    """Features read from rows."""
    computed: tuple[DerivedColumn, ...]
    """Features computed from those, in an order in which each part comes first."""
    absent: tuple[AbsentFeature, ...]
    """Declared features that the data cannot give."""
    placed: tuple[DerivedColumn, ...] = ()
    """Percentiles among peers, which a model adds to the matrix."""

    @cached_property
    def specs(self) -> dict[str, FeatureSpec]:
        """Return the columns by name, in matrix order."""
        specs = [item.spec for item in self.measured] + [item.spec for item in self.computed]
        return {spec.name: spec for spec in specs if not spec.hidden}

    @cached_property
    def described(self) -> dict[str, FeatureSpec]:
        """Return the columns by name with those that a model adds."""
        return self.specs | {item.spec.name: item.spec for item in self.placed}

    @property
    def ranked(self) -> tuple[Ranked, ...]:
        """Return what a model ranks among peers."""
        declared = (item.declared for item in self.placed)
        return tuple(item for item in declared if isinstance(item, Ranked))

    @property
    def bases(self) -> dict[str, str]:
        """Return column name → base name of its declaration."""
        bases = {item.spec.name: item.feature.name for item in self.measured}
        further = (*self.computed, *self.placed)
        return bases | {item.spec.name: item.declared.name for item in further}

    @property
    def members(self) -> dict[str, list[str]]:
        """Return base name → the values that have a feature of their own, sorted."""
        members: dict[str, set[str]] = {}
        for item in self.measured:
            if item.member is not None:
                members.setdefault(item.feature.name, set()).add(item.member)
        return {name: sorted(values) for name, values in sorted(members.items())}

    @property
    def reads(self) -> dict[str, frozenset[str]]:
        """Return table → the columns that the features read."""
        columns: dict[str, frozenset[str]] = {}
        for item in self.measured:
            table = item.feature.source
            columns[table] = columns.get(table, frozenset()) | read_columns(item.feature)
        return columns

    def only(self, names: Iterable[str]) -> Plan:
        """Return the plan for some columns and whatever they are computed from."""
        wanted = set(names)
        for item in (*self.placed, *reversed(self.computed)):
            if item.spec.name in wanted:
                wanted |= item.needs
        return Plan(
            tuple(item for item in self.measured if item.spec.name in wanted),
            tuple(item for item in self.computed if item.spec.name in wanted),
            self.absent,
            tuple(item for item in self.placed if item.spec.name in wanted),
        )


def united_plan(plans: Iterable[Plan]) -> Plan:
    """Return one plan of all columns of some plans, each once."""
    plans = tuple(plans)
    measured = {item.spec.name: item for plan in plans for item in plan.measured}
    computed = {item.spec.name: item for plan in plans for item in plan.computed}
    placed = {item.spec.name: item for plan in plans for item in plan.placed}
    return Plan(
        tuple(measured.values()), tuple(computed.values()), absent=(), placed=tuple(placed.values())
    )


def config_families(
    config: FeatureConfig, attributes: Mapping[str, bool] | None = None
) -> list[Family]:
    """Return the families of a config and of constant account attributes, the user's own last.

    `attributes` are the constant account attributes → whether they are numbers.

    Raises:
        ConfigError: If a family is unknown or a declaration is malformed.
    """
    unknown = [name for name in config.families if name not in FAMILIES]
    if unknown:
        fix = suggestion(unknown[0], FAMILIES)
        raise ConfigError(Problem("features.families", "is not a family", unknown[0], fix))
    families = [FAMILIES[name] for name in config.families]
    extra = [account.attribute(name, number=kind) for name, kind in (attributes or {}).items()]
    if extra:
        families.append(Family("attribute", "Constant attributes", tuple(extra)))
    return [*families, *own_families(config)]


def to_json(families: Iterable[Family], names: Iterable[str]) -> list[dict[str, Any]]:
    """Return the declarations of some base names as plain JSON values, for a bundle."""
    wanted = set(names)
    return [
        {"family": family.name, "declared": type(item).__name__, **asdict(item)}
        for family in families
        for item in family.features
        if item.name in wanted
    ]


def from_json(stored: Iterable[Mapping[str, Any]]) -> list[Family]:
    """Return the families that `to_json` stored."""
    declared = (Feature, Derived, Ranked)
    kinds: dict[str, TypeAdapter[Any]] = {kind.__name__: TypeAdapter(kind) for kind in declared}
    families: dict[str, list[Declared]] = {}
    for item in stored:
        kind = kinds[item["declared"]]
        fields = {name: value for name, value in item.items() if name not in {"family", "declared"}}
        families.setdefault(item["family"], []).append(kind.validate_python(fields))
    return [Family(name, name, tuple(items)) for name, items in families.items()]


def resolve_plan(
    families: Iterable[Family],
    columns: Mapping[str, frozenset[str]],
    *,
    members: Mapping[str, Iterable[str]] | None = None,
    exclude: Iterable[str] = (),
) -> Plan:
    """Resolve families against the columns that a data set has.

    Args:
        families: Declarations.
        columns: Canonical table → the columns that the data set has.
        members: Feature with `each` → the values that get a feature of their own.
        exclude: Column names, base names or groups to leave out.

    Raises:
        ConfigError: If a declaration breaks a rule, or two features share a name.
    """
    measured: list[MeasuredColumn] = []
    placed: list[DerivedColumn] = []
    absent: list[AbsentFeature] = []
    specs: dict[str, FeatureSpec] = {}
    left_out = set(exclude)

    every = [(family.name, item) for family in families for item in family.features]
    for family, item in every:
        if isinstance(item, Feature):
            if reason := _lacking(item, columns):
                absent.append(AbsentFeature(name=item.name, reason=reason))
                continue
            source = SOURCES.get(item.source)
            readable = known_columns(source) | columns[item.source] if source else frozenset()
            chosen = tuple((members or {}).get(item.name, ()))
            for column in measured_columns(item, family, readable, chosen):
                if not left_out & {column.spec.name, item.name, column.spec.group}:
                    measured.append(column)
                    _add(specs, column.spec)
    computed = _computed(every, specs, left_out, absent, _chosen(measured))
    for family, item in every:
        if isinstance(item, Ranked) and not left_out & {item.name, item.group}:
            place = percentile_column(item, family, specs)
            if isinstance(place, AbsentFeature):
                absent.append(place)
            else:
                placed.append(place)
    for percentile in placed:
        _add(specs, percentile.spec)
    return Plan(tuple(measured), tuple(computed), tuple(absent), tuple(placed))


def _computed(
    every: Iterable[tuple[str, Declared]],
    specs: dict[str, FeatureSpec],
    left_out: set[str],
    absent: list[AbsentFeature],
    chosen: Mapping[str, Mapping[str, str]],
) -> list[DerivedColumn]:
    """Return the columns computed from those in `specs`, and add them to it."""
    computed: list[DerivedColumn] = []
    for family, item in every:
        if not isinstance(item, Derived) or item.name in left_out:
            continue
        result = computed_columns(item, family, specs, chosen)
        if isinstance(result, AbsentFeature):
            absent.append(result)
            continue
        for part in result:
            if not left_out & {part.spec.name, part.spec.group}:
                computed.append(part)
                _add(specs, part.spec)
    return computed


def _chosen(measured: Iterable[MeasuredColumn]) -> dict[str, dict[str, str]]:
    """Return name of a feature with `each` and its window → member → column."""
    by_member: dict[str, dict[str, str]] = {}
    for item in measured:
        if item.member is not None:
            window = item.spec.window
            name = item.feature.name if window is None else f"{item.feature.name}_{window}d"
            by_member.setdefault(name, {})[item.member] = item.spec.name
    return by_member


def _add(specs: dict[str, FeatureSpec], spec: FeatureSpec) -> None:
    if spec.name in specs:
        raise ConfigError(Problem(f"feature `{spec.name}`", "is declared twice"))
    specs[spec.name] = spec


def read_columns(feature: Feature) -> frozenset[str]:
    """Return the columns of its source that a feature reads."""
    read = columns_of(feature.aggregate) | columns_of(feature.where or "true")
    source = SOURCES[feature.source]
    for name in read & set(source.moving):
        read = read - {name} | (columns_of(source.moving[name]) - {"as_of"})
    ends = source.ends if feature.running else None
    return read | {name for name in (feature.each, feature.at, ends) if name}


def _lacking(feature: Feature, columns: Mapping[str, frozenset[str]]) -> str | None:
    """Return why the data cannot give a feature, None where it can."""
    source = SOURCES.get(feature.source)
    if source is None:
        return None
    if feature.source not in columns:
        return f"there is no table `{feature.source}`"
    loaded = columns[feature.source] | LOADED | {column.name for column in source.computed}
    # Validity is checked later, with a message; here only what the table happens to lack counts.
    read = read_columns(feature)
    lacking = sorted((read & {column.name for column in source.columns}) - loaded)
    return f"`{feature.source}` has no `{lacking[0]}`" if lacking else None
