"""A booster is fitted again when the known outcomes have grown, and counts nothing later."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from model.panel import make_panel
from tenure.labels.splits import distinct_events, forward_origins, outcome_codes, outcomes_known
from tenure.model.backtest import refits
from tenure.model.backtest.refits import GROWTH, stretches


@pytest.fixture(scope="module")
def rows():
    return make_panel(150, 20).rows


@pytest.fixture(scope="module")
def origins(rows):
    return forward_origins(rows, min_train_cutoffs=1, min_train_positives=5).origins


def test_the_outcomes_of_a_fold_are_those_of_its_training_rows(rows, origins):
    counts = outcomes_known(rows, [origin.as_of for origin in origins])
    assert counts.tolist() == [distinct_events(rows.iloc[origin.train]) for origin in origins]


def test_every_fold_is_served_once_and_in_order(rows, origins):
    served = [origin for stretch in stretches(rows, origins) for origin in stretch.origins]
    assert served == list(origins)


@pytest.mark.parametrize(("many", "growth"), [(refits.MANY, GROWTH), (0, refits.OF_MANY)])
def test_a_stretch_begins_where_the_outcomes_have_grown(rows, origins, monkeypatch, many, growth):
    monkeypatch.setattr(refits, "MANY", many)
    parts = stretches(rows, origins)
    counts = outcomes_known(rows, [origin.as_of for origin in origins])
    by_time = dict(zip([origin.as_of for origin in origins], counts, strict=True))
    assert 1 < len(parts) < len(origins)
    for stretch, following in zip(parts, [*parts[1:], None], strict=True):
        assert stretch.outcomes == by_time[stretch.first.as_of]
        for origin in stretch.origins:
            assert by_time[origin.as_of] < growth * stretch.outcomes
        if following is not None:
            assert following.outcomes >= growth * stretch.outcomes
    assert np.array_equal(
        parts[0].test, np.concatenate([origin.test for origin in parts[0].origins])
    )


def test_rows_without_an_id_are_outcomes_of_their_own():
    frame = pd.DataFrame({"outcome_id": ["a", None, "a", None]})
    codes = outcome_codes(frame)
    assert codes[0] == codes[2]
    assert len(set(codes)) == 3
