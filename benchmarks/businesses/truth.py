"""True probabilities, and what happened, of every paying account at every prediction time."""

from __future__ import annotations

import numpy as np
import pandas as pd

from businesses.grid import START, month_days, stamps
from businesses.lives import Business, Lives, State
from businesses.options import Floats, Ints

HORIZONS = (30, 90, 180)
REPLAYS = 32
SPAN = 100_000.0  # days; more than any life


def account_ids(lives: Lives, account: Ints | None = None) -> pd.Series[str]:
    """Return the identifiers of accounts by number, of all by default."""
    names = pd.Series([f"a{number:05d}" for number in range(lives.options.n_accounts)], dtype="str")
    return names if account is None else names.take(account).reset_index(drop=True)


def outcomes(lives: Lives, times: pd.DatetimeIndex | None = None) -> pd.DataFrame:
    """Return what happened after prediction times.

    Lives go on past the end of the history, so that every outcome is known.

    Args:
        lives: The lives.
        times: Prediction times; by default every first of a month from the second month on, the
            end of the history included.

    Returns:
        One row per time and account that pays and has not decided to leave: account_id, as_of,
        and by horizon ``churn_90`` and ``expansion_90``, 1 where the account decided to leave, or
        its MRR rose and it stayed, within so many days.
    """
    account, day = _asked(lives, _days(lives, times))
    frame = _keys(lives, account, day)
    decided = lives.decided[account]
    for days in HORIZONS:
        churned = decided < day + days
        rising = _rises_before(lives, account, day + days) > _rises_before(lives, account, day)
        frame[f"churn_{days}"] = churned.astype(np.int64)
        frame[f"expansion_{days}"] = (rising & ~churned).astype(np.int64)
    return frame


def truth(
    business: Business,
    lives: Lives,
    times: pd.DatetimeIndex | None = None,
    *,
    replays: int = REPLAYS,
) -> pd.DataFrame:
    """Return true probabilities at prediction times.

    Given every state at the beginning of the step that holds a time (the time itself on the first
    of a month) and the course of a shock, states are drawn on `replays` times; the chances along
    each path are exact, and their mean is the probability.

    Args:
        business: The business that lived.
        lives: Its lives.
        times: As for `outcomes`.
        replays: Futures drawn of each account at each time; 1 is exact where nothing moves.

    Returns:
        The rows of `outcomes` in their order: account_id, as_of, hazard (rate of leaving at that
        moment, per 30 days) and by horizon ``churn_90`` and ``expansion_90``.
    """
    days = _days(lives, times)
    account, day = _asked(lives, days)
    values = [_replayed(business, lives, when, account[day == when], replays) for when in days]
    names = ["hazard"] + [f"{what}_{days}" for what in ("churn", "expansion") for days in HORIZONS]
    probabilities = pd.DataFrame(dict(zip(names, np.hstack(values), strict=True)))
    return pd.concat([_keys(lives, account, day), probabilities], axis=1)


def _days(lives: Lives, times: pd.DatetimeIndex | None) -> Floats:
    if times is None:
        return month_days(np.arange(1, lives.grid.months + 1))
    return np.asarray((times - pd.Timestamp(START)) / pd.Timedelta(days=1), float)


def _asked(lives: Lives, days: Floats) -> tuple[Ints, Floats]:
    """Return account and day of every account that pays and has not decided to leave."""
    who = [np.flatnonzero(lives.paying(day)) for day in days]
    return np.concatenate(who), np.repeat(days, [len(some) for some in who])


def _keys(lives: Lives, account: Ints, day: Floats) -> pd.DataFrame:
    return pd.DataFrame({"account_id": account_ids(lives, account), "as_of": stamps(day)})


def _rises_before(lives: Lives, account: Ints, day: Floats) -> Ints:
    """Return how often the MRR of an account rose before a day."""
    keys = lives.rises[0] * SPAN + lives.rises[1]
    return np.searchsorted(keys, account * SPAN + day) - np.searchsorted(keys, account * SPAN)


def _replayed(
    business: Business, lives: Lives, begin: float, account: Ints, replays: int
) -> Floats:
    """Return the hazard and the probabilities of some accounts at one time."""
    grid, ends = lives.grid, begin + np.array(HORIZONS)
    first = int(np.searchsorted(grid.edges, begin, "right")) - 1
    rng = lives.options.rng(f"replay {begin}")
    every = np.repeat(account, replays)
    people: State = {name: values[every] for name, values in lives.people.items()}
    people["future"] = np.tile(np.arange(replays, dtype=float), account.size)
    state: State = {name: v[first][every].astype(float) for name, v in lives.states.items()}
    leaving = np.zeros((len(HORIZONS), every.size))
    growing = np.zeros_like(leaving)
    for step in range(first, int(np.searchsorted(grid.edges, ends[-1]))):
        moment = grid.moment(step)
        inside = np.minimum(ends, moment.day + moment.days) - max(begin, moment.day)
        inside = np.clip(inside, 0.0, None)[:, None]
        churn, expansion = lives.rates.daily(business, people, state, moment)
        leaving += inside * moment.level * churn
        growing += inside * expansion
        state = business.advance(people, state, moment, rng)
    left = 1 - np.exp(-leaving)
    values = np.vstack([left, (1 - left) * (1 - np.exp(-growing))])
    means = values.reshape(len(values), account.size, replays).mean(axis=2)
    return np.vstack([30 * lives.churn_rate[first, account], means])
