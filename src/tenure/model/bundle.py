"""A model is a bundle: a folder of texts, named by the hash of its content.

models/<target>/<version>/
  spec.json        what it was made from and how it reads feature values
  model.txt        LightGBM's text of the booster
  calibrator.json  from log-odds to probability
  ahead.json       the models of further horizons
  metrics.json     how it did out of time, and the verdict
  reference.json   statistics of the training rows, and peers
  examples.json    20 feature rows without ids and their scores: checked at every load
  card.md          the model card
  run.json         run ids and times: not part of the version
  MANIFEST.json    the version and the SHA-256 of each file
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from tenure.core.errors import ModelError
from tenure.core.files import canonical_json, publishing
from tenure.model import calibrate
from tenure.model.ahead import Ahead
from tenure.model.bundle_files import (
    CONTENT,
    FORMAT,
    RUN,
    check_files,
    fail,
    read_json,
    read_text,
    version_of,
    write_files,
)
from tenure.model.encode import Encoder
from tenure.model.folders import locked
from tenure.model.interval import Interval
from tenure.model.reference import examples, from_records, statistics, to_records

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from tenure.features.held import Values
    from tenure.model.calibrate import Calibrator
    from tenure.model.fit import Fitted

Floats = NDArray[np.float64]

TOLERANCE = 1e-12
SMALL_BATCH = 1_000


@dataclass(frozen=True)
class Bundle:
    """A model with everything needed to score and to explain.

    Attributes:
        spec: JSON values: config, target, features, fitted state, fingerprints, versions.
        model_text: LightGBM's text of the booster.
        encoder: From feature values to the booster's numbers.
        calibrator: From log-odds to probability.
        metrics: How it did out of time.
        reference: ``features`` (statistics of the training rows), ``peers``, and ``amount``
            (fitted state of `tenure.model.amount`) where amounts were learnt.
        examples: Feature rows with their margins and probabilities.
        card: The model card, Markdown.
        ahead: Further horizon, as text → its model.
        run: Run ids and times; no part of the version.
        threads: Threads for large batches; scores do not depend on it.
    """

    spec: Mapping[str, Any]
    model_text: str
    encoder: Encoder
    calibrator: Calibrator
    metrics: Mapping[str, Any]
    reference: Mapping[str, Any]
    examples: Mapping[str, Any]
    card: str
    ahead: Mapping[str, Ahead] = field(default_factory=dict)
    run: Mapping[str, Any] = field(default_factory=dict, compare=False)
    threads: int = field(default=2, compare=False)

    @cached_property
    def booster(self) -> lgb.Booster:
        """The booster, read from its text."""
        try:
            return lgb.Booster(model_str=self.model_text)
        except lgb.basic.LightGBMError as error:
            fail(Path("model.txt"), "is not a booster that LightGBM reads", value=str(error)[:80])

    @cached_property
    def version(self) -> str:
        """The first 12 hex digits of the hash of the content."""
        return version_of(self.texts())

    @cached_property
    def interval(self) -> Interval | None:
        """From probability to its bounds, where the model says how sure it is."""
        found = self.spec.get("interval")
        return None if found is None else Interval.from_json(found)

    @property
    def columns(self) -> tuple[str, ...]:
        """Feature columns the booster reads, in its order."""
        return self.encoder.columns

    @property
    def every_column(self) -> tuple[str, ...]:
        """Feature columns that the boosters of any horizon read."""
        further = [name for model in self.ahead.values() for name in model.encoder.columns]
        return tuple(dict.fromkeys([*self.columns, *further]))

    def margins(self, values: pd.DataFrame) -> Floats:
        """Return log-odds of the booster, before calibration, one per row of feature values."""
        return self._predict(self.encoder.transform(values), raw_score=True)

    def probabilities(self, values: pd.DataFrame) -> Floats:
        """Return calibrated probabilities, one per row; the same alone as in a batch."""
        return self.calibrator.probability(self.margins(values))

    def contributions(self, values: pd.DataFrame) -> Floats:
        """Return contributions in the booster's log-odds, shape (rows, columns + 1).

        The last column is the expected log-odds; a row adds up to its margin.
        """
        return self._predict(self.encoder.transform(values), pred_contrib=True)

    def scores_and_contributions(self, values: Values) -> tuple[Floats, Floats]:
        """Return probabilities and contributions; the values are encoded once."""
        matrix = self.encoder.transform(values)
        margins = self._predict(matrix, raw_score=True)
        return self.calibrator.probability(margins), self._predict(matrix, pred_contrib=True)

    def texts(self) -> dict[str, str]:
        """Return the content files by name."""
        spec = {**self.spec, "format": FORMAT, "encoder": self.encoder.to_json()}
        values: dict[str, Any] = {
            "spec.json": spec,
            "calibrator.json": self.calibrator.to_json(),
            "ahead.json": {name: model.to_json() for name, model in self.ahead.items()},
            "metrics.json": self.metrics,
            "reference.json": self.reference,
            "examples.json": self.examples,
        }
        texts = {name: canonical_json(value) + "\n" for name, value in values.items()}
        return texts | {"model.txt": self.model_text, "card.md": self.card}

    def _predict(self, matrix: Floats, **how: bool) -> Floats:
        width = len(self.columns) + 1
        if not len(matrix):
            return np.empty((0, width)) if "pred_contrib" in how else np.empty(0)
        threads = 1 if len(matrix) <= SMALL_BATCH else self.threads
        return np.asarray(self.booster.predict(matrix, num_threads=threads, **how))


def make_bundle(  # noqa: PLR0913 - a bundle has as many parts
    fitted: Fitted,
    training: pd.DataFrame,
    *,
    spec: Mapping[str, Any],
    metrics: Mapping[str, Any],
    peers: Any = None,
    amount: Any = None,
    ahead: Mapping[str, Fitted] | None = None,
    card: str = "",
    run: Mapping[str, Any] | None = None,
) -> Bundle:
    """Return the bundle of a fitted model.

    Args:
        fitted: From `WalkForward.final`.
        training: Feature values of the rows it was fitted on.
        spec: JSON values to keep: config, target, features, fitted state, fingerprints, versions.
        metrics: JSON values of the evaluation.
        peers: JSON values of the peer table.
        amount: JSON values of the expected amounts, where there are any.
        ahead: Further horizon, as text → its fitted model.
        card: The model card.
        run: Run ids and times.
    """
    facts = {
        "training": {
            "rows": fitted.rows,
            "positives": fitted.positives,
            "base_rate": fitted.base_rate,
            "calibrated_on": fitted.calibrated_on,
            "calibrated_by": fitted.calibrated_by,
            "parameters": dict(fitted.parameters),
        },
        "interval": fitted.interval.to_json() if fitted.interval else None,
    }
    amounts = {} if amount is None else {"amount": amount}
    draft = Bundle(
        spec={**spec, **facts},
        model_text=fitted.booster_text,
        encoder=fitted.encoder,
        calibrator=fitted.calibrator,
        metrics=metrics,
        reference={
            "features": statistics(_complete(fitted, training)),
            "peers": peers,
            **amounts,
        },
        examples={},
        card=card,
        ahead={name: Ahead.of(model) for name, model in (ahead or {}).items()},
        run=run or {},
    )
    return with_parts(draft, examples=_scored(draft, training))


def with_parts(bundle: Bundle, **parts: Any) -> Bundle:
    """Return a copy with some parts replaced."""
    given = {name: getattr(bundle, name) for name in Bundle.__dataclass_fields__}
    return Bundle(**(given | parts))


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


def read_bundle(folder: Path, verify: bool = True, *, threads: int = 2) -> Bundle:
    """Read a published bundle.

    Args:
        folder: ``models/<target>/<version>``.
        verify: Check every checksum, the version, and that the examples score as they did.
        threads: Threads for large batches.

    Raises:
        ModelError: If the folder is not a whole, unedited bundle of a known format.
    """
    folder = Path(folder)
    if not folder.is_dir():
        fail(folder, "is not a bundle folder", "train first: `tenure train CONFIG`")
    if verify:
        check_files(folder)
    parts = {name: read_json(folder / name) for name in CONTENT if name.endswith(".json")}
    spec = dict(parts["spec.json"])
    encoder = spec.pop("encoder", None)
    if spec.pop("format", None) != FORMAT or encoder is None:
        fail(folder / "spec.json", f"has not format {FORMAT}", "train again with this version")
    bundle = Bundle(
        spec=spec,
        model_text=read_text(folder / "model.txt"),
        encoder=Encoder.from_json(encoder),
        calibrator=calibrate.from_json(parts["calibrator.json"]),
        metrics=parts["metrics.json"],
        reference=parts["reference.json"],
        examples=parts["examples.json"],
        card=read_text(folder / "card.md"),
        ahead={name: Ahead.from_json(state) for name, state in parts["ahead.json"].items()},
        run=read_json(folder / RUN),
        threads=threads,
    )
    if verify:
        _check_examples(bundle, folder)
    return bundle


def _complete(fitted: Fitted, training: pd.DataFrame) -> pd.DataFrame:
    """Return training values with the percentiles that the encoder looks up."""
    looked_up = fitted.encoder.frame(training)
    added = [name for name in fitted.encoder.standing if name not in training]
    return training.join(looked_up[added]) if added else training


def _scored(bundle: Bundle, training: pd.DataFrame) -> dict[str, Any]:
    chosen = examples(bundle.encoder.frame(training), bundle.margins(training))
    records = to_records(chosen)
    again = from_records(records)
    return records | {
        "margins": bundle.margins(again).tolist(),
        "probabilities": bundle.probabilities(again).tolist(),
    }


def _check_examples(bundle: Bundle, folder: Path) -> None:
    try:
        rows = from_records(dict(bundle.examples))
        gap = np.abs(bundle.probabilities(rows) - np.array(bundle.examples["probabilities"]))
    except (KeyError, ValueError, TypeError) as error:
        fail(folder / "examples.json", "cannot be scored", value=str(error)[:80])
    if len(gap) and not gap.max() <= TOLERANCE:
        fail(folder / "examples.json", "does not score as it did", value=f"off by {gap.max():.1e}")
