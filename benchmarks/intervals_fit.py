"""Fit the numbers by which `tenure.model.calibration.interval` widens bounds.

    python benchmarks/intervals_fit.py [--books 60] [--businesses saas strong ...]

Books are drawn at random from makers, strengths, base rates, sizes and hidden effects, and each
business stands beside them.  The numbers are those at which the shares of true probabilities
inside, averaged over the books of each kind, lie nearest to the level; books with a hidden effect
only pull where they hold less than `HIDDEN_LEAST`.  Then each maker is left out in turn: the
numbers fitted on the others have to hold on it.  ``benchmarks/results/intervals_fit.json`` holds
what came out, to be held against the numbers of the module.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from businesses.options import Options
from intervals_cases import Case, business, tabular
from intervals_worlds import SHAPES, Recipe
from numpy.typing import NDArray
from record import Claim, record
from scipy.optimize import minimize
from scipy.special import expit

from tenure.model.calibration import interval as module
from tenure.model.calibration.losses import log_odds

Floats = NDArray[np.float64]

NUMBERS = ("MISSED", "POWER", "HIDDEN")
PRESENT = (module.MISSED, module.POWER, module.HIDDEN)
HIDDEN_LEAST = 0.7
SOFT = 0.1
"""Softness of the bounds' ends while fitting, over their width: it makes shares differentiable."""
KINDS: dict[str, Callable[[Recipe], bool]] = {
    "weak": lambda recipe: recipe.strength < 0.8,
    "moderate": lambda recipe: 0.8 <= recipe.strength < 1.3,
    "strong": lambda recipe: recipe.strength >= 1.3,
    "rare": lambda recipe: recipe.base_rate < 0.07,
    "usual": lambda recipe: 0.07 <= recipe.base_rate < 0.15,
    "frequent": lambda recipe: recipe.base_rate >= 0.15,
    "few": lambda recipe: recipe.outcomes < 150,
    "many": lambda recipe: recipe.outcomes > 700,
    "business": lambda recipe: recipe.shape not in SHAPES,
}


def main() -> None:
    """Draw books, fit the numbers, leave each maker out, and record what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--books", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--businesses", nargs="*", default=["saas", "hierarchical", "bursty"])
    options = parser.parse_args()
    cases = [tabular(recipe) for recipe in drawn(options.books, options.seed)]
    for kind in options.businesses:
        cases += business(kind, Options(seed=options.seed, n_accounts=1000), ("churn", "expansion"))
    record("intervals_fit", claims(cases))


def drawn(count: int, seed: int) -> list[Recipe]:
    """Return random recipes."""
    rng = np.random.default_rng(seed)
    return [
        Recipe(
            shape=str(rng.choice(list(SHAPES))),
            strength=float(rng.choice([0.3, 0.6, 1, 1.5, 2])),
            base_rate=float(rng.choice([0.05, 0.1, 0.2])),
            outcomes=int(rng.choice([100, 200, 340, 1000], p=[0.2, 0.2, 0.4, 0.2])),
            hidden_sd=float(rng.choice([0, 0, 0, 0.5, 1])),
            blur=float(rng.choice([0, 0.5, 0.5, 1])),
            idle=int(rng.choice([10, 40])),
            seed=int(rng.integers(1, 1_000_000)),
        )
        for _ in range(count)
    ]


def claims(cases: Sequence[Case]) -> list[Claim]:
    """Return the fitted numbers, and the shares inside by kind, fitted with and without a maker."""
    numbers = fit(cases)
    shares = np.array([inside(case, numbers) for case in cases])
    lines = [Claim(name, value, "") for name, value in zip(NUMBERS, numbers, strict=True)]
    lines += [Claim(f"inside, {kind}", share, "") for kind, share in by_kind(cases, shares).items()]
    for maker in sorted({case.maker for case in cases}):
        others = fit([case for case in cases if case.maker != maker])
        held = [case for case in cases if case.maker == maker and not case.recipe.hidden_sd]
        share = float(np.mean([inside(case, others) for case in held]))
        lines.append(Claim(f"inside, {maker} held out", share, ""))
    return lines


def fit(cases: Sequence[Case]) -> Floats:
    """Return `NUMBERS`, from cases made with the present ones."""

    def loss(logs: Floats) -> float:
        shares = np.array([inside(case, np.exp(logs), SOFT) for case in cases])
        kinds = by_kind(cases, shares)
        short = max(HIDDEN_LEAST - kinds.pop("hidden", 1.0), 0.0)
        plain = np.array([not case.recipe.hidden_sd for case in cases])
        spread = ((shares - cases[0].interval.level)[plain] ** 2).mean()
        gaps = np.array(list(kinds.values())) - cases[0].interval.level
        return float((gaps**2).mean() + spread / 2 + short**2)

    best = minimize(loss, np.log(PRESENT), method="Nelder-Mead", options={"maxfev": 200})
    return np.asarray(np.exp(best.x))


def by_kind(cases: Sequence[Case], shares: Floats) -> dict[str, float]:
    """Return the mean share of the cases of each kind; those with hidden effects are their own."""
    kinds = {"hidden": [case.recipe.hidden_sd == 1 for case in cases]}
    for name, holds in KINDS.items():
        kinds[name] = [holds(case.recipe) and not case.recipe.hidden_sd for case in cases]
    return {name: float(shares[mask].mean()) for name, mask in kinds.items() if any(mask)}


def inside(case: Case, numbers: Floats, soft: float | None = None) -> float:
    """Return the share of the true probabilities inside, were the numbers other ones.

    Args:
        case: A case made with the present numbers.
        numbers: In place of `NUMBERS`.
        soft: Width of the ends over that of the bounds; without it an end is sharp.
    """
    missed, power, hidden = numbers
    rate = float(case.probabilities.mean()) ** module.RATE
    seen = (case.interval.missed / module.MISSED / rate) ** (1 / module.POWER)
    other = replace(
        case.interval,
        missed=missed * seen**power * rate,
        hidden=case.interval.hidden * hidden / module.HIDDEN,
    )
    if soft is None:
        return float(case.inside(other).mean())
    lo, hi = (log_odds(end) for end in other.bounds(case.probabilities, case.matrix))
    truth, end = log_odds(case.truth), soft * (hi - lo) / 2
    return float((expit((truth - lo) / end) * expit((hi - truth) / end)).mean())


if __name__ == "__main__":
    main()
