"""The classifier keeps scikit-learn's rules and does not depend on threads."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

from model.panel import make_panel
from tenure.model.boosting.encoder import Encoder
from tenure.model.boosting.estimator import TenureClassifier, normal_text
from tenure.model.boosting.sizes import sized_parameters


@parametrize_with_checks([TenureClassifier()])
def test_keeps_the_rules_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def data():
    panel = make_panel(400, 18)
    known = panel.rows["label"].notna().to_numpy()
    values = panel.values[known]
    encoder = Encoder.fit(values)
    return encoder, encoder.transform(values), panel.rows["label"][known].to_numpy()


def fit(data, **how):
    encoder, matrix, labels = data
    return TenureClassifier(**how).fit(matrix, labels, categorical=encoder.categorical)


def test_same_bytes_with_one_and_two_threads(data):
    one, two = fit(data, threads=1), fit(data, threads=2)
    assert one.booster_text == two.booster_text
    assert "[num_threads: 0]" in one.booster_text


def test_the_seed_matters(data):
    assert fit(data, seed=0).booster_text != fit(data, seed=1).booster_text


def test_text_gives_the_same_numbers_to_the_last_bit(data):
    model = fit(data)
    again = lgb.Booster(model_str=model.booster_text)
    matrix = data[1]
    assert (again.predict(matrix, raw_score=True) == model.decision_function(matrix)).all()
    assert normal_text(again.model_to_string()) == model.booster_text


def test_contributions_add_up_to_the_log_odds(data):
    model = fit(data)
    contributions = model.contributions(data[1])
    assert contributions.shape == (len(data[1]), data[1].shape[1] + 1)
    np.testing.assert_allclose(
        contributions.sum(axis=1), model.decision_function(data[1]), rtol=0, atol=1e-12
    )


def test_categories_are_split_as_sets(data):
    assert "num_cat=0" in fit((Encoder((), {}, {}), *data[1:])).booster_text
    assert "decision_type=1" in fit(data, rounds=300).booster_text


def test_categorical_columns_may_be_named_in_a_frame():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, 800)
    frame = pd.DataFrame({"code": codes.astype(float), "x": rng.normal(size=800)})
    labels = np.isin(codes, [0, 3]).astype(float)
    by_name = TenureClassifier().fit(frame, labels, categorical=["code"])
    by_place = TenureClassifier().fit(frame.to_numpy(), labels, categorical=[0])
    assert by_name.booster_text == by_place.booster_text
    with pytest.raises(ValueError, match="X has no names"):
        TenureClassifier().fit(frame.to_numpy(), labels, categorical=["code"])


@pytest.fixture(scope="module")
def plans():
    """A frame whose text decides the outcome, as categories, and the labels."""
    rng = np.random.default_rng(0)
    plan = pd.Series(rng.choice(["basic", "pro", "team", "trial"], 800), dtype="category")
    labels = plan.isin(["basic", "trial"]).to_numpy() ^ (rng.random(800) < 0.05)
    usage = rng.normal(size=800).astype(np.float32)
    return pd.DataFrame({"usage": usage, "plan": plan}), labels.astype(int)


def test_category_columns_need_no_encoder(plans):
    X, labels = plans
    model = TenureClassifier().fit(X, labels)
    codes = X.assign(plan=X["plan"].cat.codes.astype(float))
    assert model.booster_text == TenureClassifier().fit(codes, labels, ["plan"]).booster_text
    assert model.categories_ == {"plan": ("basic", "pro", "team", "trial")}
    assert list(model.feature_names_in_) == ["usage", "plan"]
    assert X["plan"].dtype == "category"  # the caller's frame is as it was


def test_a_category_means_the_same_whatever_its_place_in_the_frame_to_score(plans):
    X, labels = plans
    model = TenureClassifier().fit(X, labels)
    rows = X[X["plan"] == "team"]
    alone = rows.assign(plan=rows["plan"].cat.remove_unused_categories())
    text = rows.assign(plan=rows["plan"].astype("str"))
    for same in (alone, text):
        assert (model.predict_proba(same) == model.predict_proba(rows)).all()
    missing = X.assign(plan=pd.Categorical([None] * len(X), categories=["team"]))
    unseen = X.assign(plan=pd.Categorical(["never seen"] * len(X)))
    assert (model.predict_proba(unseen) == model.predict_proba(missing)).all()
    assert (model.predict_proba(unseen) != model.predict_proba(X)).any()


def test_importances_are_shares_of_the_gain(plans):
    model = TenureClassifier().fit(*plans)
    shares = dict(zip(model.feature_names_in_, model.feature_importances_, strict=True))
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["plan"] > 0.5
    stump = TenureClassifier(min_rows_leaf=790).fit(*plans)
    assert stump.feature_importances_.tolist() == [0.0, 0.0]


def test_works_in_a_pipeline_and_a_search(plans):
    X, labels = plans
    pipeline = make_pipeline(FunctionTransformer(), TenureClassifier())
    grid = {"tenureclassifier__depth": [1, 2], "tenureclassifier__rounds": [5]}
    search = GridSearchCV(pipeline, grid, scoring="neg_log_loss", cv=3).fit(X, labels)
    best = search.best_estimator_[-1]
    assert best.get_params()["rounds"] == best.booster_.num_trees() == 5
    assert search.best_score_ > -np.log(2)
    assert search.predict_proba(X).shape == (800, 2)


def test_sizes_grow_with_the_data_and_can_be_replaced(data):
    sizes = [sized_parameters(n, 20 * n) for n in (30, 100, 500, 2_000, 20_000)]
    for name in ("depth", "leaves", "rounds"):
        values = [size[name] for size in sizes]
        assert values == sorted(values)
    assert (
        fit(data).parameters_["max_depth"]
        == sized_parameters(int(data[2].sum()), len(data[2]))["depth"]
    )
    assert fit(data, depth=1).parameters_["max_depth"] == 1
    own = fit(data, extra={"depth": 1, "rounds": 7, "lambda_l1": 2.0})
    assert (own.parameters_["max_depth"], own.parameters_["lambda_l1"]) == (1, 2.0)
    assert own.booster_.num_trees() == 7


def test_no_class_weights_mean_probabilities_near_the_base_rate(data):
    model = fit(data)
    assert model.predict_proba(data[1])[:, 1].mean() == pytest.approx(data[2].mean(), rel=0.05)
    assert "[is_unbalance: 0]" in model.booster_text
    assert "[scale_pos_weight: 1]" in model.booster_text
