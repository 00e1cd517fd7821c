from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_validate

from tenure.core.errors import ModelError, RefusedError
from tenure.labels.splits import (
    ForwardSplit,
    check_embargo,
    distinct_events,
    forward_origins,
    half,
)


def frame(
    cutoffs: int = 24,
    accounts: int = 100,
    *,
    rate: float = 0.1,
    wait_days: int = 120,
    censored: int = 0,
) -> pd.DataFrame:
    """Monthly snapshots of which every `1/rate`-th is positive; the last ones are censored."""
    as_of = pd.date_range("2022-01-01", periods=cutoffs, freq="MS", unit="us")
    rows = pd.MultiIndex.from_product(
        [as_of, [f"a{number}" for number in range(accounts)]], names=["as_of", "account_id"]
    ).to_frame(index=False)
    every = round(1 / rate) if rate else 10**9
    rows["label"] = (np.arange(len(rows)) % every == every - 1).astype(float)
    rows["label_known_at"] = rows["as_of"] + pd.Timedelta(days=wait_days)
    if censored:
        rows.loc[rows["as_of"] >= as_of[-censored], "label"] = np.nan
    rows["outcome_id"] = pd.Series([f"o{row}" for row in rows.index]).where(rows["label"] == 1)
    return rows


def test_training_labels_were_known_and_tests_come_later() -> None:
    rows = frame()
    folds = forward_origins(rows, min_train_cutoffs=4, min_train_positives=40)
    assert folds.shortage is None
    # 4 cut-offs January to April; April's labels are known after 120 days, on 30 July
    assert folds.origins[0].as_of == datetime(2022, 8, 1)
    assert [origin.as_of.month for origin in folds.origins[:6]] == [8, 9, 10, 11, 12, 1]
    for origin in folds.origins:
        train, test = rows.iloc[origin.train], rows.iloc[origin.test]
        assert train["label_known_at"].max() <= origin.as_of
        assert set(test["as_of"]) == {origin.as_of}
        later = rows["label_known_at"] <= origin.as_of
        assert len(train) == later.sum()
        check_embargo(train, test)


def test_a_label_known_exactly_at_the_origin_may_be_trained_on() -> None:
    rows = frame(cutoffs=5, wait_days=31)
    folds = forward_origins(rows, min_train_cutoffs=1, min_train_positives=1, min_test_cutoffs=1)
    first = folds.origins[0]
    assert first.as_of == datetime(2022, 2, 1)
    assert set(rows.iloc[first.train]["as_of"]) == {pd.Timestamp("2022-01-01")}
    check_embargo(rows.iloc[first.train], rows.iloc[first.test])


def test_the_positives_decide_too() -> None:
    rows = frame(rate=0.01)  # one positive a cut-off
    folds = forward_origins(rows, min_train_positives=12)
    assert folds.origins[0].as_of == datetime(2023, 4, 1)


