"""Are probabilities right lately, on businesses of another making, with and without shocks?

    python benchmarks/unseen_worlds.py [--kinds saas] [--seeds 1 2 3] [--accounts 3000]

The model is trained on everything known at the end of the history and scores the last four months,
whose outcomes the simulation knows.  Beside it stand a LightGBM with its own defaults and without
calibration on the same columns, and one on some sixty plain columns.
"""

from __future__ import annotations

import argparse
import tempfile
from contextlib import chdir
from dataclasses import replace
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd
from businesses import KINDS, World, simulate
from businesses.options import Options, Shock
from businesses.plain import plain_columns
from record import Claim, record
from sklearn.metrics import roc_auc_score

from tenure.core.config import load_config
from tenure.labels.targets import TARGETS
from tenure.model.backtest.walk_forward import walk_forward
from tenure.model.boosting.encoder import Encoder
from tenure.model.calibration.losses import log_loss
from tenure.model.settings import FitSettings
from tenure.run.prepare import Prepared, loaded, prepare

SHOCKS: tuple[Shock, ...] = ("none", "passes", "stays", "season")
SETTLED = ("none", "passes")
"""Shocks after which the level is what it was."""
MONTHS = 4
KEYS = ["account_id", "as_of"]
SIDES = ("Tenure", "LightGBM, same columns", "LightGBM, plain columns")


def main() -> None:
    """Measure and write ``benchmarks/results/unseen_worlds.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=["saas"])
    parser.add_argument("--shocks", nargs="+", choices=SHOCKS, default=list(SHOCKS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--accounts", type=int, default=3000)
    options = parser.parse_args()
    rows = [
        row
        for kind in options.kinds
        for shock in options.shocks
        for seed in options.seeds
        for row in measured(kind, Options(seed=seed, n_accounts=options.accounts, shock=shock))
    ]
    record("unseen_worlds", claims(pd.DataFrame(rows)))


def measured(kind: str, options: Options) -> list[dict[str, object]]:
    """Return, for each target and side, what the last months say of it."""
    world = simulate(kind, options)
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        config = load_config(world.write(Path(folder)))
        with loaded(config, thorough=False) as dataset:
            prepared = prepare(config, dataset)
        rows = []
        for target in config.targets:
            settings = FitSettings.of(config, prepared.plan.ranked, TARGETS[target].outcome)
            sides = predicted(world, prepared, target, replace(settings, bare=True, max_folds=4))
            for side, (labels, chance) in sides.items():
                rows.append(
                    {
                        "kind": kind,
                        "shock": options.shock,
                        "seed": options.seed,
                        "target": target,
                        "side": side,
                        "observed": labels.mean(),
                        "mean": chance.mean(),
                        "log_loss": log_loss(labels, chance, 1e-6).mean(),
                        "auc": roc_auc_score(labels, chance),
                    }
                )
                print({k: round(v, 4) if isinstance(v, float) else v for k, v in rows[-1].items()})
    return rows


def predicted(
    world: World, prepared: Prepared, target: str, settings: FitSettings
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return outcomes and probabilities of the last months, for each side."""
    labelled, values = prepared.labels[target], prepared.matrix.values
    early = prepared.early[target]
    walk = walk_forward(values, labelled, settings, since=prepared.matrix.since, early=early)
    times = np.sort(labelled["as_of"].unique())[-MONTHS:]
    last = np.flatnonzero(labelled["as_of"].isin(times))
    outcomes = world.outcomes(pd.DatetimeIndex(times)).set_index(KEYS)[f"{target}_90"]
    labels = outcomes.reindex(pd.MultiIndex.from_frame(labelled.iloc[last][KEYS])).to_numpy(float)
    known = ~np.isnan(labels)
    last, labels = last[known], labels[known]
    train = np.flatnonzero(labelled["label"].notna())
    past = labelled["label"].to_numpy(float)[train]
    encoder = Encoder.fit(values.iloc[train])
    same = encoder.transform(values)
    plain = plain_columns(world.tables, labelled[KEYS]).to_numpy(float)
    chances = [walk.final.probabilities(values.iloc[last])]
    chances += [untuned(columns[train], past, columns[last]) for columns in (same, plain)]
    return {side: (labels, chance) for side, chance in zip(SIDES, chances, strict=True)}


def untuned(train: np.ndarray, labels: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the probabilities of a LightGBM with its own defaults."""
    parameters = {"objective": "binary", "verbosity": -1, "num_threads": 1, "seed": 0}
    booster = lgb.train(parameters, lgb.Dataset(train, labels), 100)
    return np.asarray(booster.predict(others))


def claims(rows: pd.DataFrame) -> list[Claim]:
    """Return what the issue asks of these worlds."""
    keys = ["kind", "shock", "seed", "target"]
    wide = rows.set_index([*keys, "side"])[["observed", "mean", "log_loss", "auc"]].unstack("side")
    own, others = SIDES[0], SIDES[1:]
    off = (wide["mean"][own] / wide["observed"][own] - 1).abs()
    settled = off.index.get_level_values("shock").isin(SETTLED)
    results = [
        Claim(
            "worlds with a settled level whose mean prediction is within 15 % of what happens",
            float((off[settled] <= 0.15).mean()),
            "of all",
            0.9,
            at_most=False,
        ),
        Claim("median distance of the mean prediction, all worlds", float(off.median()), ""),
    ]
    for side in others:
        gain = wide["log_loss"][side] - wide["log_loss"][own]
        results += [
            Claim(
                f"worlds whose log loss is below that of {side}",
                float((gain > 0).mean()),
                "",
                1.0,
                at_most=False,
            ),
            Claim(f"least gain in log loss over {side}", float(gain.min()), ""),
            Claim(
                f"mean gain in AUC over {side}",
                float((wide["auc"][own] - wide["auc"][side]).mean()),
                "",
            ),
        ]
    return results


if __name__ == "__main__":
    main()
