"""A model is a bundle: a folder of texts, named by the hash of its content.

models/<target>/<version>/
  spec.json        what it was made from and how it reads feature values
  models.json      the fitted model of each horizon: encoder, booster, calibrator, bounds
  metrics.json     how it did out of time, and the verdict
  reference.json   statistics of the training rows, and peers
  examples.json    20 feature rows without ids and their scores: checked at every load
  card.md          the model card
  run.json         run ids and times: not part of the version
  MANIFEST.json    the version and the SHA-256 of each file
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tenure.core.errors import ModelError
from tenure.core.files import canonical_json, locked, publishing
from tenure.core.records.bundle import FORMAT, BundleMetrics, BundleSpec
from tenure.model.boosting.part import ScoringModel, model_from_json
from tenure.model.bundle.files import (
    CONTENT,
    RUN,
    check_files,
    fail,
    read_json,
    read_text,
    version_of,
    write_files,
)
from tenure.model.bundle.reference_stats import examples, from_records, statistics, to_records

if TYPE_CHECKING:
    import pandas as pd

TOLERANCE = 1e-12


@dataclass(frozen=True)
class Bundle:
    """The models of a target with everything needed to score and to explain."""

    spec: BundleSpec
    """What it was made from, and how it reads feature values."""
    models: Mapping[str, ScoringModel]
    """Horizon, as text → its model."""
    metrics: BundleMetrics
    """How they did out of time, and the verdict."""
    reference: Mapping[str, Any]
    """``features`` (statistics of the training rows), ``peers``, ``outcomes`` (shares of outcomes
    by value), ``stability`` and ``effects`` of signals, ``amounts`` (horizon, as text → fitted
    state of `tenure.model.evaluation.expected_amount`) and ``latest`` (what later scores are
    compared with), each where it is known."""
    examples: Mapping[str, Any]
    """Feature rows with their margins and probabilities under the main horizon."""
    card: str
    run: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """Run ids and times; no part of the version."""

    @cached_property
    def version(self) -> str:
        """The first 12 hex digits of the hash of the content."""
        return version_of(self.texts())

    @property
    def main(self) -> ScoringModel:
        """The model of the main horizon."""
        return self.models[str(self.spec.labels.horizon_days)]

    @property
    def columns(self) -> tuple[str, ...]:
        """Feature columns that the boosters of any horizon read, the main one's first."""
        models = (self.main, *self.models.values())
        return tuple(dict.fromkeys(name for model in models for name in model.columns))

    def texts(self) -> dict[str, str]:
        """Return the content files by name."""
        values: dict[str, Any] = {
            "spec.json": self.spec.to_json(),
            "models.json": {name: model.to_json() for name, model in self.models.items()},
            "metrics.json": self.metrics.to_json(),
            "reference.json": self.reference,
            "examples.json": self.examples,
        }
        texts = {name: canonical_json(value) + "\n" for name, value in values.items()}
        return texts | {"card.md": self.card}


def make_bundle(  # noqa: PLR0913 - a bundle has as many parts
    models: Mapping[str, ScoringModel],
    training: pd.DataFrame,
    *,
    spec: BundleSpec,
    metrics: BundleMetrics | None = None,
    peers: Any = None,
    drivers: Mapping[str, Any] | None = None,
    amounts: Any = None,
    latest: Any = None,
    card: str = "",
    run: Mapping[str, Any] | None = None,
) -> Bundle:
    """Return the bundle of fitted models.

    Args:
        models: Horizon, as text → its fitted model; that of ``labels.horizon_days`` is the main
            one.
        training: Feature values of the rows that the main one was fitted on.
        spec: What it was made from, and how it reads feature values.
        metrics: How they did out of time, and the verdict.
        peers: JSON values of the peer table.
        drivers: JSON values of what speaks of drivers beside the peers: ``outcomes``,
            ``stability`` and ``effects``.
        amounts: Horizon, as text → JSON values of the expected amounts, where there are any.
        latest: JSON values of how inputs and scores were distributed at the last prediction times
            whose outcome is known, where there are any.
        card: The model card.
        run: Run ids and times.
    """
    draft = Bundle(
        spec=spec,
        models=models,
        metrics=metrics or BundleMetrics(),
        reference={},
        examples={},
        card=card,
        run=run or {},
    )
    further = {"amounts": amounts or None, "latest": latest, **(drivers or {})}
    present = {name: value for name, value in further.items() if value is not None}
    features = statistics(_complete(draft.main, training))
    reference = {"features": features, "peers": peers, **present}
    return replace(draft, reference=reference, examples=_scored(draft.main, training))


