"""Digests of what a run computes: features, labels, probabilities and drivers, to the last bit.

Run it before and after a change that is to leave every number alone, and compare the two files.
Each data set is prepared, trained and scored in a folder of its own that is deleted afterwards;
data from outside are left out, saying so, where they are absent.

Usage: python benchmarks/digests.py [--sets demo churnsim saas_growth] [--out FILE]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from tenure import load_config, run_score, run_train
from tenure.core.errors import ConfigError
from tenure.demo import write_world
from tenure.run.prepare import loaded, prepare

CONFIGS = Path(__file__).parent.parent / "configs"
SETS = ("demo", "churnsim", "saas_growth")
CHANGING = {"scored_at", "model_version", "expansion_model_version", "model_name"}
"""Columns that name when and by which file a row was made, not what it says."""


def digest(*parts: bytes) -> str:
    """Return a short hash of some bytes."""
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def column_digest(column: pd.Series[Any]) -> str:
    """Return the hash of a column's values: the bits of numbers and times, words as text."""
    if column.dtype.kind in "fiubM":
        return digest(str(column.dtype).encode(), column.to_numpy().tobytes())
    return digest(*[repr(None if pd.isna(value) else value).encode() for value in column])


def frame_digest(frame: pd.DataFrame) -> str:
    """Return the hash of all columns of a frame, by name."""
    names = sorted(map(str, frame.columns))
    return digest(*[f"{name}={column_digest(frame[name])}".encode() for name in names])


def measured(name: str, folder: Path) -> dict[str, Any]:
    """Return the digests of one data set."""
    os.chdir(folder)
    if name == "demo":
        write_world(folder / "data")
        path = folder / "demo.yaml"
        path.write_text("name: demo\ndata: {path: data, constant_attributes: [region]}\n")
    else:
        path = CONFIGS / f"{name}.yaml"
    config = load_config(path)
    with loaded(config, thorough=False) as dataset:
        prepared = prepare(config, dataset)
    values = prepared.matrix.values
    result: dict[str, Any] = {
        "snapshots": len(values),
        "columns": values.shape[1],
        "features": frame_digest(values),
        "labels": {target: frame_digest(rows) for target, rows in prepared.labels.items()},
    }
    record = run_train(config).to_json()
    result["targets"] = {
        target: {
            "status": entry["status"],
            "features": entry["model"] and entry["model"]["features"],
            "folds": digest(json.dumps(entry["folds"], sort_keys=True, default=str).encode()),
        }
        for target, entry in record["targets"].items()
    }
    run_score(config, folder / "scores.parquet")
    scores = pd.read_parquet(folder / "scores.parquet")
    scores = scores[sorted(set(scores.columns) - CHANGING)]
    said = [column for column in scores.columns if "driver_" in column]
    result["scored"] = len(scores)
    result["drivers"] = frame_digest(scores[said])
    result["scores"] = {
        column: column_digest(scores[column]) for column in scores.columns if column not in said
    }
    return result


def main() -> int:
    """Measure, write, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--out", type=Path, default=Path("digests.json"))
    options = parser.parse_args()
    out = options.out.resolve()
    os.environ.setdefault("TENURE_TESTDATA", str(CONFIGS.parent.parent / "shared" / "data"))
    results: dict[str, Any] = {}
    for name in options.sets:
        with tempfile.TemporaryDirectory() as folder:
            try:
                results[name] = measured(name, Path(folder))
            except ConfigError as error:
                print(f"{name}: left out: {error}")
                continue
        print(f"{name}: done", flush=True)
        out.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
