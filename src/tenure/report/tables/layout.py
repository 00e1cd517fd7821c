"""Tables, declared by their columns, and as they stand in Markdown and on a terminal."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from operator import itemgetter
from typing import Any, TypeVar

from tenure.core.records.base import Figure
from tenure.report.sentences.formatting import bracket, number

T = TypeVar("T")


@dataclass(frozen=True)
class Cell:
    """A table cell."""

    text: str
    """What it says."""
    note: str = ""
    """A smaller text below."""
    tone: str = ""
    """``bad`` where it is red."""
    numeric: bool = False
    """Whether it is set right, as a number."""


@dataclass(frozen=True)
class Table:
    """A table; the caption says what it lists."""

    caption: str
    columns: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]


def table(
    caption: str, items: Iterable[T], *columns: tuple[str, Callable[[T], str | Cell]]
) -> Table | None:
    """Return a table, or None where it would have no row.

    Args:
        caption: What it lists.
        items: What its rows are about.
        columns: Head of each column, and what it shows of an item. A head that starts with ``>``
            makes a column of numbers: it and its cells are set right.
    """

    def cell(head: str, shown: str | Cell) -> Cell:
        one = Cell(shown) if isinstance(shown, str) else shown
        return replace(one, numeric=head.startswith(">"))

    heads = tuple(cell(head, head.removeprefix(">")) for head, _ in columns)
    rows = tuple(tuple(cell(head, show(item)) for head, show in columns) for item in items)
    return Table(caption, heads, rows) if rows else None


def without_notes(table: Table | None) -> Table | None:
    """Return a table whose cells have no notes."""
    if table is None:
        return None
    rows = tuple(tuple(replace(cell, note="") for cell in row) for row in table.rows)
    return replace(table, rows=rows)


def flagged(text: str, bad: bool, note: str = "") -> Cell:
    """Return a cell that is red where something is bad."""
    return Cell(text, note, "bad" if bad else "")


def figure_cell(figure: Figure, digits: int, tone: str = "") -> Cell:
    """Return a cell with a figure, its interval below."""
    note = bracket(figure, partial(number, digits=digits))
    return Cell(number(figure.value, digits), note, tone)


def listing(rows: Iterable[Sequence[str | Cell]], *heads: str) -> Table | None:
    """Return a table without a caption of rows that are laid out, with heads as of `table`."""
    return table("", rows, *((head, itemgetter(place)) for place, head in enumerate(heads)))


def pairs(values: Mapping[str, Any]) -> Table | None:
    """Return a table of names and values; empty values are left out."""
    return listing([(name, str(value)) for name, value in values.items() if value], "", "")


def aligned(table: Table | None) -> list[str]:
    """Return a table as lines for a terminal, without notes; empty heads are left out.

    >>> aligned(listing([("a", "1"), ("bc", "10")], "", ">"))
    ['a    1', 'bc  10']
    """
    if table is None:
        return []
    headed = any(head.text for head in table.columns)
    rows = [table.columns, *table.rows] if headed else table.rows
    widths = [max(len(cell.text) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            f"{cell.text:{'>' if cell.numeric else '<'}{width}}"
            for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


def markdown(table: Table) -> str:
    r"""Return a table in Markdown, without its caption.

    >>> print(markdown(Table("", (Cell("a"),), ((Cell("1|", "[0, 2]"),),))))
    | a |
    | --- |
    | 1\| [0, 2] |
    """
    rows = [[f"{escape(cell.text)} {cell.note}".strip() for cell in row] for row in table.rows]
    lines = [[cell.text for cell in table.columns], ["---"] * len(table.columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def escape(text: str) -> str:
    r"""Return a text without meaning in Markdown or HTML.

    >>> escape("a|b <i> *c*")
    'a\\|b \\<i\\> \\*c\\*'
    """
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", text)
