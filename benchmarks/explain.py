"""What drivers cost: explaining many rows against LightGBM's bare contributions, in the same run.

Explaining is contributions, signals, what each value is held against, and sentences, as flat
columns.  Both are timed in turn on one thread, by processor time, so that a busy machine
slows both alike.

Usage: python benchmarks/explain.py [--rows 20000] [--repeats 3]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
from record import Claim, record

from tenure.core.config import Config, make_config
from tenure.demo import write_world
from tenure.explain.drivers import driver_arrays, flat_columns
from tenure.explain.outcomes import fit_outcomes
from tenure.explain.peers import fit_peers
from tenure.explain.row_words import About, Explainer
from tenure.labels.targets import TARGETS
from tenure.model.boosting.fit import FittedModel, fit_model
from tenure.model.settings import FitSettings
from tenure.run.prepare import loaded, prepare

if TYPE_CHECKING:
    import pandas as pd

LIMIT = 1.2
ACCOUNTS, MONTHS = 1500, 42


def trained(root: Path) -> tuple[FittedModel, Explainer, pd.DataFrame]:
    """Return a model of the demo world, what speaks of it, and its training rows."""
    write_world(root / "data", accounts=ACCOUNTS, months=MONTHS)
    config: Config = make_config({"name": "explain", "data": {"path": "data"}}, base=root)
    with loaded(config, thorough=False) as dataset:
        prepared = prepare(config, dataset)
    labels = prepared.labels["churn"]["label"].to_numpy(dtype=np.float64)
    known = ~np.isnan(labels)
    settings = FitSettings.of(config, prepared.plan.ranked).with_model(threads=1)
    model = fit_model(prepared.matrix.values[known], labels[known], settings)
    used = model.encoder.frame(prepared.matrix.values)
    explainer = Explainer(
        TARGETS["churn"],
        prepared.matrix.specs,
        fit_peers(used[known], labels[known]),
        fit_outcomes(used[known], labels[known], config.labels.horizon_days),
    )
    return model, explainer, used


def seconds(work: Callable[[], object]) -> float:
    """Return the processor time that some work takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> int:
    """Measure, write, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model, explainer, used = trained(Path(folder))
    rows = used.iloc[np.resize(np.arange(len(used)), options.rows)].reset_index(drop=True)
    matrix = model.encoder.transform(rows)
    about = About(np.full(len(rows), np.datetime64("2025-07-01", "us")), np.full(len(rows), "EUR"))

    def bare() -> object:
        return model.booster.predict(matrix, pred_contrib=True, num_threads=1)

    def explained() -> object:
        arrays = driver_arrays(model.contributions(rows)[:, :-1], rows, explainer, about)
        return flat_columns(arrays.words, arrays.numbers)

    times: dict[str, list[float]] = {"bare": [], "explained": []}
    for _ in range(options.repeats):
        times["bare"].append(seconds(bare))
        times["explained"].append(seconds(explained))
    plain, whole = median(times["bare"]), median(times["explained"])
    claims = [
        Claim(f"LightGBM's contributions to {len(rows):,} rows", plain, "s"),
        Claim("the same with drivers in words", whole, "s"),
        Claim("explaining, over LightGBM's contributions alone", whole / plain, "×", LIMIT),
        Claim("drivers beside the contributions", 1e6 * (whole - plain) / len(rows), "µs a row"),
    ]
    return 0 if record("explain", claims) else 1


if __name__ == "__main__":
    sys.exit(main())
