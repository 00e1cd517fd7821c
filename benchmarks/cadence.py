"""Is a model that learns from every Monday as good as one that learns from every fourth?

    python benchmarks/cadence.py [--worlds 101 102 103]

Prediction times a week apart see nearly the same, so that four times the rows hold few new
outcomes: sizes, floors and priors count outcomes.  Both walk through the same history of a demo
world with the default settings and are compared at every fourth Monday, on the same rows.  Writes
``benchmarks/results/cadence.json``.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from record import Claim, record
from sklearn.metrics import roc_auc_score

from tenure.core.config import make_config
from tenure.demo import write_world
from tenure.model.backtest.walk_forward import walk_forward
from tenure.model.calibration.losses import log_loss
from tenure.model.settings import FitSettings
from tenure.run.prepare import Prepared, loaded, prepare

if TYPE_CHECKING:
    import pandas as pd

FOURTH, FOLDS = 4, 12
KEYS = ["account_id", "as_of"]
MOST_AUC, MOST_GAIN = 0.003, 0.03


def main() -> None:
    """Measure and write the claims."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", nargs="+", type=int, default=[101, 102, 103])
    parser.add_argument("--accounts", type=int, default=1500)
    options = parser.parse_args()
    claims: list[Claim] = []
    for seed in options.worlds:
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder)
            write_world(home / "data", accounts=options.accounts, seed=seed)
            config = make_config(
                {
                    "name": "cadence",
                    "data": {"path": "data"},
                    "targets": ["churn"],
                    "calendar": {"cadence": "weekly"},
                    "model": {"threads": 1},
                    "paths": {"runs": str(home / "runs")},
                },
                base=home,
            )
            with loaded(config, thorough=False) as dataset:
                prepared = prepare(config, dataset)
        settings = replace(FitSettings.of(config, prepared.plan.ranked), bare=True)
        claims += compared(f"demo world {seed}", prepared, settings)
    record("cadence", claims)


def compared(what: str, prepared: Prepared, settings: FitSettings) -> list[Claim]:
    """Return how far a model of every Monday is from one of every fourth, on the same rows."""
    labels = prepared.labels["churn"]
    times = np.unique(labels["as_of"])[::-FOURTH]
    fourth = np.flatnonzero(labels["as_of"].isin(times).to_numpy())
    monthly = walked(prepared, fourth, replace(settings, max_folds=FOLDS))
    weekly = walked(prepared, np.arange(len(labels)), replace(settings, max_folds=FOURTH * FOLDS))
    both = monthly.merge(weekly, on=KEYS, suffixes=("_monthly", "_weekly"))
    y, base = both["label_monthly"].to_numpy(float), both["base_rate_monthly"].to_numpy(float)
    auc, gain = {}, {}
    for way in ("monthly", "weekly"):
        p = both[f"probability_{way}"].to_numpy(float)
        auc[way] = float(roc_auc_score(y, p))
        gain[way] = float((log_loss(y, base, 1e-6) - log_loss(y, p, 1e-6)).mean())
    return [
        *(Claim(f"{what}, {way}: AUC", value, "") for way, value in auc.items()),
        *(Claim(f"{what}, {way}: gain in log loss", value, "nats") for way, value in gain.items()),
        Claim(f"{what}: AUC lost by weekly", auc["monthly"] - auc["weekly"], "", MOST_AUC),
        Claim(f"{what}: gain lost by weekly", 1 - gain["weekly"] / gain["monthly"], "", MOST_GAIN),
    ]


def walked(prepared: Prepared, rows: np.ndarray, settings: FitSettings) -> pd.DataFrame:
    """Return the predictions of a walk over some of the snapshots."""
    chosen = [prepared.labels["churn"], prepared.early["churn"], prepared.matrix.values]
    labels, early, values = (frame.iloc[rows].reset_index(drop=True) for frame in chosen)
    walk = walk_forward(values, labels, settings, since=prepared.matrix.since, early=early)
    return walk.predictions[[*KEYS, "label", "probability", "base_rate"]]


if __name__ == "__main__":
    main()
