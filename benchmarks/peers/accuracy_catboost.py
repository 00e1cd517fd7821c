"""CatBoost's side of the accuracy benchmark, with its defaults.

python -m peers.accuracy_catboost FOLDER OUT
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from catboost import CatBoostClassifier
from peers.accuracy_side import THREADS, Floats, Predictor, Rows, measured

if TYPE_CHECKING:
    import pandas as pd


def fitting(rows: Rows) -> Predictor:
    """Fit on the training rows; words are categories, a missing one a word of its own."""
    text = rows.said["text"]
    model = CatBoostClassifier(
        random_seed=0,
        thread_count=THREADS,
        cat_features=text,
        allow_writing_files=False,
        verbose=False,
    )

    def values(frame: pd.DataFrame) -> pd.DataFrame:
        found = rows.features(frame)
        return found.assign(**{name: found[name].astype(object).fillna("") for name in text})

    model.fit(values(rows.train), rows.labels)

    def predict(frame: pd.DataFrame) -> Floats:
        found: Floats = model.predict_proba(values(frame))[:, 1]
        return found

    return predict


if __name__ == "__main__":
    measured(Rows.read(Path(sys.argv[1])), Path(sys.argv[2]), fitting)
