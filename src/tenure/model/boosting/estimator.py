"""LightGBM as a scikit-learn classifier: shallow, regularised, without resampling or class weights.

Resampling and class weights ruin calibration, so neither is offered.  Sizes that are left to the
estimator follow from the amount of data (`tenure.model.boosting.sizes`).
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Self

import lightgbm as lgb
import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from tenure.core.arrays import Array, Floats
from tenure.model.boosting.sizes import sized_parameters

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


class TenureClassifier(ClassifierMixin, BaseEstimator):
    """Binary classifier on gradient-boosted trees: Tenure's booster as a scikit-learn estimator.

    A parameter left at None follows from the data (`sized_parameters`).  Missing values are
    welcome; the columns of a frame that are pandas categories are split as sets of their values,
    without an encoder.  Probabilities are those of the booster: the models of `tenure train` put a
    calibrator behind it.

    >>> import numpy as np, pandas as pd
    >>> plan = pd.Series(["basic", "pro"] * 200, dtype="category")
    >>> X = pd.DataFrame({"plan": plan, "usage": np.arange(400) % 7})
    >>> model = TenureClassifier().fit(X, plan == "basic")
    >>> (model.predict_proba(X)[:2, 1] > 0.5).tolist()
    [True, False]
    >>> dict(zip(model.feature_names_in_, model.feature_importances_.round(1).tolist()))
    {'plan': 1.0, 'usage': 0.0}

    Args:
        seed: Seed of everything random.
        threads: Threads used to fit and predict; the result does not depend on it.
        rounds: Trees.
        learning_rate: Shrinkage per tree.
        depth: Greatest depth of a tree.
        leaves: Most leaves of a tree.
        min_rows_leaf: Fewest rows in a leaf.
        l2: Penalty on leaf values.
        path_smooth: How far the values of small leaves are drawn to those above them, in rows.
        feature_fraction: Share of the columns each tree sees.
        bagging_fraction: Share of the rows each tree sees.
        extra: LightGBM parameters by their own names; they replace those above.

    Attributes:
        classes_: The two labels, sorted; probabilities are of the second.
        n_features_in_: Columns seen when fitted.
        feature_names_in_: Their names, where they were a frame's.
        categories_: Category column → its values; a value's place is its code.
        booster_: The fitted booster.
        parameters_: Parameters passed to LightGBM, without those that cannot change the result.
        rounds_: Trees asked for.
    """

    def __init__(  # noqa: PLR0913 - scikit-learn wants every parameter by name
        self,
        *,
        seed: int = 0,
        threads: int = 1,
        rounds: int | None = None,
        learning_rate: float | None = None,
        depth: int | None = None,
        leaves: int | None = None,
        min_rows_leaf: int | None = None,
        l2: float | None = None,
        path_smooth: float | None = None,
        feature_fraction: float | None = None,
        bagging_fraction: float | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.seed = seed
        self.threads = threads
        self.rounds = rounds
        self.learning_rate = learning_rate
        self.depth = depth
        self.leaves = leaves
        self.min_rows_leaf = min_rows_leaf
        self.l2 = l2
        self.path_smooth = path_smooth
        self.feature_fraction = feature_fraction
        self.bagging_fraction = bagging_fraction
        self.extra = extra

    def __sklearn_tags__(self) -> Any:
        """Say that two classes are needed and missing values are welcome."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        return tags

    def fit(self, X: ArrayLike, y: ArrayLike, categorical: Sequence[int | str] = ()) -> Self:
        """Fit on rows X and labels y.

        Args:
            X: Numbers, shape (rows, columns); NaN is missing.  A frame may have category columns.
            y: Two distinct labels, shape (rows,).
            categorical: Columns of numbers that are category codes, by position, or by name for a
                frame.

        Raises:
            ValueError: If y has not exactly two classes or the shapes do not fit.
        """
        self.categories_ = _categories(X)
        names = X.columns if isinstance(X, pd.DataFrame) else ()
        coded = [place for place, name in enumerate(names) if name in self.categories_]
        positions = sorted({*coded, *(_position(X, column) for column in categorical)})
        matrix, labels = validate_data(
            self,
            _coded(X, self.categories_),
            y,
            dtype=[np.float64, np.float32],
            ensure_all_finite="allow-nan",
        )
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) > 2:
            kind = type_of_target(labels, input_name="y", raise_unknown=True)
            raise ValueError(
                f"Only binary classification is supported. The type of the target is {kind}."
            )
        if len(self.classes_) < 2:
            raise ValueError("y holds one class only: a classifier needs both classes")
        rarer = int(min(codes.sum(), len(codes) - codes.sum()))
        self.parameters_, self.rounds_ = self._resolve(rarer, len(codes))
        self.booster_ = lgb.train(
            self.parameters_ | {"num_threads": self.threads},
            _binned(matrix, codes, positions, self.parameters_),
            num_boost_round=self.rounds_,
        )
        return self

    def refits(
        self,
        X: Array,
        y: Floats,
        weights: Iterable[Floats],
        *,
        categorical: Sequence[int] = (),
        threads: int = 1,
    ) -> list[lgb.Booster]:
        """Return boosters like this one, one for each weighting of the rows.

        They learn twice as fast in half as many trees: how far they lie apart is the same.

        `X` are the numbers that the classifier was fitted on, `y` their labels, 1 or 0.  So many
        `threads` fit boosters side by side; the result does not depend on it.
        """
        binned = [_binned(X, y, categorical, self.parameters_) for _ in range(threads)]
        free: SimpleQueue[lgb.Dataset] = SimpleQueue()
        for data in binned:
            free.put(data.construct())

        rate = {"learning_rate": 2 * self.parameters_["learning_rate"], "num_threads": 1}
        rounds = max(1, self.rounds_ // 2)

        def fitted(weighting: Floats) -> lgb.Booster:
            data = free.get()
            data.set_weight(weighting)
            booster = lgb.train(self.parameters_ | rate, data, num_boost_round=rounds)
            free.put(data)
            return booster

        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(fitted, weights))

    def decision_function(self, X: ArrayLike) -> Floats:
        """Return log-odds of the second class, shape (rows,)."""
        return self._predict(X, raw_score=True)

    def predict_proba(self, X: ArrayLike) -> Floats:
        """Return the probability of each class, shape (rows, 2); not calibrated."""
        positive = self._predict(X)
        return np.column_stack([1 - positive, positive])

    def predict(self, X: ArrayLike) -> Array:
        """Return the likelier class of each row."""
        positive = self.decision_function(X) > 0
        return np.asarray(self.classes_[positive.astype(int)])

    def contributions(self, X: ArrayLike) -> Floats:
        """Return exact tree contributions in log-odds, shape (rows, columns + 1).

        The last column is the expected log-odds; each row sums to `decision_function`.
        """
        return self._predict(X, pred_contrib=True)

    @property
    def feature_importances_(self) -> Floats:
        """Share of the gain in log loss over all splits that each column brought, shape (columns,).

        It sums to 1, or is 0 throughout where no tree has a split.
        """
        check_is_fitted(self, "booster_")
        gain = np.asarray(self.booster_.feature_importance("gain"), dtype=np.float64)
        return gain / (gain.sum() or 1.0)

    @property
    def booster_text(self) -> str:
        """LightGBM's text of the booster, free of what cannot change a prediction."""
        check_is_fitted(self, "booster_")
        return normal_text(self.booster_.model_to_string())

    def _predict(self, X: ArrayLike, **how: bool) -> Floats:
        check_is_fitted(self, "booster_")
        matrix = validate_data(
            self,
            _coded(X, self.categories_),
            reset=False,
            dtype=[np.float64, np.float32],
            ensure_all_finite="allow-nan",
        )
        return np.asarray(self.booster_.predict(matrix, num_threads=self.threads, **how))

    def _resolve(self, rarer: int, rows: int) -> tuple[dict[str, Any], int]:
        size: dict[str, Any] = dict(sized_parameters(rarer, rows))
        extra = dict(self.extra or {})
        for name, fitting in size.items():
            chosen = extra.pop(name, getattr(self, name))
            size[name] = fitting if chosen is None else chosen
        rounds = int(extra.pop("num_iterations", size["rounds"]))
        return {
            "objective": "binary",
            "learning_rate": size["learning_rate"],
            "max_depth": size["depth"],
            "num_leaves": size["leaves"],
            "min_data_in_leaf": size["min_rows_leaf"],
            "lambda_l2": size["l2"],
            "path_smooth": size["path_smooth"],
            "feature_fraction": size["feature_fraction"],
            "bagging_fraction": size["bagging_fraction"],
            "bagging_freq": 1,
            "max_bin": 63,
            "seed": self.seed,
            "deterministic": True,
            "force_col_wise": True,
            "verbosity": -1,
        } | extra, rounds


