"""What each account paid at the ends of periods, and how it moved between them.

* `success_running`: paid subscriptions that run at each edge of a period
* `success_states`: MRR and seats per edge, account and currency
* `success_pauses`: accounts that are in a pause at each edge
* `success_ramps`: per span: increases that begin in it and were booked when their term began
* `success_changes`: per span, account and currency: MRR at both ends, and at the start that of all
  accounts that are one at the end (`base_mrr`)
* `success_moves`: … and which movement lies between them

MRR is DECIMAL throughout, so that start + movements = end holds to the last digit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tenure.core.steps import Step, text_literal
from tenure.core.times import literal
from tenure.labels.snapshots import FOREVER
from tenure.success.owners import (
    EXACT,
    INTERVALS,
    JOINED,
    ROWS,
    aliases_step,
    joined_step,
    rows_step,
)

PERIODS = "success_periods"
"""Reported periods: period_id, from_at, to_at, months, days."""
SPANS = "success_spans"
"""Months within each period: period_id, from_at, to_at."""

NOTHING = f"CAST(0 AS {EXACT})"
EDGES = "success_edges"
RUNNING = "success_running"
STATES = "success_states"
PAUSES = "success_pauses"
RATES = "success_rates"
RAMPS = "success_ramps"
CHANGES = "success_changes"
MOVES = "success_moves"
FIRST = "success_first"

MOVEMENTS = (
    *("new", "reactivation", "expansion", "contracted_expansion"),
    *("contraction", "churn", "pause", "resume", "merger", "fx"),
)
"""Names of the movements; each is a column of `success_moves`."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the tables hold that the text of the steps depends on."""

    until: datetime
    currency: str | None
    """What money is converted to by `fx_rates`; None: it stays in its own."""
    booked: str
    """SQL over `subscriptions` of when a row was booked."""
    notice: str
    """SQL over it of the days of notice of a row."""
    mergers: bool
    """Whether there is a table of mergers."""
    several: bool
    """Whether an account may pay in several currencies side by side."""


def state_steps(inputs: Inputs) -> list[Step]:
    """Return the steps from `subscriptions` and the periods to the movements."""
    until, currency = inputs.until, inputs.currency
    rates = [] if currency is None else [_rates(until, currency)]
    return [
        aliases_step(until, mergers=inputs.mergers),
        rows_step(until, inputs.booked, inputs.notice, mergers=inputs.mergers),
        Step(
            FIRST,
            f"SELECT account_id, min(started_at) AS first_at FROM {ROWS} WHERE paid GROUP BY 1",
        ),
        Step(
            INTERVALS,
            f"SELECT from_at, to_at FROM {PERIODS} UNION SELECT from_at, to_at FROM {SPANS}",
        ),
        Step(
            EDGES, f"SELECT from_at AS edge_at FROM {INTERVALS} UNION SELECT to_at FROM {INTERVALS}"
        ),
        joined_step(),
        _running(),
        Step(
            STATES,
            f"SELECT edge_at, account_id, currency, CAST(sum(mrr) AS {EXACT}) AS mrr, "
            "sum(seats) AS seats "
            f"FROM {RUNNING} GROUP BY 1, 2, 3",
        ),
        _pauses(until),
        *rates,
        _ramps(currency),
        _changes(currency),
        _moves(several=inputs.several),
    ]


def _running() -> Step:
    return Step(
        RUNNING,
        f"""
SELECT
  e.edge_at, r.account_id, r.subscription_id, r.currency,
  CAST(sum(r.mrr) AS {EXACT}) AS mrr, sum(r.seats) AS seats, arg_max(r.plan, r.mrr) AS plan
FROM {EDGES} AS e
JOIN {ROWS} AS r ON r.started_at < e.edge_at
  AND coalesce(r.ended_at, {FOREVER}) >= e.edge_at
WHERE r.paid
GROUP BY 1, 2, 3, 4
""",
    )


def _pauses(until: datetime) -> Step:
    """Return the step of pauses: rows that say so, and paid rows since they fell into one."""
    return Step(
        PAUSES,
        f"""
SELECT DISTINCT e.edge_at, r.account_id
FROM {EDGES} AS e
JOIN ({paused_spans(ROWS, literal(until))}) AS r
  ON r.paused_at < e.edge_at AND coalesce(r.resumed_at, {FOREVER}) >= e.edge_at
""",
    )


