"""What every side of the feature benchmark shares: the columns, the snapshots, the written matrix.

Imports numpy and pyarrow alone, so that it serves every environment.  Each side is a script with
one function ``(folder) -> columns`` handed to `main`, and runs as

    python peers/<side>.py FOLDER OUT

in a process of its own; it prints one JSON line with seconds and peak memory.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq

THREADS = 2
MEMORY = "2GB"
DAY = 86_400_000_000
"""Microseconds."""
WINDOWS = (7, 28, 84, 168)
KIND_WINDOWS = (28, 84)
EVENTS = (
    "login", "dashboard_viewed", "report_created", "report_exported", "record_edited",
    "search_run", "file_uploaded", "comment_added", "api_called", "automation_run",
    "user_invited", "settings_changed",
)  # fmt: skip

Array = np.ndarray[Any, Any]
STAGES: dict[str, float] = {}

USAGE = (
    *(f"{name}_{window}d" for name in ("events", "usage", "active_users", "active_days")
      for window in WINDOWS),
    *(f"{name}_{window}d" for name in ("distinct_events", *(f"event_{event}" for event in EVENTS))
      for window in KIND_WINDOWS),
    "days_since_last_event", "days_since_first_event",
    "events_trend_28d_vs_84d", "events_trend_7d_vs_28d", "events_trend_84d_vs_168d",
    "events_change_28d", "active_users_trend_28d_vs_84d", "active_days_trend_28d_vs_84d",
    "distinct_events_trend_28d_vs_84d", "events_per_active_user_28d",
)  # fmt: skip
"""The columns that every side gives."""
FEW = (
    *(f"{name}_{window}d" for name in ("events", "usage", "active_users") for window in WINDOWS),
    *(f"distinct_events_{window}d" for window in KIND_WINDOWS),
)
"""The columns that featuretools gives."""
SMALL = (
    *(f"{name}_{window}d" for name in ("tickets", "tickets_urgent", "mean_resolution_hours")
      for window in (28, 84, 182)),
    *(f"{name}_{window}d"
      for name in ("mean_response_hours", "tickets_escalated", "ticket_csat_mean")
      for window in (84, 182)),
    "open_tickets", "open_tickets_urgent", "oldest_open_ticket_days", "ticket_csat_last",
    "days_since_last_ticket",
    *(f"{name}_{window}d"
      for name in ("surveys_sent", "surveys_answered", "nps_mean", "csat_mean", "ces_mean")
      for window in (182, 365)),
    "nps_promoters_365d", "nps_detractors_365d",
    *(f"{name}_last" for name in ("nps", "csat", "ces")),
    *(f"days_since_{name}" for name in ("nps", "csat", "ces")),
)  # fmt: skip
"""The columns about tickets and surveys that are compared."""


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Add the wall time of a block to the stage of that name."""
    started = time.perf_counter()
    yield
    STAGES[name] = STAGES.get(name, 0.0) + time.perf_counter() - started


@dataclass(frozen=True)
class Asked:
    """Which rows the matrix has.

    Attributes:
        table: Columns ``account_id`` and ``as_of``.
    """

    table: pa.Table

    @classmethod
    def read(cls, folder: Path) -> Asked:
        """Read the snapshots of a folder."""
        file = pq.ParquetFile(folder / "snapshots.parquet")
        return cls(file.read(columns=["account_id", "as_of"]))

    @cached_property
    def _accounts(self) -> pa.DictionaryArray:
        return self.table.column("account_id").combine_chunks().dictionary_encode()

    @property
    def accounts(self) -> list[str]:
        """Return the distinct accounts; their places are `account_no`."""
        return self._accounts.dictionary.to_pylist()

    @property
    def account_no(self) -> Array:
        """Return the place of each row's account."""
        return self._accounts.indices.to_numpy()

    @cached_property
    def times(self) -> Array:
        """Return `as_of` of each row in microseconds."""
        moments = self.table.column("as_of").cast(pa.timestamp("us")).cast(pa.int64())
        return moments.to_numpy()

    @cached_property
    def cuts(self) -> Array:
        """Return the distinct prediction times in microseconds, ascending."""
        return np.unique(self.times)

    @property
    def cut_no(self) -> Array:
        """Return the place of each row's prediction time."""
        return np.searchsorted(self.cuts, self.times)

    @property
    def moments(self) -> list[np.datetime64]:
        """Return the distinct prediction times."""
        return list(self.cuts.astype("datetime64[us]"))


def ratio(above: Array, below: Array) -> Array:
    """Return a quotient, missing where the lower part is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below == 0, np.nan, above / below)


def with_derived(columns: Mapping[str, Array]) -> dict[str, Array]:
    """Return usage columns with those that are computed from others."""
    c = {name: np.asarray(values, dtype=np.float64) for name, values in columns.items()}
    derived = {
        "events_trend_28d_vs_84d": ratio(3 * c["events_28d"], c["events_84d"]),
        "events_trend_7d_vs_28d": ratio(4 * c["events_7d"], c["events_28d"]),
        "events_trend_84d_vs_168d": ratio(2 * c["events_84d"], c["events_168d"]),
        "events_change_28d": (c["events_28d"] + 1) / ((c["events_84d"] - c["events_28d"]) / 2 + 1),
        "active_users_trend_28d_vs_84d": ratio(c["active_users_28d"], c["active_users_84d"]),
        "active_days_trend_28d_vs_84d": ratio(3 * c["active_days_28d"], c["active_days_84d"]),
        "distinct_events_trend_28d_vs_84d": ratio(
            c["distinct_events_28d"], c["distinct_events_84d"]
        ),
        "events_per_active_user_28d": ratio(c["events_28d"], c["active_users_28d"]),
    }
    return {**columns, **derived}


def write(asked: Asked, columns: Mapping[str, Array], out: Path) -> None:
    """Write the matrix as float32."""
    arrays: dict[str, Any] = {name: asked.table.column(name) for name in ("account_id", "as_of")}
    for name, values in columns.items():
        arrays[name] = pa.array(np.asarray(values).astype(np.float32))
    write_table(pa.table(arrays), out)


def write_table(table: pa.Table, out: Path) -> None:
    """Write a table as Parquet, words as dictionaries: the same for every side."""
    for place, column in enumerate(table.schema):
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            table = table.set_column(
                place, column.name, table.column(place).combine_chunks().dictionary_encode()
            )
    pq.write_table(table, out, compression="zstd")


def main(build: Callable[[Path, Asked], Mapping[str, Array]]) -> None:
    """Run one side on the folder and file named on the command line and print what it cost."""
    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    started = time.perf_counter()
    asked = Asked.read(folder)
    columns = build(folder, asked)
    with stage("write"):
        write(asked, columns, out)
    report(time.perf_counter() - started, len(asked.table), len(columns))


def peak_mib() -> float:
    """Return the most memory this program has held; `getrusage` would add what started it."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def report(seconds: float, rows: int, columns: int, **more: Any) -> None:
    """Print what a run cost, as one JSON line."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    found = {
        "seconds": seconds,
        "processor_seconds": used.ru_utime + used.ru_stime,
        "peak_mib": peak_mib(),
        "rows": rows,
        "columns": columns,
    }
    print(json.dumps({**found, "stages": STAGES, **more}), flush=True)
