"""The relations of revenue that metrics are aggregated from, one row per account.

Each has `period_id` and `account_id`; money has `currency`.  `groups` holds what splits accounts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tenure.core.steps import Step, quote
from tenure.labels.snapshots import FOREVER
from tenure.success.owners import EXACT, JOINED, ROWS
from tenure.success.states import FIRST, MOVEMENTS, MOVES, PAUSES, PERIODS, RUNNING, SPANS

GROUPS = "success_groups"
REASONS = "success_reasons"
DROPPED = "success_dropped"
BOOKS = "success_books"
JOINT = "coalesce(j.joint_id, r.account_id)"
"""SQL of what the account of `r`, at the start of the period `p`, is part of at its end."""
TO_JOINT = (
    f"LEFT JOIN {JOINED} AS j ON j.from_at = p.from_at AND j.to_at = p.to_at "
    "AND j.account_id = r.account_id"
)
"""The join that it needs."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the text of the relations depends on."""

    since: datetime
    """Start of the first period."""
    until: datetime
    grace_days: int
    """Days after its due date within which a renewal still counts."""
    activation_days: int
    """Days within which an account that starts is to be active."""
    activation_event: str | None
    """Event that counts as first value; None where none is named."""
    thresholds: tuple[tuple[float, float, float], ...]
    """Least positive answer by scale, for satisfaction."""
    mergers: bool
    """Whether there is a table of mergers."""
    unit: str
    """Calendar unit, ``month`` or ``day``, at whose starts all periods begin and end."""


def name_of(relation: str) -> str:
    """Return the name of a relation's table."""
    return f"success_of_{relation}"


def revenue_steps() -> list[Step]:
    """Return the steps of `money` and `bridge`."""
    amounts = ", ".join(f"CAST(sum(m.{name}) AS {EXACT}) AS {name}" for name in MOVEMENTS)
    return [
        _reasons(),
        Step(
            name_of("money"),
            f"""
SELECT p.period_id, p.months, m.*, coalesce(q.end_reason = 'involuntary', false) AS involuntary
FROM {PERIODS} AS p
JOIN {MOVES} AS m ON m.from_at = p.from_at AND m.to_at = p.to_at
LEFT JOIN {REASONS} AS q ON q.period_id = p.period_id AND q.account_id = m.account_id
""",
            lazy=True,
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


def account_steps() -> list[Step]:
    """Return the steps of `accounts`; they need those of the revenue."""
    return [_dropped(), _books(), _accounts()]


def _reasons() -> Step:
    """Return the step of the reason of the last paid row that ended in each period."""
    return Step(
        REASONS,
        f"""
SELECT p.period_id, {JOINT} AS account_id,
  arg_max(coalesce(r.end_reason, ''), r.ended_at) AS end_reason
FROM {PERIODS} AS p
JOIN {ROWS} AS r ON r.ended_at >= p.from_at AND r.ended_at < p.to_at
{TO_JOINT}
WHERE r.paid
GROUP BY 1, 2
""",
    )


def _dropped() -> Step:
    """Return the step of subscriptions that ran at the start and not at the end, and no move."""
    return Step(
        DROPPED,
        f"""
SELECT s.period_id, s.account_id, count(*) AS dropped
FROM (
  SELECT p.period_id, p.to_at, {JOINT} AS account_id, r.account_id AS own_id, r.subscription_id
  FROM {PERIODS} AS p JOIN {RUNNING} AS r ON r.edge_at = p.from_at {TO_JOINT}
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
    held = (
        "count(DISTINCT r.subscription_id) AS subscriptions, sum(r.seats) AS seats, "
        "arg_max(coalesce(r.plan, ''), r.mrr) AS plan, arg_max(r.currency, r.mrr) AS currency"
    )
    return Step(
        BOOKS,
        f"""
SELECT p.period_id, false AS at_end, {JOINT} AS account_id, {held}
FROM {PERIODS} AS p JOIN {RUNNING} AS r ON r.edge_at = p.from_at {TO_JOINT}
GROUP BY 1, 2, 3
UNION ALL
SELECT p.period_id, true, r.account_id, {held}
FROM {PERIODS} AS p JOIN {RUNNING} AS r ON r.edge_at = p.to_at
GROUP BY 1, 2, 3
""",
    )


def _accounts() -> Step:
    """Return the step of accounts that paid at an end of a period or began to inside it."""
    paid_days = (
        "sum(date_diff('day', greatest(r.started_at, p.from_at), "
        f"least(coalesce(r.ended_at, {FOREVER}), p.to_at)))"
    )
    return Step(
        name_of("accounts"),
        f"""
WITH present AS (
  SELECT p.period_id, {JOINT} AS account_id, bool_or(r.started_at >= p.from_at) AS began,
    least({paid_days}, any_value(p.days)) AS paid_days
  FROM {PERIODS} AS p
  JOIN {ROWS} AS r ON r.started_at < p.to_at AND coalesce(r.ended_at, {FOREVER}) >= p.from_at
  {TO_JOINT}
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

    `attributes` are those of `segment` and `owner` that the table of accounts has.
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
