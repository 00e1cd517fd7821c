"""`tenure train`: fit every target, export its bundle, track it, and record what happened."""

from __future__ import annotations

import getpass
import importlib.metadata
import time
from pathlib import Path
from typing import Any

from tenure import __version__
from tenure.core.config import Config
from tenure.core.files import digest, write_json, write_text
from tenure.core.fragments import columns_of
from tenure.core.times import now, show
from tenure.features.cells import cells
from tenure.features.plan import to_json
from tenure.model.bundle import Bundle, make_bundle, write_bundle
from tenure.model.champion import champion, set_champion
from tenure.model.tracking import Tracking
from tenure.report.card import model_card
from tenure.report.html import render
from tenure.run.fit import Attempt, attempt, label_summary
from tenure.run.prepare import Prepared, Progress, loaded, prepare, silent
from tenure.score import check_owner
from tenure.sources.dataset import Dataset, write_rejects

LIBRARIES = ("lightgbm", "scikit-learn", "numpy", "pandas", "duckdb", "shap", "sqlglot")
DRIVERS = 30


def run_train(config: Config, progress: Progress = silent) -> dict[str, Any]:
    """Train every target of a config.

    Args:
        config: Settings.
        progress: Called with a line for each step.

    Returns:
        The training record (JSON-safe), which is also written to ``<runs>/training.json`` with
        the report beside it.
    """
    started = time.monotonic()
    _check_owners(config)
    tracking = Tracking.open(config)
    with loaded(config, progress) as dataset:
        write_rejects(dataset, config.paths.runs / "rejects")
        write_json(config.paths.runs / "data.json", dataset.report.to_dict())
        prepared = prepare(config, dataset, progress)
        record = _record(config, dataset, prepared)
        for name in config.targets:
            tried = attempt(name, prepared, config, progress)
            progress(f"{name}: exporting and tracking")
            record["targets"][name] = _publish(tried, prepared, dataset, config, tracking)
    record["took_seconds"] = round(time.monotonic() - started, 1)
    write_json(config.paths.runs / "training.json", record)
    page = config.paths.runs / "report.html"
    write_text(page, render(record))
    tracking.attach_report(record, page)
    return record


def _check_owners(config: Config) -> None:
    """Refuse to write beside another project's champions before any work is done."""
    from tenure.model.bundle import read_bundle

    for target in config.targets:
        found = champion(config.paths.models, target)
        if found is not None:
            check_owner(read_bundle(config.paths.models / target / found.version), config)


def _record(config: Config, dataset: Dataset, prepared: Prepared) -> dict[str, Any]:
    families: dict[str, int] = {}
    for spec in prepared.plan.specs.values():
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
            "count": len(prepared.plan.specs),
            "families": families,
            "absent": [{"name": item.name, "reason": item.reason} for item in prepared.plan.absent],
        },
        "targets": {},
    }


def versions() -> dict[str, str]:
    """Return the versions of the libraries that decide what a model is."""
    return {name: importlib.metadata.version(name) for name in LIBRARIES}


def _publish(
    tried: Attempt, prepared: Prepared, dataset: Dataset, config: Config, tracking: Tracking
) -> dict[str, Any]:
    """Export, promote where it is the first usable model, track; return the target's record."""
    target = tried.target
    entry: dict[str, Any] = {
        "event": target.event,
        "events": target.events,
        "bad": target.bad,
        "horizon_days": config.labels.horizon_days,
        "gap_days": config.labels.gap_days,
        "status": "refused",
        "verdict": tried.verdict.to_json(),
        "labels": label_summary(tried.rows),
        "evaluation": tried.metrics or {},
        "folds": [],
        "drivers": [],
        "model": None,
    }
    if tried.walk is None or tried.drivers is None:
        tracking.refused(target.name, entry)
        return entry
    entry["folds"] = _folds(tried)
    entry["drivers"] = tried.drivers.to_dict(orient="records")
    bundle = _bundle(tried, prepared, dataset, config, entry)
    folder = write_bundle(bundle, config.paths.models, target.name)
    entry["status"] = _promote(tried, bundle, config)
    final = tried.walk.final
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
    entry["model"] |= tracking.log(bundle, folder, entry, tried.rows)
    return entry


def _folds(tried: Attempt) -> list[dict[str, Any]]:
    assert tried.walk is not None
    folds = tried.walk.folds.to_dict(orient="records")
    for fold in folds:
        for name in ("as_of", "train_known_until"):
            fold[name] = show(fold[name].to_pydatetime())
    return folds


def _bundle(
    tried: Attempt, prepared: Prepared, dataset: Dataset, config: Config, entry: dict[str, Any]
) -> Bundle:
    assert tried.walk is not None
    assert tried.peers is not None
    final = tried.walk.final
    resolved = prepared.plan.only(final.encoder.columns)
    bases = set(resolved.bases.values())
    known = tried.rows["label_known_at"].iloc[final.train].max()
    reads: dict[str, set[str]] = {}
    for item in resolved.measured:
        declared = item.feature
        names = columns_of(declared.aggregate) | columns_of(declared.where or "true")
        names |= {name for name in (declared.each, declared.at) if name}
        reads.setdefault(declared.source, set()).update(names)
    tables = {name: sorted(dataset.columns[name]) for name in sorted(reads)}
    sql = [cells(stream, stream.timeline(prepared.cutoffs[-1:])).sql for stream in resolved.streams]
    spec = {
        "name": config.name,
        "model_name": f"{config.name}-{tried.target.name}",
        "target": tried.target.name,
        "labels": config.labels.model_dump(mode="json"),
        "calendar": config.calendar.model_dump(mode="json"),
        "model_settings": config.model.model_dump(mode="json", exclude={"threads"}),
        "declarations": to_json(prepared.families, bases),
        "members": {
            name: sorted({item.member for item in resolved.measured
                          if item.feature.name == name and item.member is not None})
            for name in prepared.members.values
        },
        "tables": tables,
        "reads": {
            name: sorted(found & dataset.columns[name]) for name, found in sorted(reads.items())
        },
        "sql_hash": digest(*sql),
        "fingerprint": dataset.fingerprint,
        "trained_until": show(known.to_pydatetime()),
        "versions": versions() | {"tenure": __version__},
    }
    metrics = {"verdict": entry["verdict"], **(tried.metrics or {})}
    return make_bundle(
        final,
        prepared.matrix.values,
        spec=spec,
        metrics=metrics,
        peers=tried.peers.to_json(),
        card=model_card(tried.target.name, entry, spec),
        run={"created_at": show(now()), "data": dataset.report.to_dict()},
    )


def _promote(tried: Attempt, bundle: Bundle, config: Config) -> str:
    """Make the first usable model the champion; later ones stay challengers."""
    root, target = Path(config.paths.models), tried.target.name
    if not tried.verdict.promotable:
        return "not_promoted"
    standing = champion(root, target)
    if standing is None:
        set_champion(root, target, bundle.version, "first usable model", getpass.getuser())
        return "champion"
    return "champion" if standing.version == bundle.version else "challenger"
