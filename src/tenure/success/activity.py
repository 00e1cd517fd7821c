"""The relations of what accounts do and say: answers, tickets, use, and their first days.

Each has `period_id` and `account_id`.
"""

from __future__ import annotations

from tenure.core.steps import Step, text_literal
from tenure.core.times import literal
from tenure.labels.snapshots import FOREVER
from tenure.success.owners import owned
from tenure.success.relations import Settings, name_of
from tenure.success.states import FIRST, PERIODS


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


def usage_step(settings: Settings) -> Step:
    """Return the step of the days on which each user was active in a period, per account."""
    until = literal(settings.until)
    return Step(
        name_of("usage"),
        f"""
WITH used AS (
  SELECT DISTINCT account_id, user_id, date_trunc('day', occurred_at) AS day
  FROM {owned("usage_events", "occurred_at", mergers=settings.mergers)} AS u
  WHERE user_id IS NOT NULL AND known_at < {until}
), counted AS (
  SELECT p.period_id, u.account_id, count(*) AS user_days, count(DISTINCT u.user_id) AS users
  FROM {PERIODS} AS p JOIN used AS u ON u.day >= date_trunc('day', p.from_at) AND u.day < p.to_at
  GROUP BY 1, 2
)
SELECT p.period_id, p.days, coalesce(c.account_id, a.account_id) AS account_id,
  coalesce(c.user_days, 0) AS user_days, coalesce(c.users, 0) AS users,
  coalesce(a.active_end, false) AS active_end, a.seats_end
FROM counted AS c
FULL JOIN {name_of("accounts")} AS a ON a.period_id = c.period_id AND a.account_id = c.account_id
JOIN {PERIODS} AS p ON p.period_id = coalesce(c.period_id, a.period_id)
""",
    )


def breadth_step(settings: Settings) -> Step:
    """Return the step of how many of the events of a period each account used."""
    until = literal(settings.until)
    return Step(
        name_of("breadth"),
        f"""
WITH used AS (
  SELECT DISTINCT account_id, event, date_trunc('{settings.unit}', occurred_at) AS since
  FROM {owned("usage_events", "occurred_at", mergers=settings.mergers)} AS u
  WHERE known_at < {until}
), within AS (
  SELECT DISTINCT p.period_id, u.account_id, u.event
  FROM {PERIODS} AS p
  JOIN used AS u ON u.since >= date_trunc('day', p.from_at) AND u.since < p.to_at
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
  SELECT f.account_id, f.first_at, min(u.occurred_at) AS used_at,
    min(u.occurred_at) FILTER ({value}) AS value_at
  FROM {FIRST} AS f
  LEFT JOIN {owned("usage_events", "occurred_at", mergers=settings.mergers)} AS u
    ON u.account_id = f.account_id AND u.occurred_at >= f.first_at AND u.known_at < {until}
  GROUP BY 1, 2
)
SELECT p.period_id, f.account_id,
  {mature} <= {until} AS mature, coalesce(f.value_at < {mature}, false) AS activated,
  epoch(f.used_at - f.first_at) / 86400 AS launch_days,
  epoch(f.value_at - f.first_at) / 86400 AS value_days
FROM {PERIODS} AS p JOIN launched AS f ON f.first_at >= p.from_at AND f.first_at < p.to_at
""",
    )
