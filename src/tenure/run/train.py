"""`tenure train`: fit every target, export its bundle, track it, and record what happened."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tenure.core.config import Config
from tenure.core.files import canonical_json, digest, write_json, write_text
from tenure.core.flat_row import MAIN
from tenure.core.progress import SILENT, Progress
from tenure.core.records.bundle import BundleMetrics, BundleSpec
from tenure.core.records.promotion import PastUses
from tenure.core.records.shape import LifetimeRecord
from tenure.core.records.training import (
    CalendarFacts,
    FeatureFacts,
    ModelFacts,
    TargetRecord,
    TargetStatus,
    TrainingRecord,
)
from tenure.core.times import now, show
from tenure.features.compute.source_query import source_queries
from tenure.features.plan.config_checks import check_features
from tenure.features.plan.custom import module_digests
from tenure.features.plan.plan import Plan, to_json
from tenure.features.reference_page import reference_page
from tenure.model.boosting.parameter_names import check_parameters
from tenure.model.bundle.bundle import Bundle, make_bundle, read_bundle, write_bundle
from tenure.model.registry.champion import Change, champion, change_champion, withdraw
from tenure.model.registry.ledger import past_uses
from tenure.report.card import model_card
from tenure.report.html import render
from tenure.run.announce import announce_champions
from tenure.run.audit import last_audit
from tenure.run.fit import FittedTarget, TargetResult, fit_targets, target_record
from tenure.run.forecast import fit_forecast, out_of_time
from tenure.run.leakage_gate import check_leaks
from tenure.run.mlflow_sync import PAGE, RECORD, catch_up, mirror, track_all, user
from tenure.run.prepare import Prepared, loaded, prepare
from tenure.run.runs_folder import check_runs_folder, claim_runs_folder
from tenure.score.drift import drift_reference
from tenure.score.score import RATES, check_owner
from tenure.score.unseen import known_words
from tenure.sources.dataset import Dataset, write_rejects
from tenure.success.scorecards.comparison import compared_health

if TYPE_CHECKING:
    import pandas as pd

LIBRARIES = ("lightgbm", "scikit-learn", "numpy", "pandas", "duckdb", "shap", "sqlglot")
REFERENCE = "features.md"


def run_train(
    config: Config, progress: Progress = SILENT, *, replace: str | None = None
) -> TrainingRecord:
    """Train every target of a config.

    Args:
        config: Settings.
        progress: Told of each stage.
        replace: Why usable models take the place of standing champions without a comparison, and
            why a champion is withdrawn where no usable model takes its place; by default usable
            models become challengers, and champions stand.

    Returns:
        The training record, which is also written to ``<runs>/training.json`` with the report
        beside it.

    Raises:
        DataError: If a table cannot be used, or a column is too good to be true.
        ModelError: If MLflow cannot be reached, before anything is fitted; where it goes away
            later, the record says what is not in it.
    """
    started = time.monotonic()
    check_features(config)
    check_parameters(config.model.parameters)
    runs = config.paths.runs
    _check_owners(config)
    check_runs_folder(config)
    catch_up(config, progress)
    with loaded(config, progress, anew=True) as dataset:
        claim_runs_folder(config)
        write_rejects(dataset, runs / "rejects")
        write_json(runs / "data.json", dataset.report.to_json())
        prepared = prepare(config, dataset, progress)
        lifetimes = check_leaks(config, dataset, prepared, progress)
        targets: dict[str, TargetRecord] = {}
        predictions: dict[str, dict[int, pd.DataFrame]] = {}
        for result in fit_targets(prepared, config, progress):
            name = result.target.name
            predictions[name] = out_of_time(result)
            targets[name], bundle = _publish(result, prepared, dataset, config, lifetimes)
            update: dict[str, str | None] = {}
            if bundle is not None:
                update["status"] = _place(result, bundle, config, replace)
            if replace is not None and update.get("status") != "champion":
                update["withdrawn"] = _withdraw(name, config, replace, progress)
            targets[name] = targets[name].model_copy(update=update)
        targets = {name: targets[name] for name in config.targets}
        forecast = fit_forecast(prepared, predictions, dataset, config, progress)
        record = _record(config, dataset, prepared, targets, time.monotonic() - started)
        churn = predictions.get(MAIN, {}).get(config.labels.horizon_days)
        health = None if churn is None else compared_health(config, dataset, churn)
        record = record.model_copy(update={"forecast": forecast, "health": health})
    progress.stage("report")
    write_text(runs / REFERENCE, reference_page(prepared.families))
    write_text(runs / PAGE, render(record, last_audit(config, record.fingerprint)))
    record = track_all(record, config, progress)
    if any(target.withdrawn for target in targets.values()):
        mirror(config, progress)
    write_json(runs / RECORD, record.to_json())
    announce_champions(config, progress)
    return record


def _check_owners(config: Config) -> None:
    """Refuse to write beside another project's champions before any work is done."""
    for target in config.targets:
        standing = champion(config.paths.models, target)
        if standing is not None:
            bundle = read_bundle(config.paths.models / target / standing.version)
            check_owner(bundle, config, target)


