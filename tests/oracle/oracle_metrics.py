"""Every metric by every method once more, slowly, in plain Python, from the words of its rule.

Written without looking at the SQL's shape: one account at a time, lists and loops.  Rows are
dictionaries of the loaded tables: times are naive UTC, ``<column>__known`` is when a late column
was known.  Money stays in its own currency.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from statistics import mean, median
from typing import Any

from oracle.oracle_labels import months_later

Row = dict[str, Any]
Values = dict[tuple[str, str, str | None], float | None]
"""Metric, method and currency (None where it is no money) → value."""

DAY = timedelta(days=1)
FOREVER = datetime(9999, 1, 1)
EARLY = timedelta(days=400)
"""How long before a period a term may end that was renewed in it."""
Z2 = 1.959963984540054**2
BANDS = ("low", "medium", "high")


@dataclass(frozen=True)
class World:
    """What is known when observation stops, and the settings.

    Rows of subscriptions need `booked_at`; scores need what `SCHEMA` of the scored relation names.
    """

    tables: Mapping[str, list[Row]]
    until: datetime
    grace_days: int = 30
    activation_days: int = 30
    activation_event: str | None = None
    thresholds: Mapping[tuple[float, float], float] = field(default_factory=dict)
    margin: float = 1.0
    discount: float = 0.0

    def owner(self, account: str, at: datetime) -> str:
        """What an account is part of at a time."""
        for row in sorted(self.tables.get("mergers", []), key=lambda row: row["at"]):
            if row["account_id"] == account and row["at"] <= at and row["known_at"] < self.until:
                account = row["into_account_id"]
        return account

    def joint(self, account: str, end: datetime) -> str:
        """What an account is part of just before a time."""
        return self.owner(account, end - timedelta(microseconds=1))

    def known(self, table: str) -> list[Row]:
        """The rows of a table that were known."""
        return [row for row in self.tables.get(table, []) if row["known_at"] < self.until]

    def late(self, row: Row, column: str) -> Any:
        """A late column, None unless it was known."""
        value, known = row.get(column), row.get(f"{column}__known")
        return value if value is not None and known is not None and known < self.until else None

    def subscriptions(self) -> list[Row]:
        """The rows of subscriptions, cut at mergers, each of the account that it counts for."""
        result = []
        for row in self.tables["subscriptions"]:
            if max(row["started_at"], row["event_time"], row["known_at"]) >= self.until:
                continue
            end = self.late(row, "ended_at")
            own = row | {"end": end, "reason": None if end is None else row["end_reason"]}
            own["currency"] = row["currency"] or ""
            moments = sorted(
                merger["at"]
                for merger in self.known("mergers")
                if row["started_at"] < merger["at"] < (own["end"] or FOREVER)
                and self.owner(row["account_id"], merger["at"] - timedelta(microseconds=1))
                != self.owner(row["account_id"], merger["at"])
            )
            for start, stop in zip([row["started_at"], *moments], [*moments, None], strict=True):
                part = own | {
                    "started_at": start,
                    "account_id": self.owner(row["account_id"], start),
                }
                result.append(part | ({} if stop is None else {"end": stop, "reason": None}))
        return result


def runs(row: Row, at: datetime) -> bool:
    return bool(row["started_at"] < at and (row["end"] is None or row["end"] >= at))


def share(part: float, whole: float) -> float | None:
    return float(part) / float(whole) if whole else None


def average(values: Iterable[float]) -> float | None:
    return mean(listed) if (listed := list(values)) else None


def middle(values: Iterable[float]) -> float | None:
    return median(listed) if (listed := list(values)) else None


class Period:
    """What happened to accounts between two times.

    Args:
        world: What is known.
        start: First moment.
        end: First moment after it.
    """

    def __init__(self, world: World, start: datetime, end: datetime) -> None:
        self.world, self.start, self.end = world, start, end
        self.rows = world.subscriptions()
        self.paid = [row for row in self.rows if row["paid"]]
        self.days = (end - start) / DAY
        self.months = (end.year - start.year) * 12 + end.month - start.month
        self.first: dict[str, datetime] = {}
        for row in self.paid:
            name = row["account_id"]
            self.first[name] = min(row["started_at"], self.first.get(name, FOREVER))
        self.states = {at: self._state(at) for at in self.edges()}

    def within(self, at: datetime | None) -> bool:
        return at is not None and self.start <= at < self.end

    def edges(self) -> list[datetime]:
        edges, at = [], self.start
        while at < self.end:
            edges.append(at)
            at = months_later(at.replace(day=1), 1)
        return [*edges, self.end]

    def _state(self, at: datetime) -> dict[tuple[str, str], Decimal]:
        totals: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for row in self.paid:
            if runs(row, at):
                totals[row["account_id"], row["currency"]] += Decimal(repr(row["mrr"]))
        return dict(totals)

    def _seats(self, at: datetime) -> dict[tuple[str, str], float]:
        totals: dict[tuple[str, str], float] = defaultdict(float)
        for row in self.paid:
            totals[row["account_id"], row["currency"]] += (row["seats"] or 0) * runs(row, at)
        return totals

    def paused(self, at: datetime) -> set[str]:
        names = set()
        for row in self.rows:
            if row["status"] != "paused":
                continue
            last = self.world.until - timedelta(microseconds=1)
            since = (row["status_at"] or last) if row["paid"] else row["started_at"]
            until = None if row["paid"] else row["end"]
            if since < at and (until is None or until >= at):
                names.add(row["account_id"])
        return names

    def ramps(self, start: datetime, end: datetime) -> dict[tuple[str, str], Decimal]:
        """Rises that begin in a span and were booked by the day on which the term before began."""
        totals: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        chains: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in sorted(self.paid, key=lambda row: row["started_at"]):
            chains[row["account_id"], row["subscription_id"]].append(row)
        for chain in chains.values():
            for before, row in pairwise(chain):
                rise = Decimal(repr(row["mrr"])) - Decimal(repr(before["mrr"]))
                goes_on = before["end"] is not None and before["end"] >= row["started_at"]
                agreed = row["booked_at"].date() <= before["started_at"].date()
                same = row["currency"] == before["currency"]
                if start <= row["started_at"] < end and rise > 0 and goes_on and agreed and same:
                    totals[row["account_id"], row["currency"]] += rise
        return totals

    def moves(self, start: datetime, end: datetime) -> list[Row]:
        """What each account paid at both ends, and how it moved, by currency."""
        before, after = self.states[start], self.states[end]
        base: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for (account, currency), mrr in before.items():
            base[self.world.joint(account, end), currency] += mrr
        keys = {*before, *base, *after}
        seats = self._seats(end)
        held, holds = self.paused(start), self.paused(end)
        ramps = self.ramps(start, end)
        result = []
        for account, currency in keys:
            key = (account, currency)
            left, old, new = (one.get(key, Decimal()) for one in (before, base, after))
            own = [other for other in keys if other[0] == account]
            kind = self._kind(account, start, (old, new), {
                "paid before": any(base.get(one) for one in own),
                "pays after": any(after.get(one) for one in own),
                "leaves one": any(not after.get(one) for one in own),
                "enters one": any(not base.get(one) for one in own),
                "paused before": account in held,
                "pauses after": account in holds,
            })  # fmt: skip
            amounts = dict.fromkeys(MOVEMENTS, Decimal())
            if kind == "expansion":
                agreed = min(ramps[key], new - old)
                amounts["contracted_expansion"], amounts["expansion"] = agreed, new - old - agreed
            elif kind is not None:
                amounts[kind] = new - old
            amounts["merger"] = old - left
            names: Row = {
                "account": account,
                "currency": currency,
                "kind": kind,
                "seats": seats[key],
            }
            result.append(names | {"start": left, "base": old, "end": new} | amounts)
        return result

    def _kind(
        self, account: str, start: datetime, mrr: tuple[Decimal, Decimal], is_so: dict[str, bool]
    ) -> str | None:
        old, new = mrr
        if old == new:
            return None
        if not old:
            if is_so["paid before"]:
                return "fx" if is_so["leaves one"] else "expansion"
            if is_so["paused before"]:
                return "resume"
            return "reactivation" if self.first[account] < start else "new"
        if not new:
            if is_so["pays after"]:
                return "fx" if is_so["enters one"] else "contraction"
            return "pause" if is_so["pauses after"] else "churn"
        return "expansion" if new > old else "contraction"

    def involuntary(self) -> set[str]:
        """Accounts whose last paid row that ended in the period ended for a failed payment."""
        last: dict[str, tuple[datetime, str]] = {}
        for row in self.paid:
            if self.within(row["end"]):
                name = self.world.joint(row["account_id"], self.end)
                if name not in last or row["end"] > last[name][0]:
                    last[name] = row["end"], row["reason"] or ""
        return {name for name, (_, reason) in last.items() if reason == "involuntary"}


MOVEMENTS = (
    *("new", "reactivation", "expansion", "contracted_expansion"),
    *("contraction", "churn", "pause", "resume", "merger", "fx"),
)


def money_metrics(period: Period) -> Values:
    """Revenue, its movements, retention and lifetime value, by currency."""
    ends = period.moves(period.start, period.end)
    edges = period.edges()
    months = [row for pair in pairwise(edges) for row in period.moves(*pair)]
    failed, result = period.involuntary(), Values()
    for currency in sorted({row["currency"] for row in period.paid}):
        own = [row for row in ends if row["currency"] == currency]
        monthly = [row for row in months if row["currency"] == currency]
        values = _waterfall(own, monthly, failed) | _retention(own, monthly, period)
        result |= {(*name, currency): value for name, value in values.items()}
    return result


def _total(rows: Iterable[Row], *names: str) -> float:
    return float(sum((row[name] for row in rows for name in names), Decimal()))


Named = dict[tuple[str, str], float | None]


def _waterfall(own: list[Row], monthly: list[Row], failed: set[str]) -> Named:
    mrr, paying = _total(own, "end"), sum(row["end"] > 0 for row in own)
    values: Named = {("mrr", "end"): mrr, ("arr", "end"): 12 * mrr}
    values["mrr_start", "start"] = _total(own, "start")
    for name in MOVEMENTS:
        values[f"movement_{name}", "ends"] = _total(own, name)
        values[f"movement_{name}", "monthly"] = _total(monthly, name)
    churn = [row for row in own if row["churn"]]
    out = [row for row in churn if row["account"] in failed]
    values["movement_churn_involuntary", "ends"] = _total(out, "churn")
    values["movement_churn_voluntary", "ends"] = _total(churn, "churn") - _total(out, "churn")
    gains = ("new", "expansion", "contracted_expansion")
    for method, rows, names in (
        ("strict", own, gains),
        ("with_reactivation", own, (*gains, "reactivation")),
        ("strict_monthly", monthly, gains),
    ):
        lost = -_total(rows, "contraction", "churn")
        values["quick_ratio", method] = share(_total(rows, *names), lost)
    values["arpa", "end"] = share(mrr, paying)
    values["arppu", "seats"] = share(mrr, sum(row["seats"] for row in own))
    return values


def _retention(own: list[Row], monthly: list[Row], period: Period) -> Named:
    cohort = [row for row in own if row["base"] > 0 and row["kind"] != "fx"]
    start = _total(own, "start")
    base, churned = _total(cohort, "base"), [row for row in own if row["kind"] == "churn"]
    capped = float(sum((min(row["base"], row["end"]) for row in cohort), Decimal()))
    losses = _total(monthly, "contraction", "churn")
    gains = _total(monthly, "expansion", "contracted_expansion")
    lost = -_total(own, "churn")
    gross = lost - _total(own, "contraction")
    values: Named = {
        ("gross_revenue_retention", "cohort"): share(capped, base),
        ("gross_revenue_retention", "movements"): share(start + losses, start),
        ("net_revenue_retention", "cohort"): share(_total(cohort, "end"), base),
        ("net_revenue_retention", "movements"): share(start + losses + gains, start),
        ("revenue_churn_rate", "churn"): share(lost, start),
        ("revenue_churn_rate", "gross"): share(gross, start),
        ("revenue_churn_rate", "net"): share(
            gross - _total(own, "expansion", "contracted_expansion"), start
        ),
        ("churned_size_ratio", "mean"): None,
    }
    if churned and cohort:
        values["churned_size_ratio", "mean"] = (lost / len(churned)) / (base / len(cohort))
    arpa = share(_total(own, "end"), sum(row["end"] > 0 for row in own))
    worth = None if arpa is None else arpa * period.months
    year = (1 + period.world.discount) ** (period.months / 12) - 1
    rates: dict[str, float | None] = {
        "observed": share(len(churned), len(cohort)),
        "shrunk": share(len(churned) + Z2 / 2, len(cohort) + Z2) if cohort else None,
        "gross_churn": share(gross, start),
    }
    rates["discounted"] = None if rates["gross_churn"] is None else rates["gross_churn"] + year
    for method, rate in rates.items():
        value = None if worth is None or rate is None else share(worth, rate)
        if method != "discounted":
            values["ltv_revenue", method] = value
        values["ltv_profit", method] = None if value is None else value * period.world.margin
    return values


def account_metrics(period: Period) -> Values:
    """Churn and retention of accounts, counted."""
    world, failed = period.world, period.involuntary()
    begun: set[str] = set()
    paid_days: dict[str, float] = defaultdict(float)
    for row in period.paid:
        end = row["end"] or FOREVER
        if row["started_at"] < period.end and end >= period.start:
            name = world.joint(row["account_id"], period.end)
            begun |= {name} if row["started_at"] >= period.start else set()
            first, last = max(row["started_at"], period.start), min(end, period.end)
            paid_days[name] += (last.date() - first.date()).days
    starting = {world.joint(name, period.end) for name, _ in period.states[period.start]}
    ending = {name for name, _ in period.states[period.end]}
    gone = paid_days.keys() - ending - period.paused(period.end)
    joined = begun - starting
    left, everybody = starting & gone, starting | joined
    mean_paying = sum(min(one, period.days) for one in paid_days.values()) / period.days
    rate = share(len(left), len(starting))
    values: Named = {
        ("logo_churn_rate", "start"): rate,
        ("logo_churn_rate", "start_plus_new"): share(len(everybody & gone), len(everybody)),
        ("logo_churn_rate", "all_over_start"): share(len(everybody & gone), len(starting)),
        ("logo_churn_rate", "daily_sum"): share(len(everybody & gone), mean_paying),
        ("logo_churn_rate_voluntary", "start"): share(len(left - failed), len(starting)),
        ("logo_churn_rate_involuntary", "start"): share(len(left & failed), len(starting)),
        ("logo_churn_rate_annualised", "compound"): (
            None if rate is None else 1 - (1 - rate) ** (365 / period.days)
        ),
        ("customer_retention_rate", "start"): share(
            len(ending) - len(ending - starting), len(starting)
        ),
        ("product_churn_rate", "start"): share(
            len(_dropped(period) & starting & ending), len(starting)
        ),
    }
    return {(*name, None): value for name, value in values.items()}


def _dropped(period: Period) -> set[str]:
    """Accounts that dropped one of several subscriptions, but for an upgrade or downgrade."""
    held: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for row in period.paid:
        if runs(row, period.start):
            name = period.world.joint(row["account_id"], period.end)
            held[name].add((row["account_id"], row["subscription_id"]))
    after = {(r["account_id"], r["subscription_id"]) for r in period.paid if runs(r, period.end)}
    names = set()
    for name, own in held.items():
        lost = {key for key in own if (name, key[1]) not in after}
        for key in lost:
            rows = [r for r in period.paid if (r["account_id"], r["subscription_id"]) == key]
            reasons = [r["reason"] for r in sorted(rows, key=lambda r: r["started_at"])]
            last = [reason for reason in reasons if reason is not None][-1:]
            if len({one for _, one in own}) > 1 and last not in (["upgrade"], ["downgrade"]):
                names.add(name)
    return names
