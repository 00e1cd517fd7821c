"""featuretools on a slice: counts, sums and distinct members, one call per window.

    python peers/featuretools_slice.py FOLDER OUT

FOLDER is a slice made by `slices.py`: it holds no late rows, which featuretools has no notion of.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import featuretools as ft
import pandas as pd
import pyarrow as pa
from common import KIND_WINDOWS, WINDOWS, Asked, report, write_table

PRIMITIVES = {
    "COUNT(events)": "events",
    "SUM(events.quantity)": "usage",
    "NUM_UNIQUE(events.user_id)": "active_users",
    "NUM_UNIQUE(events.event)": "distinct_events",
}


def entities(folder: Path) -> ft.EntitySet:
    read = ["event_id", "account_id", "user_id", "event", "occurred_at", "quantity"]
    events = pd.read_parquet(folder / "canonical" / "usage_events.parquet", columns=read)
    accounts = pd.read_parquet(folder / "canonical" / "accounts.parquet", columns=["account_id"])
    found = ft.EntitySet("slice")
    kinds = {"user_id": "Categorical", "event": "Categorical"}
    found.add_dataframe(
        dataframe_name="events", dataframe=events, index="event_id", time_index="occurred_at",
        logical_types=kinds,
    )  # fmt: skip
    found.add_dataframe(
        dataframe_name="accounts", dataframe=accounts.drop_duplicates(), index="account_id"
    )
    return found.add_relationship("accounts", "account_id", "events", "account_id")


def build(folder: Path, asked: Asked) -> pd.DataFrame:
    """Return one row per snapshot."""
    data = entities(folder)
    cutoffs = asked.table.to_pandas().rename(columns={"as_of": "time"})
    columns = []
    for window in WINDOWS:
        found = ft.dfs(
            entityset=data,
            target_dataframe_name="accounts",
            cutoff_time=cutoffs,
            training_window=ft.Timedelta(window, "d"),
            include_cutoff_time=False,
            agg_primitives=["count", "sum", "num_unique"],
            trans_primitives=[],
            max_depth=1,
            cutoff_time_in_index=True,
            n_jobs=1,
        )
        found = found[0].set_axis([str(name) for name in found[0].columns], axis=1)
        wanted = {
            source: f"{name}_{window}d"
            for source, name in PRIMITIVES.items()
            if name != "distinct_events" or window in KIND_WINDOWS
        }
        columns.append(found[list(wanted)].rename(columns=wanted))
    return pd.concat(columns, axis=1).fillna(0).astype("float32").reset_index()


def main() -> None:
    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    started = time.perf_counter()
    asked = Asked.read(folder)
    frame = build(folder, asked).rename(columns={"time": "as_of"})
    write_table(pa.Table.from_pandas(frame, preserve_index=False), out)
    report(time.perf_counter() - started, len(frame), len(frame.columns) - 2)


if __name__ == "__main__":
    main()
