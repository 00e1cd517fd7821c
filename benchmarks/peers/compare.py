"""Compare two written matrices column by column."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

STEP = 2.0**-23
"""The distance between neighbouring float32 numbers, relative to them."""
MILLIONTH = 1e-6
WHOLE = (
    *("events_", "event_", "active_users_", "active_days_", "distinct_events_", "tickets_"),
    *("open_tickets", "surveys_", "nps_promoters", "nps_detractors"),
)


def differences(ours: Path, theirs: Path, columns: Iterable[str]) -> list[str]:
    """Return what is wrong with each column that disagrees; nothing where all agree.

    Whole numbers have to be equal; others may lie half a millionth, to which Tenure rounds what it
    adds up, and one step of the written float32 apart.
    """
    names = list(columns)
    left, right = _read(ours, names), _read(theirs, names)
    for key in ("account_id", "as_of"):
        if not left.column(key).equals(right.column(key)):
            return [f"{theirs.name}: the rows are not the same ({key})"]
    wrong = []
    for name in names:
        a, b = left.column(name).to_numpy(), right.column(name).to_numpy()
        whole = name.startswith(WHOLE) and "trend" not in name and not name.endswith("change_28d")
        both = np.isnan(a) & np.isnan(b)
        apart = np.abs(a.astype(np.float64) - b)
        step = STEP * np.maximum(np.abs(a), np.abs(b))
        off = ~both & ~(
            apart <= (0 if whole and "per_active" not in name else step + MILLIONTH / 2)
        )
        if off.any():
            place = int(np.flatnonzero(off)[0])
            wrong.append(
                f"{theirs.name}: {name} differs in {int(off.sum())} rows, "
                f"first {a[place]} and {b[place]} for {left.column(0)[place]}"
            )
    return wrong


def _read(path: Path, names: list[str]) -> pa.Table:
    table = pq.read_table(path, columns=["account_id", "as_of", *names])
    keys = {
        "account_id": table.column("account_id").cast(pa.string()),
        "as_of": table.column("as_of").cast(pa.timestamp("us")),
    }
    values = {name: table.column(name) for name in names}
    return pa.table(keys | values).sort_by([("as_of", "ascending"), ("account_id", "ascending")])
