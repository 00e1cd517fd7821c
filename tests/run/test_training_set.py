"""The training set is the labelled past, and its folds are those of the backtest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from tenure.core.errors import ConfigError
from tenure.labels.splits import check_embargo
from tenure.model.backtest import walk_forward
from tenure.model.boosting.estimator import TenureClassifier
from tenure.run.backtest import backtest
from tenure.run.prepare import Prepared, loaded, prepare
from tenure.run.project import Project
from tenure.run.training_set import TrainingSet

Rows = set[tuple[Any, ...]]


@pytest.fixture(scope="module")
def ts(project: Project) -> TrainingSet:
    return project.training_set("churn")


@pytest.fixture(scope="module")
def prepared(project: Project) -> Prepared:
    with loaded(project.config) as dataset:
        return prepare(project.config, dataset)


def forest() -> Any:
    """A random forest of scikit-learn, which wants numbers."""
    numbers = make_column_transformer(
        (
            OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
            make_column_selector(dtype_include="category"),
        ),
        remainder="passthrough",
    )
    return make_pipeline(numbers, RandomForestClassifier(n_estimators=10, random_state=0))


def test_x_and_y_are_the_labelled_snapshots(ts: TrainingSet, prepared: Prepared) -> None:
    rows, values = prepared.labels["churn"], prepared.matrix.values
    known = rows["label"].notna()
    assert 0 < known.sum() == len(ts.X) < len(rows)
    index = rows[known].set_index(["as_of", "account_id"]).index
    assert ts.X.index.is_monotonic_increasing
    assert set(ts.X.index) == set(index)
    expected = values[known].set_index(index).loc[ts.X.index]
    late = list(prepared.matrix.since)
    numbers = ts.X.select_dtypes("number").columns.difference(late)
    assert set(ts.X.dtypes[numbers]) == {np.dtype("float32")}
    pd.testing.assert_frame_equal(ts.X[numbers], expected[numbers])
    words = ts.X.columns.difference(values.select_dtypes("number").columns)
    assert "segment" in words
    assert {str(dtype) for dtype in ts.X.dtypes[words]} == {"category"}
    assert (ts.X[words].astype("object").fillna("") == expected[words].fillna("")).all(axis=None)
    assert set(ts.y.unique()) == {0, 1}
    assert ts.y.sum() == rows["label"].sum()
    assert (ts.groups == ts.X.index.get_level_values("account_id")).all()
    assert (ts.as_of == ts.X.index.get_level_values("as_of")).all()


def test_a_chosen_value_has_no_column_before_it_was_chosen(
    ts: TrainingSet, prepared: Prepared
) -> None:
    late = {
        name: start
        for name, start in prepared.matrix.since.items()
        if start > prepared.cutoffs[0] and ts.X[name].notna().any()
    }
    assert late
    for name, start in late.items():
        assert ts.X.loc[ts.as_of < start, name].isna().all()


def test_what_is_known_of_a_row_and_of_a_column(ts: TrainingSet) -> None:
    assert (ts.info["label_known_at"] > ts.info["as_of"]).all()
    assert set(ts.info["horizon_days"]) == {90}
    assert ts.info.loc[ts.y == 1, "outcome_id"].notna().all()
    assert not set(ts.info.columns) & set(ts.X.columns) - {"mrr"}
    assert list(ts.features.index) == list(ts.X.columns)
    assert ts.features.loc["events_28d", "label"] == "Usage events in the last 28 days"
    assert "697 snapshots of 67 accounts" in repr(ts)


def test_a_further_horizon_has_labels_of_its_own(
    world: Path, settings: dict[str, Any], ts: TrainingSet
) -> None:
    project = Project(world / "small.yaml", labels={"horizons": [30]}, **settings)
    month = project.training_set("churn", horizon=30)
    assert set(month.info["horizon_days"]) == {30}
    assert len(month.X) > len(ts.X)
    assert month.y.mean() < ts.y.mean()
    other = project.training_set("expansion")  # not among the targets of the config
    assert (other.target, other.y.name) == ("expansion", "expansion")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"target": "chrun"}, "did you mean `churn`"), ({"horizon": 60}, "labels.horizons")],
)
def test_what_does_not_exist_is_refused(
    project: Project, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        project.training_set(**arguments)


@pytest.mark.slow
def test_a_random_forest_is_tested_on_the_folds_of_the_backtest(
    project: Project, ts: TrainingSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    walked: dict[pd.Timestamp, tuple[Rows, Rows]] = {}

    def noted(train: pd.DataFrame, test: pd.DataFrame) -> None:
        check_embargo(train, test)
        keys = ["as_of", "account_id"]
        parts = [set(part[keys].itertuples(index=False, name=None)) for part in (train, test)]
        walked[test["as_of"].iloc[0]] = (parts[0], parts[1])

    monkeypatch.setattr(walk_forward, "check_embargo", noted)
    predictions = backtest(project.config).predictions
    result = cross_validate(
        forest(),
        ts.X,
        ts.y,
        cv=ts.cv(),
        scoring="neg_log_loss",
        return_indices=True,
        error_score="raise",
    )
    trains, tests = result["indices"]["train"], result["indices"]["test"]
    assert len(tests) == predictions["fold"].nunique() == 3
    for fold, (train, test) in enumerate(zip(trains, tests, strict=True)):
        mine = predictions[predictions["fold"] == fold]
        (as_of,) = ts.as_of.iloc[test].unique()
        assert set(mine["as_of"]) == {as_of}
        assert list(ts.groups.iloc[test]) == list(mine["account_id"])
        assert list(ts.y.iloc[test]) == list(mine["churn_outcome"])
        assert walked[as_of] == (set(ts.X.index[train]), set(ts.X.index[test]))
    assert np.isfinite(result["test_score"]).all()


def test_the_folds_can_be_asked_for_otherwise(ts: TrainingSet) -> None:
    assert ts.cv().get_n_splits() == 3
    every = ts.cv(max_folds=100).folds()
    assert len(every) > len(ts.cv(max_folds=100, min_train_positives=14).folds()) > 3
    assert [fold.as_of for fold in every[-3:]] == [fold.as_of for fold in ts.cv().folds()]
    cutoffs = ts.as_of.iloc[ts.cv(max_folds=100, min_train_cutoffs=6).folds()[0].train]
    assert cutoffs.nunique() >= 6


def test_a_part_of_churn_needs_no_other_target(project: Project, ts: TrainingSet) -> None:
    part = project.training_set("churn_voluntary")
    both = part.y.index.intersection(ts.y.index)
    assert (part.y[both] <= ts.y[both]).all()
    assert 0 < part.y.sum() < ts.y.sum()


def test_the_encoder_learns_the_percentiles_of_each_fold(ts: TrainingSet) -> None:
    names = {item.name for item in ts.ranked}
    assert names
    assert not names & set(ts.X.columns)
    pipeline = make_pipeline(ts.encoder(), TenureClassifier(rounds=5))
    result = cross_validate(
        pipeline, ts.X, ts.y, cv=ts.cv(), scoring="roc_auc", return_estimator=True
    )
    for fitted, fold in zip(result["estimator"], ts.cv().folds(), strict=True):
        assert names <= set(fitted[-1].feature_names_in_)
        learnt = ts.encoder().fit(ts.X.iloc[fold.train])
        assert fitted[0].spread_ == learnt.spread_
