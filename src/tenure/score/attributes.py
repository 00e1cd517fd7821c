"""Who an account is, as known at a prediction time: what rows show beside a score.

Name, owner and segment are the latest that were known; the plan is that of the running paid
subscription with the highest MRR; the opt-out date is the end of a term less its notice period.
None of them comes from here into a model.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tenure.core.flat_row import ATTRIBUTES
from tenure.core.steps import quote
from tenure.core.times import literal
from tenure.labels.snapshots import PAID, SCOPE, paid_rows
from tenure.sources.dataset import Dataset
from tenure.sources.terms import TERM_END

if TYPE_CHECKING:
    import pandas as pd

NOTICE_PERIOD = "notice_period_days"


def account_attributes(
    dataset: Dataset, accounts: pd.Series, as_of: datetime, notice_days: int | None = None
) -> dict[str, Any]:
    """Return name, owner, segment and plan as text, and notice_by as a time, known before `as_of`.

    The columns are in the order of `accounts`, which are distinct ids; missing where the tables
    say nothing.

    `notice_days` is the notice period of subscriptions that state none of their own; None: unknown.
    """
    engine = dataset.engine
    engine.register(SCOPE, pa.table({"account_id": pa.array(accounts, pa.string())}))
    engine.run([paid_rows(scoped=True)])
    states_own = dataset.has("subscriptions", NOTICE_PERIOD)
    deadlines = _deadlines(literal(as_of), notice_days, states_own=states_own)
    sql = _named(set(engine.columns("accounts")), as_of, deadlines)
    rows = engine.fetch(sql).to_pandas().set_index("account_id").reindex(accounts)
    engine.drop(PAID, SCOPE)
    words = rows[list(ATTRIBUTES)].astype("str")
    notice_by = rows["notice_by"].astype("datetime64[us]").to_numpy()
    return {**{name: words[name].array for name in ATTRIBUTES}, "notice_by": notice_by}


def _named(columns: set[str], as_of: datetime, deadlines: str) -> str:
    moment = literal(as_of)
    latest = ", ".join(
        f"max_by({quote(name)}, CASE WHEN {quote(name)} IS NOT NULL THEN event_time END) AS {name}"
        if name in columns
        else f"CAST(NULL AS VARCHAR) AS {name}"
        for name in ATTRIBUTES[:-1]
    )
    return f"""
SELECT s.account_id, a.name, a.owner, a.segment, p.plan, n.notice_by
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
LEFT JOIN (
  SELECT
    account_id,
    COALESCE(MIN(CASE WHEN deadline >= {moment} THEN deadline END), MAX(deadline)) AS notice_by
  FROM ({deadlines}) AS deadlines GROUP BY account_id
) AS n ON n.account_id = s.account_id
"""


def _deadlines(moment: str, notice_days: int | None, *, states_own: bool) -> str:
    """Return the SELECT of the end of each running term, less its notice period."""
    period = "NULL" if notice_days is None else str(notice_days)
    join = ""
    if states_own:
        period = f"coalesce(s.{NOTICE_PERIOD}, {period})"
        join = (
            "JOIN subscriptions AS s ON s.account_id = p.account_id "
            "AND s.subscription_id = p.subscription_id AND s.started_at = p.started_at"
        )
    return f"""
SELECT p.account_id, p.term_end - to_days(CAST({period} AS INTEGER)) AS deadline
FROM (
  SELECT account_id, subscription_id, started_at, {TERM_END} AS term_end FROM (
    SELECT *, {moment} AS as_of FROM {PAID}
    WHERE seen_after < {moment} AND end_seen_after >= {moment}
  ) AS r
) AS p {join}
"""
