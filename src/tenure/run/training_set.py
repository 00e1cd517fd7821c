"""The labelled past as scikit-learn wants it: X, y and honest folds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tenure.core.config import Config
from tenure.core.errors import ConfigError, Problem, suggestion
from tenure.core.progress import SILENT, Progress
from tenure.explain.wording import label
from tenure.features.plan.config_checks import check_features
from tenure.labels.splits import ForwardSplit
from tenure.labels.targets import TARGETS
from tenure.run.prepare import Prepared, loaded, prepare

if TYPE_CHECKING:
    from tenure.core.spec import Ranked
    from tenure.model.boosting.transformer import FeatureEncoder

INFO = (
    *("account_id", "as_of", "mrr", "currency", "horizon_days", "label", "label_known_at"),
    *("outcome_at", "outcome_id"),
)
DESCRIBED = ("family", "sentence", "unit", "window", "direction", "lever", "source")


@dataclass(frozen=True, repr=False)
class TrainingSet:
    """Every labelled snapshot of a target: one row per account and prediction time.

    All frames share one index, (as_of, account_id), sorted.  A feature that a prediction time could
    not yet have chosen (one for each of the most used values of a column) is empty before.

    ``X`` lacks the percentiles among peers (family ``level``): they are learnt from training rows.
    Put `encoder` in front of an estimator to have them learnt anew in each fold, as the backtest
    does; it also leaves out columns that are missing in all training rows, which some estimators
    refuse.

    Attributes:
        target: What is predicted.
        X: Features: float32, and text as pandas categories; missing where nothing is known.
        y: 1 where the outcome followed, else 0.
        groups: Account of each row.
        as_of: Prediction time of each row.
        info: What is known of each row and is no feature: account_id, as_of, mrr, currency,
            horizon_days, label, label_known_at (from then on it may be trained on), outcome_at and
            outcome_id.
        features: What each column of X is: label, family, sentence, unit, window, direction, lever,
            source.
        ranked: Declarations of the percentiles among peers.
        folds: The splitter of the config.
    """

    target: str
    X: pd.DataFrame
    y: pd.Series[int]
    groups: pd.Series[str]
    as_of: pd.Series[pd.Timestamp]
    info: pd.DataFrame
    features: pd.DataFrame
    ranked: tuple[Ranked, ...]
    folds: ForwardSplit

    def cv(
        self,
        *,
        min_train_cutoffs: int | None = None,
        min_train_positives: int | None = None,
        max_folds: int | None = None,
    ) -> ForwardSplit:
        """Return the folds of the backtest as a splitter for scikit-learn: forward and embargoed.

        ``cross_validate(estimator, ts.X, ts.y, cv=ts.cv())`` then trains each fold on what was
        known at its prediction time and tests it on the rows of that time.  A search inside a fold
        may use it too, where the fold's past is long enough to be split once more: ask for more
        with `min_train_cutoffs` in the outer one.

        Args:
            min_train_cutoffs: Prediction times a fold must train on; the config's by default.
            min_train_positives: Distinct outcomes a fold must train on; the config's by default.
            max_folds: The most folds, the latest; the config's by default.
        """
        own = self.folds
        return ForwardSplit(
            own.rows,
            own.min_train_cutoffs if min_train_cutoffs is None else min_train_cutoffs,
            own.min_train_positives if min_train_positives is None else min_train_positives,
            own.max_folds if max_folds is None else max_folds,
        )

    def encoder(self) -> FeatureEncoder:
        """Return a transformer for a pipeline: it adds the percentiles among peers."""
        from tenure.model.boosting.transformer import FeatureEncoder

        return FeatureEncoder(self.ranked)

    def __repr__(self) -> str:
        """Return the counts in one sentence."""
        times = self.as_of.unique()
        span = f", {times[0]:%Y-%m-%d} to {times[-1]:%Y-%m-%d}" if len(times) else ""
        days = "/".join(map(str, self.info["horizon_days"].unique()))
        return (
            f"<{self.target} within {days} days: {len(self.X):,} snapshots of "
            f"{self.groups.nunique():,} accounts × {self.X.shape[1]} features, "
            f"{int(self.y.sum()):,} positive; {len(times)} prediction times{span}>"
        )


def training_set(
    config: Config,
    target: str,
    horizon: int | str | None = None,
    progress: Progress = SILENT,
) -> TrainingSet:
    """Build the training set of one target, whether or not it is among the config's.

    The horizon is one of ``labels.horizons``, or the main one by default.

    Raises:
        ConfigError: If the target or the horizon does not exist.
        DataError: If a table cannot be used.
    """
    whole = TARGETS[target].whole if target in TARGETS else None
    targets = [whole, target] if whole else [target]
    config = config.model_copy(update={"targets": targets})
    horizons = [str(config.labels.horizon_days), *map(str, config.labels.horizons)]
    chosen = horizons[0] if horizon is None else str(horizon)
    if chosen not in horizons:
        fix = suggestion(chosen, horizons) + "; others are set under `labels.horizons`"
        raise ConfigError(Problem("horizon", "no such horizon", chosen, fix))
    check_features(config)
    with loaded(config, progress, thorough=False) as dataset:
        prepared = prepare(config, dataset, progress)
    main = chosen == horizons[0]
    rows = prepared.labels[target] if main else prepared.ahead[target][chosen]
    return _assembled(target, rows, prepared, config)


def _assembled(target: str, rows: pd.DataFrame, prepared: Prepared, config: Config) -> TrainingSet:
    """Put the labelled rows in the order of a walk, under one index."""
    order = np.lexsort((rows["account_id"].to_numpy(dtype=str), rows["as_of"].to_numpy()))
    order = order[rows["label"].notna().to_numpy()[order]]
    info = rows.iloc[order][list(INFO)].set_index(["as_of", "account_id"], drop=False)
    X = prepared.matrix.values.iloc[order].set_index(info.index)
    numbers = X.select_dtypes("number").columns
    X = X.replace({name: [np.inf, -np.inf] for name in numbers}, np.nan)
    words = X.columns.difference(numbers, sort=False)
    X[words] = X[words].astype("category")
    for name, start in prepared.matrix.since.items():
        X[name] = X[name].where(info["as_of"] >= start)
    info = info.astype({"label": "int64"})
    described = {
        name: {"label": label(spec), **{key: asdict(spec)[key] for key in DESCRIBED}}
        for name, spec in prepared.matrix.specs.items()
        if name in X
    }
    least = (config.model.min_train_cutoffs, config.model.min_train_positives)
    return TrainingSet(
        target=target,
        X=X,
        y=info["label"].rename(target),
        groups=info["account_id"],
        as_of=info["as_of"],
        info=info,
        features=pd.DataFrame.from_dict(described, orient="index").reindex(X.columns),
        ranked=prepared.plan.ranked,
        folds=ForwardSplit(info, *least, config.evaluation.max_folds),
    )
