"""Tickets and surveys by hand: one SELECT per table, every row joined to each cut-off after it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb
import numpy as np
import pandas  # noqa: F401 - DuckDB looks for it at the first query
import pyarrow as pa
from common import MEMORY, THREADS, Array, Asked, main, stage

URGENT = "lower(priority) IN ('urgent', 'high', 'critical', 'p1')"
HOURS = "date_diff('second', opened_at, {}) / 3600.0"


def inside(days: int) -> str:
    return f"event_time >= as_of - INTERVAL {days} DAY"


def known(clock: str) -> str:
    return f"{clock}__known < as_of"


def tally(*conditions: str) -> str:
    return f"count(CASE WHEN {' AND '.join(conditions)} THEN 1 END)"


def mean(value: str, *conditions: str) -> str:
    return f"avg(CASE WHEN {' AND '.join(conditions)} THEN {value} END)"


def last(value: str, *conditions: str) -> str:
    given = " AND ".join((f"{value} IS NOT NULL", *conditions))
    return f"max(CASE WHEN {given} THEN {{'t': event_time, 'v': {value}}} END).v"


def days_since(moment: str) -> str:
    return f"epoch_us(max(as_of) - {moment}) / 86400e6"


OPEN = "(resolved_at__known IS NULL OR resolved_at__known >= as_of)"
TICKETS = {
    **{f"tickets_{w}d": tally(inside(w)) for w in (28, 84, 182)},
    **{f"tickets_urgent_{w}d": tally(inside(w), URGENT) for w in (28, 84, 182)},
    "open_tickets": tally(OPEN),
    "open_tickets_urgent": tally(OPEN, URGENT),
    "oldest_open_ticket_days": days_since(f"min(CASE WHEN {OPEN} THEN event_time END)"),
    **{
        f"mean_response_hours_{w}d": mean(
            HOURS.format("first_responded_at"), inside(w), known("first_responded_at")
        )
        for w in (84, 182)
    },
    **{
        f"mean_resolution_hours_{w}d": mean(
            HOURS.format("resolved_at"), inside(w), known("resolved_at")
        )
        for w in (28, 84, 182)
    },
    **{f"tickets_escalated_{w}d": tally(inside(w), known("escalated_at")) for w in (84, 182)},
    **{
        f"ticket_csat_mean_{w}d": mean("csat_score", inside(w), known("csat_at")) for w in (84, 182)
    },
    "ticket_csat_last": last("csat_score", known("csat_at")),
    "days_since_last_ticket": days_since("max(event_time)"),
}
ANSWERED = known("responded_at")
SURVEYS = {
    **{f"surveys_sent_{w}d": tally("sent_at IS NOT NULL", inside(w)) for w in (182, 365)},
    **{
        f"surveys_answered_{w}d": tally("sent_at IS NOT NULL", inside(w), ANSWERED)
        for w in (182, 365)
    },
    "nps_promoters_365d": tally("survey_type = 'nps'", "score >= 9", inside(365), ANSWERED),
    "nps_detractors_365d": tally("survey_type = 'nps'", "score <= 6", inside(365), ANSWERED),
}
for kind in ("nps", "csat", "ces"):
    of_kind = f"survey_type = '{kind}'"
    SURVEYS[f"{kind}_last"] = last("score", of_kind, ANSWERED)
    answered = f"max(CASE WHEN {of_kind} AND {ANSWERED} THEN responded_at END)"
    SURVEYS[f"days_since_{kind}"] = days_since(answered)
    for days in (182, 365):
        SURVEYS[f"{kind}_mean_{days}d"] = mean("score", of_kind, inside(days), ANSWERED)
TABLES = {"tickets": TICKETS, "survey_responses": SURVEYS}


def build(folder: Path, asked: Asked) -> Mapping[str, Array]:
    """Return the columns of tickets and surveys at the snapshots."""
    connection = duckdb.connect(config={"threads": THREADS, "memory_limit": MEMORY})
    connection.register("given", asked.table)
    connection.execute(
        "CREATE TEMP TABLE asked AS SELECT account_id, CAST(as_of AS TIMESTAMP) AS as_of, "
        "row_number() OVER () AS place FROM given"
    )
    connection.execute("CREATE TEMP TABLE cuts AS SELECT DISTINCT as_of FROM asked")
    columns: dict[str, Array] = {}
    for table, measures in TABLES.items():
        with stage(table):
            listed = ", ".join(f"{sql} AS {name}" for name, sql in measures.items())
            file = f"'{folder / 'canonical' / f'{table}.parquet'}'"
            found: pa.Table = connection.sql(
                f"SELECT asked.place, found.* FROM asked LEFT JOIN (SELECT account_id, as_of, "
                f"{listed} FROM {file} JOIN cuts ON event_time < as_of AND known_at < as_of "
                "GROUP BY account_id, as_of) AS found USING (account_id, as_of) ORDER BY place"
            ).to_arrow_table()
            for name, sql in measures.items():
                values = found.column(name).cast(pa.float64())
                counted = sql.startswith("count")
                columns[name] = np.asarray(values.fill_null(0) if counted else values)
    return columns


if __name__ == "__main__":
    main(build)
