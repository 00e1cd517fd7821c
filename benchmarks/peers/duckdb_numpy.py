"""The best hand-written usage features: DuckDB decodes and numbers, numpy counts on small grids.

One pass over the file in batches.  A row is visible over one range of cut-offs, so it adds one at
the first that sees it and takes one away at the first whose window has passed it; a running sum
gives every cut-off.  Distinct users and event names of all windows come of the last day of each
per cut-off.  It leans on three facts of these data that a general engine may not: the file is
sorted by time, every cut-off is a midnight, and nothing is known before it happens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas  # noqa: F401 - DuckDB looks for it at the first query
import pyarrow as pa
from common import (
    DAY,
    EVENTS,
    KIND_WINDOWS,
    MEMORY,
    THREADS,
    WINDOWS,
    Array,
    Asked,
    main,
    stage,
    with_derived,
)

BATCH = 2_000_000
"""Rows held at a time, about."""
LATE = 255
"""Of a day that no cut-off sees."""
NEVER = np.iinfo(np.int64).max
PAST = 800
"""Days before the first cut-off that the calendar of active days holds."""
MILLIONTHS = 1_000_000
ROWS = ("account", "user", "kind", "t", "known", "quantity")


def batches(folder: Path, asked: Asked) -> tuple[Array, Iterator[pa.Table]]:
    """Return the account of each user, and the rows in order of time with numbers for names."""
    connection = duckdb.connect(config={"threads": THREADS, "memory_limit": MEMORY})
    file = f"'{folder / 'canonical' / 'usage_events.parquet'}'"
    accounts = pa.table(
        {"account_id": asked.accounts, "account_no": np.arange(len(asked.accounts), dtype="int32")}
    )
    connection.register("accounts", accounts)
    with stage("users"):
        connection.execute(
            "CREATE TEMP TABLE users AS SELECT account_id, user_id, account_no, "
            "CAST(row_number() OVER (ORDER BY account_no) - 1 AS INTEGER) AS user_no FROM "
            f"(SELECT DISTINCT account_id, user_id FROM {file} WHERE user_id IS NOT NULL) "
            "JOIN accounts USING (account_id)"
        )
        owners = connection.sql("SELECT account_no FROM users ORDER BY user_no").fetchnumpy()
    kinds = " ".join(f"WHEN '{name}' THEN {place}" for place, name in enumerate(EVENTS))
    sql = (
        "SELECT accounts.account_no AS account, coalesce(user_no, -1) AS user, "
        f"CAST(CASE event {kinds} END AS TINYINT) AS kind, epoch_us(occurred_at) AS t, "
        f"epoch_us(known_at) AS known, coalesce(round(quantity * {MILLIONTHS}), 0.0) AS quantity "
        f"FROM {file} JOIN accounts USING (account_id) LEFT JOIN users USING (account_id, user_id) "
        f"WHERE known_at < make_timestamp({asked.cuts[-1]})"
    )
    found = connection.sql(
        f"SELECT count(*), epoch_us(min(occurred_at)), epoch_us(max(occurred_at)) FROM {file}"
    ).fetchall()[0]
    pieces = int(found[0]) // BATCH + 1
    bounds = np.linspace(found[1], found[2] + 1, pieces + 1).astype(np.int64)
    rows = (
        connection.sql(
            f"{sql} AND occurred_at >= make_timestamp({low}) "
            f"AND occurred_at < make_timestamp({high})"
        ).to_arrow_table()
        for low, high in pairwise(bounds)
    )
    return np.asarray(owners["account_no"]), rows


class Grids:
    """Sums and last days by cut-off (first axis, one spare for "never") and account."""

    def __init__(self, asked: Asked, owners: Array) -> None:
        self.cuts, self.size, self.owners = asked.cuts, len(asked.cuts), owners
        self.days = self.cuts // DAY
        self.accounts, step = len(asked.accounts), self.size + 1
        pairs, width = (step, self.accounts * len(EVENTS)), (step, self.accounts)
        starts = [self.cuts - window * DAY for window in WINDOWS]
        self.starts = dict(zip(WINDOWS, starts, strict=True))
        self.edges = np.unique(np.concatenate([self.cuts, *starts]))
        self.begin = np.zeros(pairs, dtype=np.int32)
        self.end = {window: np.zeros(pairs, dtype=np.int32) for window in KIND_WINDOWS}
        wide = [window for window in WINDOWS if window not in KIND_WINDOWS]
        self.wide_end = {window: np.zeros(width, dtype=np.int64) for window in wide}
        self.amount_begin = np.zeros(width)
        self.amount_end = {window: np.zeros(width) for window in WINDOWS}
        self.user_day = np.zeros((step, len(owners)), dtype=np.int32)
        self.kind_day = np.zeros(pairs, dtype=np.int32)
        self.last = np.zeros(width, dtype=np.int64)
        self.first = np.full(width, NEVER)
        self.first_day = int(self.days[0]) - PAST
        self.span = int(self.days[-1]) - self.first_day + 1
        self.day_seen = np.full((self.span, self.accounts), LATE, dtype=np.uint8)

    def add(self, batch: pa.Table) -> None:
        """Take in rows that happened no earlier than those of the batches before."""
        columns = {name: batch.column(name).to_numpy() for name in ROWS}
        if (np.diff(columns["t"]) < 0).any():
            # A join keeps the order of the file within long runs only; merging those is quick.
            order = np.argsort(columns["t"], kind="stable")
            columns = {name: values[order] for name, values in columns.items()}
        bounds = np.unique([0, *np.searchsorted(columns["t"], self.edges), len(batch)])
        for low, high in pairwise(bounds):
            rows = {name: values[low:high] for name, values in columns.items()}
            late = rows["known"] != rows["t"]
            on_time = {name: rows[name][~late] for name in ROWS if name != "known"}
            if len(on_time["t"]):
                self._add_together(**on_time)
            self._add_singly(**{name: values[late] for name, values in rows.items()})

    def _add_together(
        self, account: Array, user: Array, kind: Array, t: Array, quantity: Array
    ) -> None:
        """Take in rows between two edges, known at once: all are visible over the same range."""
        seen = int(np.searchsorted(self.cuts, t[0], side="right"))
        pair = account * np.int32(len(EVENTS)) + kind
        day = (t // DAY).astype(np.int32)
        counts = np.bincount(pair, minlength=self.begin.shape[1]).astype(np.int32)
        amounts = np.bincount(account, quantity, minlength=self.accounts)
        self.begin[seen] += counts
        self.amount_begin[seen] += amounts
        for window, starts in self.starts.items():
            end = max(int(np.searchsorted(starts, t[0], side="right")), seen)
            self.amount_end[window][end] += amounts
            if window in KIND_WINDOWS:
                self.end[window][end] += counts
            else:
                self.wide_end[window][end] += np.bincount(account, minlength=self.accounts)
        # Where a place is named twice the last value stays: the rows are in order of time.
        self.kind_day[seen][pair] = day
        self.user_day[seen][user[user >= 0]] = day[user >= 0]
        self.last[seen][account] = t
        new = self.first[seen][account] == NEVER
        self.first[seen][account[new][::-1]] = t[new][::-1]
        self.day_seen[day - self.first_day, account] = seen

    def _add_singly(
        self, account: Array, user: Array, kind: Array, t: Array, known: Array, quantity: Array
    ) -> None:
        """Take in rows that became known late."""
        seen = np.searchsorted(self.cuts, known, side="right")
        pair = account * np.int32(len(EVENTS)) + kind
        day = (t // DAY).astype(np.int32)
        np.add.at(self.begin, (seen, pair), 1)
        np.add.at(self.amount_begin, (seen, account), quantity)
        for window, starts in self.starts.items():
            end = np.maximum(np.searchsorted(starts, t, side="right"), seen)
            np.add.at(self.amount_end[window], (end, account), quantity)
            if window in KIND_WINDOWS:
                np.add.at(self.end[window], (end, pair), 1)
            else:
                np.add.at(self.wide_end[window], (end, account), 1)
        np.maximum.at(self.kind_day, (seen, pair), day)
        np.maximum.at(self.user_day, (seen[user >= 0], user[user >= 0]), day[user >= 0])
        np.maximum.at(self.last, (seen, account), t)
        np.minimum.at(self.first, (seen, account), t)
        np.minimum.at(self.day_seen, (day - self.first_day, account), seen.astype(np.uint8))

    def columns(self, account: Array, cut: Array) -> dict[str, Array]:
        """Return each column at the accounts and cut-offs asked for."""
        shape = (self.size + 1, self.accounts, len(EVENTS))
        begin = self.begin.reshape(shape).sum(axis=2)
        found: dict[str, Any] = {}
        for window, end in self.wide_end.items():
            found[f"events_{window}d"] = _running(begin, end)[cut, account]
        for window, end in self.end.items():
            kinds = _running(self.begin, end).reshape(shape)[cut, account]
            found[f"events_{window}d"] = kinds.sum(axis=1)
            for place, name in enumerate(EVENTS):
                found[f"event_{name}_{window}d"] = kinds[:, place]
        for window, end in self.amount_end.items():
            amount = _running(self.amount_begin, end)[cut, account]
            found[f"usage_{window}d"] = amount / MILLIONTHS
        grids = self._distinct("active_users", self.user_day, self.owners, WINDOWS)
        kinds = np.repeat(np.arange(self.accounts), len(EVENTS))
        grids |= self._distinct("distinct_events", self.kind_day, kinds, KIND_WINDOWS)
        grids |= self._active_days()
        found |= {name: grid[cut, account] for name, grid in grids.items()}
        last = np.maximum.accumulate(self.last, axis=0)[cut, account]
        first = np.minimum.accumulate(self.first, axis=0)[cut, account]
        moment = self.cuts[cut]
        found["days_since_last_event"] = np.where(last == 0, np.nan, (moment - last) / DAY)
        found["days_since_first_event"] = np.where(last == 0, np.nan, (moment - first) / DAY)
        return found

    def _distinct(
        self, name: str, days: Array, owners: Array, windows: tuple[int, ...]
    ) -> dict[str, Array]:
        """Count the members whose last visible day lies in each window; owners are sorted."""
        last = np.maximum.accumulate(days, axis=0)[: self.size]
        present, starts = np.unique(owners, return_index=True)
        found = {}
        for window in windows:
            grid = np.zeros((self.size, self.accounts), dtype=np.int32)
            inside = last >= (self.days - window)[:, None]
            grid[:, present] = np.add.reduceat(inside, starts, axis=1, dtype=np.int32)
            found[f"{name}_{window}d"] = grid
        return found

    def _active_days(self) -> dict[str, Array]:
        """Count the days of each window of which any row was known."""
        grids = {window: np.zeros((self.size, self.accounts), np.int32) for window in WINDOWS}
        for cut, until in enumerate(self.days - self.first_day):
            visible = self.day_seen[until - max(WINDOWS) : until] <= cut
            for window, grid in grids.items():
                grid[cut] = visible[-window:].sum(axis=0, dtype=np.int32)
        return {f"active_days_{window}d": grid for window, grid in grids.items()}


def _running(begin: Array, end: Array) -> Array:
    return np.cumsum(begin - end, axis=0, dtype=begin.dtype)


def build(folder: Path, asked: Asked) -> Mapping[str, Array]:
    """Return the usage columns of the snapshots."""
    owners, rows = batches(folder, asked)
    grids = Grids(asked, owners)
    while True:
        with stage("read"):
            batch: Any = next(rows, None)
        if batch is None:
            break
        with stage("add"):
            grids.add(batch)
    with stage("fold"):
        return with_derived(grids.columns(asked.account_no, asked.cut_no))


if __name__ == "__main__":
    main(build)
