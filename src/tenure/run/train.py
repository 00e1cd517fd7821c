"""`tenure train`: fit every target, export its bundle, track it, and record what happened."""

from __future__ import annotations

import importlib.metadata
import time
from pathlib import Path
from typing import Any

from tenure import __version__
from tenure.core.config import Config
from tenure.core.files import canonical_json, digest, write_json, write_text
from tenure.core.times import now, show
from tenure.features.compute.source_query import source_queries
from tenure.features.plan.config_checks import check_features
from tenure.features.plan.custom import module_digests
from tenure.features.plan.plan import to_json
from tenure.features.reference_page import reference_page
from tenure.model.bundle.bundle import Bundle, make_bundle, read_bundle, write_bundle
from tenure.model.registry.champion import Change, champion, change_champion, withdraw
from tenure.report.card import model_card
from tenure.report.html import render
from tenure.run.audit import last_audit
from tenure.run.fit import FittedTarget, TargetResult, fit_target, label_summary
from tenure.run.leakage_gate import check_leaks
from tenure.run.mlflow_sync import PAGE, RECORD, catch_up, mirror, track_all, user
from tenure.run.prepare import Prepared, Progress, loaded, prepare, silent
from tenure.run.replay import RECIPE
from tenure.score.score import check_owner
from tenure.sources.dataset import Dataset, write_rejects

LIBRARIES = ("lightgbm", "scikit-learn", "numpy", "pandas", "duckdb", "shap", "sqlglot")
REFERENCE = "features.md"


def run_train(
    config: Config, progress: Progress = silent, *, replace: str | None = None
) -> dict[str, Any]:
    """Train every target of a config.

    Args:
        config: Settings.
        progress: Called with a line for each step.
        replace: Why usable models take the place of standing champions without a comparison, and
            why a champion is withdrawn where no usable model takes its place; by default usable
            models become challengers, and champions stand.

    Returns:
        The training record (JSON-safe), which is also written to ``<runs>/training.json`` with
        the report beside it.

    Raises:
        DataError: If a table cannot be used, or a column is too good to be true.
        ModelError: If MLflow cannot be reached, before anything is fitted; where it goes away
            later, the record says what is not in it.
    """
    started = time.monotonic()
    check_features(config)
    runs = config.paths.runs
    _check_owners(config)
    catch_up(config, progress)
    with loaded(config, progress) as dataset:
        write_rejects(dataset, runs / "rejects")
        write_json(runs / "data.json", dataset.report.to_dict())
        prepared = prepare(config, dataset, progress)
        check_leaks(config, dataset, prepared, progress)
        record = _record(config, dataset, prepared)
        for name in config.targets:
            tried = fit_target(name, prepared, config, progress)
            entry, bundle = _publish(tried, prepared, dataset, config)
            if bundle is not None:
                entry["status"] = _place(tried, bundle, config, replace)
            if replace is not None and entry["status"] != "champion":
                entry["withdrawn"] = _withdraw(name, config, replace, progress)
            record["targets"][name] = entry
    record["took_seconds"] = round(time.monotonic() - started, 1)
    write_text(runs / REFERENCE, reference_page(prepared.families))
    write_text(runs / PAGE, render(record, last_audit(config, record["fingerprint"])))
    track_all(record, config, progress)
    if any(entry["withdrawn"] for entry in record["targets"].values()):
        mirror(config, progress)
    write_json(runs / RECORD, record)
    return record


def _check_owners(config: Config) -> None:
    """Refuse to write beside another project's champions before any work is done."""
    for target in config.targets:
        found = champion(config.paths.models, target)
        if found is not None:
            check_owner(read_bundle(config.paths.models / target / found.version), config)


def _record(config: Config, dataset: Dataset, prepared: Prepared) -> dict[str, Any]:
    families: dict[str, int] = {}
    for spec in prepared.plan.said.values():
        families[spec.family] = families.get(spec.family, 0) + 1
    cutoffs = prepared.cutoffs
    return {
        "name": config.name,
        "created_at": show(now()),
        "tenure_version": __version__,
        "versions": versions(),
        "config": config.model_dump(mode="json"),
        "fingerprint": dataset.fingerprint,
        "data": dataset.report.to_dict(),
        "calendar": {
            "first": show(cutoffs[0]) if cutoffs else None,
            "last": show(cutoffs[-1]) if cutoffs else None,
            "count": len(cutoffs),
            "cadence": config.calendar.cadence,
        },
        "features": {
            "count": len(prepared.plan.said),
            "families": families,
            "absent": [{"name": item.name, "reason": item.reason} for item in prepared.plan.absent],
        },
        "targets": {},
    }


