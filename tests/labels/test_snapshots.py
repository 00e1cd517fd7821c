from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from histories import history, subscription
from tenure.core.config import Config
from tenure.core.errors import ConfigError, DataError
from tenure.engine.base import Engine
from tenure.labels.snapshots import (
    CUTOFFS,
    PAID,
    RUNNING,
    SCOPE,
    SNAPSHOTS,
    paid_rows,
    prediction_times,
    snapshots,
)

UNTIL = datetime(2024, 7, 1)


def _calendar(engine: Engine, until: datetime = UNTIL, **settings: Any) -> list[datetime]:
    rows = [
        subscription(datetime(2023, 12, 1), datetime(2024, 1, 1), 0.0, status="trialing"),
        subscription(datetime(2024, 1, 1, 9)),
    ]
    config = Config.model_validate({"data": {"path": "."}, "calendar": settings})
    return prediction_times(config, history(engine, rows, until))


def test_the_default_calendar_is_monthly_and_begins_90_days_after_the_first_paid_start(
    engine: Engine,
) -> None:
    # 1 January + 90 days is 31 March: the next month start, up to observed_until inclusive
    assert _calendar(engine) == [datetime(2024, month, 1) for month in (4, 5, 6, 7)]


def test_weekly_is_mondays(engine: Engine) -> None:
    got = _calendar(engine, cadence="weekly", start="2024-06-10", end="2024-06-29")
    assert got == [datetime(2024, 6, day) for day in (10, 17, 24)]


def test_a_start_between_two_prediction_times_waits_for_the_next(engine: Engine) -> None:
    got = _calendar(engine, start="2024-05-01T00:00:01", end="2024-07-01")
    assert got == [datetime(2024, 6, 1), datetime(2024, 7, 1)]
    assert _calendar(engine, start="2024-05-01", end="2024-05-01") == [datetime(2024, 5, 1)]


def test_the_calendar_passes_a_year_and_stops_at_observed_until(engine: Engine) -> None:
    got = _calendar(engine, datetime(2025, 2, 15), start="2024-12-01", end="2030-01-01")
    assert got == [datetime(2024, 12, 1), datetime(2025, 1, 1), datetime(2025, 2, 1)]


def test_too_short_a_history_has_no_prediction_time(engine: Engine) -> None:
    assert _calendar(engine, datetime(2024, 3, 1)) == []


def test_no_paid_row_has_no_prediction_time(engine: Engine) -> None:
    config = Config.model_validate({"data": {"path": "."}})
    assert prediction_times(config, history(engine, [], UNTIL)) == []


def test_a_start_after_the_end_is_an_error_that_names_both(engine: Engine) -> None:
    with pytest.raises(ConfigError, match=r"calendar\.start.*2024-07-01.*2025-01-01"):
        _calendar(engine, start="2025-01-01")


def test_rows_are_sums_in_order_of_time_and_account(engine: Engine) -> None:
    rows = [
        subscription(datetime(2024, 1, 1), account="b", mrr=10.0, seats=2),
        subscription(datetime(2024, 1, 5), account="b", mrr=5.5, seats=1, id="s2", days=40),
        subscription(datetime(2024, 2, 1), account="a", mrr=7.0),
    ]
    got = snapshots(history(engine, rows, UNTIL), [datetime(2024, 3, 1), datetime(2024, 2, 1)])
    assert list(got["account_id"]) == ["b", "a", "b"]
    assert list(got["as_of"]) == [datetime(2024, 2, 1), datetime(2024, 3, 1), datetime(2024, 3, 1)]
    assert got.iloc[0][["mrr", "list_mrr", "seats"]].tolist() == [15.5, 15.5, 3]
    assert got.iloc[0]["renews_at"] == datetime(2024, 2, 14)  # not 31 January, which is past
    assert str(got.dtypes["as_of"]) == "datetime64[us]"


def test_sums_do_not_depend_on_the_order_of_rows(engine: Engine) -> None:
    rows = [
        subscription(datetime(2024, 1, 1), id=f"s{number}", mrr=mrr)
        for number, mrr in enumerate((0.1, 0.2, 0.3, 1e9, 0.7))
    ]
    found = {
        snapshots(history(engine, order, UNTIL), [datetime(2024, 2, 1)])["mrr"].item()
        for order in (rows, rows[::-1], rows[2:] + rows[:2])
    }
    assert found == {1000000001.3}


def test_chosen_accounts_have_the_rows_that_they_have_among_all(engine: Engine) -> None:
    rows = [
        subscription(datetime(2024, 1, month), account=account, id=f"{account}{month}", mrr=month)
        for account in "abcd"
        for month in (1, 2)
    ]
    cutoffs = [datetime(2024, 2, 1), datetime(2024, 1, 2)]
    dataset = history(engine, rows, UNTIL)
    every = snapshots(dataset, cutoffs)
    for accounts in (["c"], ["d", "a", "nobody"], {"b"}, ()):
        chosen = every[every["account_id"].isin(accounts)].reset_index(drop=True)
        pd.testing.assert_frame_equal(snapshots(dataset, cutoffs, accounts=accounts), chosen)


def test_only_the_subscriptions_of_chosen_accounts_are_read(engine: Engine) -> None:
    rows = [subscription(datetime(2024, 1, 1), account=account, id=account) for account in "ab"]
    history(engine, rows, UNTIL)
    engine.register(SCOPE, pa.table({"account_id": ["b"]}))
    engine.run([paid_rows(scoped=True)])
    assert engine.fetch(f"SELECT account_id FROM {PAID}").to_pylist() == [{"account_id": "b"}]
    engine.drop(SCOPE, PAID)


def test_snapshots_leave_no_table(engine: Engine) -> None:
    dataset = history(engine, [subscription(datetime(2024, 1, 1))], UNTIL)
    snapshots(dataset, [datetime(2024, 2, 1)], accounts=["a1"])
    for name in (CUTOFFS, PAID, RUNNING, SCOPE, SNAPSHOTS):
        with pytest.raises(DataError):
            engine.columns(name)


def test_no_snapshot_keeps_the_columns(engine: Engine) -> None:
    got = snapshots(history(engine, [], UNTIL), [datetime(2024, 2, 1)])
    assert got.empty
    assert list(got.columns) == [
        "account_id",
        "as_of",
        "mrr",
        "list_mrr",
        "seats",
        "currency",
        "renews_at",
        "notice_given",
        "ends_at",
    ]
    assert snapshots(history(engine, [], UNTIL), []).empty
