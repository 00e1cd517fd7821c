"""`tenure explain`: why accounts have their scores, what is behind that, and what changed.

Each function takes a config, or an open store, and returns a record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tenure.core.config import Config
from tenure.core.errors import ConfigError, DataError, ModelError, Problem, suggestion
from tenure.core.flat_row import FIELDS, MAIN, TOP, prefix_of
from tenure.core.progress import SILENT, Progress
from tenure.core.records.explain import (
    AccountExplanation,
    BookChange,
    DriverRecord,
    Portfolio,
    ScoreChange,
    WhatIf,
)
from tenure.core.times import show
from tenure.explain.changes import book_change, score_change
from tenure.explain.driver_records import driver_records
from tenure.explain.portfolio import portfolio
from tenure.explain.what_if import EditableModel, shown, what_if
from tenure.features.compute.matrix import build
from tenure.labels.snapshots import snapshots
from tenure.run.account_words import (
    absence,
    abstention_reason,
    account_lines,
    explained_lines,
    plain,
)
from tenure.run.prepare import loaded
from tenure.run.score_points import bridges, scored_points, stored_points
from tenure.score.evidence import evidence_behind
from tenure.score.model import Model
from tenure.score.score import load_models, score
from tenure.score.scored import Scored

if TYPE_CHECKING:
    from tenure.score.store.store import ScoreStore, StoredRun, StoredScore
    from tenure.sources.dataset import Dataset


@dataclass(frozen=True)
class ExplainWish:
    """What is wanted beside the drivers of an account."""

    since: datetime | None = None
    """Compare with the latest kept run at or before this time."""
    evidence: int = 0
    """Source rows of each table that are shown behind a driver; none where it is 0."""


def run_explain(
    config: Config,
    account: str,
    as_of: datetime | None = None,
    progress: Progress = SILENT,
    wish: ExplainWish | None = None,
) -> AccountExplanation:
    """Return why one account has its scores, by default when observation stopped.

    Raises:
        DataError: If the account is unknown, has left, or does not pay yet; says which.
        ModelError: If there is no run to compare with.
    """
    wish = wish or ExplainWish()
    models = load_models(config)
    with loaded(config, progress, thorough=False) as dataset:
        moment = as_of or dataset.observed_until
        scored = score(dataset, models, config, moment, accounts=[account])
        if scored.rows.empty:
            raise DataError(absence(account, dataset, moment))
        row = plain(scored.rows.iloc[0].to_dict())
        reason = abstention_reason(row, dataset, config.score)
        drivers = {name: scored_drivers(scored, name) for name in models}
        behind = {}
        if wish.evidence:
            behind = evidence_behind(dataset.engine, scored, wish.evidence)[account]
        changes = _account_changes(config, dataset, scored, wish.since) if wish.since else {}
    lines = [*account_lines(row, list(models), reason)]
    lines += explained_lines(drivers, behind, changes)
    return AccountExplanation(
        row=row, lines=tuple(lines), drivers=drivers, evidence=behind, changes=changes
    )


def scored_drivers(scored: Scored, target: str) -> tuple[DriverRecord, ...]:
    """Return the drivers of the main score of the first account, as records."""
    model, behind = scored.models[target], scored.main(target)
    row = plain(scored.rows.iloc[0].to_dict())
    chance = row[f"{target}_probability"]
    if chance is None:
        return ()
    prefix = prefix_of(target)
    drivers: list[dict[str, Any]] = []
    for place in range(TOP):
        start = f"{prefix}driver_{place + 1}_"
        if row[f"{start}code"] is not None:
            feature = model.main.columns[behind.telling[0, place]]
            drivers.append({name: row[f"{start}{name}"] for name in FIELDS} | {"feature": feature})
    log_odds = float(behind.values[0].sum())
    place_of = model.place(str(model.horizon_days), log_odds, chance)
    return driver_records(drivers, model.facts, place_of)


def stored_drivers(stored: StoredScore, model: Model | None) -> tuple[DriverRecord, ...]:
    """Return the drivers of a score in the store, as records.

    Without the model that gave it there are no points, nothing to ask for and no stability.
    """
    if stored.probability is None or stored.log_odds is None:
        return ()
    if model is None or stored.model_version != model.bundle.version:
        return tuple(DriverRecord(**driver) for driver in stored.drivers)
    place = model.place(stored.horizon, stored.log_odds, stored.probability)
    return driver_records(stored.drivers, model.facts, place)


def _account_changes(
    config: Config, dataset: Dataset, scored: Scored, since: datetime
) -> dict[str, ScoreChange]:
    """Return target → how the score moved since the latest kept run at or before a time."""
    from tenure.score.store.store import ScoreStore

    account = str(scored.rows["account_id"].iloc[0])
    changes: dict[str, ScoreChange] = {}
    with ScoreStore.open(config) as store:
        run = store.run_up_to(since, "since")
        for target, model in scored.models.items():
            after = scored_points(scored, target).get(account)
            horizon = str(model.horizon_days)
            before = stored_points(store, run, target, horizon, [account]).get(account)
            if before is None or after is None:
                continue
            labels = model.facts.signals.labels
            bridge = None
            if before.model_version != after.model_version:
                version = before.model_version
                bridge = bridges(config, dataset, target, version, after.as_of, [account])
            changes[target] = score_change(before, after, labels, (bridge or {}).get(account))
    return changes


def run_changes(
    config: Config,
    since: datetime,
    until: datetime | None = None,
    target: str = MAIN,
    progress: Progress = SILENT,
) -> BookChange:
    """Return who moved most between two kept runs of a book, and why.

    Each is the latest one kept at or before its time; the later one by default the latest of all.

    Raises:
        ModelError: If there are no two runs with scores.
    """
    from tenure.score.store.store import ScoreStore

    model = _model(load_models(config), target)
    horizon = str(model.horizon_days)
    with ScoreStore.open(config) as store:
        first = store.run_up_to(since, "since")
        last = store.run_up_to(until, "until")
        before, after = (stored_points(store, run, target, horizon) for run in (first, last))
    if first.number == last.number or not before or not after:
        rule, fix = "two kept runs with scores are needed", "score two dates: `tenure score CONFIG`"
        raise ModelError(Problem("changes", rule, show(first.as_of), fix))
    labels = model.facts.signals.labels
    old = next(iter(before.values())).model_version
    if old == next(iter(after.values())).model_version:
        return book_change(before, after, labels)
    with loaded(config, progress, thorough=False) as dataset:
        between = bridges(config, dataset, target, old, last.as_of, sorted(after))
    return book_change(before, after, labels, between)


def run_portfolio(config: Config, target: str = MAIN, as_of: datetime | None = None) -> Portfolio:
    """Return what moves the scores of the latest kept book, or of the one kept at a time.

    Raises:
        ModelError: If no run was kept.
    """
    from tenure.score.store.store import ScoreStore

    model = _model(load_models(config), target)
    with ScoreStore.open(config) as store:
        return stored_portfolio(store, store.run_up_to(as_of, "as_of"), model)


def stored_portfolio(store: ScoreStore, run: StoredRun, model: Model) -> Portfolio:
    """Return what moves the scores of a kept run under the main horizon of a model."""
    from tenure.score.store.reading import BASE

    target, horizon = model.bundle.spec.target, str(model.horizon_days)
    contributions = store.contributions(run, target, horizon).drop(columns=BASE)
    names = ("account_id", "probability", "band", "mrr", "currency", "owner", "segment")
    accounts = store.frame(names, run_no=run.number, target=target, horizon=horizon)
    return portfolio(target, contributions, accounts.set_index("account_id"), model.facts.signals)


def run_what_if(
    config: Config,
    account: str,
    edits: Mapping[str, float],
    target: str = MAIN,
    as_of: datetime | None = None,
    progress: Progress = SILENT,
) -> WhatIf:
    """Return the score of an account with other values of levers: an association, no effect.

    The edits lie within the range of the training past; `as_of` is by default when observation
    stopped.

    Raises:
        ConfigError: If a feature is no lever that the model reads, or a value was never seen.
        DataError: If the account does not pay then.
    """
    model = _model(load_models(config), target)
    editable = EditableModel(model.main, model.plan, model.bundle.reference["features"])
    with loaded(config, progress, thorough=False) as dataset:
        moment = as_of or dataset.observed_until
        paid = snapshots(dataset, [moment], [account])
        if paid.empty:
            raise DataError(absence(account, dataset, moment))
        matrix = build(dataset.engine, paid, shown(model.plan), known_begins=model.begins)
    return what_if(editable, matrix.values, edits, account=account, target=target)


def _model(models: Mapping[str, Model], target: str) -> Model:
    if target not in models:
        fix = suggestion(target, models)
        raise ConfigError(Problem("target", "has no champion", target, fix))
    return models[target]
