"""Which values are usual follows from the training rows and from what the booster reads."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tenure.model.calibration.usual import TAIL, UsualValues

WEIGHT = np.array([0.6, 0.3, 0.0, 0.1])


@pytest.fixture(scope="module")
def matrix():
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(10_000, 4))
    matrix[:, 3] = rng.integers(0, 3, len(matrix))
    matrix[rng.random(len(matrix)) < 0.2, 1] = np.nan
    return matrix


@pytest.fixture(scope="module")
def usual(matrix):
    return UsualValues.fit(matrix, WEIGHT, categorical=[3])


def test_values_beyond_the_tails_are_unusual_by_the_weight_of_their_column(usual):
    rows = np.array(
        [[0, 0, 0, 1], [9, 0, 0, 1], [0, -9, 0, 1], [0, 0, 99, 1], [9, 9, 9, 9]], dtype=float
    )
    np.testing.assert_allclose(usual.unusual(rows), [0, 0.6, 0.3, 0, 1])


def test_a_missing_value_is_unusual_where_few_are_missing(usual):
    rows = np.array([[np.nan, 0, 0, 1], [0, np.nan, 0, 1], [0, 0, 0, np.nan]])
    np.testing.assert_allclose(usual.unusual(rows), [0.6, 0, 0.1])


def test_few_training_rows_are_unusual(usual, matrix):
    outside = (usual.unusual(matrix) >= 0.6).mean()
    assert 0.5 * 2 * TAIL < outside < 1.5 * 2 * TAIL


def test_a_row_gets_the_same_alone_and_after_json(usual, matrix):
    rows = matrix * 2
    alone = [usual.unusual(rows[place : place + 1])[0] for place in range(50)]
    np.testing.assert_array_equal(alone, usual.unusual(rows)[:50])
    again = UsualValues.from_json(json.loads(json.dumps(usual.to_json())))
    assert again == usual


def test_a_booster_without_a_split_finds_nothing_unusual(matrix):
    assert not UsualValues.fit(matrix, np.zeros(4)).unusual(matrix * 9).any()
