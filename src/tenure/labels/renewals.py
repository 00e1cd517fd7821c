"""Whether an account renewed: a paid term follows the renewal date that was agreed at as_of.

labels_renewed   per snapshot: when the term that follows began

Three things count as the next term: a row that is added from as_of on and runs beyond the renewal
date, however early it begins (a term changed earlier); one that begins less than
``winback_gap_days`` after it; and the due row itself, where it runs on for that long, or to the end
of its next term, without a row of its own for it.  A row of a subscription that runs at as_of and
is not due is that subscription going on, whatever becomes of the one that is.
"""

from __future__ import annotations

from tenure.core.steps import Step
from tenure.labels.snapshots import PAID
from tenure.labels.spells import LABEL_WINDOWS, Rules, outcome_step
from tenure.sources.terms import TERM_END, term_end

RENEWED = "labels_renewed"


def renewal_steps(rules: Rules) -> list[Step]:
    """Return the steps from `labels_decided` and `labels_windows` to the outcomes."""
    return [_renewed(rules.winback_gap_days), _outcomes()]


def _renewed(winback_gap_days: int) -> Step:
    winback = f"due_at + INTERVAL '{winback_gap_days}' DAY"
    return Step(
        RENEWED,
        f"""
SELECT
  row_id,
  MIN(
    CASE
      WHEN seen_after >= as_of AND others = 0
        AND (started_at <= due_at OR started_at < {winback})
        AND (ended_at IS NULL OR (ended_at > started_at AND ended_at > due_at))
      THEN started_at
      WHEN due = 1
        AND (ended_at IS NULL
          OR (ended_at > due_at AND (ended_at >= {winback} OR ended_at >= next_end)))
      THEN due_at
    END
  ) AS renewed_at
FROM (
  SELECT
    *,
    MAX(running) OVER (PARTITION BY row_id, subscription_id)
      - MAX(due) OVER (PARTITION BY row_id, subscription_id) AS others
  FROM (
    SELECT
      a.row_id, a.as_of, a.due_at, r.subscription_id, r.seen_after, r.started_at,
      CASE WHEN r.seen_after < a.as_of THEN 1 ELSE 0 END AS running,
      CASE WHEN r.seen_after < a.as_of AND {TERM_END} = a.due_at THEN 1 ELSE 0 END AS due,
      {term_end("after_due")} AS next_end,
      CASE WHEN r.end_seen_after < a.label_known_at THEN r.ended_at END AS ended_at
    FROM (SELECT *, due_at + INTERVAL '1' MICROSECOND AS after_due FROM {LABEL_WINDOWS}) AS a
    JOIN {PAID} AS r ON r.account_id = a.account_id
    WHERE r.seen_after < a.label_known_at AND r.end_seen_after >= a.as_of
  ) AS seen
) AS terms
GROUP BY row_id
""",
    )


def _outcomes() -> Step:
    return outcome_step(
        """
  CASE WHEN n.renewed_at IS NULL THEN 0 ELSE 1 END AS label,
  n.renewed_at AS outcome_at,
  CAST(0 AS DOUBLE) AS amount,
  CAST(NULL AS VARCHAR) AS churn_type""",
        joins=f"\nJOIN {RENEWED} AS n ON n.row_id = d.row_id",
    )
