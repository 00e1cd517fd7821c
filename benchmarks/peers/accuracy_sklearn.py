"""scikit-learn's sides of the accuracy benchmark.

python -m peers.accuracy_sklearn FOLDER OUT boosting|boosting_stopped|forest|logistic
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from peers.accuracy_side import THREADS, Floats, Predictor, Rows, measured
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder

from tenure.model.backtest.baselines import logistic_pipeline
from tenure.model.boosting.encoder import Encoder

if TYPE_CHECKING:
    import pandas as pd


def boosting(rows: Rows, *, stopped: bool | str = "auto") -> Predictor:
    """Histogram gradient boosting as it comes, or with early stopping whatever the rows."""
    model = HistGradientBoostingClassifier(
        categorical_features="from_dtype", early_stopping=stopped, random_state=0
    )
    train = rows.features(rows.train)
    single = [name for name in train.columns if train[name].nunique() < 2]

    def flagged(frame: pd.DataFrame) -> pd.DataFrame:
        # A column of one value cannot be binned; whether it has one is all that it says.
        there = rows.features(frame)
        told = there[[name for name in single if train[name].isna().nunique() == 2]].notna()
        return there.drop(columns=single).join(told.astype(float))

    return _positive(rows, model, flagged)


def forest(rows: Rows) -> Predictor:
    """A random forest of 500 trees over imputed numbers and one-hot words."""
    text = rows.said["text"]
    numbers = [name for name in rows.said["columns"] if name not in text]
    columns = make_column_transformer(
        (SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True), numbers),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), text),
    )
    trees = RandomForestClassifier(500, min_samples_leaf=5, n_jobs=THREADS, random_state=0)
    return _positive(rows, make_pipeline(columns, trees), rows.features)


def logistic(rows: Rows) -> Predictor:
    """The logistic regression that every report of Tenure shows as a baseline."""
    values = rows.features(rows.train).astype(dict.fromkeys(rows.said["text"], object))
    encoder = Encoder.fit(values)
    model = logistic_pipeline(encoder)
    model.fit(encoder.transform(values), rows.labels)

    def predict(frame: pd.DataFrame) -> Floats:
        later = rows.features(frame).astype(dict.fromkeys(rows.said["text"], object))
        found: Floats = model.predict_proba(encoder.transform(later))[:, 1]
        return found

    return predict


def _positive(
    rows: Rows,
    model: HistGradientBoostingClassifier | Pipeline,
    given: Callable[[pd.DataFrame], pd.DataFrame],
) -> Predictor:
    model.fit(given(rows.train), rows.labels)

    def predict(frame: pd.DataFrame) -> Floats:
        found: Floats = model.predict_proba(given(frame))[:, 1]
        return found

    return predict


SIDES = {
    "boosting": boosting,
    "boosting_stopped": lambda rows: boosting(rows, stopped=True),
    "forest": forest,
    "logistic": logistic,
}


def main() -> None:
    rows, out = Rows.read(Path(sys.argv[1])), Path(sys.argv[2])
    measured(rows, out, SIDES[sys.argv[3]])


if __name__ == "__main__":
    main()