def paused_spans(rows: str, until: str) -> str:
    """Return SQL of when accounts fell into a pause, and when it ended: null where it has not.

    `rows` names the rows of subscriptions; `until` is SQL of when observation stopped: a status
    without a clock is of then.
    """
    since = f"coalesce(status_at, {until} - INTERVAL '1' MICROSECOND)"
    return f"""
  SELECT
    account_id,
    CASE WHEN paid THEN {since} ELSE started_at END AS paused_at,
    CASE WHEN NOT paid THEN ended_at END AS resumed_at
  FROM {rows} WHERE status = 'paused'
"""


def _rates(until: datetime, currency: str) -> Step:
    """Return the step of what one unit of each currency is worth at each edge."""
    before = "f.event_time < e.edge_at"
    latest = (
        f"coalesce(arg_max(f.rate, f.event_time) FILTER ({before}), arg_min(f.rate, f.event_time))"
    )
    return Step(
        RATES,
        f"""
WITH quoted AS (
  SELECT e.edge_at, f.currency, {latest} AS rate
  FROM {EDGES} AS e CROSS JOIN fx_rates AS f
  WHERE f.known_at < {literal(until)} GROUP BY 1, 2
), home AS (SELECT edge_at, rate FROM quoted WHERE currency = {text_literal(currency)})
SELECT s.edge_at, s.currency,
  CASE WHEN s.currency = {text_literal(currency)} THEN 1.0
    ELSE q.rate / coalesce(h.rate, 1.0) END AS rate
FROM (SELECT e.edge_at, c.currency FROM {EDGES} AS e CROSS JOIN
  (SELECT DISTINCT currency FROM {ROWS}) AS c) AS s
LEFT JOIN quoted AS q ON q.edge_at = s.edge_at AND q.currency = s.currency
LEFT JOIN home AS h ON h.edge_at = s.edge_at
""",
    )


def _ramps(currency: str | None) -> Step:
    """Return the step of increases that were booked by the day on which the term before began."""
    money, join, label = "r.mrr - r.mrr_before", "", "r.currency"
    if currency is not None:
        money = f"CAST(({money}) * f.rate AS {EXACT})"
        join = f"JOIN {RATES} AS f ON f.edge_at = i.from_at AND f.currency = r.currency"
        label = text_literal(currency)
    return Step(
        RAMPS,
        f"""
SELECT i.from_at, i.to_at, r.account_id, {label} AS currency, CAST(sum({money}) AS {EXACT}) AS ramp
FROM {INTERVALS} AS i
JOIN (
  SELECT *,
    lag(mrr) OVER own AS mrr_before, lag(started_at) OVER own AS start_before,
    lag(currency) OVER own AS currency_before, lag(ended_at) OVER own AS end_before
  FROM {ROWS} WHERE paid
  WINDOW own AS (PARTITION BY account_id, subscription_id ORDER BY started_at)
) AS r ON r.started_at >= i.from_at AND r.started_at < i.to_at
{join}
WHERE r.mrr > r.mrr_before AND r.currency = r.currency_before AND r.end_before >= r.started_at
  AND date_trunc('day', r.booked_at) <= date_trunc('day', r.start_before)
GROUP BY 1, 2, 3, 4
""",
        lazy=True,
    )


def _changes(currency: str | None) -> Step:
    """Return the step of MRR at both ends, the end also at the rates of the start."""
    value, constant, label = "s.mrr", "s.mrr", "s.currency"
    joins = ""
    if currency is not None:
        value, constant = (f"CAST(s.mrr * {one}.rate AS {EXACT})" for one in ("a", "b"))
        label = text_literal(currency)
        joins = (
            f"JOIN {RATES} AS a ON a.edge_at = s.edge_at AND a.currency = s.currency "
            f"JOIN {RATES} AS b ON b.edge_at = i.from_at AND b.currency = s.currency"
        )
    part = (
        f"JOIN {JOINED} AS j ON j.from_at = i.from_at AND j.to_at = i.to_at "
        "AND j.account_id = s.account_id"
    )
    start = f"FROM {INTERVALS} AS i JOIN {STATES} AS s ON s.edge_at = i.from_at {joins}"
    return Step(
        CHANGES,
        f"""
SELECT from_at, to_at, account_id, currency,
  CAST(sum(start_mrr) AS {EXACT}) AS start_mrr, CAST(sum(base_mrr) AS {EXACT}) AS base_mrr,
  CAST(sum(end_mrr) AS {EXACT}) AS end_mrr,
  CAST(CASE WHEN sum(base_mrr) = 0 THEN sum(end_mrr) ELSE sum(end_constant) END AS {EXACT})
    AS end_constant,
  CAST(coalesce(sum(seats), 0) AS BIGINT) AS end_seats
FROM (
  SELECT i.from_at, i.to_at, s.account_id, {label} AS currency, {value} AS start_mrr,
    CASE WHEN j.joint_id IS NULL THEN {value} ELSE {NOTHING} END AS base_mrr,
    {NOTHING} AS end_mrr, {NOTHING} AS end_constant, 0 AS seats
  {start} LEFT {part}
  UNION ALL
  SELECT i.from_at, i.to_at, j.joint_id, {label}, {NOTHING}, {value}, {NOTHING}, {NOTHING}, 0
  {start} {part}
  UNION ALL
  SELECT i.from_at, i.to_at, s.account_id, {label}, {NOTHING}, {NOTHING}, {value}, {constant},
    s.seats
  FROM {INTERVALS} AS i JOIN {STATES} AS s ON s.edge_at = i.to_at {joins}
)
GROUP BY 1, 2, 3, 4
""",
        lazy=True,
    )