def _record(
    config: Config,
    dataset: Dataset,
    prepared: Prepared,
    targets: dict[str, TargetRecord],
    seconds: float,
) -> TrainingRecord:
    families: dict[str, int] = {}
    for spec in prepared.plan.described.values():
        families[spec.family] = families.get(spec.family, 0) + 1
    cutoffs = prepared.cutoffs
    return TrainingRecord(
        name=config.name,
        created_at=show(now()),
        tenure_version=version("tenure"),
        versions=versions(),
        config=config,
        fingerprint=dataset.fingerprint,
        data=dataset.report,
        calendar=CalendarFacts(
            first=show(cutoffs[0]) if cutoffs else None,
            last=show(cutoffs[-1]) if cutoffs else None,
            count=len(cutoffs),
            cadence=config.calendar.cadence,
        ),
        features=FeatureFacts(
            count=len(prepared.plan.described),
            families=families,
            absent=prepared.plan.absent,
        ),
        targets=targets,
        took_seconds=round(seconds, 1),
    )


def versions() -> dict[str, str]:
    """Return the versions of the libraries that decide what a model is."""
    return {name: version(name) for name in LIBRARIES}


def _publish(
    result: TargetResult,
    prepared: Prepared,
    dataset: Dataset,
    config: Config,
    lifetimes: Sequence[LifetimeRecord],
) -> tuple[TargetRecord, Bundle | None]:
    """Export the bundle; return the record and what was exported."""
    fit, record = result.fit, target_record(result, config, lifetimes)
    if fit is None:
        return record, None
    bundle = _bundle(result, fit, prepared, dataset, config, record)
    folder = write_bundle(bundle, config.paths.models, result.target.name)
    final = fit.walk.final
    model = ModelFacts(
        name=bundle.spec.model_name,
        version=bundle.version,
        path=str(folder),
        rows=final.rows,
        positives=final.positives,
        trained_until=bundle.spec.trained_until,
        parameters=dict(final.parameters),
        calibrator=final.calibration(),
        features=len(final.encoder.columns),
    )
    used = _used(record, config, result.target.name)
    return record.model_copy(update={"model": model, "used": used}), bundle


def _used(record: TargetRecord, config: Config, target: str) -> PastUses | None:
    """Return how often the test times of a model have been used to choose; None without any."""
    times = [fold.as_of for fold in record.evaluation.folds]
    return past_uses(config.paths.models, target, times[0], times[-1]) if times else None


