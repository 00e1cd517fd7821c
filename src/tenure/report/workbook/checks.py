"""The page of checks: every line compares two formulas, and reads PASS where they agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pyarrow.compute as pc

from tenure.core.records.metrics import Metric
from tenure.report.workbook.cells import Cell, Form, Page, passes
from tenure.report.workbook.formulas import quoted
from tenure.report.workbook.metric_page import currencies, fails
from tenure.report.workbook.sheets import FIRST_MRR, Sheet
from tenure.success.declarations import Relation
from tenure.success.states import MOVEMENTS

TITLE = "Checks"
HEAD = ("check", "one side", "other side", "difference", "result")
WIDTHS = (90, 20, 20, 14, 10)
CENT = "0.005"


@dataclass(frozen=True)
class Check:
    """Two formulas that agree."""

    text: str
    """What they are."""
    left: str
    right: str
    value: float = 0
    """What both are, by Tenure's own count."""
    form: Form = "count"
    """How they are shown; money agrees to the cent, all else exactly."""


def check_page(checks: Sequence[Check]) -> Page:
    """Return the page; its last line reads PASS where all do."""
    rows = []
    for line, check in enumerate(checks, 2):
        difference = f"B{line}-C{line}"
        exact = f"IF(ABS({difference})<{CENT},0,{difference})"
        rows.append(
            [
                Cell(check.text),
                Cell(check.value, check.form, check.left),
                Cell(check.value, check.form, check.right),
                Cell(0, check.form, exact if check.form == "money" else difference),
                Cell("PASS", "text", passes(f"D{line}")),
            ]
        )
    many, last = len(checks), len(checks) + 1
    passed = f'COUNTIF(E2:E{last},"PASS")'
    rows.append(
        [
            Cell("All checks that read PASS, of all checks", "title"),
            Cell(many, "count", passed),
            Cell(many, "count", f"ROWS(E2:E{last})"),
            Cell(0, "count", f"B{last + 1}-C{last + 1}"),
            Cell("PASS", "title", passes(f"D{last + 1}")),
        ]
    )
    return Page(TITLE, HEAD, WIDTHS, rows)


def all_checks(
    sheets: Mapping[Relation, Sheet], metrics: Sequence[Metric], by: Sequence[str]
) -> list[Check]:
    """Return the checks of a workbook."""
    money, months = sheets.get("money"), sheets.get("bridge")
    checks: list[Check] = []
    for sheet in filter(None, (money, months)):
        checks += [_row_by_row(sheet), _one_currency(sheet), *_totals(sheet)]
    if months:
        checks.append(_month_after_month(months))
    if money and months:
        checks += _both_sheets(money, months)
    if money and "accounts" in sheets:
        checks += _payers(money, sheets["accounts"])
    for sheet in sheets.values():
        checks += _counts(sheet)
    for name, formula in fails(metrics, by):
        text = f"{name}: rows whose formula differs from Tenure's value"
        checks.append(Check(text, formula, "0"))
    return checks


def _row_by_row(sheet: Sheet) -> Check:
    moved = "+".join(sheet.cells(name) for name in ("start_mrr", *MOVEMENTS))
    off = f"SUMPRODUCT(1*(ABS({moved}-{sheet.cells('end_mrr')})>{CENT}))"
    return Check(f"{sheet.title}: rows in which start and movements are not the end", off, "0")


def _one_currency(sheet: Sheet) -> Check:
    cells, many = sheet.cells("currency"), sheet.table.num_rows
    each = "+".join(f"SUMPRODUCT(1*EXACT({cells},{quoted(name)}))" for name in currencies(sheet))
    names = ", ".join(currencies(sheet)) or "the only currency"
    text = f"{sheet.title}: rows in exactly one of the currencies ({names}), and rows"
    return Check(text, each or "0", f"ROWS({cells})", many)


def _month_after_month(sheet: Sheet) -> Check:
    """Return the check that each month of an account starts where the one before it ended."""
    last = sheet.table.num_rows + 1
    if last < 3:
        return Check("Months: one month at most", "0", "0")

    def pair(name: str) -> tuple[str, str]:
        return sheet.cells(name, 2, last - 1), sheet.cells(name, 3, last)

    same = "*".join(f"EXACT({','.join(pair(name))})" for name in ("account_id", "currency"))
    period, (before, _), (_, after) = pair("period"), pair("end_mrr"), pair("start_mrr")
    off = f"({'='.join(period)})*(ABS({before}-{after})>{CENT})"
    text = "Months: rows that do not start where the account's row before them ended"
    return Check(text, f"SUMPRODUCT({same}*{off})", "0")


