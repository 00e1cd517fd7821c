"""What a run leaves in MLflow: a record, never the truth, so no work is lost where it is away."""

from __future__ import annotations

import getpass
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tenure.core.config import Config
from tenure.core.errors import ModelError
from tenure.core.files import write_json
from tenure.model.registry.published import waiting
from tenure.model.tracking import Run, Store, repair, track
from tenure.run.prepare import Progress, silent

RECORD = "training.json"
PAGE = "report.html"


def user() -> str:
    """Return who runs this, as far as the system knows."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may have no name for its user
        return "unknown"


def mirror(config: Config, progress: Progress = silent) -> tuple[str, ...]:
    """Bring MLflow's aliases in line with the champion files; return what was done or not."""
    try:
        notes = repair(config.paths.models, config.name, config.targets, Store.from_config(config))
    except ModelError as error:
        notes = (f"{error}; the aliases are set at the next start",)
    for note in notes:
        progress(note)
    return notes


def catch_up(config: Config, progress: Progress = silent) -> None:
    """Record in MLflow what an earlier run could not, and set the aliases right.

    Raises:
        ModelError: If MLflow cannot be reached.
    """
    store = Store.from_config(config)
    path = config.paths.runs / RECORD
    record = _last(path)
    if record and record.get("name") == config.name:
        missing = [name for name, entry in record["targets"].items() if _untracked(entry)]
        for name in missing:
            entry = record["targets"][name]
            progress(f"{name}: recording {entry['model']['version']} in MLflow, which was away")
            entry["model"]["mlflow"] = _track(name, record, config, store)
        if missing:
            write_json(path, record)
    for note in repair(config.paths.models, config.name, config.targets, store):
        progress(note)


def track_all(record: dict[str, Any], config: Config, progress: Progress = silent) -> None:
    """Record every exported model of a run in MLflow; write into the record where it stands there.

    Where MLflow has gone away, the entry says why, and `catch_up` does it later.
    """
    store = Store.from_config(config)
    for name, entry in record["targets"].items():
        if entry["model"] is None:
            continue
        progress(f"{name}: recording in MLflow")
        try:
            entry["model"]["mlflow"] = _track(name, record, config, store)
        except ModelError as error:
            said = f"{error}; it is recorded at the next start"
            progress(f"{name}: not recorded in MLflow: {said}")
            empty = dict.fromkeys(("run_id", "name", "version", "alias", "uri"))
            entry["model"]["mlflow"] = {"store": store.uri, **empty, "error": said}


def _track(target: str, record: Mapping[str, Any], config: Config, store: Store) -> dict[str, Any]:
    """Record a bundle in MLflow; return where it stands there."""
    entry, runs = record["targets"][target], config.paths.runs
    pooled = entry["evaluation"].get("pooled", {})
    metrics = {
        name: found["value"] if isinstance(found, dict) else found for name, found in pooled.items()
    }
    settings = {
        f"{section}.{name}": value
        for section in ("labels", "calendar", "model", "evaluation")
        for name, value in record["config"][section].items()
    }
    settings |= {f"lightgbm.{name}": value for name, value in entry["model"]["parameters"].items()}
    run = Run(
        experiment=config.tracking.experiment or config.name,
        model=config.name,
        target=target,
        params=settings,
        metrics=metrics,
        fingerprint=record["fingerprint"],
        source=config.data.path,
        artifacts=tuple(path for path in (runs / PAGE, runs / "data.json") if path.is_file()),
        tags={"tenure.status": entry["status"], "tenure.verdict": entry["verdict"]["status"]},
    )
    alias = entry["status"] if entry["status"] in {"champion", "challenger"} else None
    if alias == "challenger" and waiting(config.paths.models, target) != entry["model"]["version"]:
        alias = None
    found = track(Path(entry["model"]["path"]), run, store, alias=alias)
    return {"store": store.uri, **asdict(found)}


def _untracked(entry: Mapping[str, Any]) -> bool:
    model = entry.get("model") or {}
    there = bool(model) and Path(model["path"]).is_dir()
    return there and "error" in (model.get("mlflow") or {})


def _last(path: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found
