"""Contracts that come due: what was paid at the end of a term, and what followed it.

* `success_dues`: per subscription and date on which a term ends: MRR, and the row that follows
* `success_renewed`: … per account and date: MRR due, and renewed within the grace
* `success_of_renewals`: … in the periods in which it came due, or was booked
* `success_of_losses`: MRR lost in each period, and how much of it on due dates
"""

from __future__ import annotations

from tenure.core.steps import Step, text_literal
from tenure.core.times import literal
from tenure.labels.snapshots import FOREVER
from tenure.success.owners import EXACT, ROWS
from tenure.success.relations import JOINT, TO_JOINT, Settings, name_of
from tenure.success.states import MOVES, PERIODS, RATES

DUES = "success_dues"
RENEWED = "success_renewed"
EARLY_DAYS = 400
"""How long before a period contracts may come due that were booked in it."""


def renewal_steps(settings: Settings, currency: str | None) -> list[Step]:
    """Return the steps from subscription rows to the contracts and the losses of each period.

    Money is converted to `currency` at the rates of each period's start; None: nothing is.
    """
    return [_dues(), _renewed(settings), _in_periods(currency), _losses()]


def _dues() -> Step:
    """Return the step of due dates: of every row those at which it still ran.

    A date is the end of a whole number of periods after the row's anchor, or the anchor itself
    where no period is known or it lies after the row's start.
    """
    reach = "least(b.high, coalesce(r.ended_at, b.high))"
    first, last = (
        f"greatest(0, date_diff('month', r.term_anchor, {edge}) // r.term_months)"
        for edge in ("b.low", reach)
    )
    return Step(
        DUES,
        f"""
WITH bounds AS (
  SELECT min(from_at) - INTERVAL '{EARLY_DAYS}' DAY AS low,
    max(to_at) + to_days((SELECT coalesce(max(notice_days), 0)::INTEGER FROM {ROWS})) AS high
  FROM {PERIODS}
), terms AS (
  SELECT r.account_id, r.subscription_id, r.currency, r.mrr, r.started_at, r.ended_at,
    r.notice_days, r.end_reason, r.term_anchor,
    coalesce(r.term_months, 0) AS term_months, b.low, b.high,
    unnest(CASE WHEN r.term_months > 0 THEN range({first}, {last} + 1) ELSE [0] END) AS term
  FROM {ROWS} AS r CROSS JOIN bounds AS b WHERE r.paid
)
SELECT *, due_at - to_days(CAST(notice_days AS INTEGER)) AS opt_out_at FROM (
  SELECT *, term_anchor + to_months(CAST(term * term_months AS INTEGER)) AS due_at FROM terms
) AS t
WHERE due_at > started_at AND due_at >= low AND due_at < high
  AND coalesce(ended_at, {FOREVER}) >= due_at
""",
    )


