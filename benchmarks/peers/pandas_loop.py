"""pandas: the columns are read once, names as categories; then a loop over cut-offs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from common import EVENTS, KIND_WINDOWS, WINDOWS, Array, Asked, main, stage, with_derived

LONGEST = max(WINDOWS)
READ = ["account_id", "user_id", "event", "occurred_at", "known_at", "quantity"]


def windowed(rows: pd.DataFrame, moment: np.datetime64, accounts: pd.Index) -> pd.DataFrame:
    """Return one row per account with the columns that look at windows before a moment."""
    columns: dict[str, pd.Series] = {}
    for window in sorted(WINDOWS, reverse=True):
        rows = rows[rows["t"].to_numpy() >= moment - np.timedelta64(window, "D")]
        by_account = rows.groupby("account", sort=False)
        columns[f"events_{window}d"] = by_account.size()
        columns[f"usage_{window}d"] = by_account["quantity"].sum()
        for name, member in (("active_users", "user"), ("active_days", "day")):
            distinct = rows[["account", member]].drop_duplicates()
            distinct = distinct[distinct[member] >= 0]
            columns[f"{name}_{window}d"] = distinct.groupby("account", sort=False).size()
        if window in KIND_WINDOWS:
            kinds = rows.groupby(["account", "event"], sort=False).size().unstack("event")
            columns[f"distinct_events_{window}d"] = kinds.notna().sum(axis=1)
            for place, event in enumerate(EVENTS):
                if place in kinds:
                    columns[f"event_{event}_{window}d"] = kinds[place]
    frame = pd.DataFrame(columns, index=accounts)
    return frame.fillna(0)


def read(folder: Path, accounts: list[str]) -> pd.DataFrame:
    """Return the rows in order of time, with numbers for names."""
    table = pq.read_table(folder / "canonical" / "usage_events.parquet", columns=READ)
    places = pd.Index(accounts)

    def numbered(name: str) -> tuple[Array, pd.Index]:
        coded = table.column(name).combine_chunks().dictionary_encode()
        codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        return codes, pd.Index(coded.dictionary.to_pylist())

    codes, names = numbered("account_id")
    account = places.get_indexer(names)[codes]
    user, _ = numbered("user_id")
    codes, names = numbered("event")
    times = table.column("occurred_at").to_numpy()
    frame = pd.DataFrame(
        {
            "account": account.astype(np.int32),
            "user": user.astype(np.int32),
            "event": pd.Index(EVENTS).get_indexer(names)[codes].astype(np.int8),
            "t": times,
            "day": times.astype("datetime64[D]").astype(np.int32),
            "known": table.column("known_at").to_numpy(),
            "quantity": table.column("quantity").to_numpy(),
        }
    )
    return frame[frame["account"] >= 0]


def build(folder: Path, asked: Asked) -> Mapping[str, Array]:
    """Return the usage columns of the snapshots."""
    accounts = pd.RangeIndex(len(asked.accounts))
    with stage("read"):
        rows = read(folder, asked.accounts)
    times, pieces = rows["t"].to_numpy(), []
    for moment in asked.moments:
        low, high = np.searchsorted(times, [moment - np.timedelta64(LONGEST, "D"), moment])
        with stage("windows"):
            recent = rows.iloc[low:high]
            found = windowed(recent[recent["known"].to_numpy() < moment], moment, accounts)
        with stage("extremes"):
            past = rows[["account", "t"]].iloc[:high]
            past = past[rows["known"].to_numpy()[:high] < moment]
            for name, keep in (("first", "first"), ("last", "last")):
                # The rows are in order of time, so the outermost row of an account is the answer.
                edge = past.drop_duplicates("account", keep=keep).set_index("account")["t"]
                passed = (moment - edge).dt.total_seconds() / 86_400
                found[f"days_since_{name}_event"] = passed
        pieces.append(found)
    with stage("join"):
        account, cut = asked.account_no, asked.cut_no
        place = cut * len(accounts) + account
        joined = pd.concat(pieces, ignore_index=True)
        columns = {}
        for name in joined:
            values = joined[name] if str(name).startswith("days_since") else joined[name].fillna(0)
            columns[str(name)] = values.to_numpy()[place]
        return with_derived(columns)


if __name__ == "__main__":
    main(build)
