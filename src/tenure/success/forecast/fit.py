"""What comes of an expected amount: a ratio, its spread between accounts, and shared shocks.

The ratio says what an outcome moves within the period: whoever decides to leave may end later, and
an expansion is a part of the MRR.  It is that of past outcomes and amounts, whatever a model had
expected of them; a period counts half as much as one a year later, and half an account is added to
what was observed, so that it is never 0.  Accounts whose term ends in the period have a ratio of
their own, drawn towards that of all.

Shocks move the amounts of all accounts at once.  How large they are, and where the level stands
after the latest, is estimated by `tenure.model.calibration.level` from what was observed and what
had been expected; it holds them small where the past is short.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

import numpy as np
import pandas as pd

from tenure.core.arrays import Floats
from tenure.core.records.forecast import ComponentFit, PastWindow, PeriodName
from tenure.core.times import as_utc, days
from tenure.model.calibration.level import MOST, LevelHistory
from tenure.success.forecast.periods import SAME_LENGTH, period_days, spaced
from tenure.success.forecast.sources import Source

HALF = 0.5
HALF_LIFE = days(365)
PRIOR = 5.0
"""Mean accounts that are lost (or won) at the ratio of all, besides those that were seen."""
LEAST_LEVEL = 0.1
LEAST_VARIANCE = 0.1
"""Share of the variance of independent rare events that is left at least."""
FEWEST_CORRELATED, PRIOR_CORRELATED = 4, 10


def fit_component(
    past: pd.DataFrame, outcomes: pd.DataFrame, source: Source, period: PeriodName
) -> ComponentFit | None:
    """Return what came of an expected amount in past periods.

    `past` are the `tenure.success.forecast.components.sums` by as_of of periods that are over,
    `outcomes` those of them whose outcomes are known.

    Returns:
        None where nothing was called.
    """
    weighed = outcomes.mul(_recency(outcomes), axis=0)
    by_due = weighed.groupby("due").sum()
    called = float(by_due["called"].sum())
    if not called > 0:
        return None
    ratio = (float(by_due["observed"].sum()) + HALF) / called
    shrunk = (by_due["observed"] + PRIOR) / (by_due["called"] + PRIOR / ratio)
    due, not_due = (float(shrunk.get(due, ratio)) for due in (True, False))
    apart = float(_ratios(outcomes, due, not_due) @ weighed["squared"].to_numpy())
    spread = (float(weighed["observed_squared"].sum()) + HALF) / (apart + HALF)
    fitted = ComponentFit(
        rule=source.rule,
        target=source.target,
        horizon_days=source.horizon_days,
        due=due,
        not_due=not_due,
        spread=spread,
    )
    return fitted.model_copy(update={"windows": _windows(fitted, past, period)})


def _recency(past: pd.DataFrame) -> Floats:
    """Return the weight of each row: half as much for every year that it is older."""
    times = past.index.get_level_values("as_of")
    weights: Floats = 0.5 ** ((times.max() - times) / HALF_LIFE).to_numpy(np.float64)
    return weights


def _ratios(sums: pd.DataFrame, due: float, not_due: float) -> Floats:
    return np.where(sums.index.get_level_values("due").to_numpy(dtype=bool), due, not_due)


def _windows(
    fitted: ComponentFit, past: pd.DataFrame, period: PeriodName
) -> tuple[PastWindow, ...]:
    """Return what was expected and observed of past periods that do not overlap."""
    expected, variance = _moments(fitted, past)
    frame = pd.DataFrame(
        {"expected": expected, "variance": variance, "observed": past["observed"].to_numpy()},
        index=past.index.get_level_values("as_of"),
    )
    by_time = frame.groupby(level=0).sum()
    by_time = by_time[by_time["expected"] > 0]
    times = [time.to_pydatetime() for time in by_time.index]
    chosen = by_time.loc[spaced(times, (1 - SAME_LENGTH) * period_days(period))]
    rows = zip(chosen.index, *(chosen[name].tolist() for name in _WINDOW), strict=True)
    return tuple(
        PastWindow(as_of=time, **dict(zip(_WINDOW, values, strict=True))) for time, *values in rows
    )


_WINDOW = ("expected", "variance", "observed")


def _moments(fitted: ComponentFit, sums: pd.DataFrame) -> tuple[Floats, Floats]:
    """Return the expected amount and the variance of each row of sums, without a shock."""
    ratio = _ratios(sums, fitted.due, fitted.not_due)
    rare = fitted.spread * ratio * sums["squared"].to_numpy()
    certain = ratio**2 * sums["certain"].to_numpy()
    return ratio * sums["expected"].to_numpy(), np.maximum(rare - certain, LEAST_VARIANCE * rare)


def without_shock(fitted: ComponentFit, sums: pd.DataFrame) -> tuple[float, float]:
    """Return the expected amount without a shock, and its variance if accounts are independent.

    `sums` are those of one book or a part of it.
    """
    expected, variance = _moments(fitted, sums)
    return float(expected.sum()), float(variance.sum())


@dataclass(frozen=True)
class Level:
    """How far a period stands above what is expected without a shock."""

    mean: float
    """A share of the expected amount, above -1."""
    deviation: float


def level(fitted: ComponentFit, start: datetime, period: PeriodName) -> Level:
    """Return the level that past windows let expect of the period that starts at a time."""
    starts = np.array([as_utc(one.as_of) for one in fitted.windows], dtype="datetime64[us]")
    moment = np.datetime64(start, "us")
    origin = starts[0] if len(starts) else moment
    length = period_days(period)
    expected = np.array([one.expected for one in fitted.windows])
    observed = np.array([one.observed for one in fitted.windows])
    history = LevelHistory(
        at=(starts - origin) / np.timedelta64(1, "D") / length,
        gap=np.clip((observed - expected) / expected, -MOST, MOST),
        variance=np.array([one.variance for one in fitted.windows]) / expected**2,
        origin=origin,
        days=length,
    )
    mean, deviation = history.over(moment, 1)
    return Level(max(mean, LEAST_LEVEL - 1), deviation)


def correlations(fits: Mapping[str, ComponentFit]) -> dict[str, float]:
    """Return how deviations of amounts go together over windows, drawn towards 0.

    Returns:
        Two names, joined by a space → correlation; without pairs that share few windows.
    """
    deviations = {
        name: {one.as_of: (one.observed - one.expected) / one.variance**0.5 for one in fit.windows}
        for name, fit in fits.items()
    }
    result = {}
    for first, second in combinations(deviations, 2):
        times = sorted(deviations[first].keys() & deviations[second].keys())
        pairs = np.array([[deviations[name][time] for time in times] for name in (first, second)])
        if len(times) >= FEWEST_CORRELATED and (pairs.std(axis=1) > 0).all():
            raw = float(np.corrcoef(pairs)[0, 1])
            result[f"{first} {second}"] = raw * len(times) / (len(times) + PRIOR_CORRELATED)
    return result