def _renewed(settings: Settings) -> Step:
    """Return the step of what follows each due date.

    The row that goes on, or the first of the same subscription within the grace; else what the
    account newly starts between the due date and the end of the grace.
    """
    grace = f"INTERVAL '{settings.grace_days}' DAY"
    until = literal(settings.until)
    return Step(
        RENEWED,
        f"""
WITH followed AS (
  SELECT d.account_id, d.subscription_id, d.currency, d.due_at, any_value(d.mrr) AS due_mrr,
    min(d.opt_out_at) AS opt_out_at, any_value(d.end_reason) AS end_reason,
    arg_min(r.mrr, r.started_at) AS own_mrr, min(r.started_at) AS own_started_at,
    coalesce(sum(r.mrr) FILTER (r.started_at <= d.due_at), 0) AS on_time_mrr,
    arg_min(CASE WHEN r.started_at < d.due_at AND r.started_at = d.started_at THEN d.due_at
      ELSE least(r.started_at, r.booked_at) END, r.started_at) AS own_booked_at
  FROM {DUES} AS d
  LEFT JOIN {ROWS} AS r ON r.paid AND r.account_id = d.account_id
    AND r.subscription_id = d.subscription_id AND r.currency = d.currency
    AND coalesce(r.ended_at, {FOREVER}) > d.due_at AND r.started_at <= d.due_at + {grace}
  GROUP BY 1, 2, 3, 4
), fresh AS (
  SELECT account_id, subscription_id, currency, min(started_at) AS started_at,
    arg_min(mrr, started_at) AS mrr, arg_min(least(started_at, booked_at), started_at) AS booked_at
  FROM {ROWS} WHERE paid GROUP BY 1, 2, 3
), grouped AS (
  SELECT account_id, currency, due_at, count(*) AS contracts, sum(due_mrr) AS due_mrr,
    min(opt_out_at) AS opt_out_at, sum(own_mrr) AS own_mrr, min(own_booked_at) AS own_booked_at,
    sum(greatest(due_mrr - on_time_mrr, 0)) AS lapsed_mrr,
    coalesce(sum(own_mrr) FILTER (own_started_at > due_at), 0) AS own_late_mrr,
    bool_or(own_mrr IS NULL) AS leaves_one,
    bool_or(own_mrr IS NULL AND end_reason IS NOT NULL) AS decided
  FROM followed GROUP BY 1, 2, 3
), joined AS (
  SELECT g.*, sum(n.mrr) AS new_mrr, min(n.booked_at) AS new_booked_at,
    coalesce(sum(n.mrr) FILTER (n.started_at > g.due_at), 0) AS new_late_mrr
  FROM grouped AS g
  LEFT JOIN fresh AS n ON g.leaves_one AND n.account_id = g.account_id
    AND n.currency = g.currency AND n.started_at >= g.due_at
    AND n.started_at <= g.due_at + {grace}
  GROUP BY ALL
)
SELECT account_id, currency, due_at, opt_out_at, contracts, CAST(due_mrr AS {EXACT}) AS due_mrr,
  CAST(coalesce(own_mrr, 0) + coalesce(new_mrr, 0) AS {EXACT}) AS renewed_mrr,
  CAST(own_late_mrr + new_late_mrr AS {EXACT}) AS late_mrr,
  CAST(lapsed_mrr AS {EXACT}) AS lapsed_mrr,
  least(own_booked_at, new_booked_at) AS booked_at,
  leaves_one AND new_mrr IS NULL AND NOT decided AND due_at + {grace} >= {until} AS pending
FROM joined
""",
    )


def _in_periods(currency: str | None) -> Step:
    deadline = "coalesce(r.opt_out_at >= p.from_at AND r.opt_out_at < p.to_at, false)"
    rate, label, join = "1", "r.currency", ""
    if currency is not None:
        rate, label = "f.rate", text_literal(currency)
        join = f"JOIN {RATES} AS f ON f.edge_at = p.from_at AND f.currency = r.currency"
    amounts = ", ".join(
        f"CAST(r.{name} * {rate} AS {EXACT}) AS {name}"
        for name in ("due_mrr", "renewed_mrr", "late_mrr", "lapsed_mrr")
    )
    return Step(
        name_of("renewals"),
        f"""
SELECT p.period_id, r.account_id, {label} AS currency, r.due_at, r.opt_out_at, r.booked_at,
  r.contracts, {amounts}, r.pending,
  r.due_at >= p.from_at AND r.due_at < p.to_at AS due,
  coalesce(r.booked_at >= p.from_at AND r.booked_at < p.to_at, false) AS booked,
  {deadline} AS opting_out
FROM {PERIODS} AS p
JOIN {RENEWED} AS r ON (r.due_at >= p.from_at AND r.due_at < p.to_at)
  OR (r.booked_at >= p.from_at AND r.booked_at < p.to_at) OR {deadline}
{join}
""",
    )


def _losses() -> Step:
    """Return the step of what each account lost in a period: on due dates, and at other times."""
    lost = "-(m.churn + m.contraction)"
    return Step(
        name_of("losses"),
        f"""
WITH lapsed AS (
  SELECT p.period_id, {JOINT} AS account_id, r.currency, sum(r.lapsed_mrr) AS mrr
  FROM {name_of("renewals")} AS r JOIN {PERIODS} AS p ON p.period_id = r.period_id {TO_JOINT}
  WHERE r.due GROUP BY 1, 2, 3
)
SELECT p.period_id, m.account_id, m.currency, {lost} AS lost_mrr,
  least({lost}, coalesce(l.mrr, 0)) AS at_renewal_mrr
FROM {PERIODS} AS p
JOIN {MOVES} AS m ON m.from_at = p.from_at AND m.to_at = p.to_at
LEFT JOIN lapsed AS l
  ON l.period_id = p.period_id AND l.account_id = m.account_id AND l.currency = m.currency
WHERE {lost} > 0
""",
    )
