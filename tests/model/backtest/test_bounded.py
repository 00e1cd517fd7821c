"""Bounds of a model: wider for an account unlike the others, the same alone, kept in JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest

from model.panel import LEVELS, make_panel
from tenure.core.config import ModelConfig
from tenure.model.backtest.walk_forward import walk_forward
from tenure.model.boosting.fit import FittedModel
from tenure.model.settings import FitSettings


def walked(panel, *, level=0.8):
    how = ModelConfig(threads=1, interval_level=level, parameters={"rounds": 40})
    return walk_forward(panel.values, panel.rows, FitSettings(how, LEVELS, max_folds=3))


@pytest.fixture(scope="module")
def panel():
    return make_panel(400, 16)


@pytest.fixture(scope="module")
def final(panel):
    return walked(panel).final


def test_an_account_unlike_the_others_has_wider_bounds(panel, final):
    values = panel.values.tail(50)
    unlike = values.assign(usage_28d=1e6, usage_trend=1e6, tickets_90d=1e6)
    chance = np.full(len(values), 0.1)
    lo, hi = final.bounds(values, chance)
    wide_lo, wide_hi = final.bounds(unlike, chance)
    assert ((wide_lo < lo) & (wide_hi > hi)).all()
    assert (wide_hi - wide_lo).mean() > 1.2 * (hi - lo).mean()


def test_bounds_hold_the_probability_and_a_row_gets_the_same_alone(panel, final):
    values = panel.values.tail(50)
    chance = final.probabilities(values)
    lo, hi = final.bounds(values, chance)
    assert ((lo < chance) & (chance < hi)).all()
    for place in range(5):
        row = slice(place, place + 1)
        assert final.bounds(values[row], chance[row]) == (lo[place], hi[place])


def test_a_row_without_a_probability_has_no_bounds(panel, final):
    chance = np.array([np.nan, 0.2])
    lo, hi = final.bounds(panel.values.head(2), chance)
    assert np.isnan([lo[0], hi[0]]).all()
    assert lo[1] < 0.2 < hi[1]


def test_a_bare_model_has_no_bounds(panel, final):
    bare = FittedModel.from_json(final.to_json() | {"interval": None})
    lo, hi = bare.bounds(panel.values.head(3), np.full(3, 0.2))
    assert np.isnan(lo).all()
    assert np.isnan(hi).all()


def test_bounds_survive_json(panel, final):
    again = FittedModel.from_json(json.loads(json.dumps(final.to_json())))
    assert again == final
    values = panel.values.head(20)
    chance = final.probabilities(values)
    np.testing.assert_array_equal(again.bounds(values, chance), final.bounds(values, chance))


def test_a_higher_level_is_wider(panel, final):
    values = panel.values.head(20)
    chance = final.probabilities(values)
    lo, hi = final.bounds(values, chance)
    wide_lo, wide_hi = walked(panel, level=0.95).final.bounds(values, chance)
    assert ((wide_lo < lo) & (wide_hi > hi)).all()
