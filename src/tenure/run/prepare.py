"""The first half of every run: tables → snapshots → features."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tenure.core.config import Config
from tenure.core.errors import ConfigError, Problem, suggestion
from tenure.core.spec import Family
from tenure.engine import open_engine
from tenure.features.cache.matrix_cache import build_cached
from tenure.features.compute.categories import Categories, choose_categories
from tenure.features.compute.matrix import FeatureMatrix
from tenure.features.plan.columns import known_columns
from tenure.features.plan.plan import Plan, config_families, resolve_plan
from tenure.labels.snapshots import prediction_times, snapshots
from tenure.labels.targets import TARGETS, label_horizons
from tenure.sources.contract import SOURCES
from tenure.sources.dataset import Dataset
from tenure.sources.load import load

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[str], None]
CACHE = Path("cache") / "features"


def silent(line: str) -> None:
    """Report nothing."""
    del line


@contextmanager
def loaded(
    config: Config, progress: Progress = silent, *, thorough: bool = True
) -> Iterator[Dataset]:
    """Yield the loaded tables of a config; the engine is closed afterwards.

    Args:
        config: Settings.
        progress: Called with a line for each step.
        thorough: Whether to look for all dirt, or just load the tables.

    Raises:
        ConfigError: If a target does not exist.
        DataError: If a table cannot be used.
    """
    _check_targets(config)
    engine = open_engine(config)
    try:
        yield load(config, engine, progress=progress, thorough=thorough)
    finally:
        engine.close()


def _check_targets(config: Config) -> None:
    unknown = [name for name in config.targets if name not in TARGETS]
    if unknown:
        raise ConfigError(
            *(
                Problem("targets", "no such target", name, suggestion(name, TARGETS))
                for name in unknown
            )
        )


@dataclass(frozen=True)
class Prepared:
    """Everything that models are fitted on.

    Attributes:
        cutoffs: Prediction times.
        families: Declarations.
        members: Values with a feature of their own.
        plan: Resolved features.
        matrix: Features of all snapshots.
        labels: Target → one row per snapshot, in the matrix's order.
        ahead: Target → further horizon, as text → the same under that horizon.
    """

    cutoffs: list[datetime]
    families: list[Family]
    members: Categories
    plan: Plan
    matrix: FeatureMatrix
    labels: Mapping[str, pd.DataFrame]
    ahead: Mapping[str, Mapping[str, pd.DataFrame]] = field(default_factory=dict)


def prepare(config: Config, dataset: Dataset, progress: Progress = silent) -> Prepared:
    """Build the labelled training set of a config.

    Args:
        config: Settings.
        dataset: Loaded tables.
        progress: Called with a line for each step.
    """
    cutoffs = prediction_times(config, dataset)
    progress(f"snapshots at {len(cutoffs)} prediction times")
    asked = snapshots(dataset, cutoffs)
    ahead = {
        name: label_horizons(dataset, asked, TARGETS[name], config.labels)
        for name in config.targets
    }
    main = str(config.labels.horizon_days)
    labels = {name: found.pop(main) for name, found in ahead.items()}
    families = config_families(config.features, attributes(dataset))
    members = choose_categories(dataset.engine, families, dataset.columns, cutoffs)
    resolved = resolve_plan(
        families, dataset.columns, members=members.values, exclude=config.features.exclude
    )
    matrix = build_cached(
        dataset.engine,
        asked,
        resolved,
        config.paths.runs / CACHE if config.features.cache else None,
        since=since(resolved, members),
        progress=progress,
    )
    return Prepared(cutoffs, families, members, resolved, matrix, labels, ahead)


def attributes(dataset: Dataset) -> dict[str, bool]:
    """Return the constant account attributes beyond the contract's own, and which are numbers."""
    further = dataset.columns["accounts"] - known_columns(SOURCES["accounts"])
    types = dataset.engine.columns("accounts")
    return {name: types[name] in {"DOUBLE", "BIGINT"} for name in sorted(further)}


def since(resolved: Plan, members: Categories) -> dict[str, datetime]:
    """Return, for columns of chosen values, the first prediction time that may use them."""
    found: dict[str, datetime] = {}
    for item in resolved.measured:
        if item.member is not None:
            found[item.spec.name] = members.since[item.feature.name, item.member]
    for computed in resolved.computed:
        parts = [found[name] for name in computed.needs if name in found]
        if parts:
            found[computed.spec.name] = max(parts)
    return {name: start for name, start in found.items() if name in resolved.specs}
