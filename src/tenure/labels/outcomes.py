"""The outcome of each snapshot under a target, as SQL steps that end in one row per snapshot.

The last step has row_id, drop_reason (empty where there is a label), label (1 or 0), outcome_at,
amount (change of list MRR) and churn_type.
"""

from __future__ import annotations

from tenure.core.spec import Target
from tenure.core.steps import Step, text_literal
from tenure.labels.changes import change_steps
from tenure.labels.renewals import renewal_steps
from tenure.labels.spells import CHURNED, Rules, outcome_step, spell_steps


def outcome_steps(target: Target, rules: Rules) -> list[Step]:
    """Return the steps from `labels_windows` and `subscriptions` to `labels_outcomes`.

    The first step does not depend on `labels_windows`.
    """
    if target.outcome == "change":
        last = change_steps(rules)
    elif target.outcome == "renewal":
        last = renewal_steps(rules)
    else:
        last = [_churn(target.churn_type)]
    return [*spell_steps(rules), *last]


def _churn(kind: str | None) -> Step:
    """Return the step that labels churn.

    With a kind, only churn of that kind is positive; churn of the other is a negative, not missing:
    an account that left in one way can no longer leave in the other.
    """
    unknown, counts = "", CHURNED
    if kind is not None:
        unknown = f"WHEN {CHURNED} AND d.churn_type IS NULL THEN 'churn_type_unknown'\n    "
        counts = f"{CHURNED} AND d.churn_type = {text_literal(kind)}"
    columns = f"""
  CASE WHEN {counts} THEN 1 ELSE 0 END AS label,
  d.decided_at AS outcome_at,
  CAST(NULL AS DOUBLE) AS amount,
  d.churn_type"""
    return outcome_step(columns, unlabelled=unknown)
