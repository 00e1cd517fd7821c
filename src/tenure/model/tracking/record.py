"""Record a trained bundle in MLflow, register it, and keep aliases in line with the champion."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tenure.core.errors import ModelError, Problem
from tenure.model.bundle.bundle import Bundle, read_bundle
from tenure.model.bundle.reference_stats import from_records
from tenure.model.registry.champion import champion
from tenure.model.registry.published import waiting
from tenure.model.tracking.store import Store, connected, reached

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

CHAMPION, CHALLENGER = "champion", "challenger"
TAG = "tenure.bundle"
_CODE = Path(__file__).with_name("pyfunc_model.py")
_NEEDS = ("lightgbm", "numpy", "pandas", "scipy", "scikit-learn")


@dataclass(frozen=True)
class Run:
    """What to record beside the bundle."""

    experiment: str
    model: str
    """First part of the registered model's name; the target is the second."""
    target: str
    params: Mapping[str, Any] = field(default_factory=dict)
    """Settings, by dotted name."""
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    """Numbers; those that are None are left out."""
    fingerprint: str = ""
    """Hash of the input data."""
    source: str = ""
    """Where the data came from."""
    artifacts: tuple[Path, ...] = ()
    """Further files, e.g. the report."""
    texts: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Path among the artifacts → what stands there, e.g. a chart as SVG."""
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def registered(self) -> str:
        """Name of the registered model."""
        return f"{self.model}-{self.target}"


@dataclass(frozen=True)
class Tracked:
    """Where a run was recorded."""

    run_id: str
    name: str
    version: str
    """Its version in the registry."""
    alias: str | None
    """Alias that was set, if any."""
    uri: str
    """URI that loads the model."""


def track(folder: Path, run: Run, store: Store, *, alias: str | None = CHALLENGER) -> Tracked:
    """Record a published bundle as a run, log it as an MLflow model and register it.

    The alias is ``champion``, ``challenger`` or None.

    Raises:
        ModelError: If the bundle is damaged or the store cannot be reached.
    """
    bundle = read_bundle(folder)
    with connected(store) as client, reached(store):
        run_id, model_id, source = _log(client, Path(folder).resolve(), bundle, run, store)
        _ensure_model(client, run)
        tags = {TAG: bundle.version, "tenure.target": run.target}
        created = client.create_model_version(
            run.registered, source, run_id, tags=tags, model_id=model_id
        )
        if alias:
            client.set_registered_model_alias(run.registered, alias, created.version)
        uri = (
            f"models:/{run.registered}@{alias}"
            if alias
            else f"models:/{run.registered}/{created.version}"
        )
        return Tracked(run_id, run.registered, str(created.version), alias, uri)


def repair(root: Path, model: str, targets: Iterable[str], store: Store) -> tuple[str, ...]:
    """Make the aliases say what the champion files and the published bundles say.

    A local store that does not exist yet is left alone.

    Returns:
        A sentence for each alias that was changed or could not be.

    Raises:
        ModelError: If the store cannot be reached.
    """
    if store.file is not None and not store.file.is_file():
        return ()
    with connected(store) as client, reached(store):
        notes = [
            note
            for target in targets
            for note in _repair(client, root, f"{model}-{target}", target)
        ]
    return tuple(notes)


def _log(
    client: MlflowClient, folder: Path, bundle: Bundle, run: Run, store: Store
) -> tuple[str, str, str]:
    """Log everything about a run; return its id, the model's id and the model's URI."""
    import mlflow

    experiment = _experiment(client, run.experiment, store)
    tags = {TAG: bundle.version, "tenure.target": run.target, "tenure.data": run.fingerprint}
    with mlflow.start_run(
        experiment_id=experiment,
        run_name=f"{run.target}-{bundle.version}",
        tags=tags | dict(run.tags),
    ) as active:
        run_id = str(active.info.run_id)
        mlflow.log_params({name: _short(value) for name, value in run.params.items()})
        mlflow.log_metrics({k: float(v) for k, v in run.metrics.items() if v is not None})
        _log_data(client, run_id, run)
        client.log_artifacts(run_id, str(folder), f"bundle/{folder.name}")
        for path in run.artifacts:
            client.log_artifact(run_id, str(path))
        for name, text in run.texts.items():
            client.log_text(run_id, text, name)
        info = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(_CODE),
            artifacts={"bundle": str(folder)},
            pip_requirements=[f"{name}=={installed(name)}" for name in ("tenure", *_NEEDS)],
            signature=_signature(bundle),
            input_example=from_records(dict(bundle.examples)).head(3),
            metadata={"bundle": bundle.version, "target": run.target},
        )
    return run_id, str(info.model_id), str(info.model_uri)


def _log_data(client: MlflowClient, run_id: str, run: Run) -> None:
    if not run.fingerprint:
        return
    from mlflow.entities import Dataset, DatasetInput

    source = json.dumps({"uri": run.source})
    data = Dataset(run.experiment, run.fingerprint[:36], source_type="local", source=source)
    client.log_inputs(run_id, [DatasetInput(data)])


def _experiment(client: MlflowClient, name: str, store: Store) -> str:
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        return str(client.create_experiment(name, artifact_location=store.artifacts))
    if experiment.lifecycle_stage != "active":
        raise ModelError(
            Problem(
                f"MLflow experiment {name}",
                "was deleted",
                store.uri,
                "restore it there, or set tracking.experiment to another name",
            )
        )
    return str(experiment.experiment_id)


def _ensure_model(client: MlflowClient, run: Run) -> None:
    if not client.search_registered_models(filter_string=f"name = '{run.registered}'"):
        client.create_registered_model(
            run.registered, description=f"Tenure: probability of {run.target}."
        )


def _repair(client: MlflowClient, root: Path, name: str, target: str) -> Iterator[str]:
    if not client.search_registered_models(filter_string=f"name = '{name}'"):
        return
    standing = champion(root, target)
    truth = {CHAMPION: standing.version if standing else None, CHALLENGER: waiting(root, target)}
    for alias, bundle in truth.items():
        note = _point(client, name, alias, bundle)
        if note:
            yield note if bundle else f"{note}; there is no {alias} under {root}"


def _point(client: MlflowClient, name: str, alias: str, bundle: str | None) -> str:
    """Make an alias point to a bundle, or to none; return what was changed, in words."""
    current = client.get_registered_model(name).aliases.get(alias)
    if bundle is None:
        if current is None:
            return ""
        client.delete_registered_model_alias(name, alias)
        return f"{name}: alias {alias} removed"
    known = _versions(client, name, bundle)
    if not known:
        return f"{name}: the {alias} {bundle} was never registered; train again to do so"
    if current is not None and str(current) in {str(version.version) for version in known}:
        return ""
    latest = max(known, key=lambda version: int(version.version))
    client.set_registered_model_alias(name, alias, latest.version)
    return f"{name}: alias {alias} set to version {latest.version} ({bundle})"


def _versions(client: MlflowClient, name: str, bundle: str) -> list[ModelVersion]:
    registered = client.search_model_versions(f"name = '{name}'")
    return [version for version in registered if version.tags.get(TAG) == bundle]


def _signature(bundle: Bundle) -> Any:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema, TensorSpec

    words = bundle.main.encoder.categories
    # A percentile among peers may be left out where the columns it is looked up by are not.
    required = set(bundle.main.columns) - set(bundle.main.encoder.peer_spread)
    derivable = bundle.main.encoder.derivable(required)
    columns: list[ColSpec | TensorSpec] = [
        ColSpec("string" if name in words else "double", name, required=name not in derivable)
        for name in bundle.main.columns
    ]
    return ModelSignature(Schema(columns), Schema([ColSpec("double", "probability")]))


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text[:500]
