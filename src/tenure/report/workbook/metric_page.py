"""The page of metrics: each as a live formula over the sheets of rows, beside Tenure's value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from tenure.core.records.metrics import Metric
from tenure.report.workbook.cells import Cell, Form, Page
from tenure.report.workbook.formulas import NoFormulaError, Rows, formula
from tenure.report.workbook.sheets import GROUP, GROUP_END, MONEY, Sheet, column_letters
from tenure.success.declarations import Method, MetricDeclaration, Relation
from tenure.success.definitions import METRICS
from tenure.success.query import with_constants

TITLE = "Metrics"
FORMS: Mapping[str, Form] = {"money": "money", "share": "share", "count": "count"}
HEAD = (
    *("metric", "method", "from", "to"),
    *("currency", "value", "numerator", "denominator", "n", "95 % from", "95 % to"),
    *("Tenure's value", "check", "why there is no value"),
)
WIDTHS = (30, 18, 11, 11, 9, 16, 18, 18, 10, 14, 14, 16, 8, 60)
NEAR = "0.000001"
"""Relative difference up to which a formula equals Tenure's value."""


@dataclass(frozen=True)
class Place:
    """Where the parts of metrics stand on the page."""

    by: Sequence[str]
    """What splits the accounts; one column each, and the number of the group after them."""
    settings: Mapping[str, float] = field(default_factory=dict)
    """What the SQL of methods names in braces."""

    @property
    def head(self) -> list[str]:
        """Return the titles of the columns."""
        return [*HEAD[:4], *self.by, *([GROUP] if self.by else []), *HEAD[4:]]

    def column(self, title: str) -> str:
        """Return the letters of a column."""
        return column_letters(self.head.index(title))


def metric_page(
    metrics: Sequence[Metric],
    groups: Sequence[tuple[str, ...]],
    by: Sequence[str],
    sheets: Mapping[Relation, Sheet],
    settings: Mapping[str, float],
) -> Page:
    """Return the page.

    The groups of accounts stand in the order of their numbers; `settings` are what the SQL of
    methods names in braces.
    """
    place = Place(by, settings)
    periods = list(dict.fromkeys((row.period_from, row.period_to) for row in metrics))
    rows = []
    for line, metric in enumerate(metrics, 2):
        period = periods.index((metric.period_from, metric.period_to))
        numerator, denominator = _formulas(metric, period, sheets, place, line)
        values = tuple(metric.group[name] for name in by)
        number = [Cell(groups.index(values), "count")] if by else []
        rows.append(
            [
                *(Cell(text) for text in (metric.name, metric.method)),
                *(Cell(text) for text in (metric.period_from, metric.period_to)),
                *map(Cell, values),
                *number,
                Cell(metric.currency),
                *_values(metric, numerator, denominator, place, line),
            ]
        )
    extra = [14] * (len(place.head) - len(HEAD))
    return Page(TITLE, place.head, [*WIDTHS[:4], *extra, *WIDTHS[4:]], rows)


def fails(metrics: Sequence[Metric], by: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each metric's name and the formula of how many of its rows do not read PASS."""
    letter, line = Place(by).column("check"), 2
    for name, rows in groupby(metrics, key=lambda row: row.name):
        many = sum(1 for _ in rows)
        cells = f"{TITLE}!${letter}${line}:${letter}${line + many - 1}"
        yield name, f'{many}-COUNTIF({cells},"PASS")'
        line += many


def _formulas(
    metric: Metric, period: int, sheets: Mapping[Relation, Sheet], place: Place, line: int
) -> tuple[str | None, str | None]:
    """Return the formulas of numerator and denominator; None where there is none."""
    declared, method = declaration(metric)
    if declared is None or method is None:
        return None, None
    sheet = sheets.get(method.relation or declared.relation)
    empty = metric.value is None and (metric.reason != declared.none or not method.denominator)
    if sheet is None or empty:
        return None, None
    rows = sheet.rows(period)
    if rows is None:
        return "0", method.denominator and "0"
    rows = _chosen(sheet, rows, declared, place, line)
    sides = (method.numerator, method.denominator)
    try:
        numerator, denominator = (
            None if sql is None else formula(with_constants(sql, place.settings), rows)
            for sql in sides
        )
    except NoFormulaError:
        return None, None
    return numerator, denominator


def _chosen(sheet: Sheet, rows: Rows, declared: MetricDeclaration, place: Place, line: int) -> Rows:
    """Return the rows of the group and the currency of a line of the page."""
    conditions = []
    if place.by:
        group = GROUP_END if declared.at_end and GROUP_END in rows.columns else GROUP
        conditions.append(f"({rows.columns[group]}=${place.column(GROUP)}{line})")
    several = sheet.relation in MONEY and "currency" not in place.by and len(currencies(sheet)) > 1
    if several:
        conditions.append(f"EXACT({rows.columns['currency']},${place.column('currency')}{line})")
    return replace(rows, conditions=tuple(conditions))


def declaration(metric: Metric) -> tuple[MetricDeclaration | None, Method | None]:
    """Return what declares a metric, and its method; None where nothing does."""
    declared = METRICS.get(metric.name)
    methods = {} if declared is None else {one.name: one for one in declared.methods}
    return declared, methods.get(metric.method)


def currencies(sheet: Sheet) -> list[str]:
    """Return the currencies of the rows of a sheet, in order."""
    return sorted(sheet.table.column("currency").unique().to_pylist())


def _values(
    metric: Metric, numerator: str | None, denominator: str | None, place: Place, line: int
) -> list[Cell]:
    """Return the cells of a metric's numbers."""
    declared, method = declaration(metric)
    unit = FORMS.get(declared.unit if declared else "", "number")
    value, ours = f"${place.column('value')}{line}", f"${place.column(HEAD[-3])}{line}"
    over, under = (f"${place.column(name)}{line}" for name in ("numerator", "denominator"))
    scale = method.scale if method else 1
    quotient = None
    if numerator is not None:
        quotient = over if denominator is None else f"{over}/{under}"
        quotient = f'IFERROR({quotient}*{scale!r},"")' if denominator else quotient
    near = f"ABS({value}-{ours})<={NEAR}*MAX(1,ABS({ours}))"
    same = (
        f'IF(ISNUMBER({ours}),IF(ISNUMBER({value}),IF({near},"PASS","FAIL"),"FAIL"),'
        f'IF(LEN({value})=0,"PASS","FAIL"))'
    )
    return [
        Cell(metric.value, unit, quotient),
        Cell(metric.numerator, "number", numerator and f'IFERROR({numerator},"")'),
        Cell(metric.denominator, "number", denominator and f'IFERROR({denominator},"")'),
        Cell(metric.n, "count"),
        Cell(metric.lo, unit),
        Cell(metric.hi, unit),
        Cell(metric.value, unit),
        Cell("PASS", "text", same),
        Cell(metric.reason),
    ]
