"""How often the bounds of a probability hold the true one; elsewhere, rates of groups.

    python benchmarks/intervals.py [--seeds 101 102] [--data churnsim]

On a demo world the true probability of each row is known.  On other data rows are put into bins of
rising probability with at least 30 events each: the observed rate has to lie between the mean
bounds, widened by binomial noise at the same level.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from contextlib import chdir
from pathlib import Path

import numpy as np
import pandas as pd
from record import Claim, record
from scipy.special import logit
from scipy.stats import norm
from truth.demo_truth import Replay, write_oracle

from tenure.core.config import Config, load_config
from tenure.core.progress import SILENT
from tenure.demo import write_world
from tenure.run.fit import walk_target
from tenure.run.prepare import loaded, prepare

ROOT = Path(__file__).parent.parent
TARGETS = ("churn", "expansion")
EVENTS = 30
KEYS = ["account_id", "as_of"]


def main() -> None:
    """Measure what was asked for and write ``benchmarks/results/intervals.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=[101, 102])
    parser.add_argument("--data", nargs="*", default=["churnsim"])
    asked = parser.parse_args()
    claims = [claim for seed in asked.seeds for claim in world(seed)]
    default = (ROOT / ".." / "shared" / "data").resolve()
    data = Path(os.environ.setdefault("TENURE_TESTDATA", str(default)))
    for name in asked.data:
        if data.is_dir():
            claims += groups(name, load_config(ROOT / "configs" / f"{name}.yaml"))
        else:
            print(f"skipped {name}: {data} is not there")
    record("intervals", claims)


def world(seed: int) -> list[Claim]:
    """Measure one demo world."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_world(root / "data", seed=seed)
        (root / "config.yaml").write_text("data: {path: data}\n", encoding="utf-8")
        truth = pd.read_parquet(write_oracle(root / "truth", seed=seed, replay=Replay(32, 16)))
        claims: list[Claim] = []
        for target, (found, level) in walks(load_config(root / "config.yaml")).items():
            true = truth[truth["target"] == target].set_index(KEYS)["probability"]
            rows = found.set_index(KEYS).join(true.rename("truth"), how="inner")
            inside = rows["truth"].between(rows["probability_lo"], rows["probability_hi"])
            error = logit(rows["truth"].clip(1e-4, 1 - 1e-4)) - logit(rows["probability"])
            width = (logit(rows["probability_hi"]) - logit(rows["probability_lo"])) / 2
            spread = width / norm.ppf((1 + level) / 2)
            what = f"world {seed}, {target}"
            claims += [
                Claim(f"{what}: true probabilities inside, level {level:g}", inside.mean(), ""),
                Claim(
                    f"{what}: distance of the true log-odds over the spread behind the bounds",
                    float(np.sqrt((error**2).mean() / (spread**2).mean())),
                    "times",
                ),
                Claim(f"{what}: mean width", float((2 * width).mean()), "in log-odds"),
            ]
    return claims


def groups(name: str, config: Config) -> list[Claim]:
    """Measure rates of bins of equally many events on other data."""
    claims = []
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        for target, (found, level) in walks(config).items():
            rows = found.sort_values("probability", ignore_index=True)
            count = int(rows["label"].sum() // EVENTS)
            if count < 2:
                continue
            bins = np.minimum((rows["label"].cumsum() // EVENTS).astype(int), count - 1)
            bounds = ["probability", "probability_lo", "probability_hi", "label"]
            means = rows.groupby(bins)[bounds].mean()
            size = rows.groupby(bins).size()
            middle = means["probability"]
            noise = norm.ppf((1 + level) / 2) * np.sqrt(middle * (1 - middle) / size)
            lo, hi = means["probability_lo"] - noise, means["probability_hi"] + noise
            what = f"{name}, {target}: observed rates of {count} bins inside, level {level:g}"
            claims.append(Claim(what, float(means["label"].between(lo, hi).mean()), ""))
    return claims


def walks(config: Config) -> dict[str, tuple[pd.DataFrame, float]]:
    """Return the out-of-time predictions of both targets, where there are any, and the level."""
    found = {}
    with loaded(config, thorough=False) as dataset:
        prepared = prepare(config, dataset)
        for target in TARGETS:
            if prepared.labels[target]["label"].sum() >= config.model.min_events:
                walk = walk_target(target, prepared, config, SILENT)
                found[target] = (walk.predictions, config.model.interval_level)
    return found


if __name__ == "__main__":
    main()