def versions() -> dict[str, str]:
    """Return the versions of the libraries that decide what a model is."""
    return {name: importlib.metadata.version(name) for name in LIBRARIES}


def _publish(
    tried: TargetResult, prepared: Prepared, dataset: Dataset, config: Config
) -> tuple[dict[str, Any], Bundle | None]:
    """Export the bundle; return the record and what was exported."""
    target = tried.target
    entry: dict[str, Any] = {
        "event": target.event,
        "events": target.events,
        "bad": target.bad,
        "horizon_days": config.labels.horizon_days,
        "gap_days": config.labels.gap_days,
        "status": "refused",
        "withdrawn": None,
        "verdict": tried.verdict.to_json(),
        "labels": label_summary(tried.rows),
        "evaluation": tried.metrics,
        "folds": [],
        "tuning": [],
        "drivers": [],
        "model": None,
    }
    if tried.fit is None:
        return entry, None
    entry["folds"] = _folds(tried.fit)
    entry["tuning"] = tried.fit.walk.tuned
    drivers = tried.fit.drivers.astype(object)
    entry["drivers"] = drivers.where(drivers.notna(), None).to_dict(orient="records")
    bundle = _bundle(tried, tried.fit, prepared, dataset, config, entry)
    folder = write_bundle(bundle, config.paths.models, target.name)
    final = tried.fit.walk.final
    entry["model"] = {
        "name": bundle.spec["model_name"],
        "version": bundle.version,
        "path": str(folder),
        "rows": final.rows,
        "positives": final.positives,
        "trained_until": bundle.spec["trained_until"],
        "parameters": dict(final.parameters),
        "calibrator": final.calibrator.to_json(),
        "features": len(final.encoder.columns),
    }
    return entry, bundle


def _folds(fit: FittedTarget) -> list[dict[str, Any]]:
    moments = ("as_of", "train_known_until")
    return [
        {
            str(name): show(value.to_pydatetime()) if name in moments else value
            for name, value in fold.items()
        }
        for fold in fit.walk.folds.to_dict(orient="records")
    ]


def _bundle(
    tried: TargetResult,
    fit: FittedTarget,
    prepared: Prepared,
    dataset: Dataset,
    config: Config,
    entry: dict[str, Any],
) -> Bundle:
    final = fit.walk.final
    resolved = prepared.plan.only(fit.columns)
    reads = resolved.reads
    last = prepared.cutoffs[-1:]
    known = tried.rows["label_known_at"].iloc[fit.walk.train].max()
    spec = {
        "name": config.name,
        "model_name": f"{config.name}-{tried.target.name}",
        "target": tried.target.name,
        "labels": config.labels.model_dump(mode="json"),
        "calendar": config.calendar.model_dump(mode="json"),
        "model_settings": config.model.model_dump(mode="json", exclude={"threads"}),
        "declarations": to_json(prepared.families, set(resolved.bases.values())),
        "members": resolved.members,
        "modules": module_digests(config.features),
        RECIPE: _recipe(config),
        "tables": {name: sorted(dataset.columns[name]) for name in sorted(reads)},
        "reads": {
            name: sorted(found & dataset.columns[name]) for name, found in sorted(reads.items())
        },
        "begins": {name: day.isoformat() for name, day in prepared.matrix.begins.items()},
        "sql_hash": digest(
            *[item.step(item.timeline(last)).sql for item in source_queries(resolved)]
        ),
        "fingerprint": dataset.fingerprint,
        "trained_until": show(known.to_pydatetime()),
        "versions": versions() | {"tenure": __version__},
    }
    return make_bundle(
        {str(config.labels.horizon_days): final, **fit.further},
        prepared.matrix.values.iloc[fit.walk.train],
        spec=spec,
        metrics={"verdict": entry["verdict"], **tried.metrics},
        peers=fit.peers.to_json(),
        amount=fit.amounts.to_json() if fit.amounts else None,
        card=model_card(tried.target.name, entry, spec),
        run={"created_at": show(now()), "data": dataset.report.to_dict()},
    )


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
        "versions": versions() | {"tenure": __version__},
    }
    return digest(canonical_json(parts))


def _place(tried: TargetResult, bundle: Bundle, config: Config, replace: str | None) -> str:
    """Make the first usable model the champion; later ones stay challengers."""
    root, target = Path(config.paths.models), tried.target.name
    if not tried.verdict.promotable:
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
    progress(f"{target}: {gone.version} is champion no more: no usable model replaces it")
    return gone.version
