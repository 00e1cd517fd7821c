"""What the transformer learns comes from the training rows of a fold alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_validate
from sklearn.pipeline import make_pipeline

from tenure.core.spec import Ranked
from tenure.features import peer_percentile
from tenure.model.boosting.estimator import TenureClassifier
from tenure.model.boosting.transformer import FeatureEncoder

RANKED = (
    Ranked("usage_level", "usage", "{value}"),
    Ranked("spend_level", "spend", "{value}"),  # the frame has no such column
)


def make_frame(size: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "usage": rng.normal(size=size).astype(np.float32),
            "segment": pd.Series(rng.choice(["smb", "enterprise"], size), dtype="category"),
            "tenure_days": rng.integers(0, 2_000, size).astype(np.float32),
            "later": np.where(np.arange(size) < 250, np.nan, 1.0).astype(np.float32),
        }
    )


def test_the_percentiles_are_those_of_the_models() -> None:
    past, present = make_frame(), make_frame(50)
    encoder = FeatureEncoder(RANKED).fit(past)
    result = encoder.transform(present)
    assert list(result) == ["usage", "segment", "tenure_days", "later", "usage_level"]
    assert list(encoder.get_feature_names_out()) == list(result)
    words = past.assign(segment=past["segment"].astype(object))  # as a matrix of features has it
    expected = peer_percentile.apply(present, peer_percentile.fit(words, RANKED))
    pd.testing.assert_series_equal(result["usage_level"], expected["usage_level"])
    with pytest.raises(NotFittedError):
        FeatureEncoder(RANKED).transform(present)


@pytest.mark.parametrize("value", [np.nan, 3.0])
def test_a_column_that_says_nothing_is_left_out(value: float) -> None:
    past = make_frame().assign(later=np.float32(value))
    assert "later" not in FeatureEncoder(RANKED).fit(past).transform(make_frame())


@pytest.mark.parametrize(
    "estimator", [TenureClassifier(), HistGradientBoostingClassifier(max_iter=5)]
)
def test_a_fold_learns_from_its_own_training_rows(estimator: object) -> None:
    X = make_frame()
    y = (X["usage"] > 0).astype(int)
    folds = [(np.arange(200), np.arange(200, 400)), (np.arange(300), np.arange(300, 400))]
    pipeline = make_pipeline(FeatureEncoder(RANKED), estimator)
    result = cross_validate(
        pipeline, X, y, cv=folds, return_estimator=True, scoring="roc_auc", error_score="raise"
    )
    assert result["test_score"].min() > 0.9
    for fitted, (train, _) in zip(result["estimator"], folds, strict=True):
        assert fitted[0].spread_ == peer_percentile.fit(X.iloc[train], RANKED)
        assert ("later" in fitted[-1].feature_names_in_) == (len(train) > 250)
