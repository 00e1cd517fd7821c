"""Plain DuckDB SQL: a loop over cut-offs, two levels of grouping, kinds to columns by CASE.

Each cut-off reads the days of its longest window alone; the first and last event of all time come
of one further pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb
import numpy as np
import pandas  # noqa: F401 - DuckDB looks for it at the first query
import pyarrow as pa
from common import (
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

LONGEST = max(WINDOWS)


def inside(window: int) -> str:
    return f"t >= moment.as_of - INTERVAL {window} DAY"


KINDS = "SELECT account_id, event, " + ", ".join(
    [f"count(CASE WHEN {inside(window)} THEN 1 END) AS n{window}" for window in WINDOWS]
    + [f"sum(CASE WHEN {inside(window)} THEN quantity END) AS q{window}" for window in WINDOWS]
)
BY_KIND = "SELECT account_id, " + ", ".join(
    [f"sum(n{window}) AS events_{window}d" for window in WINDOWS]
    + [f"coalesce(sum(q{window}), 0) AS usage_{window}d" for window in WINDOWS]
    + [f"count(CASE WHEN n{w} > 0 THEN 1 END) AS distinct_events_{w}d" for w in KIND_WINDOWS]
    + [
        f"sum(CASE WHEN event = '{event}' THEN n{window} ELSE 0 END) AS event_{event}_{window}d"
        for event in EVENTS
        for window in KIND_WINDOWS
    ]
)
BY_USER = "SELECT account_id, " + ", ".join(
    f"count(CASE WHEN {inside(window)} THEN 1 END) AS active_users_{window}d" for window in WINDOWS
)
BY_DAY = "SELECT account_id, " + ", ".join(
    f"count(CASE WHEN {inside(window)} THEN 1 END) AS active_days_{window}d" for window in WINDOWS
)


def statement(file: str) -> str:
    """Return the SELECT of one cut-off, given as `$as_of` and the days it needs from `$since`."""
    return f"""
WITH moment AS (SELECT CAST($as_of AS TIMESTAMP) AS as_of),
seen AS MATERIALIZED (
    SELECT account_id, user_id, event, quantity, occurred_at AS t FROM {file}
    WHERE occurred_at >= CAST($since AS TIMESTAMP) AND occurred_at < CAST($as_of AS TIMESTAMP)
    AND known_at < CAST($as_of AS TIMESTAMP)
),
kinds AS ({BY_KIND} FROM ({KINDS} FROM seen, moment GROUP BY account_id, event)
    GROUP BY account_id),
users AS ({BY_USER} FROM (
    SELECT account_id, max(t) AS t FROM seen WHERE user_id IS NOT NULL GROUP BY account_id, user_id
), moment GROUP BY account_id),
days AS ({BY_DAY} FROM (
    SELECT DISTINCT account_id, date_trunc('day', t) AS t FROM seen
), moment GROUP BY account_id)
SELECT *
FROM moment, kinds LEFT JOIN users USING (account_id) LEFT JOIN days USING (account_id)
"""


def extremes(file: str) -> str:
    """Return the SELECT of each account's first and last event known by each cut-off."""
    return f"""
SELECT account_id, as_of,
    epoch_us(as_of - min(first) OVER past) / 86400e6 AS days_since_first_event,
    epoch_us(as_of - max(last) OVER past) / 86400e6 AS days_since_last_event
FROM (
    SELECT account_id, as_of, min(first) AS first, max(last) AS last FROM (
        SELECT account_id, as_of, NULL AS first, NULL AS last FROM asked
        UNION ALL
        SELECT account_id, moment.as_of, first, last FROM (
            SELECT account_id, date_trunc('day', known_at) AS day, min(occurred_at) AS first,
                max(occurred_at) AS last
            FROM {file} GROUP BY ALL
        ) AS daily
        ASOF JOIN (SELECT DISTINCT as_of FROM asked) AS moment ON daily.day < moment.as_of
    ) GROUP BY account_id, as_of
)
WINDOW past AS (PARTITION BY account_id ORDER BY as_of)
"""


def build(folder: Path, asked: Asked) -> Mapping[str, Array]:
    """Return the usage columns of the snapshots."""
    connection = duckdb.connect(config={"threads": THREADS, "memory_limit": MEMORY})
    file = f"'{folder / 'canonical' / 'usage_events.parquet'}'"
    connection.register("given", asked.table)
    connection.execute(
        "CREATE TEMP TABLE asked AS SELECT account_id, CAST(as_of AS TIMESTAMP) AS as_of, "
        "row_number() OVER () AS place FROM given"
    )
    found: pa.Table
    with stage("extremes"):
        connection.execute(f"CREATE TEMP TABLE extremes AS {extremes(file)}")
    with stage("windows"):
        for number, moment in enumerate(asked.moments):
            verb = "INSERT INTO windows" if number else "CREATE TEMP TABLE windows AS"
            since = moment - np.timedelta64(LONGEST, "D")
            connection.execute(
                f"{verb} {statement(file)}", {"as_of": str(moment), "since": str(since)}
            )
    with stage("join"):
        found = connection.sql(
            "SELECT * FROM asked LEFT JOIN windows USING (account_id, as_of) "
            "LEFT JOIN extremes USING (account_id, as_of) ORDER BY place"
        ).to_arrow_table()
        columns = {}
        for name in found.column_names:
            if name not in {"account_id", "as_of", "place"}:
                values = found.column(name).cast(pa.float64())
                filled = values if name.startswith("days_since") else values.fill_null(0)
                columns[name] = filled.to_numpy()
        return with_derived(columns)


if __name__ == "__main__":
    main(build)
