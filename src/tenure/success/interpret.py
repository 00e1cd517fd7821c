"""The interpreter of metric declarations: tables and a period in, metrics out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import sqrt
from typing import Any

from tenure.core.config import Config
from tenure.core.errors import ConfigError, Problem, suggestion
from tenure.core.progress import SILENT, Progress
from tenure.core.records.metrics import Metric, MetricsRecord
from tenure.sources.dataset import Dataset
from tenure.success.absence import Coverage, missing_input
from tenure.success.build import build
from tenure.success.currency import home_currency
from tenure.success.declarations import Method, Z, share_interval
from tenure.success.definitions import METRICS
from tenure.success.periods import metric_period, split_periods
from tenure.success.query import DIMENSIONS, NO_VALUE, Measured, Wanted, constants, measure
from tenure.success.relations import GROUPS

SPLITS = ("month", "quarter", *DIMENSIONS)
MIXED = "the answers are on several scales, which are never mixed"


@dataclass(frozen=True, slots=True)
class MetricsRequest:
    """Which metrics, of which period, split by what."""

    start: datetime | None = None
    """Start of the period; default: twelve months before its end."""
    end: datetime | None = None
    """Its end, exclusive; default: the last first of a month that was observed."""
    by: tuple[str, ...] = ()
    """What splits it, of `SPLITS`."""
    only: tuple[str, ...] = ()
    """Names of metrics; all by default."""
    methods: Mapping[str, str] = field(default_factory=dict)
    """Metric → method, where it is not the default."""


def metrics(
    config: Config,
    dataset: Dataset,
    request: MetricsRequest,
    progress: Progress = SILENT,
    besides: Collection[str] = (),
) -> MetricsRecord:
    """Return the metrics of a period from the loaded tables, as known at `observed_until`.

    The relations `besides` are left in the engine beside those that the metrics need.

    Raises:
        ConfigError: If a metric, a method or a split does not exist, or the period is empty.
    """
    wanted = _wanted(request)
    whole = metric_period(request.start, request.end, dataset.observed_until)
    periods = split_periods(whole, request.by)
    by = tuple(name for name in DIMENSIONS if name in request.by)
    progress.stage("metrics")
    lacking = {
        item: reason
        for item in wanted
        if (reason := missing_input(item.metric, dataset, config.metrics))
    }
    usable = [item for item in wanted if item not in lacking]
    currency = home_currency(dataset, config.metrics.currency)
    needed = {item.relation for item in usable} | {*besides} | ({"groups"} if by else set())
    build(config, dataset, periods, currency, needed)
    measured = measure(usable, by, dataset.engine, constants(config))
    currencies = _currencies(dataset, currency)
    coverage = Coverage(dataset)
    groups = _groups(dataset, by)
    rows: list[Metric] = []
    for item in wanted:
        for number, period in enumerate(periods):
            reason = lacking.get(item) or coverage.reason(item.metric, period)
            for group in groups:
                for money in _money(item, dict(zip(by, group, strict=True)), currencies):
                    values = {} if reason else _values(item, measured[item], (number, group, money))
                    rows.append(
                        Metric(
                            name=item.metric.name,
                            method=item.method.name,
                            period_from=period.start,
                            period_to=period.end,
                            group=dict(zip(by, group, strict=True)),
                            currency=money or None,
                            **{"reason": reason, **values},
                        )
                    )
    return MetricsRecord(
        as_of=dataset.observed_until,
        currency=currencies[0] or None if len(currencies) == 1 else None,
        metrics=tuple(_shown(rows)),
    )


def check_request(request: MetricsRequest) -> None:
    """Refuse a request that no tables can answer.

    Raises:
        ConfigError: If a metric, a method or a split does not exist, or the period is empty.
    """
    _wanted(request)
    if request.end is not None:
        metric_period(request.start, request.end, request.end)


def _wanted(request: MetricsRequest) -> list[Wanted]:
    """Return the metrics of a request with their methods, and what is shown instead of none."""
    problems = [
        Problem(place, "no such name", name, suggestion(name, known))
        for place, names, known in (
            ("--only", request.only, METRICS),
            ("--by", request.by, SPLITS),
            ("--method", request.methods, METRICS),
        )
        for name in names
        if name not in known
    ]
    wanted = []
    for name, metric in METRICS.items():
        if request.only and name not in request.only:
            continue
        method = request.methods.get(name)
        known = [one.name for one in metric.methods]
        if method is not None and method not in known:
            problems.append(
                Problem(f"--method {name}", "no such method", method, suggestion(method, known))
            )
            continue
        wanted.append(Wanted(metric, metric.method(method)))
        if metric.instead and method is None:
            wanted.append(Wanted(metric, metric.method(metric.instead)))
    if problems:
        raise ConfigError(*problems)
    return wanted


def _currencies(dataset: Dataset, home: str | None) -> list[str]:
    """Return the currencies that money is in, in order; one without a name where there is none."""
    if home is not None:
        return [home]
    rows = dataset.engine.fetch(
        "SELECT DISTINCT coalesce(currency, '') AS currency FROM subscriptions "
        "WHERE paid ORDER BY 1"
    )
    return rows.column("currency").to_pylist() or [""]


def _groups(dataset: Dataset, by: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the groups that accounts are in, at either end of any period, in order."""
    if not by:
        return [()]
    named = [f"{name} AS group_{place}" for place, name in enumerate(by)]
    at_end = [text.replace("plan AS", "plan_end AS") for text in named]
    sql = " UNION ".join(f"SELECT {', '.join(items)} FROM {GROUPS}" for items in (named, at_end))
    rows = dataset.engine.fetch(sql).to_pylist()
    return sorted(tuple(value or NO_VALUE for value in row.values()) for row in rows)


