"""The distribution of what a book will do: expected amounts, and draws of all of them together.

An amount has the mean and the variance that follow from the risks of accounts, their amounts, and
the shock that all share; it is drawn from the gamma distribution that has both.  Amounts go
together as far as their deviations did in the past.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.records.forecast import ComponentFit
from tenure.success.forecast.components import COMPONENTS, LAPSED, LOGOS
from tenure.success.forecast.fit import Level, without_shock

if TYPE_CHECKING:
    import pandas as pd


DRAWS = 4000
SEED = 20


@dataclass(frozen=True)
class Fitted:
    """What one amount is forecast with."""

    fit: ComponentFit
    """What comes of an expected amount."""
    level: Level
    """The shock that all accounts share."""
    stretch: float = 1.0
    """Factor on the deviation of the amount."""


def moments(fitted: Fitted, sums: pd.DataFrame) -> tuple[float, float]:
    """Return the mean and the deviation of an amount, without what is known to be lost.

    `sums` are those of a book or a part of it, by `due`; empty where no account counts.
    """
    expected, variance = without_shock(fitted.fit, sums) if len(sums) else (0.0, 0.0)
    rise = 1 + fitted.level.mean
    total = rise * variance + (expected * fitted.level.deviation) ** 2
    return rise * expected, fitted.stretch * total**0.5


def outlook(
    fitted: Mapping[str, Fitted],
    sums: Mapping[str, pd.DataFrame],
    sizes: Mapping[str, float],
    correlation: Mapping[str, float],
) -> tuple[dict[str, float], dict[str, Floats]]:
    """Return what is expected of a book or a part of it, and draws of the same.

    All go by component: those that lack a fit are left out, and sums, by `due`, are empty where no
    account counts.  `sizes` is a row of `tenure.success.forecast.components.totals`, `correlation`
    the output of `correlations`.

    Returns:
        accounts, start and due_start, and of each component the amount with what is known to be
        lost; the draws have shape (draws,).
    """
    names = [one.name for one in COMPONENTS if one.name in fitted]
    standard = _standard(names, correlation)
    known = {name: sizes.get(f"known_{name}", 0.0) for name in names}
    base = {name: sizes[name] for name in ("accounts", "start", "due_start")}
    most = {LOGOS.name: base["accounts"], LAPSED.name: base["due_start"]}
    mean, draws = dict(base), {name: np.full(DRAWS, value) for name, value in base.items()}
    for place, name in enumerate(names):
        expected, drawn = _amount(fitted[name], sums[name], standard[place], place)
        limit = most.get(name, np.inf if name == "expanded" else base["start"])
        mean[name] = known[name] + expected
        draws[name] = np.minimum(known[name] + drawn, limit)
    return mean, draws


def _amount(
    fitted: Fitted, sums: pd.DataFrame, standard: Floats, place: int
) -> tuple[float, Floats]:
    """Return the mean of an amount, and draws of it in the order of standard normal ones."""
    mean, deviation = moments(fitted, sums)
    if not mean > 0:
        return 0.0, np.zeros(DRAWS)
    rng = np.random.default_rng([SEED, place])
    drawn = np.sort(rng.gamma((mean / deviation) ** 2, deviation**2 / mean, DRAWS))
    ordered: Floats = drawn[standard.argsort().argsort()]
    return mean, ordered


def _standard(names: list[str], correlation: Mapping[str, float]) -> Floats:
    """Return correlated draws of the standard normal distribution, shape (names, draws)."""
    matrix = np.array(
        [
            [
                1.0 if a == b else correlation.get(f"{a} {b}", correlation.get(f"{b} {a}", 0.0))
                for b in names
            ]
            for a in names
        ]
    )
    rng = np.random.default_rng(SEED)
    # Pairs that share other windows than the next pair need not fit together exactly.
    return rng.multivariate_normal(
        np.zeros(len(names)), matrix, DRAWS, check_valid="ignore", method="eigh"
    ).T


def figures(parts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures of a book from its amounts, numbers or arrays alike.

    Amounts stay as they are; a figure whose parts or denominator are missing is left out.
    """
    result: dict[str, Any] = {}
    start, accounts = parts["start"], parts["accounts"]
    if "logos" in parts and np.all(accounts > 0):
        result |= {"logo_churn": parts["logos"], "logo_churn_rate": parts["logos"] / accounts}
    for name in ("churned", "contracted", "expanded"):
        if name in parts and np.all(start > 0):
            result[f"{name}_mrr"] = parts[name]
    if {"churned_mrr", "contracted_mrr"} <= result.keys():
        gross = 1 - np.minimum((parts["churned"] + parts["contracted"]) / start, 1)
        result["gross_revenue_retention"] = gross
        if "expanded_mrr" in result:
            result["net_revenue_retention"] = gross + parts["expanded"] / start
    if "lapsed" in parts and np.all(parts["due_start"] > 0):
        result["gross_renewal_rate"] = 1 - parts["lapsed"] / parts["due_start"]
    return result


def interval(draws: Floats, level: float) -> tuple[float, float]:
    """Return both ends of the middle of draws."""
    lo, hi = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return float(lo), float(hi)
