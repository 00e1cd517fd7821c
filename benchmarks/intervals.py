"""How often the bounds of a probability hold the true one; elsewhere, rates of groups.

    python benchmarks/intervals.py [--cells moderate strong ...] [--seeds 3] [--businesses saas ...]
                                   [--worlds 101 102] [--data churnsim]

On simulated books (`intervals_worlds`), businesses (`businesses`) and demo worlds the true
probability of each row of the latest prediction time is known, and of each row of the backtest.  On
other data the observed rates of groups that were formed without the score (segment × tenure ×
prediction time) have to lie between their mean bounds, widened by binomial noise at the same level,
and so has the number of outcomes of each prediction time.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import chdir
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from businesses.options import Options
from intervals_cases import Case, business, demo, tabular
from intervals_worlds import SHAPES, Recipe
from record import Claim, record
from scipy.stats import norm

from tenure.core.config import Config, load_config
from tenure.core.progress import SILENT
from tenure.run.prepare import Prepared, loaded, prepare
from tenure.run.walk import walk_target

ROOT = Path(__file__).parent.parent
TARGETS = ("churn", "expansion")
LEAST, MOST, LEAST_HIDDEN = 0.74, 0.86, 0.65
PLAIN = Recipe(outcomes=340, blur=0.5)
CELLS = {
    "moderate": PLAIN,
    "weak": replace(PLAIN, strength=0.5),
    "strong": replace(PLAIN, strength=2.0),
    "base rate 5 %": replace(PLAIN, base_rate=0.05),
    "base rate 20 %": replace(PLAIN, base_rate=0.2),
    "100 outcomes": replace(PLAIN, outcomes=100),
    "1,000 outcomes": replace(PLAIN, outcomes=1_000),
    "3,000 outcomes": replace(PLAIN, outcomes=3_000),
    "every column seen exactly": replace(PLAIN, blur=0.0),
    "hidden account effect, sd 1": replace(PLAIN, hidden_sd=1.0),
}
"""Cell → its books, one of each shape and seed."""
SMALLEST = 30  # rows of a group


def main() -> None:
    """Measure the chosen books and worlds, and write ``benchmarks/results/intervals.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", nargs="*", choices=CELLS, default=list(CELLS))
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--businesses", nargs="*", default=["saas", "strong", "hierarchical"])
    parser.add_argument("--worlds", type=int, nargs="*", default=[101, 102, 103, 104, 105])
    parser.add_argument("--data", nargs="*", default=["churnsim"])
    options = parser.parse_args()
    claims = []
    for name in options.cells:
        claims += cell(name, options.seeds)
    for kind in options.businesses:
        claims += shares(f"business {kind}", business(kind, Options(seed=31, n_accounts=1200)))
    for seed in options.worlds:
        claims += shares(f"demo world {seed}", demo(seed))
    default = (ROOT / ".." / "shared" / "data").resolve()
    data = Path(os.environ.setdefault("TENURE_TESTDATA", str(default)))
    for name in options.data:
        if data.is_dir():
            claims += groups(name, load_config(ROOT / "configs" / f"{name}.yaml"))
        else:
            print(f"skipped {name}: {data} does not exist")
    record("intervals", claims)


def cell(name: str, seeds: int) -> list[Claim]:
    """Measure the books of a cell: the mean share inside over shapes and seeds."""
    recipes = [
        replace(CELLS[name], shape=shape, seed=5_000 + seed)
        for shape in SHAPES
        for seed in range(seeds if CELLS[name].outcomes <= 1_000 else 1)
    ]
    cases = [tabular(recipe) for recipe in recipes]
    held = [case.inside().mean() for case in cases]
    what = f"{name}: true probabilities inside, level 0.8, mean of {len(cases)} books"
    claims = _within(what, float(np.mean(held)), hidden=CELLS[name].hidden_sd > 0)
    return [
        *claims,
        Claim(f"{name}: lowest of them", float(min(held)), ""),
        Claim(f"{name}: highest of them", float(max(held)), ""),
        Claim(f"{name}: all folds", float(np.mean([case.earlier for case in cases])), ""),
        Claim(f"{name}: width", float(np.mean([case.width for case in cases])), "in log-odds"),
    ]


def shares(what: str, cases: Iterable[Case]) -> Iterator[Claim]:
    """Yield what was measured on the cases of one world."""
    for case in cases:
        name = f"{what}, {case.maker.split(', ')[-1]}"
        yield from _within(f"{name}: true probabilities inside, level 0.8", case.inside().mean())
        yield Claim(f"{name}: all folds", case.earlier, "")
        yield Claim(f"{name}: width", case.width, "in log-odds")


def _within(what: str, share: float, *, hidden: bool = False) -> list[Claim]:
    least = Claim(what, share, "", LEAST_HIDDEN if hidden else LEAST, at_most=False)
    return [least] if hidden else [least, Claim(f"{what}, at most", share, "", MOST)]


def groups(name: str, config: Config) -> Iterator[Claim]:
    """Yield the shares of rates of groups, and of totals of prediction times, that lie inside."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        with loaded(config, thorough=False) as dataset:
            prepared = prepare(config, dataset)
        for target in TARGETS:
            if prepared.labels[target]["label"].sum() >= config.model.min_events:
                rows = _walked(target, prepared, config)
                level = config.model.interval_level
                for what, by in (
                    ("rates of segment × tenure × time", ["segment", "tenure", "as_of"]),
                    ("totals of prediction times", ["as_of"]),
                ):
                    share, count = inside_groups(rows, by, level)
                    yield Claim(f"{name}, {target}: {count} {what}, level {level:g}", share, "")


def _walked(target: str, prepared: Prepared, config: Config) -> pd.DataFrame:
    """Return the out-of-time predictions of a target, with segment and thirds of tenure."""
    rows = walk_target(target, prepared, config, SILENT).predictions
    values = prepared.matrix.values.iloc[rows["row"]].reset_index(drop=True)
    tenure = values.get("tenure_days", pd.Series(0.0, index=values.index)).rank(pct=True)
    segment = values.get("segment", pd.Series("", index=values.index)).astype(str)
    return rows.assign(segment=segment.to_numpy(), tenure=np.ceil(3 * np.asarray(tenure)))


def inside_groups(rows: pd.DataFrame, by: list[str], level: float) -> tuple[float, int]:
    """Return the share of groups whose observed rate lies inside, and how many groups there are."""
    rows = rows.assign(variance=rows["probability"] * (1 - rows["probability"]))
    grouped = rows.groupby(by, observed=True, dropna=False)
    means, size = grouped.mean(numeric_only=True), grouped.size()
    means, size = means[size >= SMALLEST], size[size >= SMALLEST]
    noise = norm.ppf((1 + level) / 2) * np.sqrt(means["variance"] / size)
    lo, hi = means["probability_lo"] - noise, means["probability_hi"] + noise
    return float(means["label"].between(lo, hi).mean()), len(means)


if __name__ == "__main__":
    main()
