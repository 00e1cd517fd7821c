"""Scores from the executors are the scores of the bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from model.conftest import fitted
from model.panel import make_panel
from tenure.engine import Engine
from tenure.model import scatter

if TYPE_CHECKING:
    import pytest


def test_scores_where_the_rows_are(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = make_panel(60, 10)
    bundle = fitted(panel)
    values = bundle.encoder.frame(panel.values)
    monkeypatch.setattr(type(engine), "scatters", True)
    monkeypatch.setattr(scatter, "SCATTERED_SCORES", 1)
    found = scatter.scores_and_contributions(engine, bundle, values)
    for one, other in zip(found, bundle.scores_and_contributions(values), strict=True):
        np.testing.assert_array_equal(one, other)
