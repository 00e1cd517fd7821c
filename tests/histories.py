"""Subscription histories for the label tests, put into an engine as the loader would leave them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, cast

import pyarrow as pa

from tenure.engine.base import Engine
from tenure.sources.dataset import Dataset

Row = dict[str, Any]

TEXT, TIME, NUMBER = pa.string(), pa.timestamp("us"), pa.float64()
LAST = timedelta(days=1) - timedelta(microseconds=1)

SUBSCRIPTIONS = {
    "subscription_id": TEXT,
    "account_id": TEXT,
    "started_at": TIME,
    "ended_at": TIME,
    "ended_at__known": TIME,
    "notice_at": TIME,
    "notice_at__known": TIME,
    "end_reason": TEXT,
    "renews_at": TIME,
    "mrr": NUMBER,
    "list_mrr": NUMBER,
    "discount": NUMBER,
    "currency": TEXT,
    "seats": pa.int64(),
    "plan": TEXT,
    "billing_period": TEXT,
    "status": TEXT,
    "paid": pa.bool_(),
    "list_price": NUMBER,
    "term_anchor": TIME,
    "term_months": pa.int64(),
    "successor_known": TIME,
    "event_time": TIME,
    "known_at": TIME,
}
FX_RATES = {"currency": TEXT, "rate": NUMBER, "event_time": TIME, "known_at": TIME}


def subscription(
    start: datetime, end: datetime | None = None, mrr: float = 100.0, **other: Any
) -> Row:
    """Return a canonical row; `account`, `id`, `notice`, `renews`, `days` have short names.

    A term of `months` begins anew at each of its ends; without them there is one term.
    """
    term = other.pop("days", 30)
    renews = other.pop("renews", None)
    months = other.pop("months", None)
    counted = start if months and renews is None else renews
    if counted is None and term is not None:
        counted = start + timedelta(days=term)
    row: Row = dict.fromkeys(SUBSCRIPTIONS) | {
        "subscription_id": other.pop("id", "s1"),
        "account_id": other.pop("account", "a1"),
        "started_at": start,
        "ended_at": end,
        "notice_at": other.pop("notice", None),
        "renews_at": renews,
        "mrr": mrr,
        "term_anchor": counted,
        "term_months": months,
        "currency": "USD",
        "plan": "pro",
        "billing_period": "monthly",
        "status": "active",
        "event_time": start,
        "known_at": start,
    }
    unknown = set(other) - set(row)
    assert not unknown, unknown
    row |= other
    row["known_at"] = max(row["known_at"], row["event_time"])
    row["ended_at__known"] = row["ended_at__known"] or row["ended_at"]
    row["notice_at__known"] = row["notice_at__known"] or row["notice_at"]
    row["paid"] = row["mrr"] > 0 and row["status"] not in ("trialing", "paused", "unpaid")
    share = row["discount"]
    net = row["mrr"] / (1 - share) if share is not None and share < 1 else row["mrr"]
    row["list_price"] = net if row["list_mrr"] is None else row["list_mrr"]
    return row


def history(
    engine: Engine,
    rows: Iterable[Row],
    observed_until: datetime,
    *,
    absent: Iterable[str] = (),
    rates: Iterable[Row] | None = None,
) -> Dataset:
    """Put rows into an engine."""
    engine.register("subscriptions", _table(rows, SUBSCRIPTIONS))
    columns = {"subscriptions": frozenset(SUBSCRIPTIONS) - set(absent)}
    if rates is not None:
        engine.register("fx_rates", _table(rates, FX_RATES))
        columns["fx_rates"] = frozenset({"currency", "date", "rate"})
    return Dataset(engine, columns, observed_until, report=cast("Any", None))


def moment(value: Any) -> Any:
    """Return a YAML date as a time; anything else as it is."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)
    return value


def of_case(engine: Engine, case: Mapping[str, Any]) -> Dataset:
    """Return the history of a YAML case; see `tests/cases/labels/README.md`."""
    rows = []
    for given in case["subscriptions"]:
        row = {key: moment(value) for key, value in given.items()}
        dated = {
            f"{name}__known": row[short] + LAST
            for short, name in (("end", "ended_at"), ("notice", "notice_at"))
            if case.get("dates") and row.get(short)
        }
        rows.append(subscription(row.pop("start"), row.pop("end", None), **(dated | row)))
    rates = case.get("fx_rates")
    if rates is not None:
        rates = [
            {
                "currency": rate["currency"],
                "rate": rate["rate"],
                "event_time": moment(rate["date"]),
                "known_at": moment(rate["date"]) + LAST,
            }
            for rate in rates
        ]
    until = moment(case["observed_until"])
    return history(engine, rows, until, absent=case.get("absent", ()), rates=rates)


def _table(rows: Iterable[Row], schema: Mapping[str, pa.DataType]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=pa.schema(list(schema.items())))
