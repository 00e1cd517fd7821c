"""Effects of accounts that no column shows, by what later outcomes betray of them.

Where accounts differ by more than a model sees, those that have survived much predicted hazard are
the tougher ones: fewer of them leave than predicted.  And where an outcome may recur, those that
had more of it than predicted have more again.  With effects of a gamma distribution of mean 1 and
variance v, an account with n outcomes in a time of predicted hazard H is expected to have
(1 + v n) / (1 + v H) times the predicted hazard.  How likely each v is follows from the outcomes.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from tenure.core.arrays import Floats, Places

Codes = Places

VARIANCES = np.array([0, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.5, 2, 3, 4.5])
NONE = 0.9
"""Probability, before outcomes are seen, that there are no such effects."""
FEWEST = 5
"""Positive rows below which nothing is concluded."""
STEPS = 6
CLOSE = 1e-9


def effect_variance(rows: pd.DataFrame, horizon_days: float) -> float:
    """Return the expected variance of account effects on the log rate.

    Each row is a forward prediction whose outcome is known: ``account``, ``at`` (days),
    ``probability``, ``label`` (1 or 0) and ``outcome`` (a number that rows of one outcome share).
    """
    if rows["label"].sum() < FEWEST:
        return _expected(np.zeros(len(VARIANCES)))
    rows = rows.sort_values(["account", "at"], kind="stable", ignore_index=True)
    hazard = -np.log1p(-rows["probability"].clip(upper=1 - CLOSE).to_numpy())
    labels = rows["label"].to_numpy()
    survived, outcomes = _past(rows, hazard, horizon_days)
    cadence = np.diff(np.unique(rows["at"]))
    share = min(1.0, float(np.median(cadence)) / horizon_days) if len(cadence) else 1.0
    fits = np.array(
        [
            share * _log_likelihood(hazard * (1 + v * outcomes) / (1 + v * survived), labels)
            for v in VARIANCES
        ]
    )
    return _expected(fits)


def _past(rows: pd.DataFrame, hazard: Floats, horizon_days: float) -> tuple[Floats, Floats]:
    """Return the hazard that each account went through before a row, and its outcomes in it."""
    account = rows["account"]
    step = (rows.groupby("account")["at"].shift(-1) - rows["at"]).fillna(0)
    passed = pd.Series(hazard * np.minimum(step, horizon_days) / horizon_days)
    positive = rows["label"] == 1
    last = positive & ~rows["outcome"].where(positive).duplicated(keep="last")

    def before(each: pd.Series[float]) -> Floats:
        return np.asarray(each.groupby(account).cumsum() - each, dtype=np.float64)

    return before(passed), before(last.astype(float))


def _log_likelihood(hazard: Floats, labels: Floats) -> float:
    """Return the log likelihood of labels at the level of all hazards that suits them best."""
    level = 1.0
    for _ in range(STEPS):
        level *= labels.sum() / -np.expm1(-hazard * level).sum()
    chance = np.clip(-np.expm1(-hazard * level), CLOSE, 1 - CLOSE)
    return float((labels * np.log(chance) + (1 - labels) * np.log1p(-chance)).sum())


def _expected(fits: Floats) -> float:
    """Return the expected variance of the log rate, by the log likelihood of each of `VARIANCES`.

    Before outcomes are seen, the standard deviation is half normal, or there are no effects.
    """
    density = np.gradient(np.sqrt(VARIANCES)) * np.exp(-VARIANCES / 2)
    prior = (1 - NONE) * density / density.sum()
    prior[0] += NONE
    weights = prior * np.exp(fits - fits.max())
    return float(weights @ np.log1p(VARIANCES) / weights.sum())
