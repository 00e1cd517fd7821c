"""Who an account is, as known at a prediction time: what rows show beside a score.

Name, owner and segment are the latest that were known; the plan is that of the running paid
subscription with the highest MRR.  None of them comes from here into a model.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tenure.core.steps import quote
from tenure.core.times import literal
from tenure.labels.snapshots import PAID, paid_rows

if TYPE_CHECKING:
    import pandas as pd

    from tenure.sources.dataset import Dataset

ATTRIBUTES = ("name", "owner", "segment", "plan")
SCOPE = "score_accounts"


def account_attributes(dataset: Dataset, accounts: pd.Series, as_of: datetime) -> dict[str, Any]:
    """Return name, owner, segment and plan, each as a column of text, known before `as_of`.

    The columns are in the order of `accounts`, which are distinct ids; None where the tables say
    nothing.
    """
    engine = dataset.engine
    engine.register(SCOPE, pa.table({"account_id": pa.array(accounts, pa.string())}))
    engine.run([paid_rows()])
    sql = _named(set(engine.columns("accounts")), as_of)
    rows = engine.fetch(sql).to_pandas().set_index("account_id")
    engine.drop(PAID, SCOPE)
    rows = rows.reindex(accounts).astype("str")
    return {name: rows[name].array for name in ATTRIBUTES}


def _named(columns: set[str], as_of: datetime) -> str:
    moment = literal(as_of)
    latest = ", ".join(
        f"max_by({quote(name)}, CASE WHEN {quote(name)} IS NOT NULL THEN event_time END) AS {name}"
        if name in columns
        else f"CAST(NULL AS VARCHAR) AS {name}"
        for name in ATTRIBUTES[:-1]
    )
    return f"""
SELECT s.account_id, a.name, a.owner, a.segment, p.plan
FROM {SCOPE} AS s
LEFT JOIN (
  SELECT account_id, {latest} FROM accounts
  WHERE event_time < {moment} AND known_at < {moment}
  GROUP BY account_id
) AS a ON a.account_id = s.account_id
LEFT JOIN (
  SELECT account_id, plan FROM (
    SELECT
      account_id, plan,
      ROW_NUMBER() OVER (PARTITION BY account_id ORDER BY mrr DESC, started_at, plan) AS place
    FROM {PAID} WHERE seen_after < {moment} AND end_seen_after >= {moment}
  ) AS ordered WHERE place = 1
) AS p ON p.account_id = s.account_id
"""
