"""Some sixty plain columns of an account at a time, as a sensible analyst would write them.

Counts and sums over windows, trends as ratios, recency, tickets, surveys, late invoices and the
contract, straight from the contract's tables with pandas.  Nothing at or after the time is read;
a column that becomes known after its row is read by the time at which it became known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from businesses.options import Floats, Ints

Tables = Mapping[str, pd.DataFrame]
Columns = dict[str, Floats]
WINDOWS = (7, 30, 90)
SPAN = 2.0**34  # seconds; more than any history
TOP_EVENTS = 4


@dataclass(frozen=True)
class Query:
    """Rows that are wanted.

    Attributes:
        codes: Number of each account by its identifier.
        account: Account of each row.
        at: Time of each row, seconds since 1970.
    """

    codes: pd.Index[str]
    account: Ints
    at: Floats

    @classmethod
    def of(cls, tables: Tables, rows: pd.DataFrame) -> Query:
        """Return the query for rows with columns account_id and as_of."""
        codes = pd.Index(tables["accounts"]["account_id"].unique())
        return cls(codes, codes.get_indexer(pd.Index(rows["account_id"])), seconds(rows["as_of"]))


class Facts:
    """Facts of accounts in the order of their times, to be counted before any time.

    Args:
        query: Rows that are wanted.
        frame: A table with the numbers of its accounts in ``account``.
        time: Column that says when a fact is known; rows without one are left out.
        value: Column that is summed.
    """

    def __init__(
        self, query: Query, frame: pd.DataFrame, time: str, value: str | None = None
    ) -> None:
        account, when = frame["account"].to_numpy(), seconds(frame[time])
        values = np.ones(len(frame)) if value is None else frame[value].to_numpy(float)
        known = np.isfinite(when) & (account >= 0) & np.isfinite(values)
        order = np.lexsort((when[known], account[known]))
        self.when, self.values = when[known][order], values[known][order]
        self._keys = account[known][order] * SPAN + self.when
        self._sums = np.append(0.0, np.cumsum(self.values))
        self._query = query
        self._first = np.searchsorted(self._keys, query.account * SPAN)
        self._end = self.position(0)

    def position(self, days: float) -> Ints:
        """Return for each row how many facts, of all, lie before so many days before its time."""
        query = self._query
        place = np.searchsorted(self._keys, query.account * SPAN + query.at - 86_400 * days)
        return np.maximum(place, self._first)

    def count(self, days: float | None = None, less: float = 0) -> Floats:
        """Return how many lie in a window of days that ends `less` days before the time."""
        begin = self._first if days is None else self.position(days)
        return np.asarray(self.position(less) - begin, float)

    def total(self, days: float | None = None, less: float = 0) -> Floats:
        """Return the sum over a window."""
        begin = self._first if days is None else self.position(days)
        return np.asarray(self._sums[self.position(less)] - self._sums[begin])

    def mean(self, days: float | None = None) -> Floats:
        """Return the mean over a window; missing where it is empty."""
        return ratio(self.total(days), self.count(days))

    def last(self) -> Floats:
        """Return the latest value; missing where there is none."""
        return self._where_any(self.values)

    def recency(self) -> Floats:
        """Return days since the latest fact; missing where there is none."""
        return np.asarray((self._query.at - self._where_any(self.when)) / 86_400)

    def age(self) -> Floats:
        """Return days since the first fact; missing where there is none."""
        any_before = self._end > self._first
        first = self.when[np.minimum(self._first, self.when.size - 1)] if self.when.size else np.nan
        return np.where(any_before, (self._query.at - first) / 86_400, np.nan)

    def _where_any(self, values: Floats) -> Floats:
        if not values.size:
            return np.full(self._end.size, np.nan)
        return np.where(self._end > self._first, values[np.maximum(self._end - 1, 0)], np.nan)


def plain_columns(tables: Tables, rows: pd.DataFrame) -> pd.DataFrame:
    """Return plain columns of accounts at times.

    Args:
        tables: The contract's tables by name; those that are missing have no columns.
        rows: One row per account_id and as_of.

    Returns:
        Numbers under the index of `rows`; codes of plans and the like are numbers too.
    """
    query = Query.of(tables, rows)
    tables = {
        name: frame.assign(account=query.codes.get_indexer(pd.Index(frame["account_id"])))
        for name, frame in tables.items()
    }
    columns = _contract(query, tables)
    makers = {
        "usage_events": _usage,
        "tickets": _tickets,
        "survey_responses": _surveys,
        "invoices": _invoices,
        "touchpoints": _touchpoints,
    }
    for name, make in makers.items():
        if name in tables:
            columns |= make(query, tables[name])
    return pd.DataFrame(columns, index=rows.index)


def seconds(times: pd.Series[pd.Timestamp]) -> Floats:
    """Return seconds since 1970, missing where there is no time."""
    values = times.to_numpy("M8[us]")
    return np.where(np.isnat(values), np.nan, values.astype(np.int64) / 1e6)


def ratio(above: Floats, below: Floats) -> Floats:
    """Return a ratio, missing where it has no denominator."""
    return np.asarray(above / np.where(below > 0, below, np.nan))


def _trends(facts: Facts, name: str) -> Columns:
    """Return counts in windows, and windows against those before them."""
    columns = {f"{name}_{days}d": facts.count(days) for days in WINDOWS}
    month, quarter = facts.count(30), facts.count(90)
    columns[f"{name}_30d_trend"] = ratio(month, facts.count(60, less=30))
    columns[f"{name}_90d_trend"] = ratio(quarter, facts.count(180, less=90))
    columns[f"{name}_30d_in_90d"] = ratio(month, quarter)
    columns[f"{name}_recency"] = facts.recency()
    return columns


def _usage(query: Query, frame: pd.DataFrame) -> Columns:
    everything = Facts(query, frame, "occurred_at")
    columns = _trends(everything, "events")
    columns["events_all"] = everything.count()
    columns["events_per_day"] = ratio(everything.count(), everything.age())
    day = frame.assign(day=frame["occurred_at"].dt.floor("D") + pd.Timedelta(days=1))
    days = Facts(query, day.drop_duplicates(["account", "day"]), "occurred_at")
    columns |= {f"active_days_{span}d": days.count(span) for span in WINDOWS}
    if "quantity" in frame and frame["quantity"].notna().any():
        amount = Facts(query, frame, "occurred_at", "quantity")
        columns |= {f"quantity_{span}d": amount.total(span) for span in WINDOWS}
        columns["quantity_mean_30d"] = amount.mean(30)
        columns["quantity_trend"] = ratio(amount.total(30), amount.total(90))
        columns["quantity_last"] = amount.last()
    if "user_id" in frame:
        columns |= _users(query, frame)
    # Names in the order of the alphabet: how often each is used is not known yet.
    for name in sorted(frame["event"].unique())[:TOP_EVENTS]:
        own = Facts(query, frame[frame["event"] == name], "occurred_at")
        columns[f"{name}_30d"] = own.count(30)
        columns[f"{name}_trend"] = ratio(own.count(30), own.count(90))
        columns[f"{name}_recency"] = own.recency()
    return columns


def _users(query: Query, frame: pd.DataFrame) -> Columns:
    """Return distinct users in windows, each counted from a use to the next or the window's end."""
    ordered = frame.sort_values("occurred_at", kind="stable")
    after = ordered.groupby(["account", "user_id"], sort=False)["occurred_at"].shift(-1)
    uses = Facts(query, ordered, "occurred_at")
    columns: Columns = {}
    for days in (30, 90):
        expires = ordered["occurred_at"] + pd.Timedelta(days=days)
        until = ordered.assign(until=after.where(after < expires, expires))
        columns[f"users_{days}d"] = uses.count() - Facts(query, until, "until").count()
    columns["users_trend"] = ratio(columns["users_30d"], columns["users_90d"])
    return columns


