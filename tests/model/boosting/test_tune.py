"""The search for parameters: it sees the rows it is given, and never does worse on them."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

import numpy as np
import pandas as pd
import pytest

from model.panel import LEVELS, Recorder, make_panel
from tenure.core.config import ModelConfig
from tenure.core.errors import ModelError
from tenure.core.sections import TuningConfig
from tenure.labels.splits import forward_origins
from tenure.model.backtest.walk_forward import walk_forward
from tenure.model.boosting import search as searches
from tenure.model.boosting.encoder import Encoder
from tenure.model.boosting.estimator import TenureClassifier
from tenure.model.boosting.search import parameters_at
from tenure.model.boosting.search_space import SPACE, search_ranges
from tenure.model.boosting.tune import BAR, Budget, Tuned, tune
from tenure.model.calibration.calibrators import Sigmoid
from tenure.model.calibration.losses import log_loss
from tenure.model.settings import FitSettings

POOR = {"rounds": 4}  # far too few trees at the default learning rate


def settings(parameters=POOR, **model):
    model = {"threads": 1, "min_train_positives": 7, **model}
    return FitSettings(ModelConfig(parameters=parameters, **model), LEVELS, max_folds=5)


@pytest.fixture(scope="module")
def panel():
    return make_panel(200, 16, effect=1.5)


@pytest.fixture(scope="module")
def found(panel):
    return tune(panel.values, panel.rows, settings(), Budget(10))


def test_a_poor_default_is_improved(found):
    assert found.trials == 10
    assert found.gain > BAR * found.error > 0
    assert found.loss < found.default_loss
    assert found.parameters["rounds"] == 4
    assert found.parameters["learning_rate"] > 0.04
    assert json.loads(json.dumps(found.to_json())) == found.to_json()


def test_threads_change_nothing_and_the_seed_does(panel, found):
    twice = tune(panel.values, panel.rows, settings(threads=2), Budget(10))
    assert twice.to_json() == found.to_json()
    assert tune(panel.values, panel.rows, settings(seed=1), Budget(10)).to_json() != found.to_json()


def test_rows_without_a_known_outcome_change_nothing(panel, found):
    later = panel.rows["label"].isna().to_numpy()
    assert later.any()
    past = tune(panel.values[~later], panel.rows[~later], settings(), Budget(10))
    values = panel.values.copy()
    values.loc[later, "usage_28d"] = -1e6
    changed = tune(values, panel.rows, settings(), Budget(10))
    assert past.to_json() == changed.to_json() == found.to_json()


def test_the_first_trial_is_the_default(panel):
    chosen = settings({"rounds": 30, "depth": 2, "leaves": 3, "min_rows_leaf": 20, "l2": 5})
    alone = tune(panel.values, panel.rows, chosen, Budget(1))
    assert (alone.trials, alone.gain, alone.error) == (1, 0, 0)
    assert alone.parameters == chosen.model.parameters
    origins = forward_origins(
        panel.rows, min_train_cutoffs=2, min_train_positives=7, max_folds=12
    ).origins
    labels = panel.rows["label"].to_numpy(dtype=float, na_value=np.nan)
    margins: list[float] = []
    outcomes: list[float] = []
    for origin in origins:  # all of them: each has few positives
        train, test = panel.values.iloc[origin.train], panel.values.iloc[origin.test]
        encoder = Encoder.fit(train, ranked=LEVELS)
        model = TenureClassifier(extra=chosen.model.parameters)
        model.fit(encoder.transform(train), labels[origin.train], categorical=encoder.categorical)
        margins.extend(model.decision_function(encoder.transform(test)))
        outcomes.extend(labels[origin.test])
    line = Sigmoid.fit(np.array(margins), np.array(outcomes))
    lost = log_loss(np.array(outcomes), line.probability(np.array(margins)))
    assert alone.default_loss == pytest.approx(lost.mean(), rel=1e-12)
    assert alone.rows == len(lost)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_taken_is_better_than_chance_or_the_default(seed):
    panel = make_panel(200, 16, seed=seed, effect=0.0)
    chosen = settings({"rounds": 20}, seed=seed)
    found = tune(panel.values, panel.rows, chosen, Budget(8))
    assert found.trials == 8
    if found.parameters == chosen.model.parameters:
        assert (found.gain, found.error) == (0, 0)
        assert found.loss == found.default_loss
    else:
        assert found.gain > BAR * found.error > 0


def test_no_trial_begins_after_the_time_is_up(panel):
    ticks = count(step=10)
    budget = Budget(seconds=45, clock=lambda: float(next(ticks)))
    progress = Recorder()
    found = tune(panel.values, panel.rows, settings(), budget, progress=progress)
    assert 1 < found.trials < 10
    assert progress.steps == [(trial, None, "trials") for trial in range(found.trials)]
    ticks = count(step=10)
    budget = Budget(2, seconds=1e6, clock=lambda: float(next(ticks)))
    assert tune(panel.values, panel.rows, settings(), budget).trials == 2


def test_the_default_is_tried_where_there_is_no_time(panel):
    ticks = count(step=10)
    budget = Budget(seconds=0, clock=lambda: float(next(ticks)))
    assert tune(panel.values, panel.rows, settings(), budget).trials == 1


def test_too_short_a_past_keeps_the_default():
    panel = make_panel(40, 8)
    assert tune(panel.values, panel.rows, settings(), Budget(5)) == Tuned(POOR)


def test_a_column_that_begins_later_is_not_used_before(panel):
    values = panel.values.assign(oracle=panel.rows["label"].fillna(0).astype("float32"))
    late = {"oracle": panel.rows["as_of"].max() + pd.Timedelta(days=1)}
    hidden = tune(values, panel.rows, settings(), Budget(3), since=late)
    assert hidden.to_json() == tune(panel.values, panel.rows, settings(), Budget(3)).to_json()
    shown = tune(values, panel.rows, settings(), Budget(3))
    assert float(shown.loss or 1) < float(hidden.loss or 0)


@pytest.mark.parametrize(
    "given", [{}, {"trials": -1}, {"seconds": -1.0}, {"trials": 5, "seconds": float("nan")}]
)
def test_a_budget_that_means_nothing_is_refused(given):
    with pytest.raises(ModelError, match="tuning"):
        Budget(**given)


def test_few_positives_keep_trees_shallow_and_what_is_fixed_is_not_searched():
    free = {item.parameter.name: item for item in search_ranges((), 100, 2_000)}
    assert (free["depth"].high, free["leaves"].high) == (3, 8)
    assert free["min_rows_leaf"].high == 200
    assert set(free) == {parameter.name for parameter in SPACE}
    names = {"max_depth": 2, "l2": 1, "extra_trees": True}
    left = {item.parameter.name for item in search_ranges(names, 100, 2_000)}
    assert left == set(free) - {"depth", "l2", "extra_trees"}


def test_nothing_left_to_search_is_the_default(panel):
    ranges = search_ranges((), 40, 1_000)
    fixed = {item.parameter.name: item.nearest(POOR) for item in ranges}
    found = tune(panel.values, panel.rows, settings(fixed), Budget(5))
    assert (found.trials, found.parameters) == (1, fixed)


@pytest.fixture(scope="module")
def walk(panel):
    how = settings(tuning=TuningConfig(trials=6, every=2))
    return walk_forward(panel.values, panel.rows, how)


def test_a_walk_searches_in_the_past_of_its_folds(walk, panel):
    moments = [item["as_of"] for item in walk.tuned]
    folds = [f"{moment:%Y-%m-%d}" for moment in walk.folds["as_of"]]
    assert moments == [*folds[::2], None]
    last = walk.tuned[-1]["parameters"]
    assert last["learning_rate"] == walk.final.parameters["learning_rate"]
    assert json.loads(json.dumps(walk.tuned)) == walk.tuned


def test_later_outcomes_change_no_earlier_search(walk, panel):
    moment = walk.folds["as_of"].iloc[2]
    rows = panel.rows.copy()
    later = (rows["label_known_at"] > moment) & rows["label"].notna()
    rows.loc[later, "label"] = 1 - rows.loc[later, "label"]
    again = walk_forward(panel.values, rows, settings(tuning=TuningConfig(trials=6, every=2)))
    assert again.tuned[:2] == walk.tuned[:2]
    assert again.tuned[-1] != walk.tuned[-1]
    early = walk.predictions["as_of"] <= moment
    np.testing.assert_array_equal(
        walk.predictions.loc[early, "margin"], again.predictions.loc[early, "margin"]
    )


def test_a_fold_uses_the_latest_search_before_it():
    made: list[dict[str, Any]] = [
        {"as_of": "2024-01-01", "parameters": {"depth": 1}},
        {"as_of": "2024-06-01", "parameters": {"depth": 2}},
        {"as_of": None, "parameters": {"depth": 3}},
    ]
    asked = [*map(pd.Timestamp, ("2023-12-01", "2024-01-01", "2024-05-01", "2024-07-01")), None]
    depths = [parameters_at(made, moment, {"depth": 0})["depth"] for moment in asked]
    assert depths == [0, 1, 1, 2, 3]


def test_seconds_are_shared_out(panel, monkeypatch):
    given = []

    def stub(values, rows, settings, budget, *, since, progress):
        given.append(budget.seconds)
        return Tuned({}, seconds=10.0)

    monkeypatch.setattr(searches, "tune", stub)
    how = settings(tuning=TuningConfig(seconds=120, every=2))
    origins = forward_origins(panel.rows, min_train_positives=7, max_folds=5).origins
    progress = Recorder()
    found = searches.search(panel.values, panel.rows, how, origins, since={}, progress=progress)
    assert progress.stages[-1] == "tuning 4 of 4, the final model"
    assert given == [30, pytest.approx(110 / 3), 50, 90]
    assert [item["as_of"] for item in found][-1] is None
    assert len(found) == 4
