"""Dirt that breaks no rule, and how much of the accounts a table covers.

Activity is compared with spans of time by whole days: what falls on the first or last day of a
span is inside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tenure.core.records.data import RemarkRecord, TableRecord
from tenure.core.steps import Step, quote
from tenure.sources.dataset import Dataset
from tenure.sources.layout import NO_OWNER
from tenure.sources.quality.billing import billing_remarks
from tenure.sources.quality.table_report import remark
from tenure.sources.terms import IS_LAPSED

OVERWRITTEN_TEXT = (
    "have a renews_at that was not agreed at their start (it lies a period and a half after it, or "
    "is the same for all): terms are counted from started_at instead. Where a term is longer than "
    "billing_period, map the length of the term to billing_period"
)
FEW_ACCOUNTS, SOME_ACCOUNTS = 10, 0.05
"""Accounts, and their share, that one person may well be a user of."""
UNDATED_TEXT = (
    "are paused or unpaid, and nothing says since when: they count as paid until observed_until. "
    "Map status_at (started_at, where a row never changes its status)"
)


def with_dirt(dataset: Dataset) -> dict[str, TableRecord]:
    """Return the report of each table, of those that belong to accounts with dirt and coverage."""
    _spans(dataset, "_paid_spans", "account_id", "WHERE paid")
    if dataset.has("usage_events", "subscription_id"):
        _spans(dataset, "_own_spans", "subscription_id", "")
    tables = {
        name: table if name in NO_OWNER else table.model_copy(update=_dirt(dataset, table))
        for name, table in dataset.report.tables.items()
    }
    dataset.engine.drop("_days", "_users", "_paid_spans", "_own_spans")
    return tables


def _spans(dataset: Dataset, name: str, key: str, where: str) -> None:
    """Make a table of the days that the subscription rows of a key cover without a break."""
    spans = (
        f"WITH days AS (SELECT {key}, date_trunc('day', started_at) AS first, coalesce("
        f"ended_at, TIMESTAMP '9999-01-01') AS last FROM subscriptions {where}), "
        f"marked AS (SELECT *, max(last) OVER (PARTITION BY {key} ORDER BY first, last "
        f"ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM days), "
        f"numbered AS (SELECT *, sum(CASE WHEN before >= first THEN 0 ELSE 1 END) OVER "
        f"(PARTITION BY {key} ORDER BY first, last ROWS UNBOUNDED PRECEDING) AS span "
        f"FROM marked) SELECT {key}, min(first) AS first, max(last) AS last "
        f"FROM numbered GROUP BY {key}, span"
    )
    dataset.engine.run([Step(name, spans)])


def _dirt(dataset: Dataset, table: TableRecord) -> dict[str, Any]:
    """Return the fields of a table's report that this module fills."""
    owned = table.name == "usage_events" and dataset.has(table.name, "subscription_id")
    keys = "account_id, subscription_id" if owned else "account_id"
    days = (
        f"SELECT {keys}, date_trunc('day', event_time) AS day, count(*) AS n "
        f"FROM {quote(table.name)} GROUP BY ALL"
    )
    dataset.engine.run([Step("_days", days)])
    row = dataset.engine.row(
        "SELECT count(*) AS accounts, median(n) AS median, coalesce(sum(n), 0)::BIGINT AS total, "
        "(SELECT count(DISTINCT account_id) FROM accounts) AS book "
        "FROM (SELECT account_id, sum(n) AS n FROM _days GROUP BY 1)"
    )
    remarks = tuple(
        remark(code, f"rows {text}", rows, row["total"])
        for code, text, sql in _suspicions(table.name, owned)
        if (rows := int(dataset.engine.value(sql) or 0))
    )
    if table.name == "subscriptions":
        remarks = (*remarks, *billing_remarks(dataset))
    if dataset.has(table.name, "user_id"):
        remarks = (*remarks, *_everywhere(dataset, row["accounts"]))
    return {
        "coverage": row["accounts"] / row["book"] if row["book"] else None,
        "median_rows": row["median"],
        "remarks": (*table.remarks, *remarks),
    }


def _everywhere(dataset: Dataset, accounts: int) -> Iterator[RemarkRecord]:
    """Yield the user who stands in more accounts than a person works for, where there is one.

    Where most users stand in several accounts, each account numbers its own.
    """
    users = (
        "SELECT user_id, min(account_id) <> max(account_id) AS shared FROM usage_events "
        "WHERE user_id IS NOT NULL GROUP BY 1"
    )
    dataset.engine.run([Step("_users", users)])
    numbered = "SELECT count(CASE WHEN shared THEN 1 END) > count(*) / 2 FROM _users"
    if dataset.engine.value(numbered):
        return
    most = dataset.engine.fetch(
        "SELECT user_id, count(DISTINCT account_id) AS accounts, count(*) AS n FROM usage_events "
        "WHERE user_id IN (SELECT user_id FROM _users WHERE shared) "
        "GROUP BY 1 ORDER BY accounts DESC, user_id LIMIT 1"
    ).to_pylist()
    if not most or most[0]["accounts"] <= max(FEW_ACCOUNTS, SOME_ACCOUNTS * accounts):
        return
    name, number, rows = (most[0][key] for key in ("user_id", "accounts", "n"))
    text = (
        f"user `{name}` stands in {number:,} of {accounts:,} accounts and is a user of each: "
        "an integration, a colleague of yours, or a word for nobody? Leave it out with "
        f"`user_id: nullif(your_user, '{name}')`"
    )
    yield RemarkRecord(code="user_everywhere", text=text, rows=rows, red=True)


def _suspicions(name: str, owned: bool) -> Iterator[tuple[str, str, str]]:
    """Yield code, what is odd of a table's rows, and SQL of how many are."""
    early = (
        "SELECT sum(n) FROM _days JOIN (SELECT account_id, min(created_at) AS created "
        "FROM accounts GROUP BY 1) USING (account_id) WHERE day < date_trunc('day', created)"
    )
    yield "before_created", "lie before their account was created", early
    if name == "subscriptions":
        overlapping = (
            "SELECT count(*) FROM (SELECT lead(started_at) OVER (PARTITION BY subscription_id "
            "ORDER BY started_at) AS next, ended_at FROM subscriptions) "
            "WHERE next < coalesce(ended_at, TIMESTAMP '9999-01-01')"
        )
        yield "overlapping", "overlap the next row of the same subscription", overlapping
        rows = "SELECT count(*) FROM subscriptions WHERE"
        yield "overwritten_renewal", OVERWRITTEN_TEXT, f"{rows} renewal_overwritten"
        yield "undated_status", UNDATED_TEXT, f"{rows} {IS_LAPSED} AND status_at IS NULL"
    if name == "usage_events":
        outside = _outside("account_id", "_paid_spans")
        yield "outside_paid_time", "lie outside their account's paid time", outside
    if owned:
        outside = _outside("subscription_id", "_own_spans")
        yield "outside_subscription", "lie outside their subscription", outside


def _outside(key: str, spans: str) -> str:
    return (
        f"SELECT sum(d.n) FROM (SELECT {key}, day, sum(n) AS n FROM _days WHERE {key} IS NOT NULL "
        f"GROUP BY ALL) AS d LEFT JOIN {spans} AS s "
        f"ON d.{key} = s.{key} AND d.day BETWEEN s.first AND s.last WHERE s.last IS NULL"
    )
