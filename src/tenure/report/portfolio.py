"""What moves the scores of a book, as the Drivers page and the model report show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from tenure.core.records.explain import Cohort, EffectPoint, Portfolio, SignalSummary
from tenure.core.spec import Unit
from tenure.explain.wording import show
from tenure.labels.targets import TARGETS
from tenure.report.charts.accounts import effect_chart
from tenure.report.charts.look import to_svg
from tenure.report.sentences.formatting import NONE, count, counted, number, sentence
from tenure.report.sentences.values import money
from tenure.report.tables.layout import Table, table
from tenure.report.target_charts import Chart

SIGNALS, SHAPES, COHORT = 15, 6, 8
"""Signals, shapes of signals and accounts of a cohort that are shown."""
FORMS = {"share": ".0%"}
"""Unit → how an axis shows it."""
CLEAR = 0.2
"""Rank correlation from which a signal goes one way with its values."""


@dataclass(frozen=True)
class Shape:
    """How a signal moves the scores by the value of its leading feature."""

    signal: SignalSummary
    chart: Chart
    points: Table | None


@dataclass(frozen=True)
class SharedReason:
    """Accounts at risk for the same reason."""

    record: Cohort
    mrr: str
    """Theirs, and `at_risk`: probability × MRR, by currency."""
    at_risk: str
    first: tuple[str, ...]
    """The riskiest of them; `more`: how many others."""
    more: int


@dataclass(frozen=True)
class PortfolioView:
    """What is shown of a portfolio."""

    record: Portfolio
    event: str
    """What is predicted, in words."""
    as_of: datetime
    """Prediction time of the scores."""
    version: str
    """Of the model that gave them."""
    cohorts: tuple[SharedReason, ...]
    signals: tuple[tuple[SignalSummary, str], ...]
    """The strongest, and which way each goes with the values of its leading feature."""
    shapes: tuple[Shape, ...]

    @property
    def accounts(self) -> str:
        """How many accounts it is about."""
        return counted(self.record.accounts, "account")


def portfolio_view(record: Portfolio, as_of: datetime, version: str) -> PortfolioView:
    """Return what is shown of a portfolio."""
    event, signals = TARGETS[record.target].event, record.signals[:SIGNALS]
    shaped = [one for one in signals if len(one.effect) > 1][:SHAPES]
    return PortfolioView(
        record=record,
        event=event,
        as_of=as_of,
        version=version,
        cohorts=tuple(map(_shared, record.cohorts)),
        signals=tuple((one, _direction(one)) for one in signals),
        shapes=tuple(_shape(one, record.target, event) for one in shaped),
    )


def _direction(signal: SignalSummary) -> str:
    """Return which way a signal goes with the values of its leading feature, in a word."""
    if signal.association is None:
        return NONE
    if abs(signal.association) <= CLEAR:
        return "neither way alone"
    return "the more, the higher" if signal.association > 0 else "the more, the lower"


def _shared(one: Cohort) -> SharedReason:
    return SharedReason(
        record=one,
        mrr=_amounts(one.mrr),
        at_risk=_amounts(one.at_risk),
        first=one.accounts[:COHORT],
        more=max(0, len(one.accounts) - COHORT),
    )


def _amounts(by_currency: Mapping[str, float]) -> str:
    return ", ".join(money(amount, unit or None) for unit, amount in by_currency.items())


def _shape(signal: SignalSummary, target: str, event: str) -> Shape:
    points = signal.effect
    rows: list[dict[str, Any]] = [point.to_json() for point in points]
    low, high = (end(points, key=lambda one: one.mean) for end in (min, max))
    at = [_value(one.value, signal.unit) for one in (low, high)]
    unit = " (own currency)" if signal.unit == "money" else ""
    title, feature = (
        f"{signal.label}: lowest at {at[0]}, highest at {at[1]}{unit}",
        signal.feature + unit,
    )
    spec = effect_chart(rows, title, feature, FORMS.get(signal.unit, ",~f"))
    svg = to_svg(spec, f"{target}-shape-{signal.code}")
    text = (
        f"{sentence(feature)} and the probability of {event}: {title}. The numbers stand in "
        "the table below."
    )
    return Shape(signal, Chart(svg, text), _points(feature, signal.unit, points))


def _points(feature: str, unit: str, points: Sequence[EffectPoint]) -> Table | None:
    return table(
        "Contribution in log-odds; above 0 it raises the score",
        points,
        (sentence(feature), lambda one: _value(one.value, unit)),
        (">Accounts of the training past", lambda one: count(one.n)),
        (">Mean", lambda one: number(one.mean, 2)),
        (">Middle 80%", lambda one: f"{number(one.lo, 2)} to {number(one.hi, 2)}"),
    )


def _value(value: float | str, unit: str) -> str:
    if isinstance(value, str):
        return value
    return show(value, cast("Unit", unit or "number")).replace("-", "−")
