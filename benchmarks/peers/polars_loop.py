"""Polars: the columns are read once, names as categories; then a loop over cut-offs.

Takes its threads from ``POLARS_MAX_THREADS``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl
from common import (
    EVENTS,
    KIND_WINDOWS,
    WINDOWS,
    Array,
    Asked,
    main,
    stage,
    with_derived,
)

LONGEST = max(WINDOWS)
DAY = pl.col("t").dt.truncate("1d")


def windowed(rows: pl.DataFrame, moment: np.datetime64) -> pl.DataFrame:
    """Return one row per account with the columns that look at windows before a moment."""
    as_of = moment.astype(object)

    def inside(window: int) -> pl.Expr:
        return pl.col("t") >= as_of - pl.duration(days=window)

    kinds = rows.group_by("account", "event").agg(
        *(inside(window).sum().alias(f"n{window}") for window in WINDOWS),
        *(
            pl.col("quantity").filter(inside(window)).sum().alias(f"q{window}")
            for window in WINDOWS
        ),
    )
    of = pl.col("event")
    by_kind = kinds.group_by("account").agg(
        *(pl.col(f"n{window}").sum().alias(f"events_{window}d") for window in WINDOWS),
        *(pl.col(f"q{window}").sum().alias(f"usage_{window}d") for window in WINDOWS),
        *((pl.col(f"n{w}") > 0).sum().alias(f"distinct_events_{w}d") for w in KIND_WINDOWS),
        *(
            pl.col(f"n{w}").filter(of == event).sum().alias(f"event_{event}_{w}d")
            for event in EVENTS
            for w in KIND_WINDOWS
        ),
    )
    by_user = (
        rows.filter(pl.col("user").is_not_null())
        .group_by("account", "user")
        .agg(pl.col("t").max())
        .group_by("account")
        .agg(inside(window).sum().alias(f"active_users_{window}d") for window in WINDOWS)
    )
    by_day = (
        rows.select("account", t=DAY)
        .unique()
        .group_by("account")
        .agg(inside(window).sum().alias(f"active_days_{window}d") for window in WINDOWS)
    )
    joined = by_kind.join(by_user, on="account", how="left").join(by_day, on="account", how="left")
    return joined.with_columns(as_of=pl.lit(as_of).cast(pl.Datetime("us")))


def build(folder: Path, asked: Asked) -> Mapping[str, Array]:
    """Return the usage columns of the snapshots."""
    with stage("read"):
        rows = (
            pl.scan_parquet(folder / "canonical" / "usage_events.parquet")
            .select(
                account=pl.col("account_id").cast(pl.Categorical),
                user=pl.col("user_id").cast(pl.Categorical).to_physical(),
                event=pl.col("event").cast(pl.Enum(list(EVENTS))),
                t="occurred_at",
                known="known_at",
                quantity="quantity",
            )
            .collect()
            .set_sorted("t")
        )
    times = rows["t"].to_numpy()
    pieces, extremes = [], []
    with stage("windows"):
        for moment in asked.moments:
            low, high = np.searchsorted(times, [moment - np.timedelta64(LONGEST, "D"), moment])
            seen = rows[int(low) : int(high)].filter(pl.col("known") < moment.astype(object))
            pieces.append(windowed(seen, moment))
    with stage("extremes"):
        for moment in asked.moments:
            past = rows[: int(np.searchsorted(times, moment))]
            extremes.append(
                past.filter(pl.col("known") < moment.astype(object))
                .group_by("account")
                .agg(first=pl.col("t").min(), last=pl.col("t").max())
                .with_columns(as_of=pl.lit(moment.astype(object)).cast(pl.Datetime("us")))
            )
    with stage("join"):
        return with_derived(_at(asked, pl.concat(pieces), pl.concat(extremes)))


def _at(asked: Asked, windows: pl.DataFrame, extremes: pl.DataFrame) -> dict[str, Array]:
    given = pl.from_arrow(asked.table)
    rows = given.select(
        account=pl.col("account_id").cast(pl.Categorical),
        as_of=pl.col("as_of").cast(pl.Datetime("us")),
    )
    keys = ["account", "as_of"]
    found = rows.join(windows, on=keys, how="left", maintain_order="left").join(
        extremes, on=keys, how="left", maintain_order="left"
    )
    days = {
        f"days_since_{name}_event": (
            (pl.col("as_of") - pl.col(name)).dt.total_microseconds() / 86_400_000_000
        )
        for name in ("first", "last")
    }
    found = found.with_columns(**days).drop("account", "as_of", "first", "last")
    return {
        name: (column if name.startswith("days_since") else column.fill_null(0))
        .cast(pl.Float64)
        .to_numpy()
        for name, column in zip(found.columns, found.get_columns(), strict=True)
    }


if __name__ == "__main__":
    main(build)
