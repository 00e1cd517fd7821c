"""The relations that metrics are aggregated from: one row per account, answer, ticket or contract.

Each has `period_id` and `account_id`; money has `currency`.  `groups` holds what splits accounts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tenure.core.steps import Step, quote, text_literal
from tenure.core.times import literal
from tenure.labels.snapshots import FOREVER
from tenure.success.owners import EXACT, JOINED, ROWS, owned
from tenure.success.states import FIRST, MOVEMENTS, MOVES, PAUSES, PERIODS, RUNNING, SPANS

GROUPS = "success_groups"
REASONS = "success_reasons"
DROPPED = "success_dropped"
BOOKS = "success_books"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the text of the relations depends on.

    Attributes:
        until: `observed_until`.
        grace_days: Days after its due date within which a renewal still counts.
        activation_days: Days within which an account that starts is to be active.
        activation_event: Event that counts as first value; None where none is named.
        thresholds: Least positive answer by scale, for satisfaction.
    """

    until: datetime
    grace_days: int
    activation_days: int
    activation_event: str | None
    thresholds: tuple[tuple[float, float, float], ...]


def name_of(relation: str) -> str:
    """Return the name of a relation's table."""
    return f"success_of_{relation}"


def revenue_steps() -> list[Step]:
    """Return the steps of `money`, `bridge` and `accounts`."""
    amounts = ", ".join(f"CAST(sum(m.{name}) AS {EXACT}) AS {name}" for name in MOVEMENTS)
    return [
        _reasons(),
        _dropped(),
        _books(),
        _accounts(),
        Step(
            name_of("money"),
            f"""
SELECT p.period_id, p.months, m.*, a.involuntary
FROM {PERIODS} AS p
JOIN {MOVES} AS m ON m.from_at = p.from_at AND m.to_at = p.to_at
LEFT JOIN {name_of("accounts")} AS a
  ON a.period_id = p.period_id AND a.account_id = m.account_id
""",
        ),
        Step(
            name_of("bridge"),
            f"""
SELECT s.period_id, m.account_id, m.currency,
  CAST(sum(CASE WHEN s.from_at = p.from_at THEN m.start_mrr ELSE 0 END) AS {EXACT}) AS start_mrr,
  CAST(sum(CASE WHEN s.to_at = p.to_at THEN m.end_mrr ELSE 0 END) AS {EXACT}) AS end_mrr,
  {amounts}
FROM {SPANS} AS s
JOIN {PERIODS} AS p ON p.period_id = s.period_id
JOIN {MOVES} AS m ON m.from_at = s.from_at AND m.to_at = s.to_at
GROUP BY 1, 2, 3
""",
        ),
    ]


def joint_account(account: str) -> tuple[str, str]:
    """Return SQL of what an account is part of at the period's end, and the join that it needs.

    Args:
        account: Alias of a relation of accounts at the start of the period `p`.
    """
    join = (
        f"LEFT JOIN {JOINED} AS j ON j.from_at = p.from_at AND j.to_at = p.to_at "
        f"AND j.account_id = {account}.account_id"
    )
    return f"coalesce(j.joint_id, {account}.account_id)", join


def _reasons() -> Step:
    """Return the step of the reason of the last paid row that ended in each period."""
    account, join = joint_account("r")
    return Step(
        REASONS,
        f"""
SELECT p.period_id, {account} AS account_id,
  arg_max(coalesce(r.end_reason, ''), r.ended_at) AS end_reason
FROM {PERIODS} AS p
JOIN {ROWS} AS r ON r.ended_at >= p.from_at AND r.ended_at < p.to_at
{join}
WHERE r.paid
GROUP BY 1, 2
""",
    )


