"""What stands in a cell, and a page of such cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Form = Literal["text", "wrapped", "title", "date", "money", "share", "number", "count"]


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell."""

    value: str | float | None
    """What it shows; None where it is empty."""
    form: Form = "text"
    """How it is shown."""
    formula: str | None = None
    """What computes the value, without an equals sign; None where it is a constant."""


@dataclass(frozen=True)
class Page:
    """A sheet of cells, with a head that stays in sight."""

    title: str
    head: Sequence[str]
    """Titles of the columns; empty where there is none."""
    widths: Sequence[float]
    """Width of each column in letters."""
    rows: Sequence[Sequence[Cell]]
    """Its cells, from the row below the head on."""

    @property
    def first(self) -> int:
        """Return the number of the first row below the head, from 1 on."""
        return 2 if self.head else 1


def passes(difference: str) -> str:
    """Return the formula of PASS where a difference is nothing, else FAIL; also for errors."""
    return f'IF(ISNUMBER({difference}),IF({difference}=0,"PASS","FAIL"),"FAIL")'
