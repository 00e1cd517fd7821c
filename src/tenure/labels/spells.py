"""The spell that runs at a snapshot, and when its end was decided: the first steps of a label.

* `labels_rows`: paid rows that run at as_of or begin later, ends and notices as known
* `labels_reach`: … with how far the rows before each of them reach
* `labels_spell`: … of the spell that runs at as_of, up to its first long interruption
* `labels_decided`: per snapshot: when the end of the spell was decided, if it was
* `labels_outcomes`: per snapshot: the outcome of the target, the last step of every label

They and the steps built on them alone read past `as_of`, and even they only what had happened and
was known before the snapshot's ``label_known_at``.
"""

from __future__ import annotations

from dataclasses import dataclass

from tenure.core.steps import Step
from tenure.labels.snapshots import FOREVER, PAID, paid_rows

LABEL_WINDOWS = "labels_windows"
"""Snapshots and the edges of their windows, one portion at a time; `tenure.labels.targets`
registers it."""

ROWS = "labels_rows"
REACH = "labels_reach"
SPELL = "labels_spell"
DECIDED = "labels_decided"
OUTCOMES = "labels_outcomes"

DROPPED = """
  CASE
    WHEN d.began_at >= d.as_of OR d.decided_at < d.as_of THEN 'already_decided'
    WHEN d.decided_at < d.window_start THEN 'ended_in_gap'""".strip()
"""Start of a CASE over `labels_decided`: why no target has a label."""

CHURNED = "d.decided_at >= d.window_start AND d.decided_at < d.window_end"
"""Whether the end was decided in the window."""


def outcome_step(columns: str, *, joins: str = "", unlabelled: str = "") -> Step:
    """Return the last step of a target: one row per snapshot with its outcome.

    The columns are label, outcome_at, amount and churn_type, over `labels_decided` (``d``) and what
    is joined to it; `unlabelled` are further branches of why there is no label.
    """
    return Step(
        OUTCOMES,
        f"""
SELECT
  d.row_id,
  {DROPPED}
    {unlabelled}ELSE ''
  END AS drop_reason,{columns}
FROM {DECIDED} AS d{joins}
""",
    )


@dataclass(frozen=True)
class Rules:
    """The settings that the text of the steps depends on."""

    winback_gap_days: int
    """An interruption shorter than this does not end a spell."""
    effective: bool
    """Whether churn is dated by the end instead of the notice."""
    threshold: float
    """Relative change of list MRR that counts."""
    sign: int | None
    """1 counts rises, -1 falls; None where the target is no change."""
    list_prices: bool
    """Whether list prices are recorded; if not, a move between billing periods is not taken for a
    change of price."""
    rates: bool
    """Whether there are exchange rates."""
    constant_price: bool = False
    """Whether what was paid for at as_of is priced as it was then."""


def spell_steps(rules: Rules) -> list[Step]:
    """Return the steps from `labels_windows` and `subscriptions` to `labels_decided`."""
    return [paid_rows(), _rows(), _reach(), _spell(rules.winback_gap_days), _decided(rules)]


def _rows() -> Step:
    return Step(
        ROWS,
        f"""
SELECT
  a.row_id, a.as_of, a.window_start, a.window_end, a.label_known_at,
  r.subscription_id, r.started_at, r.list_price, r.currency, r.seats, r.plan, r.billing_period,
  CASE WHEN r.end_seen_after < a.label_known_at THEN r.ended_at END AS ended_at,
  CASE WHEN r.end_seen_after < a.label_known_at THEN r.end_reason END AS end_reason,
  CASE
    WHEN r.notice_seen_after < a.label_known_at AND (
      r.end_seen_after < a.label_known_at
      OR r.notice_until IS NULL OR r.notice_until >= a.label_known_at
    ) AND (r.successor_known IS NULL OR r.successor_known >= a.label_known_at)
    THEN r.notice_at
  END AS notice_at
FROM {LABEL_WINDOWS} AS a
JOIN {PAID} AS r ON r.account_id = a.account_id
WHERE r.seen_after < a.label_known_at AND r.end_seen_after >= a.as_of
""",
        lazy=True,
    )


def _reach() -> Step:
    """Return the step of how far earlier rows reach; rows without length bridge no interruption."""
    return Step(
        REACH,
        f"""
SELECT
  *,
  COALESCE(ended_at, {FOREVER}) AS until_at,
  MAX(COALESCE(ended_at, {FOREVER})) OVER (
    PARTITION BY row_id ORDER BY started_at, subscription_id
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
  ) AS reached
FROM {ROWS}
WHERE ended_at IS NULL OR ended_at > started_at
""",
        lazy=True,
    )


def _spell(winback_gap_days: int) -> Step:
    return Step(
        SPELL,
        f"""
SELECT * FROM (
  SELECT
    *,
    MIN(
      CASE
        WHEN started_at > reached AND started_at >= reached + INTERVAL '{winback_gap_days}' DAY
        THEN started_at
      END
    ) OVER (PARTITION BY row_id) AS next_spell_at
  FROM {REACH}
) AS spells
WHERE next_spell_at IS NULL OR started_at < next_spell_at
""",
    )


def _decided(rules: Rules) -> Step:
    """Return the step of when the end was decided: when the last of the spell's rows was ended."""
    earlier = "CASE WHEN notice_at < until_at THEN notice_at ELSE ended_at END"
    closing = "ended_at" if rules.effective else earlier
    return Step(
        DECIDED,
        f"""
SELECT
  row_id,
  MIN(as_of) AS as_of, MIN(window_start) AS window_start, MIN(window_end) AS window_end,
  MIN(started_at) AS began_at,
  CASE WHEN COUNT(closed_at) = COUNT(*) THEN MAX(closed_at) END AS decided_at,
  MAX(CASE WHEN place = 1 THEN churn_type END) AS churn_type
FROM (
  SELECT
    row_id, as_of, window_start, window_end, started_at,
    {closing} AS closed_at,
    CASE
      WHEN end_reason = 'involuntary' THEN 'involuntary'
      WHEN end_reason IS NOT NULL OR notice_at IS NOT NULL THEN 'voluntary'
    END AS churn_type,
    ROW_NUMBER() OVER (
      PARTITION BY row_id ORDER BY until_at DESC, started_at DESC, subscription_id DESC
    ) AS place
  FROM {SPELL}
) AS closings
GROUP BY row_id
""",
    )
