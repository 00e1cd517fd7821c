"""The relations that some metrics need, computed in the engine."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import time

import pyarrow as pa

from tenure.core.config import Config
from tenure.core.errors import ConfigError, Problem
from tenure.core.steps import Step
from tenure.core.times import DAY
from tenure.sources.dataset import Dataset
from tenure.success import activity, relations
from tenure.success.periods import Period
from tenure.success.renewals import renewal_steps
from tenure.success.scores.relation import scored_step
from tenure.success.states import PERIODS, SPANS, Inputs, state_steps

MONTH_DAYS = 365.25 / 12


def build(
    config: Config,
    dataset: Dataset,
    periods: Sequence[Period],
    currency: str | None,
    needed: Collection[str],
) -> None:
    """Compute relations in the engine of a dataset.

    Money is converted to `currency`; None: it stays in its own.  The relations that are `needed`
    are named, and `groups` where accounts are split.
    """
    settings = _settings(config, dataset, periods)
    engine = dataset.engine
    engine.register(PERIODS, _table(list(enumerate(periods))))
    spans = [(number, part) for number, one in enumerate(periods) for part in one.split(1)]
    engine.register(SPANS, _table(spans if "bridge" in needed else []))
    attributes = tuple(name for name in ("segment", "owner") if name in engine.columns("accounts"))
    steps = [*state_steps(_inputs(config, dataset, currency)), *relations.revenue_steps()]
    if {"accounts", "groups", "usage", "breadth"} & {*needed}:
        steps += relations.account_steps()
    if "groups" in needed:
        steps.append(relations.groups_step(attributes))
    if {"renewals", "losses"} & {*needed}:
        steps += renewal_steps(settings, currency)
    if "scored" in needed:
        steps.append(scored_step(currency))
    steps += _sporadic(settings, dataset, needed)
    engine.run(steps)


def _inputs(config: Config, dataset: Dataset, currency: str | None) -> Inputs:
    columns = dataset.engine.columns("subscriptions")
    default = config.metrics.notice_period_days
    notice = "NULL" if default is None else str(default)
    own = "notice_period_days, " if dataset.has("subscriptions", "notice_period_days") else ""
    return Inputs(
        until=dataset.observed_until,
        currency=currency,
        booked="booked_at" if "booked_at" in columns else "known_at",
        notice=f"CAST(coalesce({own}{notice}) AS BIGINT)",
        mergers=dataset.has("mergers"),
        several=currency is None and _currencies(dataset) > 1,
    )


def _currencies(dataset: Dataset) -> int:
    """Return in how many currencies subscriptions are paid, none counted as one of them."""
    sql = "SELECT count(DISTINCT coalesce(currency, '')) AS n FROM subscriptions WHERE paid"
    return int(dataset.engine.value(sql))


def _sporadic(
    settings: relations.Settings, dataset: Dataset, needed: Collection[str]
) -> list[Step]:
    steps = []
    if "answers" in needed:
        steps.append(activity.answers_step(settings))
    if "sent" in needed:
        steps.append(activity.sent_step(settings))
    if "tickets" in needed:
        steps.append(activity.tickets_step(dataset.columns["tickets"], settings))
    steps += activity.log_steps(settings, needed)
    if "usage" in needed:
        steps.append(activity.usage_step())
    if "breadth" in needed:
        steps.append(activity.breadth_step())
    if "starts" in needed:
        steps.append(activity.starts_step(settings))
    return steps


def _table(periods: Sequence[tuple[int, Period]]) -> pa.Table:
    days = [(one.end - one.start) / DAY for _, one in periods]
    return pa.table(
        {
            "period_id": pa.array([number for number, _ in periods], pa.int64()),
            "from_at": pa.array([one.start for _, one in periods], pa.timestamp("us")),
            "to_at": pa.array([one.end for _, one in periods], pa.timestamp("us")),
            "days": pa.array(days, pa.float64()),
            "months": pa.array([_months(one) for _, one in periods], pa.float64()),
        }
    )


def _months(period: Period) -> float:
    """Return the length of a period in months: whole where it starts and ends on the same day."""
    start, end = period.start, period.end
    if (start.day, start.time()) == (end.day, end.time()):
        return float((end.year - start.year) * 12 + end.month - start.month)
    return (end - start) / DAY / MONTH_DAYS


def _settings(config: Config, dataset: Dataset, periods: Sequence[Period]) -> relations.Settings:
    chosen = config.metrics
    edges = [edge for one in periods for edge in (one.start, one.end)]
    thresholds = []
    for scale, least in chosen.csat_thresholds.items():
        try:
            low, high = map(float, scale.split("-"))
        except ValueError:
            rule = "a scale is its lowest and its highest answer"
            raise ConfigError(
                Problem("metrics.csat_thresholds", rule, scale, "e.g. `1-10: 8`")
            ) from None
        thresholds.append((low, high, least))
    return relations.Settings(
        since=min(edges),
        until=dataset.observed_until,
        grace_days=chosen.renewal_grace_days,
        activation_days=chosen.activation_days,
        activation_event=chosen.activation_event,
        thresholds=tuple(thresholds),
        mergers=dataset.has("mergers"),
        unit="month" if all(edge.day == 1 and edge.time() == time.min for edge in edges) else "day",
    )
