"""What looks like the future in the data stops a training run, unless it is allowed by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from tenure.audit.leakage import suspicious
from tenure.audit.lifetime import lifetimes
from tenure.audit.raw_columns import raw_family
from tenure.audit.sample import chosen
from tenure.core.config import Config
from tenure.core.errors import DataError, Problem
from tenure.core.progress import Progress
from tenure.core.records.audit import SuspectRecord
from tenure.core.records.shape import LifetimeRecord
from tenure.features.compute.matrix import FeatureMatrix, build
from tenure.features.plan.plan import Plan, read_columns, resolve_plan
from tenure.report.sentences.shape import advice, looks
from tenure.run.prepare import Prepared

if TYPE_CHECKING:
    import pandas as pd

    from tenure.sources.dataset import Dataset


def check_leaks(
    config: Config, dataset: Dataset, prepared: Prepared, progress: Progress
) -> list[LifetimeRecord]:
    """Stop where a column alone knows an outcome too well, or a table how long accounts will live.

    A target that is refused, for its outcomes are too few, stops nothing.  Tested are the features,
    and the raw columns that they read, of at most `audit.accounts` accounts, as in the audit; and
    the tables that they read, whole.

    Returns:
        Tables that look doubtful, or are allowed by name, and stop nothing.

    Raises:
        DataError: Naming every such column and table that `audit.allow` does not name, how well it
            knows the future, where it comes from, and how to allow it.
    """
    progress.stage("columns that are too good to be true")
    suspects = [item for item in leaks(config, dataset, prepared) if not item.allowed]
    problems = _problems(suspects, origins(prepared.plan))
    tables: list[LifetimeRecord] = []
    if fitted_targets(config, prepared):
        read = set(prepared.plan.reads)
        tables = [item for item in lifetimes(dataset, config.audit.allow) if item.table in read]
    problems += [
        Problem(item.table, looks(item), fix=advice(item)) for item in tables if item.stops
    ]
    if problems:
        raise DataError(*problems)
    return tables


def fitted_targets(config: Config, prepared: Prepared) -> dict[str, pd.DataFrame]:
    """Return the labelled rows of each target that is not refused."""
    from tenure.run.walk import target_refusal  # it loads what fits models; an audit fits none

    return {
        name: known
        for name, known in prepared.labels.items()
        if target_refusal(name, prepared, config) is None
    }


def leaks(config: Config, dataset: Dataset, prepared: Prepared) -> list[SuspectRecord]:
    """Return the columns that know an outcome too well, those that are allowed marked."""
    rows = prepared.matrix.rows
    fitted = fitted_targets(config, prepared)
    if rows.empty or not fitted:
        return []
    seed, settings = config.model.seed, config.audit
    accounts = chosen(rows["account_id"].tolist(), settings.accounts, seed)
    mine = rows["account_id"].isin(accounts).to_numpy(dtype=bool)
    labels = {name: known[mine].reset_index(drop=True) for name, known in fitted.items()}
    snapshots: pd.DataFrame = rows[mine].reset_index(drop=True)
    values = prepared.matrix.values[mine].reset_index(drop=True)
    matrix = FeatureMatrix(snapshots, values, prepared.matrix.specs)
    read = {name: columns & dataset.columns[name] for name, columns in prepared.plan.reads.items()}
    raw = build(dataset.engine, matrix.rows, resolve_plan([raw_family(read)], read))
    allow = allowed(settings.allow, prepared.plan)
    suspects: list[SuspectRecord] = []
    for part in (matrix, raw):
        suspects += suspicious(part, labels, limit=settings.auc, allow=allow, seed=seed)
    return sorted(suspects, key=lambda item: (-item.figure, item.column, item.target))


def origins(plan: Plan) -> dict[str, frozenset[str]]:
    """Return feature → the columns it comes from, each as ``<table>.<column>``."""
    columns: dict[str, frozenset[str]] = {}
    for item in plan.measured:
        source, read = item.feature.source, read_columns(item.feature)
        columns[item.spec.name] = frozenset(f"{source}.{name}" for name in read)
    for one in (*plan.computed, *plan.placed):
        parts = [columns[name] for name in one.needs if name in columns]
        columns[one.spec.name] = frozenset[str]().union(*parts)
    return columns


def allowed(names: Iterable[str], plan: Plan) -> set[str]:
    """Return names with the features that come from a column among them."""
    allow = set(names)
    return allow | {name for name, read in origins(plan).items() if read & allow}


def _problems(
    suspects: list[SuspectRecord], sources: Mapping[str, frozenset[str]]
) -> list[Problem]:
    """Return a problem per suspicious column and target, the strongest first."""
    problems = []
    strongest: dict[tuple[str, str], SuspectRecord] = {}
    for item in suspects:
        strongest.setdefault((item.column, item.target), item)
    for item in strongest.values():
        read = sorted(sources.get(item.column, ()))
        place = f"{item.column} (from {', '.join(read)})" if read else item.column
        rule, _, fix = item.text.partition(". Find out")
        value = f"{item.figure:.3f}"
        if item.lo is not None and item.hi is not None:
            value += f" [{item.lo:.3f}, {item.hi:.3f}]"
        problems.append(Problem(place, f"too good to be true: {rule}", value, f"find out{fix}"))
    return problems
