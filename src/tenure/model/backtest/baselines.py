"""Baselines: simple models that a model must beat, fitted in the same fold on the same rows.

Every baseline gives probabilities of its own small model, so that log loss can be compared as well
as AUC.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from tenure.core.arrays import Floats, Places
from tenure.model.backtest.hand_weighted import HAND_WEIGHTED, hand_weighted_score
from tenure.model.boosting.encoder import Encoder

if TYPE_CHECKING:
    import pandas as pd


BASE_RATE = "base_rate"
LOGISTIC = "logistic_regression"
SINGLE_COLUMNS = ("days_since_last_event", "tenure_days", "mrr")


def baseline_probabilities(
    values: pd.DataFrame,
    labels: Floats,
    train: Places,
    test: Places,
    columns: Sequence[str] = SINGLE_COLUMNS,
) -> dict[str, Floats]:
    """Return the probability each baseline gives to the test rows.

    Labels are 1 or 0, for each row of `values`; `train` and `test` are positions in them.  Columns
    that `values` lacks are left out.

    Returns:
        By name: the base rate, each column, the hand-weighted score where the columns allow it,
        and a logistic regression on all features.
    """
    past = labels[train]
    probabilities = {BASE_RATE: np.full(len(test), past.mean())}
    for name in columns:
        if name in values.columns:
            column = values[name].to_numpy(dtype=np.float64, na_value=np.nan)
            probabilities[name] = one_column(column[train], past, column[test])
    score = hand_weighted_score(values)
    if score is not None:
        probabilities[HAND_WEIGHTED] = one_column(score[train], past, score[test])
    probabilities[LOGISTIC] = logistic(values.iloc[train], past, values.iloc[test])
    return probabilities


def one_column(train: Floats, labels: Floats, test: Floats) -> Floats:
    """Return probabilities from one column alone, in the direction that the training rows show.

    The column enters as its rank among the training values, beside a flag for missing, in a
    logistic regression: the order of the rows that have a value is the column's own.
    """
    present = np.sort(train[~np.isnan(train)])
    model = LogisticRegression(C=100.0, solver="newton-cholesky", max_iter=100)
    model.fit(_ranks(train, present), labels)
    return np.asarray(model.predict_proba(_ranks(test, present))[:, 1])


def logistic(train: pd.DataFrame, labels: Floats, test: pd.DataFrame) -> Floats:
    """Return probabilities from a logistic regression on all features.

    Numbers are log-scaled, imputed with flags and standardised, text is one-hot; all of it is
    fitted on the training rows.
    """
    encoder = Encoder.fit(train)
    if not encoder.columns:
        return np.full(len(test), labels.mean())
    model = logistic_pipeline(encoder)
    model.fit(encoder.transform(train), labels)
    return np.asarray(model.predict_proba(encoder.transform(test))[:, 1])


def logistic_pipeline(encoder: Encoder) -> Pipeline:
    """Return the unfitted pipeline over an encoder's matrix."""
    coded = list(encoder.categorical)
    plain = [i for i in range(len(encoder.columns)) if i not in set(coded)]
    numbers = make_pipeline(
        FunctionTransformer(_log_scale),
        SimpleImputer(strategy="median", add_indicator=True),
        StandardScaler(),
    )
    words = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = ColumnTransformer([("numbers", numbers, plain), ("words", words, coded)])
    model = LogisticRegression(C=0.02, solver="newton-cholesky", max_iter=50, tol=1e-3)
    return Pipeline([("columns", columns), ("model", model)])


def _log_scale(numbers: Floats) -> Floats:
    return np.asarray(np.sign(numbers) * np.log1p(np.abs(numbers)))


def _ranks(values: Floats, known: Floats) -> Any:
    missing = np.isnan(values)
    below = np.searchsorted(known, values, side="left") + np.searchsorted(known, values, "right")
    share = below / (2 * max(len(known), 1))
    return np.column_stack([np.where(missing, 0.5, share), missing])
