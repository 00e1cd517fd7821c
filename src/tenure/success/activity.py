"""The relations of what accounts do and say: answers, tickets, use, and their first days.

Each has `period_id` and `account_id`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from tenure.core.steps import Step, text_literal
from tenure.core.times import literal
from tenure.labels.snapshots import FOREVER
from tenure.success.owners import owned
from tenure.success.relations import Settings, name_of
from tenure.success.states import FIRST, PERIODS

BY_USER = "success_use_by_user"
BY_EVENT = "success_use_by_event"
UNITS = "success_use_units"
"""Calendar units of the log within each period: period_id, since."""


def answers_step(settings: Settings) -> Step:
    """Return the step of the last answer of each respondent to each kind of survey in a period."""
    until = literal(settings.until)
    cases = " ".join(
        f"WHEN scale_low = {low!r} AND scale_high = {high!r} THEN {least!r}"
        for low, high, least in settings.thresholds
    )
    threshold = f"CASE {cases} END" if cases else "CAST(NULL AS DOUBLE)"
    return Step(
        name_of("answers"),
        f"""
SELECT *, {threshold} AS threshold FROM (
  SELECT p.period_id, s.account_id, s.survey_type, s.score, s.scale_low, s.scale_high,
    row_number() OVER (
      PARTITION BY p.period_id, s.account_id, s.survey_type,
        coalesce(s.respondent_id, s.response_id)
      ORDER BY s.responded_at DESC, s.response_id DESC
    ) AS place
  FROM {PERIODS} AS p
  JOIN {owned("survey_responses", "event_time", mergers=settings.mergers)} AS s
    ON s.responded_at >= p.from_at AND s.responded_at < p.to_at
  WHERE s.score IS NOT NULL AND s.responded_at__known < {until}
    AND s.known_at < {until}
) WHERE place = 1
""",
    )


def sent_step(settings: Settings) -> Step:
    """Return the step of the surveys sent in a period."""
    until = literal(settings.until)
    return Step(
        name_of("sent"),
        f"""
SELECT p.period_id, s.account_id, s.survey_type,
  s.responded_at IS NOT NULL AND s.responded_at__known < {until} AS answered
FROM {PERIODS} AS p
JOIN {owned("survey_responses", "event_time", mergers=settings.mergers)} AS s
  ON s.sent_at >= p.from_at AND s.sent_at < p.to_at
WHERE s.known_at < {until}
""",
    )


def tickets_step(columns: frozenset[str], settings: Settings) -> Step:
    """Return the step of tickets that were open at some time of a period."""
    until = literal(settings.until)

    def late(name: str) -> str:
        if name not in columns:
            return f"CAST(NULL AS TIMESTAMP) AS {name}"
        return f"CASE WHEN t.{name}__known < {until} THEN t.{name} END AS {name}"

    score = "t.csat_score" if "csat_score" in columns else "CAST(NULL AS DOUBLE)"
    times = ", ".join(
        map(late, ("first_responded_at", "resolved_at", "escalated_at", "reopened_at"))
    )
    return Step(
        name_of("tickets"),
        f"""
SELECT p.period_id, p.to_at, t.*, t.opened_at >= p.from_at AS opened,
  coalesce(t.resolved_at >= p.from_at AND t.resolved_at < p.to_at, false) AS resolved,
  t.resolved_at IS NULL OR t.resolved_at >= p.to_at AS backlog
FROM {PERIODS} AS p
JOIN (
  SELECT t.account_id, t.opened_at, {times}, {score} AS csat_score
  FROM {owned("tickets", "opened_at", mergers=settings.mergers)} AS t
  WHERE t.known_at < {until}
) AS t ON t.opened_at < p.to_at AND coalesce(t.resolved_at, {FOREVER}) >= p.from_at
""",
    )


def log_steps(settings: Settings, needed: Collection[str]) -> list[Step]:
    """Return the steps that read the log of use, once by user and once by event, as far as needed.

    Both sum it up by calendar unit of `Settings.unit`, of which a period takes whole ones: on which
    days of the unit each user was active, as bits; which events each account used, and when first
    of all since its first paid start.

    The relations that are `needed` are built of these.
    """
    log = owned("usage_events", "occurred_at", mergers=settings.mergers)
    since = f"date_trunc('{settings.unit}', u.occurred_at) AS since"
    known = (
        f"u.known_at < {literal(settings.until)} "
        f"AND u.occurred_at >= date_trunc('day', {literal(settings.since)})"
    )
    by_user = f"""
