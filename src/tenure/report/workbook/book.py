"""Pages and sheets of rows as one `.xlsx` file: the only place that calls XlsxWriter.

Text is written as text with a mark that it stays so, so that no name can become a formula.  Rows
go to disk as they come, so that memory does not grow with them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tenure.report.workbook.cells import Cell, Form, Page
from tenure.report.workbook.sheets import Sheet
from tenure.success.states import MOVEMENTS

OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}
FORMATS: Mapping[Form, Mapping[str, Any]] = {
    "text": {"quote_prefix": True},
    "wrapped": {"quote_prefix": True, "text_wrap": True, "valign": "top"},
    "title": {"quote_prefix": True, "bold": True},
    "date": {"num_format": "yyyy-mm-dd"},
    "money": {"num_format": "#,##0.00;[Red]-#,##0.00"},
    "share": {"num_format": "0.0%"},
    "number": {"num_format": "#,##0.0000"},
    "count": {"num_format": "#,##0"},
}
HEAD = {"bold": True, "bg_color": "#E7E6E6", "bottom": 1, "text_wrap": True, "valign": "top"}
LONGEST = 32_767
"""Characters that a cell can hold."""
DATES = frozenset({"from", "to", "month_from", "month_to"})
LEAST, MOST = 9, 40
"""Width of columns in letters."""


def write_book(path: Path, pages: Sequence[Page], sheets: Sequence[Sheet], now: datetime) -> None:
    """Write a workbook.

    The pages stand first.
    """
    import xlsxwriter

    with xlsxwriter.Workbook(str(path), OPTIONS) as book:
        book.set_properties({"title": "Customer-success metrics", "created": now})
        formats = {form: book.add_format(dict(style)) for form, style in FORMATS.items()}
        head = book.add_format(HEAD)
        for page in pages:
            _write_page(book.add_worksheet(page.title), page, formats, head)
        for sheet in sheets:
            _write_sheet(book.add_worksheet(sheet.title), sheet, formats, head)


def _write_page(target: Any, page: Page, formats: Mapping[Form, Any], head: Any) -> None:
    for column, width in enumerate(page.widths):
        target.set_column(column, column, width)
    if page.head:
        _write_head(target, page.head, head)
        target.autofilter(0, 0, len(page.rows), len(page.head) - 1)
    for row, cells in enumerate(page.rows, page.first - 1):
        for column, cell in enumerate(cells):
            _write_cell(target, row, column, cell, formats[cell.form])


def _write_head(target: Any, titles: Sequence[str], style: Any) -> None:
    for column, title in enumerate(titles):
        target.write_string(0, column, title, style)
    target.freeze_panes(1, 0)


def _write_cell(target: Any, row: int, column: int, cell: Cell, style: Any) -> None:
    if cell.formula is not None:
        shown = "" if cell.value is None else cell.value
        target.write_formula(row, column, f"={cell.formula}", style, shown)
    elif isinstance(cell.value, str):
        target.write_string(row, column, cell.value[:LONGEST], style)
    elif cell.value is not None:
        target.write_number(row, column, cell.value, style)


def _write_sheet(target: Any, sheet: Sheet, formats: Mapping[Form, Any], head: Any) -> None:
    table = sheet.table
    _write_head(target, table.column_names, head)
    target.autofilter(0, 0, table.num_rows, table.num_columns - 1)
    target.freeze_panes(1, table.column_names.index("account_name") + 1)
    writers = []
    for number, name in enumerate(table.column_names):
        target.set_column(number, number, _width(table.column(name), name))
        writers.append(_writer(target, table.column(name), name, formats))
    row = 1
    for batch in table.to_batches(max_chunksize=10_000):
        for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            for column, value in enumerate(values):
                if value is not None:
                    writers[column](row, column, value)
            row += 1


def _writer(
    target: Any, column: pa.ChunkedArray, name: str, formats: Mapping[Form, Any]
) -> Callable[[int, int, Any], None]:
    """Return what writes the values of a column; a movement of nothing leaves its cell empty."""
    if pa.types.is_string(column.type):
        return lambda row, place, value: target.write_string(
            row, place, value[:LONGEST], formats["text"]
        )
    form: Form = (
        "date" if name in DATES else "money" if pa.types.is_floating(column.type) else "count"
    )
    write, style = target.write_number, formats[form]
    if name in MOVEMENTS:
        return lambda row, place, value: write(row, place, value, style) if value else None
    return lambda row, place, value: write(row, place, value, style)


def _width(column: pa.ChunkedArray, name: str) -> float:
    """Return the width that shows a column: as wide as its longest text, within reason."""
    longest = len(name) + 2
    if pa.types.is_string(column.type):
        longest = max(longest, (pc.max(pc.utf8_length(column)).as_py() or 0) + 1)
    elif pa.types.is_floating(column.type) and name not in DATES:
        longest = max(longest, 14)
    return min(max(longest, LEAST), MOST)
