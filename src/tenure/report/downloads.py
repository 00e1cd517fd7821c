"""Tables as files that a spreadsheet opens: no cell of them is ever run as a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a text starts with that a spreadsheet would run; the wide signs count too."""
MOST_CHARACTERS = 32_767
"""Of a cell of a workbook."""
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


def workbook(sheet: str, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Return a table as a workbook (.xlsx) of one sheet, texts as texts and times as times."""
    from xlsxwriter import Workbook

    target = io.BytesIO()
    plain = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with Workbook(target, {"in_memory": True, **plain}) as book:
        page = book.add_worksheet(sheet)
        bold = book.add_format({"bold": True})
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for column, head in enumerate(heads):
            page.write_string(0, column, head, bold)
            page.set_column(column, column, max(12, min(40, len(head) + 2)))
        page.freeze_panes(1, 1)
        for number, row in enumerate(rows, 1):
            for column, value in enumerate(row):
                if isinstance(value, str):
                    text = UNPRINTED.sub("\ufffd", value)[:MOST_CHARACTERS]
                    page.write_string(number, column, text)
                elif isinstance(value, datetime):
                    page.write_datetime(number, column, value, day)
                elif value is not None:
                    page.write_number(number, column, value)
    return target.getvalue()