def _tickets(query: Query, frame: pd.DataFrame) -> Columns:
    opened = Facts(query, frame, "opened_at")
    columns = _trends(opened, "tickets")
    if "resolved_at" in frame:
        took = (frame["resolved_at"] - frame["opened_at"]).dt.total_seconds() / 86_400
        resolved = Facts(query, frame.assign(took=took), "resolved_at", "took")
        columns["tickets_open"] = opened.count() - resolved.count()
        columns["ticket_days_180d"] = resolved.mean(180)
    if "csat_at" in frame:
        rated = Facts(query, frame, "csat_at", "csat_score")
        columns |= {"ticket_csat": rated.mean(180), "ticket_csat_last": rated.last()}
    if "priority" in frame:
        urgent = Facts(query, frame[frame["priority"] == "urgent"], "opened_at")
        columns["tickets_urgent_90d"] = urgent.count(90)
    return columns


def _surveys(query: Query, frame: pd.DataFrame) -> Columns:
    columns: Columns = {}
    for kind in sorted(frame["survey_type"].unique()):
        own = frame[frame["survey_type"] == kind]
        answers = Facts(query, own, "responded_at", "score")
        columns[f"{kind}_last"] = answers.last()
        columns[f"{kind}_mean"] = answers.mean()
        columns[f"{kind}_mean_180d"] = answers.mean(180)
        columns[f"{kind}_answers"] = answers.count()
        columns[f"{kind}_recency"] = answers.recency()
        if "sent_at" in own:
            columns[f"{kind}_share"] = ratio(answers.count(), Facts(query, own, "sent_at").count())
    return columns


