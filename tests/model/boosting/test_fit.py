"""One fitted model: what its settings ask for holds."""

from __future__ import annotations

import numpy as np
import pytest

from model.panel import LEVELS, make_panel
from tenure.core.config import ModelConfig
from tenure.model.boosting.fit import fit_booster, resampled_boosters
from tenure.model.settings import FitSettings

RISING = {"tickets_90d": 1, "usage_28d": -1, "segment": 1, "usage_level": -1}


@pytest.fixture(scope="module")
def known():
    panel = make_panel(250, 18)
    there = panel.rows["label"].notna().to_numpy()
    labels = panel.rows["label"][there].to_numpy(dtype=float)
    accounts = np.unique(panel.rows["account_id"][there], return_inverse=True)[1]
    return panel.values[there], labels, accounts


def steps(booster, values, name):
    """Return how log-odds move as one column grows and the others stay."""
    grown = values.sample(40, random_state=0).loc[lambda frame: frame.index.repeat(30)]
    low, high = values[name].min(), values[name].max()
    grown = grown.assign(**{name: np.tile(np.linspace(low, high, 30), 40).astype("float32")})
    return np.diff(booster.margins(grown).reshape(40, 30), axis=1)


def test_a_column_that_may_only_rise_does(known):
    values, labels, _ = known
    free = fit_booster(values, labels, FitSettings())
    held = fit_booster(values, labels, FitSettings(monotone=RISING))
    assert (steps(free, values, "usage_28d") > 0).any()
    assert (steps(held, values, "usage_28d") <= 0).all()
    assert (steps(held, values, "tickets_90d") >= 0).all()
    assert "monotone_constraints" not in free.model.parameters_


def test_resampled_boosters_are_held_too(known):
    values, labels, accounts = known
    settings = FitSettings(monotone=RISING, ranked=LEVELS)
    held = fit_booster(values, labels, settings)
    signs = dict(
        zip(held.encoder.columns, held.model.parameters_["monotone_constraints"], strict=True)
    )
    assert {name: sign for name, sign in signs.items() if sign} == {
        "tickets_90d": 1,
        "usage_28d": -1,
        "usage_level": -1,
    }
    matrix = held.encoder.transform(values)
    others = matrix[:1].repeat(30, axis=0)
    others[:, held.encoder.columns.index("tickets_90d")] = np.linspace(0, 10, 30)
    for draw, member in resampled_boosters(held, matrix, accounts, ModelConfig(seed=3)):
        assert (np.diff(np.asarray(member.predict(others, raw_score=True))) >= 0).all()
        assert draw.shape == accounts.shape
        assert all(len(np.unique(draw[accounts == account])) == 1 for account in accounts[:9])
