"""Configs as people write them: read, with every feature of their own checked at once.

Nothing here needs data: a fragment is checked against the columns of the contract.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tenure.core import config as settings
from tenure.core.errors import ConfigError, Problem, suggestion
from tenure.core.formulas import formula_names
from tenure.core.spec import Declared, Derived, Family, Feature, Ranked
from tenure.features.families import FAMILIES
from tenure.features.plan.columns import (
    CALENDAR,
    computed_columns,
    known_columns,
    measured_columns,
    percentile_column,
)
from tenure.features.plan.custom import CUSTOM, OwnFamily, entries, module_families
from tenure.features.plan.name_checks import column_names
from tenure.features.plan.plan import config_families, read_columns, resolve_plan
from tenure.labels.targets import TARGETS
from tenure.sources.contract import SOURCES

if TYPE_CHECKING:
    from tenure.core.config import Config


def load_config(path: Path | str, changes: Mapping[str, Any] | None = None) -> Config:
    """Read a YAML config and check the features that it declares.

    Feature modules are not run: scoring reads declarations from the bundle.

    Args:
        path: The file.
        changes: Put into what the file says: mappings are merged, all else is replaced.

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
    own = [*entries(config.features), *module_families(config.features)]
    _check(config, own)


def check_targets(config: Config) -> None:
    """Check that the targets of a config exist.

    Raises:
        ConfigError: Naming those that do not, with a suggestion.
    """
    unknown = [name for name in config.targets if name not in TARGETS]
    if unknown:
        rule = "no such target"
        raise ConfigError(
            *(Problem("targets", rule, name, suggestion(name, TARGETS)) for name in unknown)
        )


def _check(config: Config, own: list[OwnFamily]) -> None:
    problems = [problem for item in own for problem in _problems(item, own)]
    if problems:
        raise ConfigError(*problems)
    families = config_families(config.features.model_copy(update={"custom": [], "modules": []}))
    if own:
        # What only shows between declarations: a name that stands twice.
        mine = [Family(item.family, item.title, (item.item,)) for item in own]
        read = _words([item.item for item in own])
        columns = {name: known_columns(source) for name, source in SOURCES.items()}
        resolve_plan([*families, *mine], columns | {"accounts": columns["accounts"] | read})


def _problems(own: OwnFamily, everything: Iterable[OwnFamily]) -> Iterator[Problem | str]:
    item = own.item
    if own.family != CUSTOM and own.family in FAMILIES:
        yield Problem(f"{own.place}.family", "is a family of Tenure's own", own.family)
    try:
        if isinstance(item, Feature):
            _check_feature(item, own.family)
        elif isinstance(item, Derived):
            _check_formula(item, own.place, everything)
        else:
            _check_ranked(item, own, everything)
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


def _check_formula(item: Derived, at: str, everything: Iterable[OwnFamily]) -> None:
    names, stems = _known(everything)
    for name in sorted(formula_names(item.formula, f"{at}.formula") - CALENDAR):
        if name not in names and not any(name.startswith(stem) for stem in stems):
            fix = suggestion(name, names)
            raise ConfigError(Problem(f"{at}.formula", "names an unknown feature", name, fix))
    computed_columns(item, CUSTOM, {}, {})


def _check_ranked(item: Ranked, own: OwnFamily, everything: Iterable[OwnFamily]) -> None:
    names, stems = _known(everything)
    if item.of not in names and not any(item.of.startswith(stem) for stem in stems):
        fix = suggestion(item.of, names)
        raise ConfigError(Problem(f"{own.place}.of", "names an unknown feature", item.of, fix))
    percentile_column(item, own.family, {})


def _known(everything: Iterable[OwnFamily]) -> tuple[set[str], set[str]]:
    """Return the names that features may have, and the beginnings of those of members."""
    items: list[Declared] = [item for family in FAMILIES.values() for item in family.features]
    return column_names([*items, *(own.item for own in everything)])


def _placed(problem: Problem | str, item: Declared, at: str) -> Problem | str:
    """Return a problem of a declaration, named after the place where it was written."""
    if isinstance(problem, str):
        return problem
    _, _, part = problem.thing.partition(f"feature `{item.name}`: ")
    return replace(problem, thing=f"{at}.{part}") if part else problem
