"""What a model learns of its features before it boosts, as a scikit-learn transformer."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from tenure.core.arrays import Array
from tenure.core.spec import Ranked
from tenure.features import peer_percentile


class FeatureEncoder(TransformerMixin, BaseEstimator):
    """Adds percentiles among peers, and leaves out columns that are missing or constant.

    A percentile says where an account stands among its peers, from 0 to 1.  Both are learnt from
    the rows it is fitted on: in a pipeline, from the training rows of each fold alone.

    >>> import pandas as pd
    >>> from tenure.core.spec import Ranked
    >>> rank = Ranked("usage_level", "usage", "{value}", within=(), band=None, edges=())
    >>> past = pd.DataFrame({"usage": [1, 2, 3, 4], "seats": [None] * 4})
    >>> present = pd.DataFrame({"usage": [0, 2], "seats": [1, 2]})
    >>> FeatureEncoder((rank,)).fit(past).transform(present)
       usage  usage_level
    0      0        0.000
    1      2        0.375

    Args:
        ranked: Declarations of the percentiles; those of features that are no columns are left out.

    Attributes:
        spread_: Percentile → what was learnt, as plain JSON.
        columns_: Columns that are given out, the percentiles last.
        feature_names_in_: Columns of the frame it was fitted on.
    """

    def __init__(self, ranked: tuple[Ranked, ...] = ()) -> None:
        self.ranked = ranked

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        """Learn from the rows of X; y is not looked at."""
        del y
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.spread_ = peer_percentile.fit(X, self.ranked)
        values = self._with_percentiles(X)
        self.columns_ = list(values.columns[(values.nunique(dropna=False) > 1).to_numpy()])
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the columns that vary and the percentiles, float32."""
        check_is_fitted(self, "columns_")
        return self._with_percentiles(X)[self.columns_]

    def get_feature_names_out(self, input_features: Any = None) -> Array:
        """Return the columns of what `transform` returns."""
        del input_features
        check_is_fitted(self, "columns_")
        return np.asarray(self.columns_, dtype=object)

    def _with_percentiles(self, X: pd.DataFrame) -> pd.DataFrame:
        return pd.concat([X, peer_percentile.apply(X, self.spread_)], axis=1)