def _money(
    item: Wanted, group: Mapping[str, str], currencies: Sequence[str]
) -> Sequence[str | None]:
    if not item.metric.money:
        return [None]
    own = group.get("currency")
    return currencies if own is None else [one for one in currencies if (one or own) == own]


def _values(item: Wanted, measured: Measured, key: Any) -> dict[str, Any]:
    """Return what a metric is in one period and group: its numbers, or the reason why none."""
    row = measured.rows.get(key, measured.empty)
    values = {name: row[name] for name in ("numerator", "denominator")} | {"n": row["n"] or 0}
    if row["mixed"]:
        return values | {"reason": MIXED}
    divisor = 1.0 if item.method.denominator is None else row["denominator"]
    if row["numerator"] is None or not divisor:
        return values | {"reason": item.metric.none or "there is nothing to compute it from"}
    value = row["numerator"] / divisor * item.method.scale
    lo, hi = _interval(item.method, row, value)
    return values | {"value": value, "lo": lo, "hi": hi}


def _interval(
    method: Method, row: Mapping[str, Any], value: float
) -> tuple[float | None, float | None]:
    """Return both ends of the 95 % interval of a value; None where it has none or no end."""
    n, detail = row["n"], row["detail"]
    if method.interval == "share":
        return share_interval(row["numerator"], row["denominator"])
    if method.interval == "mean" and detail is not None:
        return value - Z * detail / sqrt(n), value + Z * detail / sqrt(n)
    if method.interval == "points":
        points = value / method.scale
        spread = Z * sqrt(max(detail / n - points * points, 0.0) / n)
        ends = (max(points - spread, -1.0), min(points + spread, 1.0))
        return ends[0] * method.scale, ends[1] * method.scale
    if method.interval == "worth":
        low, high = share_interval(detail, n)
        return row["numerator"] / high, row["numerator"] / low if low > 0 else None
    return None, None


def _shown(rows: Sequence[Metric]) -> list[Metric]:
    """Return rows without those of a method that is shown only where the default has no value."""
    default = {_place(row): row for row in rows if row.method == METRICS[row.name].methods[0].name}
    shown = []
    for row in rows:
        first = default.get(_place(row)) if row.method == METRICS[row.name].instead else None
        if first is None or (first.value is None and first.numerator is not None):
            shown.append(row)
    return shown


def _place(row: Metric) -> tuple[Any, ...]:
    """Return what rows of one metric by several methods share."""
    return row.name, row.period_from, tuple(row.group.items()), row.currency