@pytest.mark.parametrize("times", [1, 3, 13])
def test_an_outcome_counts_once_however_often_it_was_seen(times: int) -> None:
    """A weekly calendar sees an outcome thirteen times in 90 days, a monthly one three times."""
    rows = frame(accounts=200)
    rows["outcome_id"] = (rows.groupby("label").cumcount() // times).where(rows["label"] == 1)
    first = forward_origins(rows, min_train_positives=20).origins[0]
    trained = rows.iloc[first.train]
    assert trained.loc[trained["label"] == 1, "outcome_id"].nunique() >= 20
    earlier = rows[rows["label_known_at"] <= first.as_of - pd.Timedelta(days=31)]
    few = earlier.loc[earlier["label"] == 1, "outcome_id"].nunique() < 20
    assert few or earlier["as_of"].nunique() < 4


def test_only_the_latest_folds_are_kept_and_unlabelled_rows_never() -> None:
    rows = frame(censored=4)
    folds = forward_origins(rows, max_folds=3)
    assert [origin.as_of.month for origin in folds.origins] == [6, 7, 8]
    used = np.concatenate([np.r_[origin.train, origin.test] for origin in folds.origins])
    assert rows.iloc[used]["label"].notna().all()


def test_the_shortage_names_the_months() -> None:
    # 4 + 4 cut-offs, then 3 folds, then 120 days until the last fold's labels are known
    rows = frame(cutoffs=12, censored=4)  # labelled until August
    folds = forward_origins(rows)
    assert [origin.as_of.month for origin in folds.origins] == [8]
    assert folds.shortage is not None
    assert folds.shortage.months == 2
    assert "1 of the 3" in str(folds.shortage)
    assert "about 2 more months" in str(folds.shortage)


@pytest.mark.parametrize(("positives", "months"), [(40, 2), (100, 8)])
def test_the_months_named_are_enough(positives: int, months: int) -> None:
    rows = frame(cutoffs=12, censored=4)
    short = forward_origins(rows, min_train_positives=positives).shortage
    assert short is not None
    assert short.months == months
    longer = frame(cutoffs=12 + months, censored=4)
    assert forward_origins(longer, min_train_positives=positives).shortage is None
    assert forward_origins(
        frame(cutoffs=11 + months, censored=4), min_train_positives=positives
    ).shortage


def test_without_any_positive_more_history_is_not_promised() -> None:
    short = forward_origins(frame(rate=0)).shortage
    assert short is not None
    assert short.months is None
    assert str(short) == "no positive labels"


@pytest.mark.parametrize("rows", [frame(rate=1.0), frame(cutoffs=0), frame(cutoffs=3, censored=3)])
def test_other_shortages(rows: pd.DataFrame) -> None:
    folds = forward_origins(rows)
    assert folds.origins == ()
    assert folds.shortage is not None


def test_disjoint_accounts_never_meet() -> None:
    rows = frame(accounts=400)
    folds = forward_origins(rows, disjoint_seed=7)
    assert folds.origins
    for origin in folds.origins:
        train, test = rows.iloc[origin.train], rows.iloc[origin.test]
        assert not set(train["account_id"]) & set(test["account_id"])
        check_embargo(train, test)


def test_halves_are_stable_and_depend_on_the_seed() -> None:
    names = pd.Series([f"a{number}" for number in range(2000)])
    first = half(names, 1)
    assert 900 < first.sum() < 1100
    assert (half(names[::-1], 1)[::-1] == first).all()
    assert (half(names.iloc[:5], 1) == first[:5]).all()
    assert 900 < (half(names, 2) ^ first).sum() < 1100


def test_distinct_events_count_an_event_once() -> None:
    rows = pd.DataFrame(
        {"label": [1.0, 1.0, 0.0, np.nan, 1.0], "outcome_id": ["x", "x", None, "z", "y"]}
    )
    assert distinct_events(rows) == 2


def test_the_embargo_is_refused_when_broken() -> None:
    rows = frame()
    train, later = rows[rows["as_of"] < "2022-03-01"], rows[rows["as_of"] >= "2022-07-01"]
    check_embargo(train, later)
    check_embargo(train.iloc[:0], later)
    for early in (rows[rows["as_of"] >= "2022-05-01"], rows):
        with pytest.raises(ModelError, match="train and test rows"):
            check_embargo(train, early)


@given(
    cutoffs=st.integers(0, 30),
    wait=st.integers(1, 400),
    rate=st.sampled_from([0.0, 0.02, 0.1, 1.0]),
    censored=st.integers(0, 5),
    seed=st.one_of(st.none(), st.integers(0, 9)),
)
def test_the_embargo_holds_whatever_the_history(
    cutoffs: int, wait: int, rate: float, censored: int, seed: int | None
) -> None:
    rows = frame(cutoffs, 20, rate=rate, wait_days=wait, censored=min(censored, cutoffs))
    folds = forward_origins(
        rows, min_train_cutoffs=2, min_train_positives=3, max_folds=5, disjoint_seed=seed
    )
    assert len(folds.origins) <= 5
    assert (folds.shortage is None) == (len(folds.origins) >= 3)
    for origin in folds.origins:
        train, test = rows.iloc[origin.train], rows.iloc[origin.test]
        check_embargo(train, test)
        assert train["as_of"].nunique() >= 2
        assert train["label"].sum() >= 3
        assert len(test)
        assert train["label"].notna().all()
        assert test["label"].notna().all()


def indexed(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.set_index(["as_of", "account_id"], drop=False)


def test_the_splitter_gives_the_forward_folds() -> None:
    rows = indexed(frame())
    cv = ForwardSplit(rows, min_train_positives=50, max_folds=5)
    expected = forward_origins(rows, min_train_positives=50, max_folds=5).origins
    for X in (None, rows, rows["label"], rows.to_numpy(), rows.reset_index(drop=True)):
        folds = list(cv.split(X))
        assert cv.get_n_splits(X) == len(folds) == 5
        for (train, test), origin in zip(folds, expected, strict=True):
            assert (train == origin.train).all()
            assert (test == origin.test).all()
    assert ForwardSplit(rows).get_n_splits() == len(forward_origins(rows).origins)


def test_the_splitter_knows_rows_by_their_index() -> None:
    rows = indexed(frame(cutoffs=14))
    mixed = rows.sample(frac=0.7, random_state=1)
    for train, test in ForwardSplit(rows).split(mixed[["label"]]):
        check_embargo(mixed.iloc[train], mixed.iloc[test])
        as_of = mixed.iloc[test]["as_of"].iloc[0]
        assert set(test) == set(np.flatnonzero(mixed["as_of"] == as_of))
        assert set(train) == set(np.flatnonzero(mixed["label_known_at"] <= as_of))


def test_rows_that_cannot_be_told_apart_are_refused() -> None:
    rows = indexed(frame(cutoffs=14))
    some = rows.iloc[:500]
    for X in (some.to_numpy(), some.reset_index(drop=True), some.iloc[:0]):
        with pytest.raises(ValueError, match="keep the index of the training set"):
            ForwardSplit(rows).get_n_splits(X)


def test_a_history_without_a_fold_is_refused() -> None:
    with pytest.raises(RefusedError, match=r"there is no fold .*more months"):
        list(ForwardSplit(indexed(frame(cutoffs=6))).split())


def test_scikit_learn_takes_the_splitter_and_searches_inside_a_fold() -> None:
    rows = indexed(frame(cutoffs=18))
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"x": rng.normal(size=len(rows)) + rows["label"].to_numpy()}, index=rows.index)
    inner_cv, cv = ForwardSplit(rows), ForwardSplit(rows, min_train_cutoffs=10)
    seen = []

    class Noted(LogisticRegression):  # type: ignore[misc]
        def fit(self, X: pd.DataFrame, y: pd.Series) -> Noted:
            seen.append(X.index)
            return super().fit(X, y)

    search = GridSearchCV(
        Noted(), {"C": [1.0]}, cv=inner_cv, scoring="roc_auc", error_score="raise"
    )
    result = cross_validate(search, X, rows["label"], cv=cv, scoring="roc_auc", return_indices=True)
    assert len(result["test_score"]) == cv.get_n_splits()
    assert result["test_score"].min() > 0.6
    first = cv.folds()[0]
    assert (result["indices"]["train"][0] == first.train).all()
    inner = seen[0]
    assert rows.loc[inner, "label_known_at"].max() < rows.iloc[first.train]["as_of"].max()
