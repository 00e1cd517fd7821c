"""The workbook of a run's metrics: what is in it, the metrics, the checks, and the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tenure.core.files import replacing
from tenure.core.records.metrics import Metric, MetricsRecord
from tenure.core.times import now
from tenure.engine import Engine
from tenure.report.workbook.book import write_book
from tenure.report.workbook.cells import Cell, Page
from tenure.report.workbook.checks import TITLE as CHECKS_TITLE
from tenure.report.workbook.checks import all_checks, check_page
from tenure.report.workbook.metric_page import TITLE as METRICS_TITLE
from tenure.report.workbook.metric_page import declaration, metric_page
from tenure.report.workbook.sheets import MOST_ROWS, TITLES, Sheet, number_groups, read_sheet
from tenure.success.declarations import Relation

ALWAYS: frozenset[Relation] = frozenset({"money", "bridge", "accounts"})
"""Relations that a workbook shows whichever metrics it has."""
READ_ME = "Read me"
TOO_LARGE = (
    f"left out: more than {MOST_ROWS:,} rows. Its metrics stand as values; a shorter period, "
    "fewer splits or --only make it fit, and a .parquet file holds any number"
)
NOTES = (
    "A formula stands for every metric that sums or counts; the rest are values.",
    "MRR is exact to the cent; a movement of nothing is an empty cell; yes is 1 and no is 0.",
    "LibreOffice computes formulas anew with Ctrl+Shift+F9.",
)


def write_workbook(
    record: MetricsRecord,
    by: Sequence[str],
    settings: Mapping[str, float],
    engine: Engine,
    path: Path,
) -> None:
    """Write the metrics of a run as a workbook, atomically.

    The relations of the metrics, and those that are `ALWAYS` shown, stand in the engine; `by` is in
    the order of the groups in the record, and `settings` are `tenure.success.query.constants`.
    """
    groups = list(dict.fromkeys(tuple(row.group.values()) for row in record.metrics))
    if by:
        number_groups(groups, by, engine)
    wanted = ALWAYS | {_relation(row) for row in record.metrics if row.value is not None}
    read = {relation: read_sheet(relation, by, engine) for relation in TITLES if relation in wanted}
    sheets = {name: sheet for name, sheet in read.items() if sheet and sheet.table.num_rows}
    large = [TITLES[relation][0] for relation, sheet in read.items() if sheet is None]
    pages = [
        _read_me(record, by, list(sheets.values()), large),
        metric_page(record.metrics, groups, by, sheets, settings),
        check_page(all_checks(sheets, record.metrics, by)),
    ]
    with replacing(path) as temporary:
        write_book(temporary, pages, list(sheets.values()), now())


def _relation(row: Metric) -> Relation | None:
    """Return what a metric is aggregated from; None where it is no declared metric."""
    declared, method = declaration(row)
    if declared is None or method is None:
        return None
    return method.relation or declared.relation


def _read_me(
    record: MetricsRecord, by: Sequence[str], sheets: Sequence[Sheet], large: Sequence[str]
) -> Page:
    """Return the first page: what is in the workbook, its period, its methods."""
    periods = list(dict.fromkeys((row.period_from, row.period_to) for row in record.metrics))
    currencies = sorted({row.currency for row in record.metrics if row.currency})
    facts = {
        "As of": f"{record.as_of}: what was known then was used, and nothing later",
        "Period": f"{periods[0][0]} to {periods[-1][1]} (exclusive)",
        "Split by": ", ".join(by) or "nothing: all accounts together",
        "Periods": f"{len(periods)}",
        "Money": ", ".join(currencies) or "without a currency",
    }
    contents = {
        METRICS_TITLE: "each metric as a live formula over the rows, beside Tenure's own value",
        CHECKS_TITLE: "every line must read PASS; a cell that is changed makes one read FAIL",
        **{sheet.title: f"{sheet.text} ({sheet.table.num_rows:,} rows)" for sheet in sheets},
        **dict.fromkeys(large, TOO_LARGE),
    }
    lines: list[list[Cell]] = [[Cell("Customer-success metrics", "title")], []]
    lines += [[Cell(name, "title"), Cell(text)] for name, text in facts.items()]
    lines += [[], [Cell("Sheet", "title"), Cell("What it holds", "title")]]
    lines += [[Cell(name), Cell(text)] for name, text in contents.items()]
    lines += [[], *([Cell(text)] for text in NOTES), []]
    lines += [[Cell(text, "title") for text in ("Metric", "What it is", "Method", "How")]]
    for row in {(row.name, row.method): row for row in record.metrics}.values():
        declared, method = declaration(row)
        if declared and method:
            rules = (row.name, declared.rule, row.method, method.rule)
            lines.append([Cell(rule, "wrapped") for rule in rules])
    return Page(READ_ME, (), (32, 76, 18, 76), lines)
