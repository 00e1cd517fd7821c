"""`tenure account`: everything known about one account at a time."""

from __future__ import annotations

from datetime import datetime

from tenure.core.config import Config
from tenure.core.errors import DataError, Problem
from tenure.core.progress import SILENT, Progress
from tenure.core.records.account import AccountRecord
from tenure.core.steps import text_literal
from tenure.core.times import days, show
from tenure.run.account_words import absence
from tenure.run.prepare import loaded
from tenure.score.store.lists import ListStore
from tenure.sources.dataset import Dataset
from tenure.success.account.whole import whole_account


def run_account(
    config: Config,
    account: str,
    as_of: datetime | None = None,
    since: datetime | None = None,
    progress: Progress = SILENT,
) -> AccountRecord:
    """Return everything known about one account before a time.

    By default when observation stopped, beside scorecards of `success.trend_days` before.

    Raises:
        DataError: If the account is unknown, was not yet known, or the time lies past the data.
    """
    with loaded(config, progress, thorough=False) as dataset, ListStore.open(config) as store:
        moments = compared_moments(config, dataset, as_of, since)
        _check(dataset, account, moments[0])
        progress.stage("account")
        return whole_account(config, dataset, store, account, moments)


def compared_moments(
    config: Config, dataset: Dataset, as_of: datetime | None, since: datetime | None
) -> tuple[datetime, datetime]:
    """Return a prediction time, and the earlier one that it is compared with.

    Raises:
        DataError: If it lies past the data, or the other one is not earlier.
    """
    last = as_of or dataset.observed_until
    before = since or last - days(config.success.trend_days)
    if last > dataset.observed_until:
        rule = f"must not be later than {show(dataset.observed_until)}, when observation stopped"
        raise DataError(Problem("as_of", rule, show(last), "choose an earlier date"))
    if before >= last:
        fix = "choose an earlier date"
        raise DataError(Problem("since", f"must lie before {show(last)}", show(before), fix))
    return last, before


def _check(dataset: Dataset, account: str, as_of: datetime) -> None:
    mine = f"account_id = {text_literal(account)}"
    sql = f"SELECT min(greatest(event_time, known_at)) AS first FROM accounts WHERE {mine}"
    first = dataset.engine.value(sql)
    if first is None:
        raise DataError(absence(account, dataset, as_of))
    if first >= as_of:
        rule = f"is not known before {show(first)}"
        raise DataError(Problem(f"account `{account}`", rule, fix="choose a later --as-of"))