def _dropped() -> Step:
    """Return the step of subscriptions that ran at the start and not at the end, and no move."""
    account, join = joint_account("r")
    return Step(
        DROPPED,
        f"""
SELECT s.period_id, s.account_id, count(*) AS dropped
FROM (
  SELECT p.period_id, p.to_at, {account} AS account_id, r.account_id AS own_id, r.subscription_id
  FROM {PERIODS} AS p JOIN {RUNNING} AS r ON r.edge_at = p.from_at {join}
) AS s
ANTI JOIN {RUNNING} AS e
  ON e.edge_at = s.to_at AND e.account_id = s.account_id AND e.subscription_id = s.subscription_id
LEFT JOIN (
  SELECT account_id, subscription_id, arg_max(end_reason, started_at) AS reason
  FROM {ROWS} WHERE paid GROUP BY 1, 2
) AS r ON r.account_id = s.own_id AND r.subscription_id = s.subscription_id
WHERE coalesce(r.reason, '') NOT IN ('upgrade', 'downgrade')
GROUP BY 1, 2
""",
    )


def _books() -> Step:
    """Return the step of what each account of a period's end ran at its start and at its end."""
    account, join = joint_account("r")
    return Step(
        BOOKS,
        f"""
SELECT p.period_id, r.edge_at = p.to_at AS at_end,
  CASE WHEN r.edge_at = p.to_at THEN r.account_id ELSE {account} END AS account_id,
  count(DISTINCT r.subscription_id) AS subscriptions, sum(r.seats) AS seats,
  arg_max(coalesce(r.plan, ''), r.mrr) AS plan, arg_max(r.currency, r.mrr) AS currency
FROM {PERIODS} AS p JOIN {RUNNING} AS r ON r.edge_at = p.from_at OR r.edge_at = p.to_at
{join}
GROUP BY 1, 2, 3
""",
    )


def _accounts() -> Step:
    """Return the step of accounts that paid at an end of a period or began to inside it."""
    account, join = joint_account("r")
    paid_days = (
        "sum(date_diff('day', greatest(r.started_at, p.from_at), "
        f"least(coalesce(r.ended_at, {FOREVER}), p.to_at)))"
    )
    return Step(
        name_of("accounts"),
        f"""
WITH present AS (
  SELECT p.period_id, {account} AS account_id, bool_or(r.started_at >= p.from_at) AS began,
    least({paid_days}, any_value(p.days)) AS paid_days
  FROM {PERIODS} AS p
  JOIN {ROWS} AS r ON r.started_at < p.to_at AND coalesce(r.ended_at, {FOREVER}) >= p.from_at
  {join}
  WHERE r.paid GROUP BY 1, 2
)
SELECT a.period_id, a.account_id, p.days, a.paid_days,
  s.account_id IS NOT NULL AS active_start, e.account_id IS NOT NULL AS active_end,
  a.began AND s.account_id IS NULL AS joined,
  e.account_id IS NULL AND z.account_id IS NULL AS gone,
  coalesce(q.end_reason = 'involuntary', false) AS involuntary,
  coalesce(s.subscriptions, 0) AS subscriptions_start, coalesce(d.dropped, 0) AS dropped,
  e.seats AS seats_end,
  coalesce(s.plan, e.plan) AS plan, coalesce(e.plan, s.plan) AS plan_end,
  coalesce(s.currency, e.currency) AS currency_main
FROM present AS a
JOIN {PERIODS} AS p ON p.period_id = a.period_id
LEFT JOIN {BOOKS} AS s ON s.period_id = p.period_id AND s.account_id = a.account_id
  AND NOT s.at_end
LEFT JOIN {BOOKS} AS e ON e.period_id = p.period_id AND e.account_id = a.account_id AND e.at_end
LEFT JOIN {PAUSES} AS z ON z.edge_at = p.to_at AND z.account_id = a.account_id
LEFT JOIN {REASONS} AS q ON q.period_id = a.period_id AND q.account_id = a.account_id
LEFT JOIN {DROPPED} AS d ON d.period_id = a.period_id AND d.account_id = a.account_id
""",
    )