SELECT u.account_id, u.user_id, {since},
  bit_or(1::INTEGER << (dayofmonth(u.occurred_at) - 1)::INTEGER) AS day_bits
FROM {log} AS u WHERE u.user_id IS NOT NULL AND {known} GROUP BY ALL
"""
    by_event = f"""
SELECT u.account_id, u.event, {since},
  min(u.occurred_at) FILTER (u.occurred_at >= f.first_at) AS used_at
FROM {log} AS u LEFT JOIN {FIRST} AS f ON f.account_id = u.account_id WHERE {known} GROUP BY ALL
"""
    steps = [Step(BY_USER, by_user)] if "usage" in needed else []
    steps += [Step(BY_EVENT, by_event)] if {"breadth", "starts"} & {*needed} else []
    return [*steps, _units([step.name for step in steps])] if steps else []


def _units(tables: Sequence[str]) -> Step:
    """Return the step of the calendar units that each period takes of tables of the log."""
    units = " UNION ".join(f"SELECT since FROM {table}" for table in tables)
    return Step(
        UNITS,
        f"SELECT p.period_id, u.since FROM {PERIODS} AS p JOIN ({units}) AS u "
        "ON u.since >= date_trunc('day', p.from_at) AND u.since < p.to_at",
    )


def usage_step() -> Step:
    """Return the step of on how many days, and by how many users, each account was active."""
    return Step(
        name_of("usage"),
        f"""
WITH seen AS (
  SELECT p.period_id, u.account_id, u.user_id, sum(bit_count(u.day_bits)) AS days
  FROM {UNITS} AS p JOIN {BY_USER} AS u ON u.since = p.since GROUP BY 1, 2, 3
), counted AS (
  SELECT period_id, account_id, CAST(sum(days) AS BIGINT) AS user_days, count(*) AS users
  FROM seen GROUP BY 1, 2
)
SELECT p.period_id, p.days, coalesce(c.account_id, a.account_id) AS account_id,
  coalesce(c.user_days, 0) AS user_days, coalesce(c.users, 0) AS users,
  coalesce(a.active_end, false) AS active_end, a.seats_end
FROM counted AS c
FULL JOIN {name_of("accounts")} AS a ON a.period_id = c.period_id AND a.account_id = c.account_id
JOIN {PERIODS} AS p ON p.period_id = coalesce(c.period_id, a.period_id)
""",
    )


def breadth_step() -> Step:
    """Return the step of how many of the events of a period each account used."""
    return Step(
        name_of("breadth"),
        f"""
WITH within AS (
  SELECT DISTINCT p.period_id, u.account_id, u.event
  FROM {UNITS} AS p JOIN {BY_EVENT} AS u ON u.since = p.since
), counted AS (SELECT period_id, account_id, count(*) AS events FROM within GROUP BY 1, 2)
SELECT a.period_id, a.account_id, a.active_end, coalesce(c.events, 0) AS events, t.events_of_all
FROM {name_of("accounts")} AS a
JOIN (
  SELECT period_id, count(DISTINCT event) AS events_of_all FROM within GROUP BY 1
) AS t ON t.period_id = a.period_id
LEFT JOIN counted AS c ON c.period_id = a.period_id AND c.account_id = a.account_id
""",
    )


def starts_step(settings: Settings) -> Step:
    """Return the step of accounts whose paid time first began in a period, and their first use."""
    until = literal(settings.until)
    event = settings.activation_event
    value = f"event = {text_literal(event)}" if event else "true"
    mature = f"f.first_at + INTERVAL '{settings.activation_days}' DAY"
    return Step(
        name_of("starts"),
        f"""
WITH launched AS (
  SELECT account_id, min(used_at) AS used_at, min(used_at) FILTER ({value}) AS value_at
  FROM {BY_EVENT} GROUP BY 1
)
SELECT p.period_id, f.account_id,
  {mature} <= {until} AS mature, coalesce(u.value_at < {mature}, false) AS activated,
  epoch(u.used_at - f.first_at) / 86400 AS launch_days,
  epoch(u.value_at - f.first_at) / 86400 AS value_days
FROM {PERIODS} AS p JOIN {FIRST} AS f ON f.first_at >= p.from_at AND f.first_at < p.to_at
LEFT JOIN launched AS u ON u.account_id = f.account_id
""",
    )
