"""The walk forward: nothing later moves a prediction, and nothing but the data decides it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from model.panel import LEVELS, Recorder, make_panel
from tenure.core.config import ModelConfig
from tenure.core.errors import RefusedError
from tenure.core.sections import EvaluationConfig
from tenure.features import peer_percentile
from tenure.model.backtest.bounded import with_bounds
from tenure.model.backtest.walk_forward import BOUNDS_GROWTH, WalkForward, walk_forward
from tenure.model.boosting.fit import FittedModel
from tenure.model.calibration.interval import UNLIKE
from tenure.model.calibration.losses import log_odds
from tenure.model.evaluation.evaluate import evaluate
from tenure.model.evaluation.verdict import judge
from tenure.model.settings import EvaluationSettings, FitSettings

SMALL = {"rounds": 20}


def fitted(walk: WalkForward) -> FittedModel:
    """Return the final model of the walk of an event, which is no product of two."""
    assert isinstance(walk.final, FittedModel)
    return walk.final


def settings(*, max_folds=5, bare=False, **model):
    section = ModelConfig(**{"threads": 1, "parameters": SMALL, **model})
    return FitSettings(section, LEVELS, max_folds=max_folds, bare=bare)


@pytest.fixture(scope="module")
def panel():
    return make_panel(200, 16)


@pytest.fixture(scope="module")
def walk(panel):
    return walk_forward(panel.values, panel.rows, settings())


def test_labels_are_known_before_they_are_used(walk, panel):
    assert len(walk.folds) == 5
    assert (walk.folds["train_known_until"] <= walk.folds["as_of"]).all()
    assert (walk.folds["calibrated_on"] > 0).any()
    first = walk.predictions.groupby("as_of")["fold"].first()
    assert list(first) == list(range(5))
    tested = panel.rows[panel.rows["as_of"].isin(walk.folds["as_of"])]
    assert len(walk.predictions) == tested["label"].notna().sum()


def test_shuffled_future_labels_change_no_earlier_prediction(walk, panel):
    rng = np.random.default_rng(0)
    for moment in walk.folds["as_of"].iloc[[0, 3]]:
        rows = panel.rows.copy()
        later = (rows["label_known_at"] > moment) & rows["label"].notna()
        rows.loc[later, "label"] = rng.permutation(rows.loc[later, "label"].to_numpy())
        again = walk_forward(panel.values, rows, settings())
        for kept in ("margin", "probability", "probability_lo", "probability_hi", "base_rate"):
            before = walk.predictions.loc[walk.predictions["as_of"] <= moment, kept]
            after = again.predictions.loc[again.predictions["as_of"] <= moment, kept]
            np.testing.assert_array_equal(before, after)
        early = walk.predictions["as_of"] <= moment
        pd.testing.assert_frame_equal(walk.baselines[early], again.baselines[early])
        assert not walk.predictions["probability"].equals(again.predictions["probability"])


def test_noise_in_future_features_changes_no_earlier_prediction(walk, panel):
    moment = walk.folds["as_of"].iloc[2]
    values = panel.values.copy()
    later = (panel.rows["as_of"] > moment).to_numpy()
    for name in values.select_dtypes("number"):
        noise = np.random.default_rng(1).normal(size=later.sum())
        values.loc[later, name] = noise.astype("float32")
    values.loc[later, "segment"] = "noise"
    again = walk_forward(values, panel.rows, settings())
    early = walk.predictions["as_of"] <= moment
    np.testing.assert_array_equal(
        walk.predictions.loc[early, "probability"], again.predictions.loc[early, "probability"]
    )


def test_levels_are_learnt_from_the_training_rows_alone(walk, panel):
    final = walk.final.encoder
    assert {item.name for item in LEVELS} <= set(final.columns)
    assert final.peer_spread == peer_percentile.fit(panel.values.iloc[np.sort(walk.train)], LEVELS)


def test_row_order_changes_nothing(walk, panel):
    order = np.random.default_rng(2).permutation(len(panel.rows))
    again = walk_forward(panel.values.iloc[order], panel.rows.iloc[order], settings())
    found = again.predictions.assign(row=order[again.predictions["row"]])
    pd.testing.assert_frame_equal(walk.predictions, found)
    assert fitted(walk).booster_text == fitted(again).booster_text
    assert fitted(walk).calibrator == fitted(again).calibrator
    assert set(order[again.train]) == set(walk.train)


def test_threads_change_nothing():
    panel = make_panel(80, 12, rate=0.06)
    one, two = (
        walk_forward(
            panel.values,
            panel.rows,
            settings(threads=threads, parameters={"rounds": 5}, max_folds=2),
        )
        for threads in (1, 2)
    )
    pd.testing.assert_frame_equal(one.predictions, two.predictions)
    pd.testing.assert_frame_equal(one.baselines, two.baselines)
    assert one.final == two.final


def test_final_model_is_fitted_on_every_known_label(walk, panel):
    known = panel.rows["label"].notna()
    assert walk.final.rows == known.sum()
    assert walk.final.positives == panel.rows["label"].sum()
    assert sorted(walk.train) == list(np.flatnonzero(known))
    assert walk.final.calibrated_on > len(walk.predictions)  # earlier origins calibrate too


def test_without_enough_forward_positives_the_calibrator_only_meets_the_base_rate():
    panel = make_panel(60, 9, rate=0.02)
    walk = walk_forward(panel.values, panel.rows, settings())
    final = fitted(walk)
    assert final.calibrated_on == 0
    assert final.calibrated_by == "base_rate"
    assert 0 < final.calibrator.slope < 1  # what so few outcomes teach does not hold in full
    assert walk.shortage is not None


def test_columns_wait_for_the_time_from_which_they_may_be_used(walk, panel):
    oracle = panel.rows["label"].fillna(0).astype("float32")
    values = panel.values.assign(oracle=oracle)
    start = walk.folds["as_of"].iloc[3].to_pydatetime()
    again = walk_forward(values, panel.rows, settings(), since={"oracle": start})
    same = walk.predictions["margin"] == again.predictions["margin"]
    early = walk.predictions["as_of"] < start
    assert same[early].all()
    assert not same[~early].all()
    assert "oracle" in again.final.encoder.columns


def test_one_class_is_refused(panel):
    rows = panel.rows.assign(label=panel.rows["label"].where(panel.rows["label"].isna(), 0.0))
    with pytest.raises(RefusedError, match="positive and negative"):
        walk_forward(panel.values, rows, settings())


def test_features_that_never_vary_are_refused(panel):
    values = pd.DataFrame({"flat": np.ones(len(panel.rows), dtype="float32")})
    with pytest.raises(RefusedError, match="none of them varies"):
        walk_forward(values, panel.rows, settings())


def test_progress_names_every_fold(panel):
    progress = Recorder()
    walk_forward(panel.values, panel.rows, settings(), progress=progress)
    named = [step for step in progress.steps if step[2]]
    assert [done for done, _, _ in named] == list(range(len(named)))
    assert {total for _, total, _ in named} == {len(named)}
    assert named[0][2].startswith("2022-")
    assert named[-1][2].startswith("2023-")
    assert len(named) > 5


def test_finds_the_planted_signal_and_calls_it_usable(panel):
    panel = make_panel(400, 20, effect=1.6)
    walk = walk_forward(panel.values, panel.rows, settings(parameters={}, max_folds=8))
    result = evaluate(
        walk.predictions, walk.baselines, EvaluationSettings(EvaluationConfig(bootstrap=100))
    )
    verdict = judge(result, walk.shortage)
    assert (verdict.status, verdict.adds_over, verdict.promotable) == ("usable", True, True)
    pooled = result.pooled.to_json()
    assert pooled["auc"]["lo"] > 0.6
    assert pooled["calibration_error"]["value"] < 0.04


@pytest.mark.parametrize("seed", range(2))
def test_no_usable_signal_in_shuffled_labels(seed):
    panel = make_panel(200, 16, seed=seed)
    rows = panel.rows.copy()
    known = rows["label"].notna()
    shuffled = np.random.default_rng(seed).permutation(rows.loc[known, "label"].to_numpy())
    rows.loc[known, "label"] = shuffled
    walk = walk_forward(panel.values, rows, settings(parameters={}))
    result = evaluate(
        walk.predictions, walk.baselines, EvaluationSettings(EvaluationConfig(bootstrap=100))
    )
    verdict = judge(result, walk.shortage)
    assert verdict.status == "no_usable_signal"
    assert verdict.sentences[0].startswith("No usable signal")
    assert not verdict.promotable


def test_a_bare_walk_gives_the_same_probabilities(walk, panel):
    bare = walk_forward(panel.values, panel.rows, settings(bare=True))
    assert bare.baselines.empty
    assert fitted(bare).interval is None
    bounds = ["probability_lo", "probability_hi"]
    pd.testing.assert_frame_equal(bare.predictions, walk.predictions.drop(columns=bounds))


def test_bounds_are_learnt_anew_where_the_past_has_doubled(panel, monkeypatch):
    learnt = []

    def noted(fitted, *rest):
        learnt.append(with_bounds(fitted, *rest))
        return learnt[-1]

    monkeypatch.setattr("tenure.model.backtest.walk_forward.with_bounds", noted)
    walk = walk_forward(panel.values, panel.rows, settings(max_folds=None, min_train_positives=7))
    expected, positives = [], 0
    for now in walk.folds["train_positives"]:
        positives = now if now >= BOUNDS_GROWTH * positives else positives
        expected.append(positives)
    *folds, final = learnt
    assert 1 < len(folds) == len(set(expected)) < len(expected)
    assert walk.final == final
    by_positives = dict(zip(sorted(set(expected)), folds, strict=True))
    for fold, source in enumerate(expected):
        model = by_positives[source]
        group = walk.predictions[walk.predictions["fold"] == fold]
        chance, (lo, hi) = group["probability"].to_numpy(), bounds_of(group)
        matrix = model.encoder.transform(panel.values.iloc[group["row"]])
        assert model.interval is not None
        missed = model.interval.missed * (1 + UNLIKE * model.interval.usual.unusual(matrix))
        variance = ((log_odds(hi) - log_odds(lo)) / 2 / norm.ppf(0.9)) ** 2
        hidden = variance - missed - model.interval.drift
        assert hidden.std() < 1e-6
        assert ((lo < chance) & (chance < hi)).all()
        if fold == expected.index(source):
            assert hidden.mean() == pytest.approx(model.interval.hidden, abs=1e-6)


def bounds_of(rows):
    return rows["probability_lo"].to_numpy(), rows["probability_hi"].to_numpy()
