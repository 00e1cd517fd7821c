"""A demo world on disk, for the tests of it."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from tenure.demo import WorldSummary

SMALL = {"accounts": 80, "months": 8, "seed": 3}
MEDIUM = {"accounts": 500, "months": 16, "seed": 5}


@dataclass(frozen=True)
class Written:
    summary: WorldSummary

    def __getitem__(self, name: str) -> pd.DataFrame:
        return pd.read_parquet(self.summary.folder / f"{name}.parquet")

    @property
    def until(self) -> pd.Timestamp:
        return pd.Timestamp(self.summary.observed_until)
