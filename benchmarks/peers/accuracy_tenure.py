"""Tenure's side of the accuracy benchmark: what `tenure train` would have fitted at the split.

    python -m peers.accuracy_tenure FOLDER OUT SET [SECONDS]

With SECONDS the booster's parameters are searched for that long, over all searches of the walk.

The training rows are walked through as `tenure train` does it, baselines included; the test rows
are predicted by the final model of the walk.  The percentiles among peers, which the other sides
are given, are learnt by the model itself.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from peers.accuracy_sets import SETS
from peers.accuracy_side import KEYS, LABEL, THREADS, Floats, Predictor, Rows, measured

from tenure.core.config import Config, ModelConfig
from tenure.core.spec import Ranked
from tenure.labels.targets import TARGETS
from tenure.model.backtest.walk_forward import walk_forward
from tenure.model.settings import FitSettings

if TYPE_CHECKING:
    import pandas as pd


def settings_of(rows: Rows, config: Config, seconds: float | None) -> FitSettings:
    """Return the settings of a run, with a search for parameters where it is given seconds."""
    tuning = {} if seconds is None else {"tuning": {"seconds": seconds}}
    authored = config.model.model_dump() | {"threads": THREADS, **tuning}
    config = config.model_copy(update={"model": ModelConfig.model_validate(authored)})
    ranked = tuple(
        Ranked(**item | {"within": tuple(item["within"]), "edges": tuple(item["edges"])})
        for item in rows.said["ranked"]
    )
    return FitSettings.of(config, ranked, TARGETS[rows.said["target"]].outcome)


def values_of(rows: Rows, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the features as `prepare` gives them."""
    standing = set(rows.said["standing"])
    found = frame[[name for name in rows.said["columns"] if name not in standing]].copy()
    for name in rows.said["text"]:
        words = found[name].astype(object)
        found[name] = words.where(words.notna(), None)
    return found


def fitting(rows: Rows, config: Config, seconds: float | None, said: dict[str, float]) -> Predictor:
    """Fit, note what the last search gained, and return what predicts."""
    since = {name: datetime.fromisoformat(start) for name, start in rows.said["since"].items()}
    known = [*KEYS, LABEL, "label_known_at", "outcome_id"]
    walk = walk_forward(
        values_of(rows, rows.train),
        rows.train[known],
        settings_of(rows, config, seconds),
        since=since,
    )

    if walk.tuned:
        said["search_gain"] = walk.tuned[-1]["gain"]

    final = replace(walk.final, threads=THREADS)

    def predict(frame: pd.DataFrame) -> Floats:
        return final.probabilities(values_of(rows, frame))

    return predict


def main() -> None:
    rows, out = Rows.read(Path(sys.argv[1])), Path(sys.argv[2])
    config = SETS[sys.argv[3]].config(rows.folder.parent)
    seconds = float(sys.argv[4]) if sys.argv[4:] else None
    said: dict[str, float] = {}
    measured(rows, out, lambda some: fitting(some, config, seconds, said), said)


if __name__ == "__main__":
    main()