def _slices(sheet: Sheet) -> Iterator[tuple[str, int, str, str]]:
    """Yield each period and currency: words for it, the period, the currency and its condition."""
    names = currencies(sheet)
    for period, (first, last) in sheet.spans.items():
        start, end = (sheet.table.column(name)[first - 2].as_py() for name in ("from", "to"))
        for name in names:
            chosen = f"EXACT({sheet.cells('currency', first, last)},{quoted(name)})"
            label = f"from {_day(start)} to {_day(end)}{f' in {name}' if name else ''}"
            yield label, period, name, chosen if len(names) > 1 else "1"


def _day(serial: float) -> str:
    """Return the date of a serial number of days since 1899-12-30."""
    return (date(1899, 12, 30) + timedelta(days=int(serial))).isoformat()


def _sum(sheet: Sheet, name: str, period: int, chosen: str) -> str:
    return f"SUMPRODUCT({chosen}*{sheet.cells(name, *sheet.spans[period])})"


def _total(sheet: Sheet, name: str, period: int, currency: str) -> float:
    table = sheet.table
    own = pc.and_(
        pc.equal(table.column("period"), period), pc.equal(table.column("currency"), currency)
    )
    return float(pc.sum(table.filter(own).column(name)).as_py() or 0)


def _totals(sheet: Sheet) -> Iterator[Check]:
    first = "start_mrr" if sheet.relation == "money" else FIRST_MRR
    for label, period, currency, chosen in _slices(sheet):
        parts = [_sum(sheet, name, period, chosen) for name in (first, *MOVEMENTS)]
        end = _sum(sheet, "end_mrr", period, chosen)
        if sheet.relation == "bridge":
            end = f"SUMPRODUCT({chosen}*{_last_month(sheet, period)})"
        text = f"{sheet.title} {label}: MRR at the start with all movements, and at the end"
        ours = _total(sheet, first, period, currency)
        ours += sum(_total(sheet, name, period, currency) for name in MOVEMENTS)
        yield Check(text, "+".join(parts), end, ours, "money")


def _last_month(sheet: Sheet, period: int) -> str:
    """Return the formula of MRR at the period's end by row: only of rows of its last month."""
    end, to, mrr = (
        sheet.cells(name, *sheet.spans[period]) for name in ("to", "month_to", "end_mrr")
    )
    return f"({end}={to})*{mrr}"


def _both_sheets(money: Sheet, months: Sheet) -> Iterator[Check]:
    for label, period, currency, chosen in _slices(money):
        if period not in months.spans:
            continue
        several = len(currencies(months)) > 1
        cells = months.cells("currency", *months.spans[period])
        own = f"EXACT({cells},{quoted(currency)})" if several else "1"
        starts = (_sum(money, "start_mrr", period, chosen), _sum(months, FIRST_MRR, period, own))
        ends = (
            _sum(money, "end_mrr", period, chosen),
            f"SUMPRODUCT({own}*{_last_month(months, period)})",
        )
        for text, sides, name in (("start", starts, "start_mrr"), ("end", ends, "end_mrr")):
            ours = _total(money, name, period, currency)
            yield Check(f"Money and Months {label}: MRR at the {text}", *sides, ours, "money")


def _payers(money: Sheet, accounts: Sheet) -> Iterator[Check]:
    """Yield the checks that who pays by its money is who pays by its subscriptions."""
    if len(currencies(money)) > 1:
        return
    for label, period, _, _ in _slices(money):
        if period not in accounts.spans:
            continue
        for end in ("start", "end"):
            paying = money.cells(f"{end}_mrr", *money.spans[period])
            active = accounts.cells(f"active_{end}", *accounts.spans[period])
            first, last = accounts.spans[period]
            column = accounts.table.column(f"active_{end}").slice(first - 2, last - first + 1)
            text = f"Money and Accounts {label}: paying accounts at the {end}"
            many = pc.sum(column).as_py()
            yield Check(text, f"SUMPRODUCT(1*({paying}>0))", f"SUM({active})", many)


def _counts(sheet: Sheet) -> Iterator[Check]:
    """Yield the checks that the rows and accounts of a sheet are those that Tenure counted."""
    many, last = sheet.table.num_rows, sheet.table.num_rows + 1
    if not many:
        return
    text = f"{sheet.title}: rows, and rows that Tenure counted"
    yield Check(text, f"COUNTA({sheet.cells('account_id')})", str(many), many)
    ids = sheet.table.column("account_id").to_pylist()
    periods = sheet.table.column("period").to_pylist()
    accounts = len(set(zip(periods, ids, strict=True)))
    changes = "0"
    if many > 1:
        pairs = (
            (sheet.cells(n, 2, last - 1), sheet.cells(n, 3, last)) for n in ("account_id", "period")
        )
        (one, next_one), (period, next_period) = pairs
        changes = f"SUMPRODUCT(1-EXACT({one},{next_one})*({period}={next_period}))"
    text = f"{sheet.title}: accounts of each period, and accounts that Tenure counted"
    yield Check(text, f"1+{changes}", str(accounts), accounts)
