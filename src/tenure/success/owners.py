"""Which account a row is of: its own, or after a merger the one that it became part of.

* `success_aliases`: since when, and until when, the rows of a merged account count for another
* `success_rows`: subscription rows as known when observation stopped, each of its account of then
* `success_joined`: per span: accounts of its start that are part of another at its end
"""

from __future__ import annotations

from datetime import datetime

from tenure.core.steps import Step
from tenure.core.times import last_of, literal
from tenure.labels.snapshots import FOREVER

EXACT = "DECIMAL(38, 10)"
"""Type of money, so that start and movements are the end to the last digit."""
ALIASES = "success_aliases"
JOINED = "success_joined"
ROWS = "success_rows"
INTERVALS = "success_intervals"
"""Spans of time: from_at, to_at."""


def aliases_step(until: datetime, *, mergers: bool) -> Step:
    """Return the step of what each merged account is part of, and when.

    An account merges once, into one that had not merged by then, so that chains go forward in time.
    """
    log = 'SELECT account_id, into_account_id, "at" AS merged_at FROM mergers'
    log += f" WHERE known_at < {literal(until)}"
    if not mergers:
        log = (
            "SELECT '' AS account_id, '' AS into_account_id, "
            f"{literal(until)} AS merged_at WHERE false"
        )
    return Step(
        ALIASES,
        f"""
WITH RECURSIVE log AS ({log}), joined AS (
  SELECT account_id, into_account_id AS joint_id, merged_at FROM log
  UNION ALL
  SELECT j.account_id, l.into_account_id, l.merged_at
  FROM joined AS j JOIN log AS l ON l.account_id = j.joint_id AND l.merged_at > j.merged_at
)
SELECT account_id, joint_id, merged_at,
  coalesce(lead(merged_at) OVER (PARTITION BY account_id ORDER BY merged_at), {FOREVER}) AS until_at
FROM joined
""",
    )


def owned(table: str, time: str, *, mergers: bool) -> str:
    """Return SQL of a table whose rows are of the account that theirs is part of at a time.

    `time` is the column of the time; without a table of mergers it is the table itself.
    """
    if not mergers:
        return table
    return (
        f"(SELECT t.* REPLACE (coalesce(l.joint_id, t.account_id) AS account_id) FROM {table} AS t "
        f"LEFT JOIN {ALIASES} AS l ON l.account_id = t.account_id AND t.{time} >= l.merged_at "
        f"AND t.{time} < l.until_at)"
    )


def rows_step(until: datetime, booked: str, notice: str, *, mergers: bool) -> Step:
    """Return the step of the subscription rows; one that outlives a merger is cut in two there.

    `until` is when observation stopped; over `subscriptions`, `booked` is SQL of when a row was
    booked and `notice` of its days of notice.
    """
    moment = literal(until)
    known = last_of(("started_at", "event_time", "known_at"))
    rows = f"""
  SELECT
    account_id, subscription_id, coalesce(currency, '') AS currency, plan, seats, paid, status,
    started_at, {booked} AS booked_at, {notice} AS notice_days, term_anchor, term_months, status_at,
    CAST(mrr AS {EXACT}) AS mrr,
    CASE WHEN ended_at__known < {moment} THEN ended_at END AS ended_at,
    CASE WHEN ended_at__known < {moment} THEN end_reason END AS end_reason
  FROM subscriptions
  WHERE {known} < {moment}
"""
    if not mergers:
        return Step(ROWS, rows)
    return Step(
        ROWS,
        f"""
WITH known AS ({rows}), cut AS (
  SELECT k.*, min(l.merged_at) OVER row AS first_merged_at,
    l.joint_id, l.merged_at, l.until_at
  FROM known AS k
  LEFT JOIN {ALIASES} AS l ON l.account_id = k.account_id
    AND l.merged_at < coalesce(k.ended_at, {FOREVER}) AND l.until_at > k.started_at
  WINDOW row AS (PARTITION BY k.account_id, k.subscription_id, k.started_at)
)
SELECT * EXCLUDE (first_merged_at, joint_id, merged_at, until_at)
FROM cut WHERE joint_id IS NULL
UNION ALL BY NAME
SELECT DISTINCT * EXCLUDE (first_merged_at, joint_id, merged_at, until_at)
  REPLACE (first_merged_at AS ended_at, NULL AS end_reason)
FROM cut WHERE first_merged_at > started_at
UNION ALL BY NAME
SELECT * EXCLUDE (first_merged_at, joint_id, merged_at, until_at)
  REPLACE (
    joint_id AS account_id, greatest(started_at, merged_at) AS started_at,
    CASE WHEN ended_at IS NULL OR ended_at > until_at THEN nullif(until_at, {FOREVER})
      ELSE ended_at END AS ended_at,
    CASE WHEN ended_at <= until_at THEN end_reason END AS end_reason
  )
FROM cut WHERE joint_id IS NOT NULL
""",
    )


def joined_step() -> Step:
    """Return the step of accounts that became part of another one within a span."""
    return Step(
        JOINED,
        f"""
SELECT i.from_at, i.to_at, l.account_id, arg_max(l.joint_id, l.merged_at) AS joint_id
FROM {INTERVALS} AS i
JOIN {ALIASES} AS l ON l.merged_at >= i.from_at AND l.merged_at < i.to_at
GROUP BY 1, 2, 3
""",
    )
