"""AutoGluon's side of the accuracy benchmark, in an environment of its own.

    python -m peers.accuracy_autogluon FOLDER OUT SECONDS random|accounts

Best quality, log loss, the given seconds, all of them in one process: starting workers costs more
than they bring on few cores.  ``random`` is as it comes: its stacks are built on
random parts of the rows.  ``accounts`` tells it to keep the rows of an account in one part.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import pandas as pd
from autogluon.tabular import TabularPredictor
from peers.accuracy_side import LABEL, THREADS, Floats, Predictor, Rows, measured

PARTS = 8
PART = "part"


def fitting(rows: Rows, folder: Path, seconds: float, *, accounts: bool) -> Predictor:
    """Fit within the seconds, keep the models in a folder, and return what predicts."""
    train = rows.features(rows.train).assign(**{LABEL: rows.labels.astype(int)})
    if accounts:
        train[PART] = pd.util.hash_array(rows.train["account_id"].to_numpy(object)) % PARTS
    predictor = TabularPredictor(
        label=LABEL,
        problem_type="binary",
        eval_metric="log_loss",
        path=str(folder),
        verbosity=1,
        groups=PART if accounts else None,
    )
    predictor.fit(
        train,
        presets="best_quality",
        time_limit=seconds,
        num_cpus=THREADS,
        num_gpus=0,
        ds_args={"memory_safe_fits": False},
        ag_args_ensemble={"fold_fitting_strategy": "sequential_local"},
    )

    def predict(frame: pd.DataFrame) -> Floats:
        found: Floats = predictor.predict_proba(rows.features(frame))[1].to_numpy()
        return found

    return predict


def main() -> None:
    rows, out = Rows.read(Path(sys.argv[1])), Path(sys.argv[2])
    seconds, accounts = float(sys.argv[3]), sys.argv[4] == "accounts"
    with tempfile.TemporaryDirectory() as folder:
        places = [Path(folder) / name for name in ("forward", "models")]
        place = places[-1]

        def learn(some: Rows) -> Predictor:
            return fitting(some, places.pop(0), seconds, accounts=accounts)

        measured(rows, out, learn)
        models = TabularPredictor.load(str(place)).leaderboard(silent=True)
    said = out.with_suffix(".json")
    found = json.loads(said.read_text(encoding="utf-8"))
    found |= {"models": len(models), "best": str(models["model"].iloc[0])}
    said.write_text(json.dumps(found) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
