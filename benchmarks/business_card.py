"""Measure the businesses of `businesses`: rates, what a perfect model could do, and shocks.

Run: ``python benchmarks/business_card.py [--accounts 1500] [--seeds 2] [--check]``

With ``--check`` each is also written for 400 accounts (150 for ``weekly``), audited by Tenure, and
the labels of Tenure are held against the outcomes of the simulation.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pandas as pd
from businesses import KINDS, SIZES, World, simulate
from businesses.options import Options, Shock
from sklearn.metrics import roc_auc_score

from tenure import Project

SHOCKS: tuple[Shock, ...] = ("none", "passes", "stays", "season")
TARGETS = ("churn", "expansion")
LAST_MONTHS = 16


def measure(kind: str, seed: int, accounts: int) -> str:
    """Return a row of the table of businesses."""
    started = time.perf_counter()
    world = simulate(kind, Options(seed=seed, n_accounts=accounts))
    took = time.perf_counter() - started
    outcomes, truth = world.outcomes(), world.truth(replays=16)
    leavers = int((world.lives.decided < world.lives.grid.until).sum())
    cells = [f"{kind}", f"{seed}", f"{took:.1f}", f"{len(outcomes):,}", f"{leavers:,}"]
    for target in TARGETS:
        happened, chance = outcomes[f"{target}_90"], truth[f"{target}_90"]
        auc = roc_auc_score(happened, chance)
        cells += [f"{happened.mean():.3f}", f"{chance.mean():.3f}", f"{auc:.3f}"]
    return f"| {' | '.join(cells)} |"


def shocks(kind: str, accounts: int) -> pd.DataFrame:
    """Return the share that leaves within 30 days, by month and shock."""
    columns = {}
    for shock in SHOCKS:
        options = Options(seed=1, n_accounts=accounts, shock=shock)
        outcomes = simulate(kind, options).outcomes()
        columns[shock] = outcomes.groupby("as_of")["churn_30"].mean()
    return pd.DataFrame(columns).tail(LAST_MONTHS)


def checked(world: World, folder: Path) -> str:
    """Return what Tenure says of a written world; its labels are those of the simulation."""
    project = Project(world.write(folder))
    check = project.check()
    rejected = int(check.tables["rows_rejected"].sum())
    red = int(check.remarks["red"].sum())
    lines = [f"check passed: {check.passed}, {rejected} rows rejected, {red} red remarks"]
    for target in TARGETS:
        rows = project.training_set(target)
        times = pd.DatetimeIndex(rows.as_of.unique())
        outcomes = world.outcomes(times).set_index(["as_of", "account_id"])
        pairs = rows.info[["label"]].join(outcomes[f"{target}_90"], how="outer")
        agree = Counter((pairs["label"] == pairs[f"{target}_90"])[pairs["label"].notna()])
        lines.append(f"{rows!r}: {agree[True]:,} labels agree, {agree[False]:,} do not")
    return "\n  ".join(lines)


def main() -> int:
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--accounts", type=int, default=1500)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    parts = ("happened", "true", "AUC of the truth")
    heads = ["business", "seed", "s", "rows", "leavers"]
    heads += [f"{target}: {part}" for target in TARGETS for part in parts]
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for kind in options.kinds:
        for seed in range(options.seeds):
            size = SIZES[kind] if kind == "weekly" else options.accounts
            print(measure(kind, seed, size), flush=True)
    print(f"\n{options.kinds[0]}, left within 30 days:")
    print(shocks(options.kinds[0], options.accounts).round(3).to_string())
    for kind in options.kinds if options.check else ():
        with tempfile.TemporaryDirectory() as folder:
            world = simulate(kind, Options(seed=1, n_accounts=150 if kind == "weekly" else 400))
            print(f"\n{kind}\n  {checked(world, Path(folder))}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