def write_bundle(bundle: Bundle, root: Path, target: str) -> Path:
    """Publish a bundle as ``root/target/version`` and return the folder.

    A whole bundle of that version is kept as it is; a damaged one is replaced.
    """
    home = Path(root) / target
    folder = home / bundle.version
    with locked(home):
        if folder.exists():
            try:
                read_bundle(folder)
                return folder
            except ModelError:
                shutil.rmtree(folder)
        with publishing(folder) as temporary:
            write_files(bundle.texts(), bundle.run, temporary)
    return folder


def read_bundle(folder: Path, *, threads: int = 2) -> Bundle:
    """Read a published bundle; its checksums, its version and its examples are checked.

    `folder` is ``models/<target>/<version>``.

    Raises:
        ModelError: If the folder is not a whole, unedited bundle of a known format.
    """
    folder = Path(folder)
    if not folder.is_dir():
        fail(folder, "is not a bundle folder", "train first: `tenure train CONFIG`")
    check_files(folder)
    parts = {name: read_json(folder / name) for name in CONTENT if name.endswith(".json")}
    if parts["spec.json"].get("format") != FORMAT:
        fail(folder / "spec.json", f"has not format {FORMAT}", "train again with this version")
    try:
        described = BundleSpec.from_json(parts["spec.json"])
        metrics = BundleMetrics.from_json(parts["metrics.json"])
    except ValueError as error:
        fail(folder, "is not described as in this version", "train again", value=str(error))
    try:
        models = {
            name: model_from_json(state, threads=threads)
            for name, state in parts["models.json"].items()
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        reason = f"{type(error).__name__}: {error}"[:80]
        fail(folder / "models.json", "is not as in this version", "train again", value=reason)
    bundle = Bundle(
        spec=described,
        models=models,
        metrics=metrics,
        reference=parts["reference.json"],
        examples=parts["examples.json"],
        card=read_text(folder / "card.md"),
        run=read_json(folder / RUN),
    )
    _check_examples(bundle, folder)
    return bundle


def _complete(model: ScoringModel, training: pd.DataFrame) -> pd.DataFrame:
    """Return training values with the percentiles that the encoder looks up."""
    used = model.encoder.frame(training)
    added = [name for name in model.encoder.peer_spread if name not in training]
    return training.join(used[added]) if added else training


def _scored(model: ScoringModel, training: pd.DataFrame) -> dict[str, Any]:
    chosen = examples(model.encoder.frame(training), model.margins(training))
    records = to_records(chosen)
    again = from_records(records)
    return records | {
        "margins": model.margins(again).tolist(),
        "probabilities": model.probabilities(again).tolist(),
    }


def _check_examples(bundle: Bundle, folder: Path) -> None:
    try:
        rows = from_records(dict(bundle.examples))
        expected = np.array(bundle.examples["probabilities"])
        gap = np.abs(bundle.main.probabilities(rows) - expected)
    except (KeyError, ValueError, TypeError, ModelError) as error:
        fail(folder / "examples.json", "cannot be scored", value=str(error)[:80])
    if len(gap) and not gap.max() <= TOLERANCE:
        fail(folder / "examples.json", "does not score as it did", value=f"off by {gap.max():.1e}")
