"""Errors for people: each names the thing, the rule, the value and the next step.

TenureError
├── ConfigError    the configuration cannot be used            exit code 2
├── DataError      the input tables cannot be used             exit code 3
├── ModelError     a bundle is missing, damaged or unsuitable  exit code 4
└── RefusedError   the data cannot carry the model asked for   exit code 5
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong."""

    thing: str
    """What it is about, e.g. ``tickets.opened_at``."""
    rule: str
    """The rule that is broken, in words."""
    value: str = ""
    """A sample of the offending value, empty where there is none."""
    fix: str = ""
    """The next step for the reader."""

    def __str__(self) -> str:
        """Return the problem as one line."""
        value = f" (found: {self.value})" if self.value else ""
        fix = f" → {self.fix}" if self.fix else ""
        return f"{self.thing}: {self.rule}{value}{fix}"


class TenureError(Exception):
    """Base of all errors that Tenure raises on purpose.

    Args:
        problems: One or more problems, or a plain message.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, *problems: Problem | str) -> None:
        self.problems: tuple[Problem | str, ...] = problems
        lines = [f"{len(problems)} problems:", *(f"  - {problem}" for problem in problems)]
        super().__init__(str(problems[0]) if len(problems) == 1 else "\n".join(lines))


class ConfigError(TenureError):
    """The configuration cannot be used."""

    exit_code = 2


class DataError(TenureError):
    """The input tables cannot be used."""

    exit_code = 3


class ModelError(TenureError):
    """A bundle is missing, damaged or unsuitable."""

    exit_code = 4


class RefusedError(TenureError):
    """The data cannot carry the model that was asked for."""

    exit_code = 5


def first_line(error: BaseException, most: int = 200) -> str:
    r"""Return the first line of an error, or of the driver's error behind it; else its kind.

    >>> first_line(ValueError("one\ntwo")), first_line(MemoryError())
    ('one', 'MemoryError')
    """
    cause = getattr(error, "orig", None) or error
    return (str(cause).strip() or type(cause).__name__).splitlines()[0][:most]


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return "did you mean …?" for a misspelt name, or the known names.

    >>> suggestion("horizon_day", ["horizon_days", "gap_days"])
    'did you mean `horizon_days`?'
    >>> suggestion("zzz", ["b", "a"])
    'known: a, b'
    """
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    return f"did you mean `{close[0]}`?" if close else f"known: {', '.join(names)}"
