"""Baselines learn from the training rows only, in the direction found there."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from model.panel import make_panel
from tenure.model.backtest.baselines import baseline_probabilities, logistic, one_column


@pytest.fixture(scope="module")
def data():
    panel = make_panel(250, 16, effect=1.5)
    known = panel.rows["label"].notna().to_numpy()
    values = panel.values[known].reset_index(drop=True)
    labels = panel.rows["label"][known].to_numpy()
    place = np.arange(len(values))
    return values, labels, place[place % 3 != 0], place[place % 3 == 0]


def test_each_named_baseline_that_has_its_column(data):
    found = baseline_probabilities(*data)
    assert list(found) == [
        "base_rate",
        "days_since_last_event",
        "tenure_days",
        "mrr",
        "hand_weighted",
        "logistic_regression",
    ]
    assert (found["base_rate"] == data[1][data[2]].mean()).all()
    without = baseline_probabilities(data[0].drop(columns="mrr"), *data[1:])
    assert list(without) == [name for name in found if name != "mrr"]
    silent = data[0].drop(columns=["days_since_last_event"])
    assert "hand_weighted" not in baseline_probabilities(silent, *data[1:])


def test_test_labels_and_other_test_rows_do_not_matter(data):
    values, labels, train, test = data
    found = baseline_probabilities(*data)
    changed = labels.copy()
    changed[test] = 1 - changed[test]
    for half in (test[::2], test[1::2]):
        again = baseline_probabilities(values, changed, train, half)
        for name, probabilities in again.items():
            np.testing.assert_allclose(
                probabilities, found[name][np.isin(test, half)], rtol=0, atol=1e-12
            )


@pytest.mark.parametrize("sign", [1, -1])
def test_one_column_keeps_its_order_in_the_direction_of_the_training_rows(sign):
    rng = np.random.default_rng(0)
    column = rng.normal(size=2_000)
    labels = (rng.random(2_000) < 1 / (1 + np.exp(1 - sign * column))).astype(float)
    probe = np.linspace(-2, 2, 50)
    steps = np.diff(one_column(column, labels, probe))
    assert (sign * steps >= 0).all()
    assert (sign * steps > 0).any()
    assert one_column(column, labels, column).mean() == pytest.approx(labels.mean(), abs=1e-3)


def test_one_column_gives_missing_values_a_rate_of_their_own():
    column = np.r_[np.zeros(500), np.full(500, np.nan)]
    labels = np.r_[np.arange(500) < 25, np.arange(500) < 200].astype(float)
    found = one_column(column, labels, np.array([0.0, np.nan]))
    np.testing.assert_allclose(found, [0.05, 0.40], atol=0.01)
    assert one_column(np.full(1_000, np.nan), labels, np.array([1.0])).item() > 0


def test_logistic_finds_the_signal_and_reads_text(data):
    values, labels, train, test = data
    found = logistic(values.iloc[train], labels[train], values.iloc[test])
    assert roc_auc_score(labels[test], found) > 0.65
    text = values[["segment"]]
    by_segment = logistic(text.iloc[train], labels[train], text.iloc[test])
    assert pd.Series(by_segment).groupby(text["segment"].iloc[test].to_numpy()).nunique().max() == 1


def test_logistic_without_a_varying_column_is_the_base_rate(data):
    _, labels, train, test = data
    flat = pd.DataFrame({"flat": np.ones(len(labels))})
    found = logistic(flat.iloc[train], labels[train], flat.iloc[test])
    assert (found == labels[train].mean()).all()
