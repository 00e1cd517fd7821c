"""Businesses of another making than the demo world, with their true probabilities.

>>> world = simulate("saas", Options(seed=1, n_accounts=40, months=8, shock="passes"))
>>> sorted(world.tables)[:2]
['accounts', 'invoices']
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from businesses.bursty import Bursty
from businesses.grid import PER_MONTH, stamps
from businesses.hierarchical import Hierarchical
from businesses.lives import Business, Lives, live
from businesses.options import Options
from businesses.saas import Saas
from businesses.strong import Strong
from businesses.surveys_only import SurveysOnly
from businesses.truth import REPLAYS, outcomes, truth
from businesses.weekly import Weekly

__all__ = ["KINDS", "SIZES", "Options", "World", "simulate"]

KINDS: dict[str, Business] = {
    business.name: business
    for business in (Saas(), Hierarchical(), Bursty(), Strong(), Weekly(), SurveysOnly())
}
SIZES = {"weekly": 150, "surveys_only": 25_000}  # accounts where no options say otherwise


@dataclass(frozen=True)
class World:
    """A simulated business.

    Attributes:
        business: What made it.
        options: Its options.
        lives: What happened, past the end of the history as well.
        tables: The contract's tables as observed at the end of the history.
    """

    business: Business
    options: Options
    lives: Lives = field(repr=False)
    tables: dict[str, pd.DataFrame] = field(repr=False)

    @property
    def observed_until(self) -> pd.Timestamp:
        """The end of the history, exclusive."""
        return pd.Timestamp(stamps(self.lives.grid.edges)[self.lives.grid.observed_steps])

    def outcomes(self, times: pd.DatetimeIndex | None = None) -> pd.DataFrame:
        """Return what happened after times; see `businesses.truth.outcomes`."""
        return outcomes(self.lives, times)

    def truth(
        self, times: pd.DatetimeIndex | None = None, *, replays: int = REPLAYS
    ) -> pd.DataFrame:
        """Return the true probabilities at times; see `businesses.truth.truth`."""
        return truth(self.business, self.lives, times, replays=replays)

    def write(self, folder: Path) -> Path:
        """Write the tables as Parquet and ``config.yaml``; return the path of the config.

        Args:
            folder: Made if missing; models and runs will stand in it as well.
        """
        import yaml

        (folder / "data").mkdir(parents=True, exist_ok=True)
        for name, frame in self.tables.items():
            content = pa.Table.from_pandas(frame, preserve_index=False)
            pq.write_table(content, folder / "data" / f"{name}.parquet")
        path = folder / "config.yaml"
        path.write_text(yaml.safe_dump(self.config(folder), sort_keys=False), encoding="utf-8")
        return path

    def config(self, folder: Path) -> dict[str, Any]:
        """Return the settings with which Tenure trains on the tables written to a folder."""
        weekly = self.business.name == "weekly"
        data: dict[str, Any] = {"path": "data", "observed_until": str(self.observed_until.date())}
        if "region" in self.tables["accounts"]:
            data["constant_attributes"] = ["region"]
        # Of accounts that left before the history nothing is known, so nobody is asked before it.
        first = str(stamps(self.lives.grid.edges)[PER_MONTH].astype("M8[D]"))
        return {
            "name": f"world_{self.business.name}",
            "data": data,
            "calendar": {"cadence": "weekly" if weekly else "monthly", "start": first},
            "targets": ["churn", "expansion"],
            "paths": {name: str((folder / name).resolve()) for name in ("runs", "models")},
        }


def simulate(kind: str, options: Options | None = None) -> World:
    """Simulate one of `KINDS`.

    Raises:
        KeyError: If there is no such kind.
        ValueError: If there are too few accounts or months.
    """
    business = KINDS[kind]
    options = options or Options(n_accounts=SIZES.get(kind, Options().n_accounts))
    lives = live(business, options)
    return World(business, options, lives, business.tables(lives, options.rng("tables")))
