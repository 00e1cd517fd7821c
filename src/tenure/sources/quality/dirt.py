"""Dirt that breaks no rule, and how much of the accounts a table covers.

Activity is compared with spans of time by whole days: what falls on the first or last day of a
span is inside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenure.core.steps import Step, quote
from tenure.sources.quality.data_report import RED_SHARE, Remark

if TYPE_CHECKING:
    from tenure.sources.dataset import Dataset

NO_ACTIVITY = ("accounts", "fx_rates")


@dataclass(frozen=True)
class TableDirt:
    """Dirt and coverage of one table.

    Attributes:
        coverage: Share of accounts with any row.
        median_rows: Median rows per account that has any.
        remarks: Warnings.
    """

    coverage: float | None = None
    median_rows: float | None = None
    remarks: tuple[Remark, ...] = ()


def find_dirt(dataset: Dataset) -> dict[str, TableDirt]:
    """Return the dirt of each table that belongs to accounts."""
    tables = [name for name in dataset.columns if name not in NO_ACTIVITY]
    _spans(dataset, "_paid_spans", "account_id", "WHERE paid")
    if dataset.has("usage_events", "subscription_id"):
        _spans(dataset, "_own_spans", "subscription_id", "")
    dirt_by_table = {name: _table(dataset, name) for name in tables}
    dataset.engine.drop("_days", "_paid_spans", "_own_spans")
    return dirt_by_table


def _spans(dataset: Dataset, name: str, key: str, where: str) -> None:
    """Make a table of the days that the subscription rows of a key cover without a break."""
    dataset.engine.run(
        [
            Step(
                name,
                f"WITH days AS (SELECT {key}, date_trunc('day', started_at) AS first, coalesce("
                f"ended_at, TIMESTAMP '9999-01-01') AS last FROM subscriptions {where}), "
                f"marked AS (SELECT *, max(last) OVER (PARTITION BY {key} ORDER BY first, last "
                f"ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM days), "
                f"numbered AS (SELECT *, sum(CASE WHEN before >= first THEN 0 ELSE 1 END) OVER "
                f"(PARTITION BY {key} ORDER BY first, last ROWS UNBOUNDED PRECEDING) AS span "
                f"FROM marked) SELECT {key}, min(first) AS first, max(last) AS last "
                f"FROM numbered GROUP BY {key}, span",
            )
        ]
    )


def _table(dataset: Dataset, name: str) -> TableDirt:
    engine = dataset.engine
    keys = "account_id"
    owned = name == "usage_events" and dataset.has(name, "subscription_id")
    if owned:
        keys += ", subscription_id"
    engine.run(
        [
            Step(
                "_days",
                f"SELECT {keys}, date_trunc('day', event_time) AS day, count(*) AS n "
                f"FROM {quote(name)} GROUP BY ALL",
            )
        ]
    )
    row = engine.fetch(
        "SELECT count(*) AS accounts, median(n) AS median, coalesce(sum(n), 0)::BIGINT AS total, "
        "(SELECT count(DISTINCT account_id) FROM accounts) AS book "
        "FROM (SELECT account_id, sum(n) AS n FROM _days GROUP BY 1)"
    ).to_pylist()[0]
    remarks = list(_remarks(dataset, name, row["total"], owned))
    coverage = row["accounts"] / row["book"] if row["book"] else None
    return TableDirt(coverage, row["median"], tuple(remarks))


def _remarks(dataset: Dataset, name: str, total: int, owned: bool) -> Iterator[Remark]:
    rows = _number(
        dataset,
        "SELECT sum(n) FROM _days JOIN (SELECT account_id, min(created_at) AS created "
        "FROM accounts GROUP BY 1) USING (account_id) WHERE day < date_trunc('day', created)",
    )
    yield from _share("before_created", "rows lie before their account was created", rows, total)
    if name == "subscriptions":
        rows = _number(
            dataset,
            "SELECT count(*) FROM (SELECT lead(started_at) OVER (PARTITION BY subscription_id "
            "ORDER BY started_at) AS next, ended_at FROM subscriptions) "
            "WHERE next < coalesce(ended_at, TIMESTAMP '9999-01-01')",
        )
        text = "rows overlap the next row of the same subscription"
        yield from _share("overlapping", text, rows, total)
    if name == "usage_events":
        text = "rows lie outside their account's paid time"
        yield from _share("outside_paid_time", text, _outside(dataset, "paid"), total)
    if owned:
        text = "rows lie outside their subscription"
        yield from _share("outside_subscription", text, _outside(dataset, "own"), total)


def _outside(dataset: Dataset, spans: str) -> int:
    key = "account_id" if spans == "paid" else "subscription_id"
    return _number(
        dataset,
        f"SELECT sum(d.n) FROM (SELECT {key}, day, sum(n) AS n FROM _days WHERE {key} IS NOT NULL "
        f"GROUP BY ALL) AS d LEFT JOIN _{spans}_spans AS s "
        f"ON d.{key} = s.{key} AND d.day BETWEEN s.first AND s.last WHERE s.last IS NULL",
    )


def _number(dataset: Dataset, sql: str) -> int:
    return int(dataset.engine.fetch(sql).column(0).to_pylist()[0] or 0)


def _share(code: str, text: str, rows: int, total: int) -> Iterator[Remark]:
    if rows:
        yield remark(code, text, rows, total)


def remark(code: str, text: str, rows: int, total: int) -> Remark:
    """Return a warning with its share of the table, red above 5 %."""
    share = rows / total if total else 0.0
    percent = f"{100 * share:.1f}".rstrip("0").rstrip(".") if share >= 0.0005 else "under 0.1"
    return Remark(code, f"{percent} % of {text}", rows, share, share > RED_SHARE)