def _invoices(query: Query, frame: pd.DataFrame) -> Columns:
    lag = (frame["paid_at"] - frame["due_at"]).dt.total_seconds() / 86_400
    paid = Facts(query, frame.assign(lag=lag), "paid_at", "lag")
    late = Facts(query, frame[lag > 0], "paid_at")
    # An invoice is overdue from its due date until it is paid.
    settled = frame.assign(settled=frame["paid_at"].where(lag > 0, frame["due_at"]))
    settled = settled[frame["paid_at"].notna()]
    overdue = Facts(query, frame, "due_at").count() - Facts(query, settled, "settled").count()
    return {
        "invoices_180d": Facts(query, frame, "issued_at").count(180),
        "invoice_amount_last": Facts(query, frame, "issued_at", "amount").last(),
        "invoice_lag_mean": paid.mean(),
        "invoice_lag_last": paid.last(),
        "invoices_late_180d": late.count(180),
        "invoices_late_share": ratio(late.count(), paid.count()),
        "invoices_overdue": overdue,
    }


def _touchpoints(query: Query, frame: pd.DataFrame) -> Columns:
    facts = Facts(query, frame, "occurred_at")
    return {"touchpoints_90d": facts.count(90), "touchpoints_recency": facts.recency()}


def _contract(query: Query, tables: Tables) -> Columns:
    """Return the contract as it stood: the latest row that had begun, its price and its term."""
    frame = tables["subscriptions"]
    price = Facts(query, frame, "started_at", "mrr")
    mrr, before = price.last(), _before(query, frame, 180)
    columns = {
        "mrr": mrr,
        "log_mrr": np.log1p(mrr),
        "mrr_180d_trend": ratio(mrr, before),
        "account_age": price.age(),
        "contract_row_age": price.recency(),
        "contract_rows": price.count(),
    }
    for name in ("plan", "billing_period"):
        if name in frame:
            coded = frame.assign(code=pd.factorize(frame[name], sort=True)[0].astype(float))
            columns[f"{name}_code"] = Facts(query, coded, "started_at", "code").last()
    if "seats" in frame:
        columns["seats"] = Facts(query, frame, "started_at", "seats").last()
    if "renews_at" in frame:
        due = frame.assign(due=seconds(frame["renews_at"])).fillna({"due": -1.0})
        last = Facts(query, due, "started_at", "due").last()
        columns["days_to_renewal"] = np.where(last >= 0, (last - query.at) / 86_400, np.nan)
    for name in ("segment", "region"):
        if name in tables["accounts"]:
            codes = pd.factorize(tables["accounts"][name], sort=True)[0].astype(float)
            columns[f"{name}_code"] = codes[query.account]
    return columns


def _before(query: Query, frame: pd.DataFrame, days: float) -> Floats:
    """Return MRR so many days earlier; missing where the account did not pay then."""
    earlier = Query(query.codes, query.account, query.at - 86_400 * days)
    return Facts(earlier, frame, "started_at", "mrr").last()
