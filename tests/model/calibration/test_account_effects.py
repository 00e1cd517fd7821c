"""Effects of accounts are seen in what becomes of survivors, and of those who come again."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tenure.model.calibration.account_effects import effect_variance

MONTHS, HORIZON = 24, 90


def history(variance, *, recurs, accounts=1_500, seed=0):
    """Outcomes of accounts, and the probabilities of a model that knows of no effect of theirs."""
    rng = np.random.default_rng(seed)
    monthly = 0.03 * np.exp(rng.normal(0, 0.7, accounts))
    effect = rng.gamma(1 / variance, variance, accounts) if variance else np.ones(accounts)
    happens = rng.random((MONTHS + 3, accounts)) < -np.expm1(-monthly * effect)
    ever, rows = np.zeros(accounts, dtype=bool), []
    for month in range(MONTHS):
        window = happens[month : month + 3]
        here = np.flatnonzero(~ever)
        first = month + window.argmax(axis=0)
        rows.append(
            pd.DataFrame(
                {
                    "account": here,
                    "at": 30.0 * month,
                    "probability": -np.expm1(-3 * monthly)[here],
                    "label": window.any(axis=0)[here].astype(float),
                    "outcome": (accounts * first + np.arange(accounts))[here],
                }
            )
        )
        ever |= happens[month] & (not recurs)
    return pd.concat(rows, ignore_index=True)


def test_survivors_betray_effects():
    none, some = (effect_variance(history(v, recurs=False), HORIZON) for v in (0.0, 1.5))
    assert none < 0.05
    assert 0.4 < some < 1.3


def test_outcomes_that_recur_betray_effects():
    none, some = (effect_variance(history(v, recurs=True), HORIZON) for v in (0.0, 1.0))
    assert none < 0.05
    assert 0.4 < some < 1.0


def test_a_wrong_level_is_no_effect():
    rows = history(0.0, recurs=False)
    rows["probability"] *= 1.5
    assert effect_variance(rows, HORIZON) < 0.1


def test_without_outcomes_what_was_thought_before_stays():
    rows = history(1.0, recurs=False)
    nothing = rows[rows["label"] == 0]
    assert effect_variance(nothing, HORIZON) == effect_variance(nothing.head(0), HORIZON) > 0


def test_the_order_of_rows_is_no_matter():
    rows = history(0.5, recurs=True, accounts=200)
    mixed = rows.sample(frac=1, random_state=1)
    assert effect_variance(mixed, HORIZON) == effect_variance(rows, HORIZON)
