"""Bounds of a fitted model: what boosters and lines of resampled accounts make of the same rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from tenure.core.arrays import Places
from tenure.labels.splits import Origin
from tenure.model.backtest.forward_log import ForwardLog
from tenure.model.boosting.fit import FittedBooster, FittedModel, resampled_boosters
from tenure.model.calibration.interval import HIDDEN, Interval
from tenure.model.calibration.losses import log_odds
from tenure.model.calibration.usual import UsualValues


def with_bounds(
    fitted: FittedModel,
    booster: FittedBooster,
    forward: ForwardLog,
    values: pd.DataFrame,
    origin: Origin,
) -> FittedModel:
    """Return a fitted model with bounds; outcomes of the rows of its prediction time play no part.

    `forward` holds the predictions up to the prediction time of `origin`; `values` are those of all
    rows of the walk.
    """
    settings = forward.settings.model
    train = booster.encoder.transform(values.iloc[origin.train])
    latest = booster.encoder.transform(values.iloc[origin.test])
    accounts = pd.factorize(forward.early.accounts[origin.train])[0]
    members = resampled_boosters(booster, train, accounts, settings)
    refitted = [
        forward.redrawn(fitted, booster, origin.train, draw).probability(
            np.asarray(member.predict(latest, raw_score=True, num_threads=1))
        )
        for draw, member in members
    ]
    model = booster.model
    interval = Interval.fit(
        log_odds(fitted.calibrator.probability(model.decision_function(latest))),
        log_odds(np.array(refitted)),
        UsualValues.fit(train, model.feature_importances_, booster.encoder.categorical),
        level=settings.interval_level,
        hidden=forward.account_effects(fitted, origin.train),
        drift=fitted.level.spread if fitted.level else 0.0,
    )
    return replace(fitted, interval=interval, members=tuple(member for _, member in members))


def up_to_date(
    bounded: FittedModel, fitted: FittedModel, forward: ForwardLog, known: Places
) -> FittedModel:
    """Return a model with bounds that know what later outcomes betray of effects of accounts.

    The bounds may be of an older model than the `fitted` one of the prediction time; `known` are
    the rows whose outcome was known by then.
    """
    if bounded.interval is None:
        return bounded
    hidden = HIDDEN * forward.account_effects(fitted, known)
    return replace(bounded, interval=replace(bounded.interval, hidden=hidden))
