"""A part of churn is churn times the share of its type, in the backtest as in the final model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from model.panel import LEVELS, make_panel
from tenure.core.config import ModelConfig
from tenure.model.backtest.part_walk import part_walk, type_rows
from tenure.model.backtest.walk_forward import walk_forward
from tenure.model.boosting.part import PartModel, model_from_json, product_bounds
from tenure.model.settings import FitSettings

SETTINGS = FitSettings(
    ModelConfig(parameters={"num_iterations": 25}, threads=1, min_train_positives=10),
    ranked=LEVELS,
)
PARTS = {"voluntary": True, "involuntary": False}


@pytest.fixture(scope="module")
def panel():
    """Half of the accounts leave for want of money, those with few tickets more often."""
    panel = make_panel(300, 20, seed=4)
    rng = np.random.default_rng(1)
    risk = np.where(panel.values["mrr"] > panel.values["mrr"].median(), 0.75, 0.2)
    draw = pd.Series(rng.random(len(panel.rows)) < risk, index=panel.rows.index)
    once = draw.groupby(panel.rows["outcome_id"]).transform("first")
    kind = np.where(once.fillna(value=False), "involuntary", "voluntary")
    panel.rows["churn_type"] = pd.Series(kind, index=panel.rows.index).where(
        panel.rows["label"] == 1
    )
    return panel


def rows_of(panel, churn_type):
    happened = panel.rows["churn_type"] == churn_type
    return panel.rows.assign(label=happened.astype(float).where(panel.rows["label"].notna()))


@pytest.fixture(scope="module")
def walks(panel):
    whole = walk_forward(panel.values, panel.rows, SETTINGS)
    share = walk_forward(panel.values, type_rows(panel.rows, "involuntary"), SETTINGS)
    parts = {
        name: part_walk(whole, share, rows_of(panel, name), other=other)
        for name, other in PARTS.items()
    }
    return whole, share, parts


def test_types_are_learnt_among_those_that_had_the_event_and_predicted_for_all(panel):
    rows = type_rows(panel.rows, "involuntary")
    assert set(rows.loc[rows["label"].notna(), "churn_type"]) == {"voluntary", "involuntary"}
    assert (panel.rows.loc[rows["label"].notna(), "label"] == 1).all()
    assert rows["tested"].sum() == panel.rows["label"].notna().sum() > rows["label"].notna().sum()


def test_parts_of_the_backtest_add_up_and_are_held_against_what_happened(panel, walks):
    whole, share, parts = walks
    one, other = (parts[name].predictions for name in PARTS)
    assert len(one) > 1_000
    assert (one["row"].to_numpy() == other["row"].to_numpy()).all()
    events = whole.predictions.set_index("row").loc[one["row"]]
    assert_allclose(one["probability"] + other["probability"], events["probability"])
    assert_allclose(one["base_rate"] + other["base_rate"], events["base_rate"])
    assert_allclose(one["label"] + other["label"], events["label"])
    types = share.predictions.set_index("row").loc[one["row"]]
    assert_allclose(other["probability"], events["probability"] * types["probability"].to_numpy())
    for name, part in parts.items():
        truth = rows_of(panel, name)["label"].iloc[part.predictions["row"]]
        assert_allclose(part.predictions["label"], truth)
        assert (part.predictions["probability_lo"] < part.predictions["probability"]).all()
        assert (part.predictions["probability"] < part.predictions["probability_hi"]).all()


def test_folds_and_baselines_are_those_of_the_part(walks):
    whole, _, parts = walks
    for part in parts.values():
        counted = part.predictions.groupby("fold")["label"].agg(["size", "sum"])
        assert list(part.folds["fold"]) == list(counted.index)
        assert list(part.folds["test_rows"]) == list(counted["size"])
        assert list(part.folds["test_positives"]) == list(counted["sum"].astype(int))
        assert len(part.baselines) == len(part.predictions)
        assert set(part.baselines) == set(whole.baselines)
        at = part.predictions.groupby("fold")["base_rate"].first()
        assert_allclose(part.folds["base_rate"], at)
    trained = sum(part.folds["train_positives"] for part in parts.values())
    assert (trained > 0).all()


def test_the_model_ranks_who_leaves_how(walks):
    """Who pays more leaves more often for want of money."""
    _, _, parts = walks
    final = parts["involuntary"].final
    assert isinstance(final, PartModel)
    assert final.positives + parts["voluntary"].final.positives == final.share.rows
    assert 0 < final.base_rate < final.whole.base_rate


def test_a_part_model_is_its_product_and_survives_json(panel, walks):
    _, _, parts = walks
    values = panel.values.head(200)
    final = parts["voluntary"].final
    again = model_from_json(final.to_json())
    assert isinstance(again, PartModel)
    chance, lo, hi, contributions = again.scores(values)
    assert_allclose(chance, final.probabilities(values), rtol=0, atol=0)
    expected = final.whole.probabilities(values) * (1 - final.share.probabilities(values))
    assert_allclose(chance, expected)
    assert contributions.shape == (200, len(again.columns) + 1)
    assert_allclose(contributions.sum(axis=1), again.margins(values), atol=1e-9)
    assert (lo < chance).all()
    assert (chance < hi).all()
    assert (hi <= again.whole.bounds(values, again.whole.probabilities(values))[1]).all()
    assert list(again.encoder.frame(panel.values).columns) == list(again.columns)


def test_widths_of_a_product_add_as_squares():
    ones = (np.array([0.1]), np.array([0.05]), np.array([0.2]))
    half = (np.array([0.5]), np.array([0.25]), np.array([1.0]))
    lo, hi = product_bounds(ones, half)
    assert_allclose(lo, 0.05 * np.exp(-np.sqrt(2) * np.log(2)))
    assert_allclose(hi, 0.05 * np.exp(np.sqrt(2) * np.log(2)))
    _, capped = product_bounds(ones, (np.array([0.95]), np.array([0.3]), np.array([1.0])))
    assert capped[0] <= 0.2
