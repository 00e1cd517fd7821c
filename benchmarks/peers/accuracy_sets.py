"""The data sets of the accuracy benchmark.

The frozen worlds are for measuring alone: nothing is chosen, tuned or looked at on them but the
result.  A test holds a hash of what their seeds generate.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from businesses import SIZES, World, simulate
from businesses.options import Options
from truth.demo_truth import Replay, write_oracle

from tenure.core.config import Config, PathConfig
from tenure.demo import write_world
from tenure.features.plan.config_checks import load_config
from tenure.run.demo import CONFIG

ROOT = Path(__file__).parents[2]
FROZEN_SEEDS = (9001, 9002, 9003)
ACCOUNTS = 1_500
BUSINESSES = ("saas", "hierarchical", "bursty", "strong", "weekly", "surveys_only")
REPLAYS = 64
KEYS = ["account_id", "as_of"]


@dataclass(frozen=True)
class DataSet:
    """One data set.

    Attributes:
        name: Its name.
        targets: What is predicted.
        seed: Seed of a frozen world; None for data that others made.
        kind: The business that is simulated; by default the demo world.
    """

    name: str
    targets: tuple[str, ...]
    seed: int | None = None
    kind: str | None = None

    def config(self, folder: Path) -> Config:
        """Return the config, with everything it writes under a folder; a world is written first."""
        if self.seed is None:
            config = load_config(ROOT / "configs" / f"{self.name}.yaml")
        elif self.kind is not None:
            path = folder / "config.yaml"
            config = load_config(path if path.exists() else self.business().write(folder))
        else:
            path = folder / "config.yaml"
            if not path.exists():
                folder.mkdir(parents=True, exist_ok=True)
                write_world(folder / "data", accounts=ACCOUNTS, seed=self.seed)
                path.write_text(CONFIG, encoding="utf-8")
            config = load_config(path)
        paths = PathConfig(models=folder / "models", runs=folder / "runs")
        return config.model_copy(update={"paths": paths, "targets": list(self.targets)})

    def business(self) -> World:
        """Return the simulated business."""
        assert self.kind is not None
        accounts = SIZES.get(self.kind, Options().n_accounts)
        return simulate(self.kind, Options(seed=self.seed or 0, n_accounts=accounts))

    def write_oracle(self, folder: Path, times: pd.DatetimeIndex) -> None:
        """Write the true probabilities at prediction times: ``oracle.parquet``."""
        assert self.seed is not None
        if self.kind is None:
            month = (times[0].year - 2022) * 12 + times[0].month - 1
            write_oracle(folder, accounts=ACCOUNTS, seed=self.seed, replay=Replay(REPLAYS, month))
            return
        truth = self.business().truth(times, replays=REPLAYS)
        parts = [
            truth[KEYS].assign(target=target, probability=truth[f"{target}_90"])
            for target in self.targets
        ]
        pd.concat(parts).to_parquet(folder / "oracle.parquet", index=False)


LEAKING = ("saas_growth",)
"""Data sets in whose tables the audit names a leak: figures on them are no evidence of accuracy."""
LEAKS = (
    "The tables of {name} leak: the rows of an account were made for a life whose length was"
    " known. The audit names them under [rows against lifetimes](audit.md#a-known-leak), and"
    " `tenure train` stops there. What was once measured on it says how well a leak is learnt, and"
    " nothing of accuracy."
)
SETS = {
    item.name: item
    for item in (
        DataSet("churnsim", ("churn", "expansion")),
        *(DataSet(f"demo_{seed}", ("churn", "expansion"), seed) for seed in FROZEN_SEEDS),
        *(DataSet(f"{kind}_9101", ("churn", "expansion"), 9101, kind) for kind in BUSINESSES),
    )
}
