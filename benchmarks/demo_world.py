"""Measure the demo world over five seeds: base rates and how well its true probabilities rank.

Run: ``python benchmarks/demo_world.py [--seeds 5] [--replays 32] [--write docs/demo-world.md]``
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score
from truth.demo_planted import world_card
from truth.demo_truth import Replay, read_outcomes, write_oracle

from tenure.core.files import write_text
from tenure.demo import write_world

HELD_OUT_MONTH = 24
COLUMNS = (
    "| seed | target | rate, all months | snapshots | rate | mean true probability"
    " | calibration gap | AUC |\n|---|---|---|---|---|---|---|---|"
)


def measure(seed: int, replays: int, folder: Path) -> tuple[dict[str, float], list[str]]:
    started = time.process_time()
    summary = write_world(folder, seed=seed)
    took = time.process_time() - started
    path = write_oracle(folder / "truth", seed=seed, replay=Replay(replays, HELD_OUT_MONTH))
    truth = pd.read_parquet(path)
    outcomes = read_outcomes(folder, pd.Timestamp(summary.observed_until))
    lines = []
    for target in ("churn", "expansion"):
        rows = truth[truth["target"] == target].merge(outcomes, on=["account_id", "as_of"])
        rows = rows[rows[target].notna()]
        tenth = pd.qcut(rows["probability"].rank(method="first"), 10, labels=False)
        means = rows.groupby(tenth)[["probability", target]].mean()
        gap = np.abs(means["probability"] - means[target]).mean()
        auc = roc_auc_score(rows[target], rows["probability"])
        lines.append(
            f"| {seed} | {target} | {outcomes[target].mean():.3f} | {len(rows):,} |"
            f" {rows[target].mean():.3f} | {rows['probability'].mean():.3f} | {gap:.3f} |"
            f" {auc:.3f} |"
        )
    return {"seconds": took, "events": summary.rows["usage_events"]}, lines


def report(results: list[tuple[dict[str, float], list[str]]], replays: int) -> str:
    seconds = np.median([facts["seconds"] for facts, _ in results])
    events = np.median([facts["events"] for facts, _ in results])
    rows = "\n".join(line for _, lines in results for line in lines)
    return (
        "## Measured\n\n"
        f"By `benchmarks/demo_world.py`: 1,500 accounts, 42 months, {replays} replays; from the"
        f" fourth column on, snapshots from month {HELD_OUT_MONTH} with a known outcome. Writing"
        f" the tables took {seconds:.1f} s of processor time (median), {events:,.0f} usage events."
        " The calibration gap is the mean over tenths of the true probability of its distance to"
        " what happened.\n\n"
        f"{COLUMNS}\n{rows}\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--replays", type=int, default=32)
    parser.add_argument("--write", type=Path, help="where to write the world's description")
    options = parser.parse_args()
    results = []
    for seed in range(options.seeds):
        with tempfile.TemporaryDirectory() as folder:
            results.append(measure(seed, options.replays, Path(folder)))
    text = report(results, options.replays)
    print(text)
    if options.write:
        write_text(options.write, world_card(text))


if __name__ == "__main__":
    main()