def _moves(*, several: bool) -> Step:
    """Return the step that names the movement of each account between two ends."""
    whole = (
        "base_mrr > 0 AS paid_start, end_mrr > 0 AS paid_end, "
        "end_mrr = 0 AS leaves_one, base_mrr = 0 AS enters_one"
    )
    window = ""
    if several:
        whole = (
            "sum(base_mrr) OVER own > 0 AS paid_start, sum(end_mrr) OVER own > 0 AS paid_end, "
            "bool_or(end_mrr = 0) OVER own AS leaves_one, "
            "bool_or(base_mrr = 0) OVER own AS enters_one"
        )
        window = "WINDOW own AS (PARTITION BY from_at, to_at, account_id)"
    change = "end_constant - base_mrr"
    amounts = {
        "new": f"CASE WHEN kind = 'new' THEN {change} ELSE {NOTHING} END",
        "reactivation": f"CASE WHEN kind = 'reactivation' THEN {change} ELSE {NOTHING} END",
        "expansion": f"CASE WHEN kind = 'expansion' THEN {change} - booked ELSE {NOTHING} END",
        "contracted_expansion": f"CASE WHEN kind = 'expansion' THEN booked ELSE {NOTHING} END",
        "contraction": f"CASE WHEN kind = 'contraction' THEN {change} ELSE {NOTHING} END",
        "churn": f"CASE WHEN kind = 'churn' THEN {change} ELSE {NOTHING} END",
        "pause": f"CASE WHEN kind = 'pause' THEN {change} ELSE {NOTHING} END",
        "resume": f"CASE WHEN kind = 'resume' THEN {change} ELSE {NOTHING} END",
        "merger": "base_mrr - start_mrr",
        "fx": f"CASE WHEN kind = 'fx' THEN {change} ELSE {NOTHING} END + end_mrr - end_constant",
    }
    listed = ", ".join(f"CAST({sql} AS {EXACT}) AS {name}" for name, sql in amounts.items())
    return Step(
        MOVES,
        f"""
SELECT *, {listed}
FROM (
  SELECT c.*,
    least(coalesce(r.ramp, {NOTHING}), greatest(c.end_constant - c.base_mrr, {NOTHING})) AS booked,
    CASE
      WHEN c.base_mrr = 0 AND c.end_mrr = 0 THEN 'merger'
      WHEN c.base_mrr = 0 THEN CASE
        WHEN c.paid_start AND c.leaves_one THEN 'fx' WHEN c.paid_start THEN 'expansion'
        WHEN b.edge_at IS NOT NULL THEN 'resume'
        WHEN f.first_at < c.from_at THEN 'reactivation' ELSE 'new' END
      WHEN c.end_constant = 0 THEN CASE
        WHEN c.paid_end AND c.enters_one THEN 'fx' WHEN c.paid_end THEN 'contraction'
        WHEN p.edge_at IS NOT NULL THEN 'pause' ELSE 'churn' END
      WHEN c.end_constant > c.base_mrr THEN 'expansion'
      WHEN c.end_constant < c.base_mrr THEN 'contraction'
      ELSE 'same'
    END AS kind
  FROM (
    SELECT *, {whole} FROM {CHANGES} {window}
  ) AS c
  LEFT JOIN {FIRST} AS f ON f.account_id = c.account_id
  LEFT JOIN {PAUSES} AS b ON b.edge_at = c.from_at AND b.account_id = c.account_id
  LEFT JOIN {PAUSES} AS p ON p.edge_at = c.to_at AND p.account_id = c.account_id
  LEFT JOIN {RAMPS} AS r ON r.from_at = c.from_at AND r.to_at = c.to_at
    AND r.account_id = c.account_id AND r.currency = c.currency
)
""",
    )
