"""Tables as files that a spreadsheet opens: no cell of them is ever run as a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tenure.core.times import now
from tenure.report.workbook.book import write_book
from tenure.report.workbook.cells import Cell, Form, Page

RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a text starts with that a spreadsheet would run; the wide signs count too."""
DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - naive means UTC
"""From which a workbook counts its days."""
UNPRINTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def csv_text(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    r"""Return a table as CSV; a text that a spreadsheet would run starts with an apostrophe.

    >>> csv_text(["a", "b"], [["=1+1", -2.5], ["x", None]])
    "a,b\r\n'=1+1,-2.5\r\nx,\r\n"
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([_safe(head) for head in heads])
    writer.writerows([_safe(value) for value in row] for row in rows)
    return text.getvalue()


def _safe(value: Any) -> Any:
    if isinstance(value, datetime):
        return f"{value.isoformat()}Z"
    if not isinstance(value, str):
        return value
    plain = UNPRINTED.sub("\ufffd", value)
    return f"'{plain}" if plain.lstrip(" ").startswith(RUN_BY_SPREADSHEETS) else plain


def workbook(
    title: str, heads: Sequence[str], rows: Iterable[Sequence[Any]], forms: Sequence[Form]
) -> bytes:
    """Return a table as a workbook (.xlsx) of one sheet, texts as texts and times as days."""
    cells = [[_cell(*item) for item in zip(row, forms, strict=True)] for row in rows]
    widths = [max(12, min(40, len(head) + 2)) for head in heads]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "book.xlsx"
        write_book(path, [Page(title, heads, widths, cells)], [], now())
        return path.read_bytes()


def _cell(value: Any, form: Form) -> Cell:
    if isinstance(value, datetime):
        return Cell((value - DAY_ZERO) / timedelta(days=1), "date")
    if isinstance(value, str):
        return Cell(UNPRINTED.sub("\ufffd", value))
    return Cell(value, form)
