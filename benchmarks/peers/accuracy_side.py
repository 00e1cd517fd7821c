"""What every side of the accuracy benchmark shares: the rows it reads and what it writes.

Imports pandas and numpy alone, so that it serves every environment.  A side is a script with a
function that learns from rows and returns what predicts others; it runs as

    python -m peers.accuracy_<side> FOLDER OUT [more]

in a process of its own.  FOLDER is that of one target, OUT gets ``<name>.parquet`` (account_id,
as_of, probability) and ``<name>.json`` (seconds).
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

KEYS = ["account_id", "as_of"]
LABEL = "label"
THREADS = int(os.environ.get("OMP_NUM_THREADS", "2"))

TOOLS = (
    *("autogluon.tabular", "catboost", "featuretools", "lightgbm", "scikit-learn", "xgboost-cpu"),
    "torch",
)

Floats = np.ndarray[Any, np.dtype[np.float64]]
Predictor = Callable[[pd.DataFrame], Floats]


@dataclass(frozen=True)
class Rows:
    """The rows of one target.

    Attributes:
        folder: Where they stand.
        said: Their description, ``rows.json``.
        train: Keys, label and features of the training rows.
        test: Keys and features of the test rows.
    """

    folder: Path
    said: dict[str, Any]
    train: pd.DataFrame
    test: pd.DataFrame

    @classmethod
    def read(cls, folder: Path) -> Rows:
        """Read the rows; the labels of the test rows stay where they are."""
        said = json.loads((folder / "rows.json").read_text(encoding="utf-8"))
        train, test = (pd.read_parquet(folder / f"{name}.parquet") for name in ("train", "test"))
        return cls(folder, said, train, test)

    @property
    def labels(self) -> Floats:
        """Return the labels of the training rows."""
        return self.train[LABEL].to_numpy(dtype=np.float64)

    def features(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the features of training or test rows, words as categories they have in common."""
        found = frame[self.said["columns"]].replace([np.inf, -np.inf], np.nan)
        for name in self.said["text"]:
            known = sorted(self.train[name].dropna().unique())
            found[name] = pd.Categorical(frame[name].astype(object), categories=known)
        return found


def measured(
    rows: Rows, out: Path, learn: Callable[[], Predictor], more: dict[str, Any] | None = None
) -> None:
    """Learn, predict the test rows and write the probabilities with what both took.

    Args:
        rows: The rows.
        out: The Parquet file to write; its JSON file stands beside it.
        learn: Learns from the training rows.
        more: What else to say; it is read after predicting.
    """
    started, used = time.perf_counter(), time.process_time()
    predict = learn()
    fitted, fitted_cpu = time.perf_counter(), time.process_time()
    probabilities = np.asarray(predict(rows.test), dtype=np.float64)
    done = time.perf_counter()
    if not np.isfinite(probabilities).all():
        raise SystemExit("a test row got no probability")
    out.parent.mkdir(parents=True, exist_ok=True)
    rows.test[KEYS].assign(probability=probabilities).to_parquet(out, index=False)
    said = {
        "fit_seconds": fitted - started,
        "fit_processor_seconds": fitted_cpu - used,
        "predict_seconds": done - fitted,
        "versions": versions(),
        **(more or {}),
    }
    out.with_suffix(".json").write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")


def versions() -> dict[str, str]:
    """Return the tools of this environment and their versions."""
    found = {}
    for name in TOOLS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def checksum(paths: Iterable[Path]) -> str:
    """Return a hash of the content of files."""
    found = hashlib.sha256()
    for path in paths:
        found.update(path.read_bytes())
    return found.hexdigest()[:16]
