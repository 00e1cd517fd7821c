"""The rows of one account that were known before a prediction time, table by table.

It is the only place where an account's tables are read.  A row is there where it had happened and
was known; a late column of it is empty where its own clock lies at or after the prediction time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tenure.core.steps import quote, text_literal
from tenure.core.times import days, last_of, literal
from tenure.sources.contract import SOURCES
from tenure.sources.dataset import Dataset
from tenure.sources.terms import TERM_END

Row = dict[str, Any]
WEEKS = 12


@dataclass(frozen=True)
class AccountRows:
    """The rows of one account up to a prediction time."""

    dataset: Dataset
    account: str
    as_of: datetime

    def rows(self, table: str) -> list[Row]:
        """Return the rows of a table, in order of their event time; none where it is missing."""
        if not self.dataset.has(table):
            return []
        sql = f"{self._seen(table, table)} ORDER BY event_time"
        rows: list[Row] = self.dataset.engine.fetch(sql).to_pylist()
        return rows

    def contracts(self, notice_days: int | None) -> list[Row]:
        """Return the rows of subscriptions, with `term_end` and `notice_by` as of then.

        Rows that state no notice period have one of `notice_days`.
        """
        own = "notice_period_days"
        states = own if self.dataset.has("subscriptions", own) else "CAST(NULL AS INTEGER)"
        default = "NULL" if notice_days is None else str(notice_days)
        period = f"to_days(CAST(coalesce({states}, {default}) AS INTEGER))"
        seen = self._seen(
            "subscriptions", f"(SELECT *, {literal(self.as_of)} AS as_of FROM subscriptions)"
        )
        sql = (
            f"SELECT *, term_end - {period} AS notice_by FROM "
            f"(SELECT *, {TERM_END} AS term_end FROM ({seen}) AS r) AS t "
            "ORDER BY started_at, subscription_id"
        )
        rows: list[Row] = self.dataset.engine.fetch(sql).to_pylist()
        return rows

    def usage(self) -> tuple[Row, list[Row]]:
        """Return the totals of usage, and the weeks that have any by their number before as_of."""
        events = self._seen("usage_events", "usage_events")
        edges = [literal(self.as_of - days(count)) for count in (28, 56)]
        user = "user_id" if self.dataset.has("usage_events", "user_id") else "CAST(NULL AS VARCHAR)"
        recent = f"FILTER (event_time >= {edges[0]})"
        total = self.dataset.engine.row(
            f"SELECT max(event_time) AS last_at, count(*) {recent} AS events_28d, "
            f"count(*) FILTER (event_time >= {edges[1]} AND event_time < {edges[0]}) "
            f"AS events_before, count(DISTINCT {user}) {recent} AS users_28d FROM ({events}) AS e"
        )
        start = literal(self.as_of - days(7 * WEEKS))
        second = f"date_diff('second', {start}, event_time)"
        weeks = self.dataset.engine.fetch(
            f"SELECT CAST(floor({second} / 604800.0) AS INTEGER) AS week, count(*) AS events, "
            f"count(DISTINCT {user}) AS users FROM ({events}) AS e "
            f"WHERE event_time >= {start} GROUP BY 1 ORDER BY 1"
        ).to_pylist()
        return total, weeks

    def _seen(self, table: str, origin: str) -> str:
        """Return the SELECT of the account's rows that were known, late columns as known then."""
        late, moment = SOURCES[table].late, literal(self.as_of)
        present = self.dataset.engine.columns(table)
        columns = [name for name in present if not name.endswith("__known")]
        shown = [_as_known(name, late, moment) for name in columns]
        shown += ["as_of"] if origin != table else []
        return (
            f"SELECT {', '.join(shown)} FROM {origin} AS s "
            f"WHERE account_id = {text_literal(self.account)} "
            f"AND event_time < {moment} AND known_at < {moment}"
        )


def _as_known(name: str, late: dict[str, str], moment: str) -> str:
    """Return the SQL of a column, empty where its clock lies at or after a moment."""
    if name not in late:
        return quote(name)
    known = last_of((quote(late[name]), quote(f"{late[name]}__known")))
    return f"CASE WHEN {known} < {moment} THEN {quote(name)} END AS {quote(name)}"
