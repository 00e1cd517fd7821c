"""What every side of the accuracy benchmark shares: the rows it reads and what it writes.

Imports pandas and numpy alone, so that it serves every environment.  A side is a script with a
function that learns from rows and returns what predicts others; it runs as

    python -m peers.accuracy_<side> FOLDER OUT [more]

in a process of its own.  FOLDER is that of one target, OUT gets ``<name>.parquet`` (account_id,
as_of, probability, calibrated) and ``<name>.json`` (seconds).

Every side is calibrated in the same way: it learns once more from the earlier training rows,
predicts the later ones, and a line through these log-odds is carried over to the test rows.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
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

    def forward(self) -> Rows:
        """Return the training rows alone, split in time as they are split from the test rows.

        Tested on are those of their latest quarter of prediction times, three at least; trained on
        those whose label was known at the first of them.
        """
        moments = np.sort(self.train["as_of"].unique())
        split = moments[-max(3, -(-len(moments) // 4))]
        known = self.train["label_known_at"] <= split
        earlier, later = self.train[known], self.train[self.train["as_of"] >= split]
        return replace(self, train=earlier, test=later)

    def features(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the features of training or test rows, words as categories they have in common."""
        found = frame[self.said["columns"]].replace([np.inf, -np.inf], np.nan)
        for name in self.said["text"]:
            known = sorted(self.train[name].dropna().unique())
            found[name] = pd.Categorical(frame[name].astype(object), categories=known)
        return found


def measured(
    rows: Rows,
    out: Path,
    learn: Callable[[Rows], Predictor],
    more: dict[str, Any] | None = None,
) -> None:
    """Learn, predict the test rows and write the probabilities with what both took.

    Args:
        rows: The rows.
        out: The Parquet file to write; its JSON file stands beside it.
        learn: Learns from the training rows and returns what predicts.
        more: What else to say; it is read after predicting.
    """
    slope, height = forward_line(rows.forward(), learn)
    started, used = time.perf_counter(), time.process_time()
    predict = learn(rows)
    fitted, fitted_cpu = time.perf_counter(), time.process_time()
    probabilities = np.asarray(predict(rows.test), dtype=np.float64)
    done = time.perf_counter()
    if not np.isfinite(probabilities).all():
        raise SystemExit("a test row got no probability")
    out.parent.mkdir(parents=True, exist_ok=True)
    calibrated = 1 / (1 + np.exp(-(slope * log_odds(probabilities) + height)))
    frame = rows.test[KEYS].assign(probability=probabilities, calibrated=calibrated)
    frame.to_parquet(out, index=False)
    said = {
        "fit_seconds": fitted - started,
        "fit_processor_seconds": fitted_cpu - used,
        "predict_seconds": done - fitted,
        "calibration": [slope, height],
        "versions": versions(),
        **(more or {}),
    }
    out.with_suffix(".json").write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")


def forward_line(rows: Rows, learn: Callable[[Rows], Predictor]) -> tuple[float, float]:
    """Return slope and height of the line from a side's log-odds of later rows to the outcome's."""
    odds = log_odds(np.asarray(learn(rows)(rows.test), dtype=np.float64))
    labels = rows.test[LABEL].to_numpy(dtype=np.float64)
    columns = np.column_stack([odds, np.ones_like(odds)])
    line = np.array([1.0, 0.0])
    for _ in range(50):  # Newton's method; the faint prior keeps the slope of a flat side finite
        p = 1 / (1 + np.exp(-columns @ line))
        slope = columns.T @ (labels - p) - 1e-3 * (line - [1.0, 0.0])
        bend = (columns * (p * (1 - p))[:, None]).T @ columns + 1e-3 * np.eye(2)
        line = line + np.linalg.solve(bend, slope)
    return float(line[0]), float(line[1])


def log_odds(probabilities: Floats) -> Floats:
    """Return log-odds of probabilities, none nearer to 0 or 1 than one in ten thousand."""
    p = np.clip(probabilities, 1e-4, 1 - 1e-4)
    found: Floats = np.log(p / (1 - p))
    return found


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
