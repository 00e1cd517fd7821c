"""The forecast of retention in lines for a terminal, and how past forecasts did in a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tenure.core.records.forecast import (
    ForecastFigure,
    ForecastFit,
    ForecastRecord,
    ForecastTrack,
    PeriodName,
)
from tenure.report.sentences.formatting import count, day, number, percent
from tenure.report.tables.layout import Table, aligned, table

NAMES = {
    "logo_churn": "accounts that leave",
    "logo_churn_rate": "logo churn rate",
    "churned_mrr": "churned MRR",
    "contracted_mrr": "contracted MRR",
    "expanded_mrr": "expanded MRR",
    "gross_revenue_retention": "gross revenue retention",
    "net_revenue_retention": "net revenue retention",
    "gross_renewal_rate": "gross renewal rate",
    "arr_at_risk": "ARR at risk",
}
"""Figure → what it is called."""
SHARES = frozenset(
    {
        *("logo_churn_rate", "gross_revenue_retention"),
        *("net_revenue_retention", "gross_renewal_rate"),
    }
)
RULES = {
    "model": "probability of the model",
    "constant_hazard": "probability of the model, scaled to the period as if hazard were constant",
    "historic_rate": "rate of the past, the same for all accounts",
}
DIGITS = 1


def forecast_lines(record: ForecastRecord) -> list[str]:
    """Return a forecast as a table, how such forecasts did, and what limits it."""
    periods = dict.fromkeys(figure.period for figure in record.figures)
    lines = [f"as of {record.as_of}, intervals of {percent(record.level)}"]
    for period in periods:
        figures = [one for one in record.figures if one.period == period]
        start, end = figures[0].period_from, figures[0].period_to
        lines += ["", f"{period} from {start} to {end} (exclusive)", *aligned(_figures(figures))]
        lines += dict.fromkeys(
            f"{NAMES[one.name]}: {one.reason}" for one in figures if one.reason is not None
        )
    for period, track in record.track.items():
        lines += ["", *_track_lines(period, track)]
    rules = dict.fromkeys(one.rule for one in record.figures if one.rule is not None)
    lines += ["", *(f"{rule}: {RULES[rule]}" for rule in rules), *record.notes]
    return lines


def _figures(figures: Sequence[ForecastFigure]) -> Table | None:
    grouped = any(figure.group for figure in figures)
    return table(
        "",
        figures,
        ("figure", lambda one: NAMES[one.name]),
        *([("group", lambda one: ", ".join(one.group.values()) or "all")] if grouped else []),
        (">value", lambda one: _shown(one.name, one.value)),
        ("", lambda one: one.currency or ""),
        (">from", lambda one: _shown(one.name, one.lo)),
        (">to", lambda one: _shown(one.name, one.hi)),
        (">known", lambda one: "" if not one.known else _shown(one.name, one.known, 0)),
        (">accounts", lambda one: count(one.accounts)),
        ("by", lambda one: one.rule or ""),
    )


def _shown(name: str, value: float | None, digits: int = DIGITS) -> str:
    """Return a figure; what is known of accounts is whole, what is expected has digits."""
    if name in SHARES:
        return percent(value, DIGITS)
    return number(value, digits) if name == "logo_churn" else count(value)


def _track_lines(period: PeriodName, track: Sequence[ForecastTrack]) -> list[str]:
    if not track:
        return [f"no forecast of a past {period} could be made and held against what happened"]
    head = f"how forecasts of a {period} would have done, of starts {_span(track[0])}"
    return [head, *aligned(track_table("", track))]


def _span(track: ForecastTrack) -> str:
    return f"{day(track.since)} to {day(track.until)}"


def track_table(caption: str, track: Sequence[ForecastTrack]) -> Table | None:
    """Return how past forecasts did, by figure; amounts are shares of the MRR at the start."""
    return table(
        caption,
        track,
        ("figure", lambda one: NAMES[one.name]),
        (">forecasts", lambda one: count(one.forecasts)),
        (">apart", lambda one: count(one.windows)),
        (">interval held", lambda one: percent(one.coverage)),
        (">bias", lambda one: percent(one.bias, 2)),
        (">error", lambda one: percent(one.error, 2)),
        (">error of last period", lambda one: percent(one.last_period_error, 2)),
        (">error of mean of 4", lambda one: percent(one.mean_of_4_error, 2)),
    )


def forecast_view(fit: ForecastFit | None) -> Mapping[str, Any] | None:
    """Return what the report shows of past forecasts; None where none could be made."""
    if fit is None:
        return None
    tracks = {period: one.track for period, one in fit.periods.items() if one.track}
    tables = [
        track_table(f"Forecasts of a {period}, starts {_span(track[0])}", track)
        for period, track in tracks.items()
    ]
    return {"level": percent(fit.level), "tables": tables} if tables else None
