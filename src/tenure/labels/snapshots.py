"""Snapshots: the accounts whose paid subscription runs at each prediction time.

The clocks of a subscription are resolved once, in `paid_rows`; everything downstream compares a
time with one of its three columns ``seen_after``, ``end_seen_after`` and ``notice_seen_after``.  A
fact is known at ``t`` when the column is strictly before ``t``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from tenure.core.errors import ConfigError, Problem
from tenure.core.steps import Step
from tenure.core.times import DAY, days, last_of, show
from tenure.sources.terms import NOTICE_UNTIL, TERM_END

if TYPE_CHECKING:
    import pandas as pd

    from tenure.core.config import Config
    from tenure.sources.dataset import Dataset

CUTOFFS = "labels_cutoffs"
PAID = "labels_paid"
RUNNING = "labels_running"
SNAPSHOTS = "labels_snapshots"
SCOPE = "labels_scope"
"""Accounts that snapshots are limited to."""

WARM_UP = days(90)
"""History before the first prediction time of the default calendar."""


def prediction_times(config: Config, dataset: Dataset) -> list[datetime]:
    """Return the prediction times of a run, in order, naive UTC.

    They are the first of each month, or Mondays, at 00:00, from ``calendar.start`` (default: 90
    days after the earliest paid start and, where usage is given, the earliest usage) to
    ``calendar.end`` or ``observed_until``, both inclusive.  Empty where the history is shorter.

    Raises:
        ConfigError: If `calendar.start` is later than the last possible prediction time.
    """
    settings = config.calendar
    last = dataset.observed_until
    if settings.end is not None:
        last = min(last, settings.end)
    first = settings.start
    if first is not None and first > last:
        raise ConfigError(
            Problem(
                "calendar.start",
                f"must not be later than {show(last)}, where the calendar ends",
                show(first),
                "choose an earlier start, or load newer data",
            )
        )
    if first is None:
        earliest = _earliest_start(dataset)
        if earliest is None:
            return []
        first = earliest + WARM_UP
    return times_between(first, last, settings.cadence)


def times_between(first: datetime, last: datetime, cadence: str) -> list[datetime]:
    """Return the prediction times of a cadence between two moments, both inclusive."""
    moments = [_aligned(first, cadence)]
    while moments[-1] <= last:
        moments.append(_aligned(moments[-1] + DAY, cadence))
    return moments[:-1]


def snapshots(
    dataset: Dataset, cutoffs: Sequence[datetime], accounts: Collection[str] | None = None
) -> pd.DataFrame:
    """Return one row per account and prediction time at which a paid subscription runs.

    Only what was known before the prediction time counts.  An account in a pause has no row,
    however short the pause is.

    Args:
        dataset: Loaded tables.
        cutoffs: Prediction times, naive UTC.
        accounts: Limits the rows to these accounts; only their subscriptions are read.

    Returns:
        Rows in order of (as_of, account_id) with account_id, as_of, mrr, list_mrr and seats (sums
        over running paid rows, money per month), currency (missing where rows differ), renews_at
        (earliest end of a term that then runs), notice_given (every running paid row is under
        notice, and nothing is booked to follow it) and ends_at (the last end then foreseen, for
        accounts under notice).
    """
    moments = sorted(set(cutoffs))
    engine = dataset.engine
    engine.register(CUTOFFS, pa.table({"as_of": pa.array(moments, pa.timestamp("us"))}))
    if accounts is not None:
        engine.register(SCOPE, pa.table({"account_id": pa.array(accounts, pa.string())}))
    engine.run(snapshot_steps(scoped=accounts is not None))
    rows = engine.fetch(f"SELECT * FROM {SNAPSHOTS} ORDER BY as_of, account_id")
    frame: pd.DataFrame = rows.to_pandas()
    engine.drop(CUTOFFS, PAID, RUNNING, SNAPSHOTS, SCOPE)
    # Without rows there is nothing to tell the type by.
    return frame if frame["account_id"].dtype == "str" else frame.astype({"account_id": "str"})


def snapshot_steps(*, scoped: bool = False) -> list[Step]:
    """Return the steps from `subscriptions` and the cut-offs to the table of snapshots.

    Where they are `scoped`, only the accounts of the table `SCOPE` are read.
    """
    return [
        paid_rows(scoped=scoped),
        Step(
            RUNNING,
            f"""
