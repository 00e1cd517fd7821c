"""What billing exports write over, as SQL: renewal dates, states, and rows booked to follow."""

from __future__ import annotations

from datetime import datetime

from tenure.core.steps import quote
from tenure.core.times import literal
from tenure.sources import coerce
from tenure.sources.staging_sql import Layout
from tenure.sources.terms import IS_ENDED, IS_LAPSED, NOTICE_UNTIL, PAID


def horizon_day(staged: str, until: datetime) -> str:
    """Return SQL of the day that all renewal dates share and on which observation stopped."""
    day = "date_trunc('day', renews_at)"
    last = f"date_trunc('day', {literal(until)})"
    return (
        f"(SELECT CASE WHEN min({day}) = max({day}) AND count(DISTINCT account_id) > 1 "
        f"AND min(started_at) < max(started_at) AND min({day}) BETWEEN {last} - INTERVAL '1' DAY "
        f"AND {last} THEN min({day}) END FROM {staged} WHERE _reason = 0)"
    )


def until_lapse(rows: str, until: datetime) -> str:
    """Return a SELECT in which paid rows end where they fell into a state that is not paid.

    `status_at` says when that was; without it the state is that of the end of observation.  The
    end is then the lapse: unpaid is involuntary, of a pause or a cancellation no reason is known.
    A cancelled row that has an end keeps it.

    The rows have every declared column and the clocks.
    """
    last = f"({literal(until)} - INTERVAL 1 MICROSECOND)"
    lapse = (
        f"CASE WHEN NOT ({IS_LAPSED} OR {IS_ENDED}) THEN NULL "
        f"WHEN status_at IS NULL THEN {last} "
        f"WHEN status_at < {literal(until)} THEN greatest(status_at, started_at) END"
    )
    lapsed = "coalesce(lapse < ended_at, lapse IS NOT NULL)"
    return (
        f"SELECT * REPLACE (CASE WHEN {lapsed} THEN lapse ELSE ended_at END AS ended_at, "
        f"CASE WHEN {lapsed} THEN {coerce.known('lapse')} ELSE ended_at__known END "
        f"AS ended_at__known, CASE WHEN {lapsed} THEN CASE WHEN status = 'unpaid' "
        "THEN 'involuntary' END ELSE end_reason END AS end_reason) "
        f"FROM (SELECT *, {lapse} AS lapse FROM ({rows}))"
    )


def with_successors(canonical: str, rows: str, until: datetime) -> str:
    """Return a SELECT of canonical rows with `successor_known`.

    It is when it could be known that a paid row follows a row under notice, which had not begun
    then: it was booked before it starts, and starts by the day after the notice takes effect.

    `rows` are all staged rows that no check rejects, also those that start later.
    """
    booked = (
        f"SELECT account_id, started_at, {coerce.known('known_at')} AS booked FROM ({rows}) "
        f"WHERE {PAID}"
    )
    noticed = (
        f"SELECT account_id, subscription_id, started_at, {NOTICE_UNTIL} AS notice_until "
        f"FROM ({canonical}) WHERE notice_at IS NOT NULL"
    )
    follows = (
        "SELECT n.subscription_id AS subscription_id, n.started_at AS started_at, "
        f"min(b.booked) AS successor_known FROM ({noticed}) AS n JOIN ({booked}) AS b "
        "ON b.account_id = n.account_id AND b.started_at > n.started_at "
        f"AND b.booked < b.started_at AND b.booked < {literal(until)} "
        "AND (n.notice_until IS NULL OR b.started_at <= n.notice_until + INTERVAL '1' DAY) "
        "GROUP BY n.subscription_id, n.started_at"
    )
    return (
        f"SELECT c.*, f.successor_known FROM ({canonical}) AS c LEFT JOIN ({follows}) AS f "
        "ON f.subscription_id = c.subscription_id AND f.started_at = c.started_at"
    )


def with_rates(rows: str, layout: Layout, rates: Layout | None) -> str:
    """Return a SELECT of staged rows with `exchange_rate`.

    It is what one unit of a row's currency is worth, by the rate known last when the row became
    known; null where there was none yet.  A row without a currency, and a currency of which there
    is no rate at all, are in one's own: 1.

    The rows have every declared column and the clocks; `rates` is how exchange rates were staged.
    """
    if rates is None or "currency" not in layout.columns:
        return f"SELECT *, CAST(1 AS DOUBLE) AS exchange_rate FROM ({rows})"
    since = rates.known_at()
    spans = (
        f"SELECT currency AS priced, rate, {since} AS since, lead({since}) OVER (PARTITION BY "
        f'currency ORDER BY {since}, "date") AS until FROM {quote(rates.staged)} WHERE _reason = 0'
    )
    foreign = f"SELECT currency FROM {quote(rates.staged)} WHERE _reason = 0"
    return (
        f"SELECT s.*, CASE WHEN s.currency IS NULL OR s.currency NOT IN ({foreign}) "
        f"THEN CAST(1 AS DOUBLE) ELSE f.rate END AS exchange_rate "
        f"FROM (SELECT *, {layout.known_at()} AS row_known FROM ({rows})) AS s "
        f"LEFT JOIN ({spans}) AS f ON f.priced = s.currency AND f.since <= s.row_known "
        "AND (f.until IS NULL OR f.until > s.row_known)"
    )
