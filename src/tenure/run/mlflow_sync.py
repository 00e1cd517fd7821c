"""What a run leaves in MLflow: a record, never the truth, so no work is lost where it is away."""

from __future__ import annotations

import getpass
import json
from dataclasses import asdict
from pathlib import Path

from tenure.core.config import Config
from tenure.core.errors import ModelError
from tenure.core.files import write_json
from tenure.core.progress import SILENT, Progress
from tenure.core.records.base import Figure
from tenure.core.records.training import TrackedModel, TrainingRecord
from tenure.model.registry.published import waiting
from tenure.model.tracking import Run, Store, repair, track
from tenure.report.forecast_page import error_figures
from tenure.report.sentences.outcome import Outcome
from tenure.report.target_charts import target_charts

RECORD = "training.json"
PAGE = "report.html"


def user() -> str:
    """Return who runs this, as far as the system knows."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may have no name for its user
        return "unknown"


def mirror(config: Config, progress: Progress = SILENT) -> tuple[str, ...]:
    """Bring MLflow's aliases in line with the champion files; return what was done or not."""
    progress.stage("MLflow")
    try:
        notes = repair(config.paths.models, config.name, config.targets, Store.from_config(config))
    except ModelError as error:
        notes = (f"{error}; the aliases are set at the next start",)
    for note in notes:
        progress.note(note)
    return notes


def catch_up(config: Config, progress: Progress = SILENT) -> None:
    """Record in MLflow what an earlier run could not, and set the aliases right.

    Raises:
        ModelError: If MLflow cannot be reached.
    """
    progress.stage("opening MLflow")
    store = Store.from_config(config)
    path = config.paths.runs / RECORD
    try:
        record = TrainingRecord.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        record = None
    if record and record.name == config.name:
        missing = {
            name: target.model.version
            for name, target in record.targets.items()
            if target.model and target.model.mlflow and target.model.mlflow.error
            if Path(target.model.path).is_dir()
        }
        for name, version in missing.items():
            progress.stage(f"{name}: recording {version}, as MLflow was away")
            record = _updated(record, name, _track(name, record, config, store))
        if missing:
            write_json(path, record.to_json())
    for note in repair(config.paths.models, config.name, config.targets, store):
        progress.note(note)


def track_all(
    record: TrainingRecord, config: Config, progress: Progress = SILENT
) -> TrainingRecord:
    """Record every exported model of a run in MLflow; return the record with where it stands there.

    Where MLflow has gone away, the record says why, and `catch_up` does it later.
    """
    store = Store.from_config(config)
    for name in [name for name, target in record.targets.items() if target.model]:
        progress.stage(f"{name}: recording in MLflow")
        try:
            tracked = _track(name, record, config, store)
        except ModelError as error:
            why = f"{error}; it is recorded at the next start"
            progress.note(f"{name}: not recorded in MLflow: {why}")
            tracked = TrackedModel(store=store.uri, error=why)
        record = _updated(record, name, tracked)
    return record


def _charts(name: str, record: TrainingRecord) -> dict[str, str]:
    """Return the charts of a target and of past forecasts as SVG, by name."""
    charts = target_charts(Outcome(name, record.targets[name]))
    past = error_figures(record.forecast) if record.forecast else []
    drawn = charts | {f"forecast-{place}": one for place, one in enumerate(past, 1)}
    return {chart: one.svg for chart, one in drawn.items()}


def _updated(record: TrainingRecord, name: str, tracked: TrackedModel) -> TrainingRecord:
    """Return a record that says where the model of a target stands in MLflow."""
    target = record.targets[name]
    if target.model is None:
        return record
    model = target.model.model_copy(update={"mlflow": tracked})
    targets = record.targets | {name: target.model_copy(update={"model": model})}
    return record.model_copy(update={"targets": targets})


def _track(name: str, record: TrainingRecord, config: Config, store: Store) -> TrackedModel:
    """Record the exported bundle of a target in MLflow; return where it stands there."""
    target, runs = record.targets[name], config.paths.runs
    model = target.model
    if model is None:
        raise ValueError(f"{name} has no exported model")
    settings = {
        f"{section}.{key}": value
        for section in ("labels", "calendar", "model", "evaluation")
        for key, value in getattr(record.config, section).model_dump(mode="json").items()
    }
    run = Run(
        experiment=config.tracking.experiment or config.name,
        model=config.name,
        target=name,
        params=settings | {f"lightgbm.{key}": value for key, value in model.parameters.items()},
        metrics={
            key: value.value if isinstance(value, Figure) else value
            for key, value in target.evaluation.pooled
        },
        fingerprint=record.fingerprint,
        source=config.data.path or config.data.base,
        artifacts=tuple(path for path in (runs / PAGE, runs / "data.json") if path.is_file()),
        texts={f"charts/{chart}.svg": svg for chart, svg in _charts(name, record).items()},
        tags={"tenure.status": target.status, "tenure.verdict": target.verdict.status},
    )
    alias = target.status if target.status in {"champion", "challenger"} else None
    if alias == "challenger" and waiting(config.paths.models, name) != model.version:
        alias = None
    tracked = track(Path(model.path), run, store, alias=alias)
    return TrackedModel(store=store.uri, **asdict(tracked))
