"""What small books get: how many with a real signal are found, and how many without one are.

    python benchmarks/small_books.py [--books 24] [--accounts 220] [--months 20]

Each book is a simulated business of a few dozen outcomes.  Without a signal its features are dealt
anew to the accounts of a time.  Beside the default stand boosters of single splits and the mean of
three seeds.  Writes ``benchmarks/results/small_books.json``.
"""

from __future__ import annotations

import argparse
import tempfile
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from businesses import simulate
from businesses.options import Options
from record import Claim, record
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from tenure.core.config import Config, load_config
from tenure.model.backtest.walk_forward import walk_forward
from tenure.model.calibration.losses import log_loss, log_odds
from tenure.model.evaluation.evaluate import evaluate
from tenure.model.evaluation.verdict import judge
from tenure.model.settings import EvaluationSettings, FitSettings
from tenure.run.prepare import Prepared, loaded, prepare

STUMPS = {"max_depth": 1, "num_leaves": 2, "num_iterations": 300}
WAYS: dict[str, dict[str, Any]] = {"default": {}, "single splits": STUMPS}
FALSE_ALARMS = 1 / 20


@dataclass(frozen=True)
class Book:
    """One book: what `tenure train` would have learnt from."""

    config: Config
    prepared: Prepared


def main() -> None:
    """Measure and write the claims."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--books", type=int, default=24)
    parser.add_argument("--accounts", type=int, default=220)
    parser.add_argument("--months", type=int, default=20)
    options = parser.parse_args()
    rows = []
    for seed in range(1, options.books + 1):
        wanted = Options(seed=seed, n_accounts=options.accounts, months=options.months)
        with tempfile.TemporaryDirectory() as folder, chdir(folder):
            config = load_config(simulate("saas", wanted).write(Path(folder)))
            with loaded(config, thorough=False) as dataset:
                book = Book(config, prepare(config, dataset))
        for signal in ("real", "none"):
            for way, parameters in WAYS.items():
                one = measured(book, parameters, shuffled=signal == "none", seed=seed)
                rows.append({"seed": seed, "signal": signal, "way": way, **one})
                print({k: round(v, 4) if isinstance(v, float) else v for k, v in rows[-1].items()})
    record("small_books", claims(pd.DataFrame(rows)))


def measured(
    book: Book, parameters: dict[str, Any], *, shuffled: bool, seed: int
) -> dict[str, Any]:
    """Return the verdict on a book, and what its probabilities were worth."""
    prepared, labels = book.prepared, book.prepared.labels["churn"]
    values = prepared.matrix.values
    if shuffled:
        rng, order = np.random.default_rng(seed), np.arange(len(values))
        for place in labels.groupby("as_of").indices.values():
            order[place] = rng.permutation(place)
        values = values.iloc[order].reset_index(drop=True)
    settings = FitSettings.of(book.config, prepared.plan.ranked).with_model(
        parameters=parameters, threads=1
    )
    early = prepared.early["churn"]
    walk = walk_forward(values, labels, settings, since=prepared.matrix.since, early=early)
    if walk.predictions.empty:
        return {"verdict": "no folds"}
    verdict = judge(
        evaluate(walk.predictions, walk.baselines, EvaluationSettings.of(book.config)),
        walk.shortage,
    )
    p, y = (walk.predictions[name].to_numpy(float) for name in ("probability", "label"))
    base = walk.baselines["base_rate"].to_numpy(float)
    line = LogisticRegression(C=1e6).fit(log_odds(p)[:, None], y)
    return {
        "verdict": verdict.status,
        "outcomes": walk.predictions.loc[y == 1, "outcome_id"].nunique(),
        "auc": roc_auc_score(y, p),
        "logistic_auc": roc_auc_score(y, walk.baselines["logistic_regression"]),
        "gain": float((log_loss(y, base, 1e-6) - log_loss(y, p, 1e-6)).mean()),
        "slope": float(line.coef_[0, 0]),
    }


def claims(rows: pd.DataFrame) -> list[Claim]:
    """Return the shares of books called usable, and what the probabilities were worth."""
    made = []
    for (signal, way), part in rows.groupby(["signal", "way"], sort=False):
        what = f"{way}, signal {signal}"
        usable = float(part["verdict"].isin(["usable", "usable_before"]).mean())
        limit = FALSE_ALARMS if signal == "none" and way == "default" else None
        made.append(Claim(f"{what}: books called usable", usable, "of all", limit))
        for name, unit in (
            ("outcomes", ""),
            ("auc", ""),
            ("logistic_auc", ""),
            ("gain", "nats"),
            ("slope", ""),
        ):
            made.append(Claim(f"{what}: median {name}", float(part[name].median()), unit))
    return made


if __name__ == "__main__":
    main()