SELECT
  c.as_of, r.account_id, r.mrr, r.list_price, r.currency, r.seats, r.notice_until,
  {TERM_END} AS term_end,
  CASE
    WHEN r.notice_seen_after < c.as_of AND (r.notice_until IS NULL OR r.notice_until >= c.as_of)
      AND (r.successor_known IS NULL OR r.successor_known >= c.as_of)
    THEN 1 ELSE 0
  END AS under_notice
FROM {CUTOFFS} AS c
JOIN {PAID} AS r ON r.seen_after < c.as_of AND r.end_seen_after >= c.as_of
""",
            lazy=True,
        ),
        Step(
            SNAPSHOTS,
            f"""
SELECT
  account_id, as_of,
  {exact_sum("mrr")} AS mrr,
  {exact_sum("list_price")} AS list_mrr,
  {exact_sum("seats")} AS seats,
  CASE
    WHEN MIN(COALESCE(currency, '')) = MAX(COALESCE(currency, '')) THEN MAX(currency)
  END AS currency,
  MIN(term_end) AS renews_at,
  MIN(under_notice) = 1 AS notice_given,
  CASE
    WHEN MIN(under_notice) = 1 AND COUNT(notice_until) = COUNT(*) THEN MAX(notice_until)
  END AS ends_at
FROM {RUNNING}
GROUP BY account_id, as_of
""",
        ),
    ]


def paid_rows(*, scoped: bool = False) -> Step:
    """Return the step that resolves the clocks of paid subscription rows.

    ``end_seen_after`` is the last moment at which a row still runs, as then known: it lies in the
    year 9000 where no end is recorded.  ``notice_until`` is when a notice takes effect, the end of
    the term that it was given in; a row that still runs after it has had its notice withdrawn.
    ``successor_known`` is since when a row that follows is known to be booked.
    """
    limit = f" AND account_id IN (SELECT account_id FROM {SCOPE})" if scoped else ""
    return Step(
        PAID,
        f"""
SELECT
  account_id, subscription_id, started_at, ended_at, end_reason, notice_at, successor_known,
  term_anchor, term_months, mrr, list_price, currency, seats, plan, billing_period,
  {last_of(("started_at", "event_time", "known_at"))} AS seen_after,
  COALESCE({last_of(("ended_at", "ended_at__known"))}, {FOREVER}) AS end_seen_after,
  {last_of(("notice_at", "notice_at__known"))} AS notice_seen_after,
  {NOTICE_UNTIL} AS notice_until
FROM subscriptions
WHERE paid{limit}
""",
    )


FOREVER = "TIMESTAMP '9000-01-01 00:00:00'"
"""Later than any time in the data: the end of a row that has none."""


def exact_sum(expression: str) -> str:
    """Return SQL for a sum that does not depend on the order of its terms."""
    return f"CAST(SUM(CAST({expression} AS DECIMAL(38, 10))) AS DOUBLE)"


def _earliest_start(dataset: Dataset) -> datetime | None:
    """Return when observation began: the later of first paid start and first usage.

    Contracts often reach further back than the logs.
    """
    paid, used = earliest_paid(dataset), earliest_usage(dataset)
    return paid if paid is None or used is None else max(paid, used)


def earliest_paid(dataset: Dataset) -> datetime | None:
    """Return the first start of a paid subscription, None where there is none."""
    sql = "SELECT MIN(started_at) FROM subscriptions WHERE paid"
    earliest: datetime | None = dataset.engine.value(sql)
    return earliest


def earliest_usage(dataset: Dataset) -> datetime | None:
    """Return the first time of usage, None where there is none."""
    if not dataset.has("usage_events"):
        return None
    used: datetime | None = dataset.engine.value("SELECT MIN(event_time) FROM usage_events")
    return used


def _aligned(moment: datetime, cadence: str) -> datetime:
    """Return the first Monday or first of a month, 00:00, not before a moment."""
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if midnight < moment:
        midnight += DAY
    if cadence == "weekly":
        return midnight + days(-midnight.weekday() % 7)
    while midnight.day != 1:
        midnight += DAY
    return midnight