def _binned(
    matrix: Array, labels: Array, positions: Sequence[int], parameters: dict[str, Any]
) -> lgb.Dataset:
    return lgb.Dataset(
        matrix,
        labels.astype(np.float64),
        params=parameters | {"num_threads": 1},
        categorical_feature=list(positions),
        feature_name=[f"f{index}" for index in range(matrix.shape[1])],
    )


def normal_text(text: str) -> str:
    """Return a booster's text with the number of threads taken out.

    >>> normal_text("[num_threads: 2]")
    '[num_threads: 0]'
    """
    return re.sub(r"^\[num_threads: -?\d+\]$", "[num_threads: 0]", text, flags=re.MULTILINE)


def _position(X: ArrayLike, column: int | str) -> int:
    if isinstance(column, str):
        if not isinstance(X, pd.DataFrame):
            raise ValueError(f"categorical column {column!r} is named, but X has no names")
        return int(X.columns.get_loc(column))  # type: ignore[arg-type]
    return column


def _categories(X: ArrayLike) -> dict[Hashable, tuple[Any, ...]]:
    """Return the category columns of a frame and their values."""
    if not isinstance(X, pd.DataFrame):
        return {}
    columns = X.select_dtypes("category")
    return {name: tuple(columns[name].cat.categories) for name in columns}


def _coded(X: ArrayLike, categories: Mapping[Hashable, tuple[Any, ...]]) -> ArrayLike:
    """Return a frame with categories as codes; missing and unknown values are NaN."""
    if not isinstance(X, pd.DataFrame) or not categories:
        return X
    frame = X.copy(deep=False)
    for name in (name for name in categories if name in frame):
        codes = pd.Index(categories[name]).get_indexer(frame[name]).astype(np.float64)
        frame[name] = np.where(codes < 0, np.nan, codes)
    coded: ArrayLike = frame
    return coded
