"""Cells and tables of a page, as plain texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from tenure.core.records.base import Figure
from tenure.report.sentences.formatting import bracket, count, number

T = TypeVar("T")


@dataclass(frozen=True)
class Cell:
    """A table cell.

    Attributes:
        text: What it says.
        note: A smaller text below.
        numeric: Whether it is set right, as a number.
        tone: ``bad`` where it is red.
    """

    text: str
    note: str = ""
    numeric: bool = False
    tone: str = ""


@dataclass(frozen=True)
class Table:
    """A table; the caption says what it lists."""

    caption: str
    columns: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]


def table(
    caption: str,
    columns: Sequence[str],
    rows: Sequence[tuple[Cell, ...]],
    numeric: Sequence[int] = (),
) -> Table | None:
    """Return a table, or None where it would have no row.

    Args:
        caption: What it lists.
        columns: Heads.
        rows: Cells.
        numeric: Columns whose heads are set right.
    """
    heads = tuple(Cell(name, numeric=place in numeric) for place, name in enumerate(columns))
    return Table(caption, heads, tuple(rows)) if rows else None


def whole(value: float | None) -> Cell:
    """Return a cell with a whole number."""
    return Cell(count(value), numeric=True)


def figure_cell(figure: Figure, digits: int, tone: str = "") -> Cell:
    """Return a cell with a figure, its interval below."""
    note = bracket(figure, lambda value: number(value, digits))
    return Cell(number(figure.value, digits), note, numeric=True, tone=tone)


def pairs(values: Mapping[str, Any]) -> Table | None:
    """Return a table of names and values; empty values are left out."""
    rows = [(Cell(name), Cell(str(value))) for name, value in values.items() if value]
    return table("", ("", ""), rows)


def joined(values: Mapping[str, Any]) -> str:
    """Return names and values in one line."""
    return ", ".join(f"{name} {value}" for name, value in values.items())


def in_order(values: Mapping[str, T], names: Iterable[str]) -> dict[str, T]:
    """Return named things in the order of `names`, and what these lack after them.

    >>> in_order({"a": 1, "b": 2, "c": 3}, ["c", "x", "b"])
    {'c': 3, 'b': 2, 'a': 1}
    """
    first = [name for name in names if name in values]
    return {name: values[name] for name in dict.fromkeys([*first, *values])}