def bundle_spec(
    target: str, plan: Plan, prepared: Prepared, dataset: Dataset, config: Config, until: datetime
) -> BundleSpec:
    """Return what a bundle says of a model of a target that reads the features of a plan.

    Its last outcome was known at `until`.
    """
    read = {*plan.reads, *({RATES} & dataset.columns.keys())}
    statements = source_queries(plan, prepared.cutoffs[-1:])
    return BundleSpec(
        name=config.name,
        model_name=f"{config.name}-{target}",
        target=target,
        labels=config.labels,
        calendar=config.calendar,
        model_settings=config.model,
        declarations=to_json(prepared.families, set(plan.bases.values())),
        members={name: tuple(members) for name, members in plan.members.items()},
        modules=module_digests(config.features),
        recipe=_recipe(config),
        tables={name: tuple(sorted(dataset.columns[name])) for name in sorted(read)},
        reads={
            name: tuple(sorted(columns & dataset.columns[name]))
            for name, columns in sorted(plan.reads.items())
        },
        begins={name: day.isoformat() for name, day in prepared.matrix.begins.items()},
        sql_hash=digest(*[query.step.sql for query in statements]),
        fingerprint=dataset.fingerprint,
        trained_until=show(until),
        versions=versions() | {"tenure": version("tenure")},
    )


def _bundle(
    result: TargetResult,
    fit: FittedTarget,
    prepared: Prepared,
    dataset: Dataset,
    config: Config,
    record: TargetRecord,
) -> Bundle:
    known = result.rows["label_known_at"].iloc[fit.walk.train].max().to_pydatetime()
    plan = prepared.plan.only(fit.columns)
    spec = bundle_spec(result.target.name, plan, prepared, dataset, config, known)
    return make_bundle(
        {str(config.labels.horizon_days): fit.walk.final, **fit.further},
        prepared.matrix.values.iloc[fit.walk.train],
        spec=spec,
        metrics=BundleMetrics(**dict(result.evaluation), verdict=result.verdict),
        peers=fit.peers.to_json(),
        drivers={
            "outcomes": fit.outcomes.to_json(),
            "stability": fit.stability,
            "effects": dict(fit.effects),
        },
        amounts={name: amounts.to_json() for name, amounts in fit.amounts.items()},
        latest=_latest(result, fit, prepared, known_words(dataset, plan)),
        card=model_card(result.target.name, record, spec),
        run={"created_at": show(now()), "data": dataset.report.to_json()},
    )


def _latest(
    result: TargetResult, fit: FittedTarget, prepared: Prepared, words: dict[str, list[str]]
) -> dict[str, Any] | None:
    """Return what later scores are compared with; None without known outcomes."""
    times = result.evaluation.over_time
    if times is None:
        return None
    span = times.lately or times.overall
    inputs = fit.walk.final.encoder.frame(prepared.matrix.values)
    return drift_reference(inputs, result.rows, fit.walk.predictions, span) | {"words": words}


def _recipe(config: Config) -> str:
    """Return a hash of everything but the data that decides what a model is."""
    data, model = config.data, config.model.model_dump(mode="json", exclude={"threads"})
    parts = {
        "labels": config.labels.model_dump(mode="json"),
        "calendar": config.calendar.model_dump(mode="json"),
        "features": config.features.model_dump(mode="json", exclude={"cache", "modules"}),
        "modules": module_digests(config.features),
        "attributes": [sorted(data.constant_attributes), sorted(data.changing_attributes)],
        "model": model,
        "versions": versions() | {"tenure": version("tenure")},
    }
    return digest(canonical_json(parts))


def _place(
    result: TargetResult, bundle: Bundle, config: Config, replace: str | None
) -> TargetStatus:
    """Make the first usable model the champion; later ones stay challengers."""
    root, target = Path(config.paths.models), result.target.name
    if not result.verdict.promotable:
        return "not_promoted"
    standing = champion(root, target)
    if standing is not None and standing.version == bundle.version:
        return "champion"
    if standing is not None and replace is None:
        return "challenger"
    reason, action = ("first usable model", "first") if standing is None else (replace, "set")
    change_champion(root, target, Change(bundle.version, str(reason), user(), action))
    return "champion"


def _withdraw(target: str, config: Config, reason: str, progress: Progress) -> str | None:
    """Withdraw the champion that nothing usable replaces; return its version, if one stood."""
    gone = withdraw(Path(config.paths.models), target, reason, user())
    if gone is None:
        return None
    progress.note(f"{target}: {gone.version} is champion no more: no usable model replaces it")
    return gone.version
