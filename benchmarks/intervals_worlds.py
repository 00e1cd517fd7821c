"""Tables of simulated accounts whose true probabilities are known, for bounds of probabilities.

Accounts come and go in a book of constant size.  Columns drift slowly (autoregressive), some of
them move the rate of leaving, through one of `SHAPES`, the others are noise.  A month's rate is
constant within the month; who has left does not return.  An account may have an effect of its own
that no column shows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq

Floats = NDArray[np.float64]
Shape = Callable[[Floats], Floats]

SIGNAL = 8
"""Columns that count."""
PERSISTENCE = 0.85
"""Correlation of a column with that of a month later."""
AHEAD = 3
"""Months of a label window."""
KNOWN_AFTER, EARLY_KNOWN_AFTER = 120, 60
"""Days after which the outcome of a window, and of its first month, is known."""


@dataclass(frozen=True)
class Recipe:
    """A simulated book.

    Attributes:
        shape: A key of `SHAPES`.
        strength: Standard deviation of the visible part of the log rate.
        base_rate: Share that leaves within a window.
        outcomes: Distinct outcomes that are known at the end, about.
        hidden_sd: Standard deviation of account effects on the log rate that no column shows.
        blur: Standard deviation of what is added to each column that counts before it is seen; the
            columns themselves have 1.
        idle: Columns that do not count.
        months: Prediction times.
        seed: Seed of everything.
    """

    shape: str = "smooth"
    strength: float = 1.0
    base_rate: float = 0.1
    outcomes: int = 500
    hidden_sd: float = 0.0
    blur: float = 0.0
    idle: int = 10
    months: int = 24
    seed: int = 0


@dataclass(frozen=True)
class Table:
    """What a model may see of a simulated book, and the truth.

    Attributes:
        values: Columns of each row.
        rows: account_id, as_of, label, label_known_at, outcome_id and mrr of each row.
        early: The same rows with the labels of the first month of the window.
        truth: True probability of each row, given the columns and the account's own effect.
    """

    values: pd.DataFrame
    rows: pd.DataFrame
    early: pd.DataFrame
    truth: Floats


def table(recipe: Recipe, *, replays: int = 48) -> Table:
    """Simulate a book; true probabilities are means over replayed futures of the columns."""
    rng = np.random.default_rng([recipe.seed, 7])
    shape = SHAPES[recipe.shape](np.random.default_rng([recipe.seed, 11]))
    sample = rng.normal(size=(20_000, SIGNAL))
    centre, scale = float(shape(sample).mean()), float(shape(sample).std())

    def log_rate(columns: Floats) -> Floats:
        return recipe.strength * (shape(columns) - centre) / scale

    own = recipe.hidden_sd * rng.normal(size=len(sample))
    height = _height(log_rate(sample) + own, recipe.base_rate)
    size = max(60, round(recipe.outcomes / (recipe.base_rate * (recipe.months - 4) / AHEAD)))
    state = rng.normal(size=(size, SIGNAL + recipe.idle))
    effect, joined = recipe.hidden_sd * rng.normal(size=size), np.full(size, -12)
    account, new = np.arange(size), size
    seen: list[pd.DataFrame] = []
    columns: list[Floats] = []
    truths: list[Floats] = []
    left = {}
    for month in range(recipe.months + AHEAD):
        rate = np.exp(height + effect + log_rate(state[:, :SIGNAL]))
        if month < recipe.months:
            seen.append(pd.DataFrame({"number": account, "month": month, "tenure": month - joined}))
            columns.append(state.copy())
            columns[-1][:, :SIGNAL] += recipe.blur * rng.normal(size=(size, SIGNAL))
            truths.append(_replayed(state, height + effect, log_rate, replays, rng))
        goes = rng.random(size) < -np.expm1(-rate)
        left.update(dict.fromkeys(account[goes].tolist(), month))
        state = PERSISTENCE * state + np.sqrt(1 - PERSISTENCE**2) * rng.normal(size=state.shape)
        come = int(goes.sum())
        state[goes] = rng.normal(size=(come, SIGNAL + recipe.idle))
        effect[goes], joined[goes] = recipe.hidden_sd * rng.normal(size=come), month + 1
        account = account.copy()
        account[goes], new = new + np.arange(come), new + come
    return _table(pd.concat(seen, ignore_index=True), np.vstack(columns), truths, left)


def _table(
    seen: pd.DataFrame, columns: Floats, truths: list[Floats], left: dict[int, int]
) -> Table:
    month = seen["month"].to_numpy()
    ahead = seen["number"].map(left).fillna(10_000).to_numpy() - month
    names = [f"signal_{place}" for place in range(SIGNAL)]
    names += [f"idle_{place}" for place in range(columns.shape[1] - SIGNAL)]
    values = pd.DataFrame(columns.astype(np.float32), columns=names)
    values["tenure"] = seen["tenure"].to_numpy(dtype=np.float32)
    times = pd.date_range("2022-01-01", periods=int(month.max()) + 1, freq="MS").as_unit("us")
    as_of, end = times[month], times[-1]
    rows = pd.DataFrame({"account_id": "a" + seen["number"].astype(str), "as_of": as_of})
    rows["mrr"] = 100.0
    early = rows.copy()
    for frame, span, after in ((rows, AHEAD, KNOWN_AFTER), (early, 1, EARLY_KNOWN_AFTER)):
        frame["label_known_at"] = as_of + pd.Timedelta(days=after)
        happened = pd.Series((ahead < span).astype(float))
        frame["label"] = happened.where(frame["label_known_at"] <= end)
        frame["outcome_id"] = frame["account_id"].where(frame["label"] == 1)
    return Table(values, rows, early, np.concatenate(truths))


def _replayed(
    state: Floats, base: Floats, log_rate: Shape, replays: int, rng: np.random.Generator
) -> Floats:
    """Return the chance of leaving within a window, from drawn futures of the columns."""
    alive, future = np.zeros(len(state)), np.repeat(state[:, :SIGNAL], replays, axis=0)
    hazard = np.zeros(len(future))
    for _ in range(AHEAD):
        hazard += np.exp(np.repeat(base, replays) + log_rate(future))
        shock = rng.normal(size=future.shape)
        future = PERSISTENCE * future + np.sqrt(1 - PERSISTENCE**2) * shock
    alive = np.exp(-hazard).reshape(len(state), replays).mean(axis=1)
    return np.asarray(1 - alive)


def _height(log_rates: Floats, base_rate: float) -> float:
    def gap(height: float) -> float:
        return float(-np.expm1(-AHEAD * np.exp(height + log_rates)).mean()) - base_rate

    return float(brentq(gap, -20, 5))


def _smooth(rng: np.random.Generator) -> Shape:
    weights = rng.normal(size=SIGNAL)

    def shape(x: Floats) -> Floats:
        bent = x @ weights + 1.5 * np.tanh(x[:, 0] * x[:, 1]) + np.sin(2 * x[:, 2])
        return np.asarray(bent + 0.5 * np.abs(x[:, 3]))

    return shape


def _steps(rng: np.random.Generator) -> Shape:
    weights, edges = rng.normal(size=4), rng.normal(size=4)

    def shape(x: Floats) -> Floats:
        both = (x[:, 0] > 0) & (x[:, 1] < 0.3)
        return np.asarray((x[:, :4] > edges) @ weights + 1.2 * both)

    return shape


def _trees(rng: np.random.Generator) -> Shape:
    columns, edges = rng.integers(0, SIGNAL, (12, 3)), rng.normal(0, 0.7, (12, 3))
    leaves = rng.normal(size=(12, 8))

    def shape(x: Floats) -> Floats:
        codes = ((x[:, columns] > edges) * (1, 2, 4)).sum(axis=2)
        return np.asarray(leaves[np.arange(12), codes].sum(axis=1))

    return shape


def _lines(rng: np.random.Generator) -> Shape:
    weights = rng.normal(size=SIGNAL) * (0.6 ** np.arange(SIGNAL))

    def shape(x: Floats) -> Floats:
        return np.asarray(np.sinh(0.8 * x) @ weights)

    return shape


SHAPES: dict[str, Callable[[np.random.Generator], Shape]] = {
    "smooth": _smooth,
    "steps": _steps,
    "trees": _trees,
    "lines": _lines,
}
"""Maker → what its columns do to the log rate of leaving, up to a scale."""
