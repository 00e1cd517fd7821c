"""What a simulated business may be asked for."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Shock = Literal["none", "passes", "stays", "season"]

PLACED_BEFORE_END = 8  # months from the beginning of a shock to the end of the history


@dataclass(frozen=True, slots=True)
class Options:
    """Size, strength and course of a simulated business.

    Attributes:
        seed: Equal options give equal tables.
        n_accounts: Accounts over the whole history; about half pay at any moment.
        months: Months of history, from 2023-01-01.
        base_rate: Share of paying accounts that leave within 90 days where no shock moves it.
        expansion_rate: Share whose MRR rises within 90 days, likewise.
        signal: Factor on everything visible in the logarithm of the rates; 0 is pure chance.
        hidden_sd: Standard deviation of account effects on the log rates that no table shows.
        shock: ``passes``: for `shock_months` everybody's rate of leaving is `shock_size` times as
            high and usage a quarter lower; ``stays``: the rate rises likewise and remains;
            ``season``: it swings over the year, `shock_size` from lowest to highest.
        shock_month: Month, from 0, in which a shock begins; by default eight before the end, so
            that one that passes lies in the labelled past.
        shock_size: Factor on the rate of leaving.
        shock_months: Months that a passing shock lasts.
    """

    seed: int = 0
    n_accounts: int = 3000
    months: int = 24
    base_rate: float = 0.10
    expansion_rate: float = 0.10
    signal: float = 1.0
    hidden_sd: float = 0.0
    shock: Shock = "none"
    shock_month: int | None = None
    shock_size: float = 2.0
    shock_months: int = 2

    @property
    def shock_begins(self) -> int:
        """Month in which a shock begins."""
        if self.shock_month is None:
            return max(0, self.months - PLACED_BEFORE_END)
        return self.shock_month

    def rng(self, purpose: str) -> np.random.Generator:
        """Return a source of chance of its own for one purpose."""
        return np.random.default_rng([self.seed, zlib.crc32(purpose.encode())])
