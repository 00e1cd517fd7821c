"""The first half of every run: tables → snapshots → features."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tenure.core.config import Config
from tenure.core.progress import SILENT, Progress
from tenure.core.spec import Family
from tenure.engine import open_engine
from tenure.features.cache.matrix_cache import build_cached
from tenure.features.compute.categories import Categories, choose_categories
from tenure.features.compute.matrix import FeatureMatrix
from tenure.features.plan.columns import known_columns
from tenure.features.plan.config_checks import check_names, check_targets
from tenure.features.plan.plan import Plan, config_families, resolve_plan
from tenure.labels.history import why_short, with_history
from tenure.labels.snapshots import prediction_times, snapshots
from tenure.labels.targets import TARGETS, label_horizons
from tenure.labels.windows import EARLY_DAYS
from tenure.sources.contract import SOURCES
from tenure.sources.dataset import Dataset
from tenure.sources.landing.land import land
from tenure.sources.load import load

if TYPE_CHECKING:
    import pandas as pd

CACHE = Path("cache") / "features"


@contextmanager
def loaded(
    config: Config, progress: Progress = SILENT, *, thorough: bool = True, anew: bool = False
) -> Iterator[Dataset]:
    """Yield the loaded tables of a config; the engine is closed afterwards.

    All dirt is looked for where it is to be `thorough`; tables of databases, lakes and object
    stores are fetched `anew`, or read as they landed last.

    Raises:
        ConfigError: If a target does not exist.
        DataError: If a table cannot be used.
    """
    check_targets(config)
    land(config, progress, anew=anew)
    with closing(open_engine(config)) as engine:
        dataset = load(config, engine, progress=progress, thorough=thorough)
        yield with_history(config, dataset) if thorough else dataset


@dataclass(frozen=True)
class Prepared:
    """Everything that models are fitted on."""

    cutoffs: list[datetime]
    """Prediction times."""
    families: list[Family]
    """Declarations."""
    plan: Plan
    """Resolved features."""
    matrix: FeatureMatrix
    """Features of all snapshots."""
    labels: Mapping[str, pd.DataFrame]
    """Target → one row per snapshot, in the matrix's order."""
    ahead: Mapping[str, Mapping[str, pd.DataFrame]] = field(default_factory=dict)
    """Target → further horizon, as text → the same under that horizon."""
    early: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    """Target → the same over the first days of the window, where these are fewer."""
    shortfall: Mapping[str, str] = field(default_factory=dict)
    """Target → why it has few labels or none, in whole sentences."""


def prepare(config: Config, dataset: Dataset, progress: Progress = SILENT) -> Prepared:
    """Build the labelled training set of a config."""
    families = declared_families(config, dataset)
    cutoffs = prediction_times(config, dataset)
    progress.stage(f"snapshots and labels at {len(cutoffs)} prediction times")
    rows = snapshots(dataset, cutoffs)
    settings = config.labels
    ahead = {
        name: label_horizons(dataset, rows, TARGETS[name], settings) for name in config.targets
    }
    main, first = str(settings.horizon_days), str(EARLY_DAYS)
    labels = {name: by_horizon.pop(main) for name, by_horizon in ahead.items()}
    early: dict[str, pd.DataFrame] = {}
    if settings.horizon_days > EARLY_DAYS:
        early = {name: item[first] for name, item in ahead.items() if first in item}
    if EARLY_DAYS not in settings.horizons:
        ahead = {
            name: {days: rows for days, rows in item.items() if days != first}
            for name, item in ahead.items()
        }
    progress.stage("choosing features")
    categories, plan = plan_features(config, dataset, families, cutoffs)
    matrix = feature_matrix(config, dataset, rows, plan, categories, progress)
    short = {name: why_short(config, dataset, TARGETS[name]) for name in config.targets}
    return Prepared(cutoffs, families, plan, matrix, labels, ahead, early, short)


def declared_families(config: Config, dataset: Dataset) -> list[Family]:
    """Return the declarations of a config, its own and those of the account's attributes."""
    families = config_families(config.features, attributes(dataset))
    check_names(config, families, dataset.columns)
    return families


def plan_features(
    config: Config, dataset: Dataset, families: Sequence[Family], cutoffs: Sequence[datetime]
) -> tuple[Categories, Plan]:
    """Return the values that get a feature of their own, and the columns of all features."""
    categories = Categories({}, {})
    if cutoffs:
        categories = choose_categories(dataset.engine, families, dataset.columns, cutoffs)
    columns, exclude = dataset.columns, config.features.exclude
    plan = resolve_plan(families, columns, members=categories.values, exclude=exclude)
    return categories, plan


def feature_matrix(
    config: Config,
    dataset: Dataset,
    rows: pd.DataFrame,
    plan: Plan,
    categories: Categories,
    progress: Progress,
) -> FeatureMatrix:
    """Return the features of snapshots; from the cache, as far as it holds them."""
    return build_cached(
        dataset.engine,
        rows,
        plan,
        config.paths.runs / CACHE if config.features.cache else None,
        since=since(plan, categories),
        progress=progress,
    )


def attributes(dataset: Dataset) -> dict[str, bool]:
    """Return the constant account attributes beyond the contract's own, and which are numbers."""
    further = dataset.columns["accounts"] - known_columns(SOURCES["accounts"])
    types = dataset.engine.columns("accounts")
    return {name: types[name] in {"DOUBLE", "BIGINT"} for name in sorted(further)}


def since(plan: Plan, categories: Categories) -> dict[str, datetime]:
    """Return, for columns of chosen values, the first prediction time that may use them."""
    starts: dict[str, datetime] = {}
    for item in plan.measured:
        if item.member is not None:
            starts[item.spec.name] = categories.since[item.feature.name, item.member]
    for computed in plan.computed:
        parts = [starts[name] for name in computed.needs if name in starts]
        if parts:
            starts[computed.spec.name] = max(parts)
    return {name: start for name, start in starts.items() if name in plan.specs}
