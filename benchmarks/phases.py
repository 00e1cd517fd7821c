"""Learn from every Monday of the past, or from every fourth: is more of the same history better?

    python benchmarks/phases.py                  # churnsim
    python benchmarks/phases.py --data demo_101

Two prediction times a week apart see nearly the same, so four times the rows hold few new
outcomes.  Both ways walk forward through the same history and are compared at every fourth Monday,
with trees of the same sizes; once more with leaves that hold the same share of the rows.  Writes
``benchmarks/results/phases.json``; ``benchmarks/ablation.py`` shows it.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ablation import DATA, DEFAULT, PHASES, ROOT, Case, compared, sizes
from peers.ablation_page import EVERY_MONDAY, WIDER_LEAVES

from tenure.core.files import write_text
from tenure.core.progress import StageLines
from tenure.model.backtest.walk_forward import walk_forward
from tenure.run.prepare import loaded, prepare

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


FOURTH = 4
KEPT = ["account_id", "as_of", "label", "probability"]


def main() -> None:
    """Measure what was asked for, keeping what was measured before."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", default=["churnsim"])
    options = parser.parse_args()
    os.environ.setdefault("TENURE_TESTDATA", str((ROOT / ".." / "shared" / "data").resolve()))
    found: dict[str, Any] = json.loads(PHASES.read_text()) if PHASES.is_file() else {}
    chosen = {item.name: item for item in DATA}
    for name in options.data:
        with tempfile.TemporaryDirectory() as folder:
            config = chosen[name].config(Path(folder))
            calendar = config.calendar.model_copy(update={"cadence": "weekly"})
            config = config.model_copy(update={"calendar": calendar})
            with loaded(config, StageLines(), thorough=False) as dataset:
                prepared = prepare(config, dataset)
            for target in chosen[name].targets:
                found[f"{name} {target}"] = measure(Case(prepared, config, target))
                write_text(PHASES, json.dumps(found, indent=1) + "\n")


def measure(case: Case) -> dict[str, Any]:
    """Return what each way of learning reaches."""
    mondays: NDArray[np.datetime64] = np.unique(case.rows["as_of"])
    assert set(np.diff(mondays)) == {np.timedelta64(7, "D")}
    fourth = np.flatnonzero(case.rows["as_of"].isin(mondays[::-FOURTH]))
    every = np.arange(len(case.rows))
    size = sizes(case.rows.iloc[fourth])
    wider = size | {"min_rows_leaf": size["min_rows_leaf"] * FOURTH}
    ways = {DEFAULT: (fourth, size), EVERY_MONDAY: (every, size), WIDER_LEAVES: (every, wider)}
    walks = {name: _walk(case, rows, given) for name, (rows, given) in ways.items()}
    entries = {name: compared(rows, walks[DEFAULT]) for name, rows in walks.items()}
    for name, entry in entries.items():
        print(name, entry["auc"], entry["gain"], flush=True)
    return entries


def _walk(case: Case, rows: NDArray[np.intp], parameters: dict[str, float]) -> pd.DataFrame:
    settings = case.settings.with_model(parameters=parameters)
    started = time.process_time()
    walked = walk_forward(
        case.values.iloc[rows].reset_index(drop=True),
        case.rows.iloc[rows].reset_index(drop=True),
        settings,
        since=case.since,
        progress=StageLines(),
    )
    found = walked.predictions[KEPT].reset_index(drop=True)
    found.attrs["seconds"] = time.process_time() - started
    return found


if __name__ == "__main__":
    main()
