"""Leaks to plant into a demo world, as real systems make them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

Tables = dict[str, pd.DataFrame]
Change = Callable[[Tables], None]
ENDS = ("voluntary", "involuntary", "non_renewal")


def plant(folder: Path, change: Change) -> None:
    """Change the Parquet tables of a folder."""
    tables = {path.stem: pd.read_parquet(path) for path in folder.glob("*.parquet")}
    change(tables)
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet", index=False)


def ends(tables: Tables) -> pd.Series[Any]:
    """Return when each lost account ended."""
    last = tables["subscriptions"].sort_values("started_at").groupby("account_id").tail(1)
    lost = last[last["end_reason"].isin(ENDS)]
    return pd.to_datetime(lost.set_index("account_id")["ended_at"])


def overwritten_attribute(tables: Tables) -> None:
    """Let the CRM turn the stage of lost accounts to `former`."""
    lost = tables["accounts"]["account_id"].isin(ends(tables).index)
    tables["accounts"]["stage"] = np.where(lost, "former", "customer")


def late_category(tables: Tables) -> None:
    """File the last tickets of lost accounts under `cancellation`, without saying when."""
    tickets = tables["tickets"]
    before = tickets["account_id"].map(ends(tables)) - pd.to_datetime(tickets["opened_at"])
    close = (before > pd.Timedelta(0)) & (before < pd.Timedelta(days=60))
    tickets.loc[close, "category"] = "cancellation"


def known_afterwards(tables: Tables) -> None:
    """Rate the tickets of lost accounts, and no others, three days after their end."""
    tickets, lost = tables["tickets"], ends(tables)
    known = tickets["account_id"].map(lost) + pd.Timedelta(days=3)
    telling = known.notna() & (known > pd.to_datetime(tickets["opened_at"]))
    tickets["csat_at"] = known.where(telling)
    tickets["csat_score"] = np.where(telling, 1.0, np.nan)
