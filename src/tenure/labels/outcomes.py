"""What happened after a snapshot, per target, as SQL steps: one row per snapshot at the end.

The last step has row_id, drop_reason (empty where there is a label), label (1 or 0), outcome_at,
amount (change of list MRR) and churn_type.
"""

from __future__ import annotations

from tenure.core.spec import Target
from tenure.core.steps import Step
from tenure.labels.changes import change_steps
from tenure.labels.spells import CHURNED, DECIDED, DROPPED, Rules, spell_steps

OUTCOMES = "labels_outcomes"


def outcome_steps(target: Target, rules: Rules) -> list[Step]:
    """Return the steps from `labels_asked` and `subscriptions` to `labels_outcomes`.

    The first step does not depend on `labels_asked`.
    """
    last = [_churn()] if target.outcome == "churn" else change_steps(rules, OUTCOMES)
    return [*spell_steps(rules), *last]


def _churn() -> Step:
    return Step(
        OUTCOMES,
        f"""
SELECT
  d.row_id,
  {DROPPED}
    ELSE ''
  END AS drop_reason,
  CASE WHEN {CHURNED} THEN 1 ELSE 0 END AS label,
  d.decided_at AS outcome_at,
  CAST(NULL AS DOUBLE) AS amount,
  d.churn_type
FROM {DECIDED} AS d
""",
    )
