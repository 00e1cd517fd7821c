"""Configs as people write them: read, with all that they declare and name checked at once.

Nothing but `check_names` needs data: a fragment is checked against the columns of the contract.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tenure.core import config as settings
from tenure.core.config import Config
from tenure.core.errors import ConfigError, Problem, suggestion
from tenure.core.formulas import formula_names
from tenure.core.spec import Declared, Derived, Family, Feature
from tenure.features.families import FAMILIES
from tenure.features.plan.columns import (
    CALENDAR,
    computed_columns,
    known_columns,
    measured_columns,
    percentile_column,
)
from tenure.features.plan.custom import CUSTOM, OwnFamily, entries, module_families
from tenure.features.plan.plan import config_families, read_columns, resolve_plan
from tenure.labels.targets import TARGETS
from tenure.sources.contract import SOURCES


def load_config(path: Path | str, changes: Mapping[str, Any] | None = None) -> Config:
    """Read a YAML config and check the features that it declares.

    Feature modules are not run: scoring reads declarations from the bundle.

    `changes` are put into what the file says: mappings are merged, all else is replaced.

    Raises:
        ConfigError: If the file cannot be read, names no target, or breaks a rule; lists every
            problem with its place, e.g. ``features.custom.0.where``.
    """
    return checked(settings.load_config(path, changes))


def checked(config: Config) -> Config:
    """Return a config whose targets exist and whose own features keep the rules.

    Feature modules are not run.

    Raises:
        ConfigError: Listing every problem with its place.
    """
    check_targets(config)
    _check(config, list(entries(config.features)))
    return config


def check_features(config: Config) -> None:
    """Check targets and all features of a user's own, those of modules too; reads no data.

    Raises:
        ConfigError: If a target does not exist, or a declaration breaks a rule; lists every problem
            with its place.
    """
    check_targets(config)
    _check(config, [*entries(config.features), *module_families(config.features)])


def check_targets(config: Config) -> None:
    """Check that the targets of a config exist, each part beside its whole.

    Raises:
        ConfigError: Naming those that do not, with a suggestion.
    """
    targets = config.targets
    wholes = {name: TARGETS[name].whole for name in targets if name in TARGETS}
    _raise(
        Problem("targets", "no such target", name, suggestion(name, TARGETS))
        for name in targets
        if name not in TARGETS
    )
    _raise(
        Problem("targets", f"is a part of {whole}, which is no target", name, f"add `{whole}`")
        for name, whole in wholes.items()
        if whole and whole not in targets
    )


def check_names(
    config: Config, families: Iterable[Family], columns: Mapping[str, frozenset[str]]
) -> None:
    """Check `features.exclude`, `evaluation.groups` and `audit.allow`.

    A feature that is declared exists, also where the data cannot give it, or its family is off.

    Raises:
        ConfigError: Naming every entry that names nothing, with a suggestion.
    """
    every = {**FAMILIES, **{family.name: family for family in families}}.values()
    items = [item for family in every for item in family.features]
    names = _Names(items)
    wholes = {item.name for item in items} | {item.group for item in items if item.group}
    readable = {name: known_columns(source) for name, source in SOURCES.items()}
    readable |= {name: readable[name] | own for name, own in columns.items()}
    sources = {f"{table}.{name}" for table, listed in readable.items() for name in listed}
    sources |= set(SOURCES)
    problems = [
        *names.unknown("features.exclude", config.features.exclude, wholes),
        *names.unknown("audit.allow", config.audit.allow, sources),
    ]
    texts = {
        column.spec.name
        for family in every
        for item in family.features
        if isinstance(item, Feature) and not item.each
        for column in measured_columns(item, family.name, readable.get(item.source, frozenset()))
        if column.spec.text
    }
    for name in config.evaluation.groups:
        if name not in texts:
            attribute = name in columns.get("accounts", ())
            fix = f"list `{name}` under data.constant_attributes, if it never changes"
            fix = fix if attribute else suggestion(name, texts)
            problems.append(Problem("evaluation.groups", "is not a feature of words", name, fix))
    _raise(problems)


class _Names:
    """The columns that declarations give; those of members are known by their beginnings."""

    def __init__(self, items: Iterable[Declared]) -> None:
        self.all: set[str] = set()
        stems: set[str] = set()
        for item in items:
            windows = item.windows if isinstance(item, Feature) else ()
            if isinstance(item, Feature) and item.each:
                stems.add(f"{item.name}_")
            self.all |= {f"{item.name}_{window}d" for window in windows} or {item.name}
        self._stems = tuple(stems)

    def __contains__(self, name: str) -> bool:
        return name in self.all or name.startswith(self._stems)

    def unknown(self, place: str, listed: Iterable[str], others: set[str]) -> Iterator[Problem]:
        """Yield a problem for each entry that is neither a column nor one of some other names."""
        for name in listed:
            if name not in self and name not in others:
                fix = suggestion(name, self.all | others)
                if fix.startswith("known:"):
                    fix = "run `tenure check CONFIG`, or see docs/features.md, for the names"
                yield Problem(place, "names nothing that exists", name, fix)


def _raise(problems: Iterable[Problem | str]) -> None:
    listed = list(problems)
    if listed:
        raise ConfigError(*listed)


def _check(config: Config, own: list[OwnFamily]) -> None:
    declared: list[Declared] = [item for family in FAMILIES.values() for item in family.features]
    names = _Names([*declared, *(item.item for item in own)])
    _raise(problem for item in own for problem in _problems(item, names))
    families = config_families(config.features.model_copy(update={"custom": [], "modules": []}))
    if own:
        # What only shows between declarations: a name that stands twice.
        mine = [Family(item.family, item.title, (item.item,)) for item in own]
        read = _words([item.item for item in own])
        columns = {name: known_columns(source) for name, source in SOURCES.items()}
        resolve_plan([*families, *mine], columns | {"accounts": columns["accounts"] | read})


def _problems(own: OwnFamily, names: _Names) -> Iterator[Problem | str]:
    item = own.item
    if own.family != CUSTOM and own.family in FAMILIES:
        yield Problem(f"{own.place}.family", "is a family of Tenure's own", own.family)
    try:
        if isinstance(item, Feature):
            _check_feature(item, own.family)
        elif isinstance(item, Derived):
            parts = formula_names(item.formula, f"{own.place}.formula") - CALENDAR
            _check_parts(parts, names, f"{own.place}.formula")
            computed_columns(item, own.family, {}, {})
        else:
            _check_parts({item.of}, names, f"{own.place}.of")
            percentile_column(item, own.family, {})
    except ConfigError as error:
        for problem in error.problems:
            yield _placed(problem, item, own.place)


def _check_feature(item: Feature, family: str) -> None:
    source = SOURCES.get(item.source)
    columns = known_columns(source) if source else frozenset()
    if source and source.open_ended:
        # Attributes with a history and unknown names are told apart once the table is loaded.
        columns |= _words([item])
    measured_columns(item, family, columns, ("a value",) if item.each else ())


def _words(items: Iterable[Declared]) -> frozenset[str]:
    """Return the columns of the open-ended tables that features read."""
    chosen = [
        item for item in items if isinstance(item, Feature) and SOURCES[item.source].open_ended
    ]
    return frozenset().union(*(read_columns(item) for item in chosen))


def _check_parts(parts: Iterable[str], names: _Names, place: str) -> None:
    for name in sorted(parts):
        if name not in names:
            fix = suggestion(name, names.all)
            raise ConfigError(Problem(place, "names an unknown feature", name, fix))


def _placed(problem: Problem | str, item: Declared, at: str) -> Problem | str:
    """Return a problem of a declaration, named after the place where it was written."""
    if isinstance(problem, str):
        return problem
    _, _, part = problem.thing.partition(f"feature `{item.name}`: ")
    return replace(problem, thing=f"{at}.{part}") if part else problem
