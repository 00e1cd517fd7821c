"""The data sets of the accuracy benchmark.

The frozen worlds are for measuring alone: nothing is chosen, tuned or looked at on them but the
result.  A test holds a hash of what their seeds generate.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tenure.core.config import Config, PathConfig
from tenure.demo import write_world
from tenure.features.plan.config_checks import load_config
from tenure.run.demo import CONFIG

ROOT = Path(__file__).parents[2]
FROZEN_SEEDS = (9001, 9002, 9003)
ACCOUNTS = 1_500


@dataclass(frozen=True)
class DataSet:
    """One data set.

    Attributes:
        name: Its name.
        targets: What is predicted.
        seed: Seed of a frozen world; None for data that others made.
    """

    name: str
    targets: tuple[str, ...]
    seed: int | None = None

    def config(self, folder: Path) -> Config:
        """Return the config, with everything it writes under a folder; a world is written first."""
        if self.seed is None:
            config = load_config(ROOT / "configs" / f"{self.name}.yaml")
        else:
            path = folder / "config.yaml"
            if not path.exists():
                folder.mkdir(parents=True, exist_ok=True)
                write_world(folder / "data", accounts=ACCOUNTS, seed=self.seed)
                path.write_text(CONFIG, encoding="utf-8")
            config = load_config(path)
        paths = PathConfig(models=folder / "models", runs=folder / "runs")
        return config.model_copy(update={"paths": paths, "targets": list(self.targets)})


SETS = {
    item.name: item
    for item in (
        DataSet("churnsim", ("churn", "expansion")),
        DataSet("saas_growth", ("churn",)),
        *(DataSet(f"demo_{seed}", ("churn", "expansion"), seed) for seed in FROZEN_SEEDS),
    )
}
