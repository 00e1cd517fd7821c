"""Whether an account renewed: a paid term follows the renewal date that was agreed at as_of.

labels_renewed   per snapshot: when the term that follows began

Three things count as the next term: a row that is added from as_of on and runs beyond the renewal
date, however early it begins (a term changed earlier); one that begins less than
``winback_gap_days`` after it; and the due row itself, where it runs on for that long without a row
of its own for the next term.
"""

from __future__ import annotations

from tenure.core.steps import Step
from tenure.labels.snapshots import PAID
from tenure.labels.spells import DECIDED, DROPPED, LABEL_WINDOWS, Rules

RENEWED = "labels_renewed"


def renewal_steps(rules: Rules, name: str) -> list[Step]:
    """Return the steps from `labels_decided` and `labels_windows` to the outcomes, under a name."""
    return [_renewed(rules.winback_gap_days), _outcomes(name)]


def _renewed(winback_gap_days: int) -> Step:
    winback = f"due_at + INTERVAL '{winback_gap_days}' DAY"
    return Step(
        RENEWED,
        f"""
SELECT
  row_id,
  MIN(
    CASE
      WHEN seen_after >= as_of AND (started_at <= due_at OR started_at < {winback})
        AND (ended_at IS NULL OR (ended_at > started_at AND ended_at > due_at))
      THEN started_at
      WHEN seen_after < as_of AND term_end = due_at
        AND (ended_at IS NULL OR (ended_at > due_at AND ended_at >= {winback}))
      THEN due_at
    END
  ) AS renewed_at
FROM (
  SELECT
    a.row_id, a.as_of, a.due_at, r.seen_after, r.started_at, r.term_end,
    CASE WHEN r.end_seen_after < a.label_known_at THEN r.ended_at END AS ended_at
  FROM {LABEL_WINDOWS} AS a
  JOIN {PAID} AS r ON r.account_id = a.account_id
  WHERE r.seen_after < a.label_known_at AND r.end_seen_after >= a.as_of
) AS terms
GROUP BY row_id
""",
    )


def _outcomes(name: str) -> Step:
    return Step(
        name,
        f"""
SELECT
  d.row_id,
  {DROPPED}
    ELSE ''
  END AS drop_reason,
  CASE WHEN n.renewed_at IS NULL THEN 0 ELSE 1 END AS label,
  n.renewed_at AS outcome_at,
  CAST(0 AS DOUBLE) AS amount,
  CAST(NULL AS VARCHAR) AS churn_type
FROM {DECIDED} AS d
JOIN {RENEWED} AS n ON n.row_id = d.row_id
""",
    )
