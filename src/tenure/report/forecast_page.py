"""The forecast of retention as the analysts' page shows it: tables, and charts of the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tenure.core.records.forecast import (
    FigureName,
    ForecastFigure,
    ForecastFit,
    ForecastRecord,
    ForecastTrack,
    PeriodName,
)
from tenure.report.charts.forecast import error_chart, interval_chart
from tenure.report.charts.look import to_svg
from tenure.report.forecast import NAMES, RULES, SHARES, track_table
from tenure.report.sentences.formatting import NONE, count, day, number, percent, sentence
from tenure.report.sentences.values import money
from tenure.report.tables.layout import Cell, Table, table
from tenure.report.target_charts import Chart

MOST_GROUPS = 20
"""Groups that a chart shows, those with the most accounts; tables show all."""
COUNTED: tuple[FigureName, ...] = ("logo_churn", "logo_churn_rate")
AMOUNTS: tuple[FigureName, ...] = ("churned_mrr", "contracted_mrr", "expanded_mrr")
MONEY: tuple[FigureName, ...] = (
    *AMOUNTS,
    *("gross_revenue_retention", "net_revenue_retention", "gross_renewal_rate", "arr_at_risk"),
)
OF_PLAIN = {"last_period_error": "rate of the last period", "mean_of_4_error": "mean of four"}
DIGITS = 1


@dataclass(frozen=True)
class ForecastPart:
    """The forecast of one period."""

    period: PeriodName
    title: str
    """Which period."""
    figures: Table | None
    """What is expected of all accounts."""
    groups: tuple[Table, ...]
    """The same of each group, accounts first and then money; none where nothing splits."""
    track: Table | None
    """How such forecasts did in the past, None where none could be made."""
    charts: dict[str, Chart]
    """What is expected in shares and in money, of groups, and past errors."""


def forecast_parts(record: ForecastRecord) -> list[ForecastPart]:
    """Return what is shown of each period of a forecast."""
    periods = dict.fromkeys(figure.period for figure in record.figures)
    return [_part(record, period) for period in periods]


def rule_words(record: ForecastRecord) -> dict[str, str]:
    """Return where risks come from → what that means, of those that a forecast uses."""
    used = dict.fromkeys(one.rule for one in record.figures if one.rule is not None)
    return {sentence(rule.replace("_", " ")): RULES[rule] for rule in used}


def _part(record: ForecastRecord, period: PeriodName) -> ForecastPart:
    figures = [one for one in record.figures if one.period == period]
    total = [one for one in figures if not one.group]
    split = [one for one in figures if one.group]
    track = record.track.get(period, ())
    level = percent(record.level)
    start, end = figures[0].period_from, figures[0].period_to
    title = f"Next {period}: {day(start)} to {day(end)} (exclusive)"
    groups = [
        _grouped(f"{what} by group, with {level} intervals", split, names)
        for what, names in (("Accounts", COUNTED), ("Money", MONEY))
    ]
    return ForecastPart(
        period=period,
        title=title,
        figures=_figures(total, level),
        groups=tuple(one for one in groups if one is not None),
        track=_capital(
            track_table(
                f"Starts {day(track[0].since)} to {day(track[0].until)}" if track else "", track
            )
        ),
        charts=_charts(period, total, split, track, level),
    )


def _capital(table: Table | None) -> Table | None:
    """Return a table whose heads and first cells begin with a capital."""
    if table is None:
        return None

    def capital(cell: Cell) -> Cell:
        return replace(cell, text=sentence(cell.text))

    rows = tuple((capital(first), *rest) for first, *rest in table.rows)
    return replace(table, columns=tuple(map(capital, table.columns)), rows=rows)


def shown(figure: ForecastFigure, value: float | None, digits: int = DIGITS) -> str:
    """Return a value of a figure with its unit, of accounts with so many digits."""
    if value is None:
        return NONE
    if figure.name in SHARES:
        return percent(value, DIGITS)
    if figure.name == "logo_churn":
        return f"{number(value, digits)} account{'s' * (bool(digits) or value != 1)}"
    return money(float(round(value)), figure.currency)


def interval(figure: ForecastFigure) -> str:
    """Return the interval of a figure; empty where it has none."""
    if figure.lo is None or figure.hi is None:
        return ""
    lo, hi = shown(figure, figure.lo), shown(figure, figure.hi)
    _, space, unit = hi.rpartition(" ")
    return f"{lo.removesuffix(space + unit)} to {hi}"


def _figures(figures: Sequence[ForecastFigure], level: str) -> Table | None:
    several = len({one.currency for one in figures if one.currency}) > 1

    def name(one: ForecastFigure) -> Cell:
        unit = f", {one.currency}" if several and one.currency else ""
        return Cell(sentence(NAMES[one.name]) + unit, one.reason or "")

    return table(
        "",
        figures,
        ("Figure", name),
        (">Expected", lambda one: shown(one, one.value)),
        (f">{level} interval", lambda one: interval(one) or NONE),
        (">Known already", lambda one: shown(one, one.known, 0) if one.known else NONE),
        (">Accounts", lambda one: count(one.accounts)),
        ("Risk from", lambda one: one.rule.replace("_", " ") if one.rule else NONE),
    )


def _grouped(
    caption: str, figures: Sequence[ForecastFigure], names: Sequence[FigureName]
) -> Table | None:
    """Return what is expected of the accounts of each group, a column for each figure."""
    rows: dict[tuple[str, str | None], dict[str, ForecastFigure]] = {}
    for one in figures:
        if one.name in names:
            rows.setdefault((group_name(one), one.currency), {})[one.name] = one

    def column(name: FigureName) -> Any:
        def cell(item: tuple[tuple[str, str | None], dict[str, ForecastFigure]]) -> Cell:
            one = item[1].get(name)
            if one is None:
                return Cell(NONE)
            return Cell(shown(one, one.value), interval(one) or one.reason or "")

        return cell

    return table(
        caption,
        rows.items(),
        ("Group", lambda item: item[0][0]),
        (">Accounts", lambda item: count(next(iter(item[1].values())).accounts)),
        *((f">{sentence(NAMES[name])}", column(name)) for name in names),
    )


def group_name(figure: ForecastFigure) -> str:
    """Return what a figure is about: the values of its group."""
    return ", ".join(figure.group.values())


def _charts(
    period: PeriodName,
    total: Sequence[ForecastFigure],
    split: Sequence[ForecastFigure],
    track: Sequence[ForecastTrack],
    level: str,
) -> dict[str, Chart]:
    """Return the charts of a period that have something to draw, by name."""
    largest = sorted(split, key=lambda one: -one.accounts)
    groups = [one for one in largest if one.name == "gross_revenue_retention"][:MOST_GROUPS]
    charts = {
        "shares": _intervals(
            f"{period}-shares",
            f"Retention and renewal in the next {period}",
            [one for one in total if one.name in SHARES and one.name not in COUNTED],
            (level, "Share", ".0%"),
        ),
        "amounts": _intervals(
            f"{period}-amounts",
            f"MRR lost and won in the next {period}",
            [one for one in total if one.name in AMOUNTS],
            (level, "MRR, in its own currency", ",.0f"),
        ),
        "groups": _intervals(
            f"{period}-groups",
            f"Gross revenue retention of the next {period} by group",
            groups,
            (level, "Share of the MRR at the start", ".0%"),
        ),
        "errors": _errors(period, track),
    }
    return {name: one for name, one in charts.items() if one is not None}


def _intervals(
    name: str, title: str, figures: Iterable[ForecastFigure], how: tuple[str, str, str]
) -> Chart | None:
    level, axis_title, form = how
    known = [one for one in figures if one.value is not None]
    if not known:
        return None
    several = len({one.currency for one in known if one.currency}) > 1
    rows = [
        {
            "label": (group_name(one) or sentence(NAMES[one.name]))
            + (f", {one.currency}" if several and one.currency else ""),
            "value": one.value,
            "lo": one.value if one.lo is None else one.lo,
            "hi": one.value if one.hi is None else one.hi,
            "text": shown(one, one.value),
        }
        for one in known
    ]
    note = f"Points: expected; lines: interval that should hold {level} of outcomes"
    spec = interval_chart(rows, title, note, axis_title, form)
    parts = (
        f"{row['label']} {row['text']} ({interval(one)})"
        for row, one in zip(rows, known, strict=True)
    )
    return Chart(to_svg(spec, f"forecast-{name}"), f"{title}. {'; '.join(parts)}.")


def error_figures(fit: ForecastFit) -> list[Chart]:
    """Return how far past forecasts were off beside plain rates, by the length of the period."""
    figures = (_errors(period, one.track) for period, one in fit.periods.items())
    return [one for one in figures if one is not None]


def _errors(period: PeriodName, track: Sequence[ForecastTrack]) -> Chart | None:
    kinds = ["forecast", *OF_PLAIN.values()]
    rows = [
        {"label": sentence(NAMES[one.name]), "kind": kind, "error": error}
        for one in track
        for kind, error in (
            ("forecast", one.error),
            *((words, getattr(one, column)) for column, words in OF_PLAIN.items()),
        )
        if error is not None
    ]
    if not rows:
        return None
    better = sum(one.error <= (one.last_period_error or one.error) for one in track)
    title = (
        f"Forecasts of a {period} were as near as the rate of the last one, or nearer, in "
        f"{better} of {len(track)} figures"
    )
    parts = (f"{row['label']}, {row['kind']}: {percent(row['error'], 2)}" for row in rows)
    present = [kind for kind in kinds if any(row["kind"] == kind for row in rows)]
    spec = error_chart(rows, title, present)
    return Chart(to_svg(spec, f"forecast-{period}-errors"), f"{title}. {'; '.join(parts)}.")
