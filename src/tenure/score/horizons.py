"""Which accounts are scored, and how far ahead: one entry per account and horizon."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tenure.core.arrays import Array
from tenure.core.config import Config
from tenure.labels.windows import RENEWAL, ahead_to_renewal

if TYPE_CHECKING:
    from tenure.score.model import Model


@dataclass(frozen=True)
class ScoreEntries:
    """One entry per account and horizon, those of the main horizon first."""

    accounts: pd.DataFrame
    """The snapshots, one row per account."""
    row: Array
    """Position of each entry's account, shape (n,)."""
    horizon: dict[str, Array]
    """Horizon → its entries, ascending."""
    days: Array
    """How far each entry looks ahead, shape (n,)."""
    due: Array
    """Days whose window just holds the renewal date, missing where the longest window does not,
    shape (n,)."""
    silent: Array
    """Whether its account gets no probability, shape (n,)."""

    @cached_property
    def same(self) -> bool:
        """Return whether each account has one entry, in order."""
        return self.everyone(self.row)

    def everyone(self, rows: Array) -> bool:
        """Return whether positions are those of all accounts, in order."""
        return len(rows) == len(self.accounts) and bool((rows == np.arange(len(rows))).all())

    def of_accounts(self, rows: Array, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the lines of a frame at positions of accounts; no copy where these are all."""
        return frame if self.everyone(rows) else frame.iloc[rows]

    def spread(self, column: Any) -> Any:
        """Return a column of the accounts with one value per entry."""
        return column if self.same else column.take(self.row)

    def frame(self, part: Array, **columns: Array) -> pd.DataFrame:
        """Return row and days of some entries beside further columns of theirs."""
        return pd.DataFrame({"row": self.row[part], "days": self.days[part], **columns})


def score_entries(
    paid: pd.DataFrame,
    models: Mapping[str, Model],
    config: Config,
    reason: Array,
    *,
    every: bool,
) -> ScoreEntries:
    """Return one entry for each account and horizon that the models are to score.

    Accounts whose renewal date lies beyond the longest window have no entry of the horizon
    ``renewal``, nor those that have another entry of as many days.

    `paid` are the snapshots of the accounts, `reason` why each gets no probability, None where it
    gets one, shape (accounts,).  With `every` the further horizons of the models have entries too.
    """
    main = config.labels.horizon_days
    further = dict.fromkeys(name for model in models.values() for name in model.horizons)
    names = [str(main), *(name for name in further if every and name != str(main))]
    ahead, within = ahead_to_renewal(
        paid["as_of"],
        paid["renews_at"],
        gap_days=config.labels.gap_days,
        longest=max([main, *(model.longest for model in models.values())]),
    )
    due = np.where(within, ahead, np.nan)
    numbers = [int(name) for name in names if name != RENEWAL]
    rows, days_of, horizon, start = [], [], {}, 0
    for name in names:
        own = ~np.isnan(due) & ~np.isin(due, numbers) if name == RENEWAL else slice(None)
        row = np.arange(len(paid))[own]
        horizon[name] = np.arange(start, start + len(row))
        rows.append(row)
        days_of.append(due[row] if name == RENEWAL else np.full(len(row), int(name)))
        start += len(row)
    row = np.concatenate(rows)
    silent = np.asarray([item is not None for item in reason], dtype=bool)
    length = np.concatenate(days_of).astype(np.int64)
    return ScoreEntries(paid, row, horizon, length, due[row], silent[row])


def never_falling(figures: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Return figures that never fall with the horizon, the main horizon's as they were.

    `figures` have `row` (the account), `days` (the horizon), `main` (whether it is the main one)
    and the columns `names`, probabilities or their bounds; any index.

    Returns:
        The same rows: a shorter horizon is lowered to the next longer one, and a longer one lifted
        to the next shorter, going out from the main horizon.
    """
    if figures["main"].all():
        return figures
    order = figures.sort_values(["row", "days", "main"], kind="stable")
    at = order["days"].where(order["main"]).groupby(order["row"]).transform("max")
    before, after = order["days"] <= at, order["days"] >= at
    rows = order["row"]
    for name in names:
        column = order[name]
        lowered = column.where(before)[::-1].groupby(rows[::-1]).cummin()[::-1]
        lifted = column.where(after).groupby(rows).cummax()
        order[name] = lowered.where(before & ~order["main"], lifted).where(~order["main"], column)
    return order.reindex(figures.index)