def groups_step(attributes: tuple[str, ...]) -> Step:
    """Return the step of what splits accounts, per period; attributes are those of today.

    Args:
        attributes: Those of `segment` and `owner` that the table of accounts has.
    """
    named = {name: f"arg_max({quote(name)}, event_time)" for name in attributes}
    listed = ", ".join(
        f"coalesce({named.get(name, 'NULL')}, '') AS {name}" for name in ("segment", "owner")
    )
    return Step(
        GROUPS,
        f"""
SELECT p.period_id, a.account_id, a.segment, a.owner,
  coalesce(strftime(f.first_at, '%Y-%m'), '') AS cohort,
  coalesce(o.plan, '') AS plan, coalesce(o.plan_end, '') AS plan_end,
  coalesce(o.currency_main, '') AS currency
FROM {PERIODS} AS p
CROSS JOIN (SELECT account_id, {listed} FROM accounts GROUP BY 1) AS a
LEFT JOIN {FIRST} AS f ON f.account_id = a.account_id
LEFT JOIN {name_of("accounts")} AS o ON o.period_id = p.period_id AND o.account_id = a.account_id
""",
    )


def answers_step(settings: Settings) -> Step:
    """Return the step of the last answer of each respondent to each kind of survey in a period."""
    until = settings.until
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
  JOIN {owned("survey_responses", "event_time")} AS s
    ON s.responded_at >= p.from_at AND s.responded_at < p.to_at
  WHERE s.score IS NOT NULL AND s.responded_at__known < {literal(until)}
    AND s.known_at < {literal(until)}
) WHERE place = 1
""",
    )


def sent_step(until: datetime) -> Step:
    """Return the step of the surveys sent in a period."""
    return Step(
        name_of("sent"),
        f"""
SELECT p.period_id, s.account_id, s.survey_type,
  s.responded_at IS NOT NULL AND s.responded_at__known < {literal(until)} AS answered
FROM {PERIODS} AS p
JOIN {owned("survey_responses", "event_time")} AS s
  ON s.sent_at >= p.from_at AND s.sent_at < p.to_at
WHERE s.known_at < {literal(until)}
""",
    )


def tickets_step(columns: frozenset[str], until: datetime) -> Step:
    """Return the step of tickets that were open at some time of a period."""

    def late(name: str) -> str:
        if name not in columns:
            return f"CAST(NULL AS TIMESTAMP) AS {name}"
        return f"CASE WHEN t.{name}__known < {literal(until)} THEN t.{name} END AS {name}"

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
  FROM {owned("tickets", "opened_at")} AS t WHERE t.known_at < {literal(until)}
) AS t ON t.opened_at < p.to_at AND coalesce(t.resolved_at, {FOREVER}) >= p.from_at
""",
    )


def usage_step(until: datetime) -> Step:
    """Return the step of the days on which each user was active in a period, per account."""
    return Step(
        name_of("usage"),
        f"""
WITH used AS (
  SELECT DISTINCT account_id, user_id, date_trunc('day', occurred_at) AS day
  FROM {owned("usage_events", "occurred_at")} AS u
  WHERE user_id IS NOT NULL AND known_at < {literal(until)}
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


def breadth_step(until: datetime) -> Step:
    """Return the step of how many of the events of a period each account used."""
    return Step(
        name_of("breadth"),
        f"""
WITH used AS (
  SELECT DISTINCT account_id, event, date_trunc('day', occurred_at) AS day
  FROM {owned("usage_events", "occurred_at")} AS u WHERE known_at < {literal(until)}
), within AS (
  SELECT DISTINCT p.period_id, u.account_id, u.event
  FROM {PERIODS} AS p JOIN used AS u ON u.day >= date_trunc('day', p.from_at) AND u.day < p.to_at
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
  LEFT JOIN {owned("usage_events", "occurred_at")} AS u ON u.account_id = f.account_id
    AND u.occurred_at >= f.first_at AND u.known_at < {until}
  GROUP BY 1, 2
)
SELECT p.period_id, f.account_id,
  {mature} <= {until} AS mature, coalesce(f.value_at < {mature}, false) AS activated,
  epoch(f.used_at - f.first_at) / 86400 AS launch_days,
  epoch(f.value_at - f.first_at) / 86400 AS value_days
FROM {PERIODS} AS p JOIN launched AS f ON f.first_at >= p.from_at AND f.first_at < p.to_at
""",
    )
