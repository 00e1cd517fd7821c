"""Declared formats of times (strptime) as Spark SQL of regular expressions.

DuckDB's reading is the rule: numbers may lack their leading zeros, names of months ignore case,
white space around the text does not count, and a text that does not fit is no time at all.  Spark's
own patterns, into which sqlglot translates, put two-digit years of the last century into this one,
accept three-digit days, and have neither names of days nor a plain `T`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from tenure.core.errors import DataError, Problem

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONG = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_TWO = "[0-9]{1,2}+"


@dataclass(frozen=True)
class _Part:
    """What a directive matches, and which part of a time it gives."""

    pattern: str
    name: str


DIRECTIVES: dict[str, _Part] = {
    "Y": _Part("[0-9]{1,4}+", "year"),
    "y": _Part(_TWO, "short_year"),
    "m": _Part(_TWO, "month"),
    "b": _Part("|".join(_MONTHS), "month_name"),
    "B": _Part("|".join(_LONG), "month_name"),
    "d": _Part(_TWO, "day"),
    "H": _Part(_TWO, "hour"),
    "I": _Part(_TWO, "half_hour"),
    "p": _Part("am|pm", "half"),
    "M": _Part(_TWO, "minute"),
    "S": _Part(_TWO, "second"),
    "f": _Part("[0-9]{1,6}+", "fraction"),
    "z": _Part("[+-][0-9]{2}(?::?[0-9]{2})?", "offset"),
    "a": _Part("|".join(day[:3] for day in _DAYS), ""),
    "A": _Part("|".join(_DAYS), ""),
}
"""The directives that every engine reads alike; the others are refused."""


@dataclass(frozen=True)
class Pattern:
    """A format as a regular expression.

    Attributes:
        regex: It matches the whole text, in any case, with one group per part.
        groups: Part of a time → number of its group.
    """

    regex: str
    groups: dict[str, int]


def pattern(form: str) -> Pattern:
    """Return the regular expression of a strptime format.

    >>> pattern("%d/%m/%Y").groups
    {'day': 1, 'month': 2, 'year': 3}

    Raises:
        DataError: If it holds a directive that not every engine reads alike.
    """
    pieces: list[str] = []
    groups: dict[str, int] = {}
    for directive, space, other in re.findall(r"%-?(.)|(\s+)|(.)", form):
        if directive and directive != "%":
            part = DIRECTIVES.get(directive)
            if part is None or part.name in groups:
                raise _refused(form, directive)
            if part.name:
                groups[part.name] = len(groups) + 1
            pieces.append(f"({part.pattern})" if part.name else f"(?:{part.pattern})")
        else:
            pieces.append("[ \\t\\r\\n]+" if space else _literal(directive or other))
    return Pattern(f"(?i)^\\s*{''.join(pieces)}\\s*$", groups)


def _literal(letter: str) -> str:
    return letter if letter.isalnum() else f"[{letter}]" if letter not in "[]^\\" else f"\\{letter}"


def _refused(form: str, directive: str) -> DataError:
    known = " ".join(f"%{name}" for name in DIRECTIVES)
    return DataError(
        Problem(
            f"format `{form}`",
            f"%{directive} cannot be read on Spark",
            form,
            f"use each of {known} at most once, or map an expression",
        )
    )


def timestamp_sql(text: str, form: str) -> str:
    """Return Spark SQL of the time that a text of a format gives, null where it does not fit.

    Args:
        text: Spark SQL of the text.
        form: The strptime format.
    """
    parsed = pattern(form)
    quoted = "'" + parsed.regex.replace("\\", "\\\\").replace("'", "\\'") + "'"

    def words(name: str) -> str:
        return f"LOWER(REGEXP_EXTRACT({text}, {quoted}, {parsed.groups[name]}))"

    def number(name: str, default: int) -> str:
        if name not in parsed.groups:
            return str(default)
        return f"TRY_CAST({words(name)} AS INT)"

    second = number("second", 0)
    if "fraction" in parsed.groups:
        second = f"({second} + TRY_CAST(CONCAT('0.', {words('fraction')}) AS DECIMAL(8, 6)))"
    hour, sound = _hour(parsed.groups, number, words)
    moment = (
        f"TRY_MAKE_TIMESTAMP_NTZ({_year(parsed.groups, number)}, "
        f"{_month(parsed.groups, number, words)}, {number('day', 1)}, {hour}, "
        f"{number('minute', 0)}, {second})"
    )
    if "offset" in parsed.groups:
        moment = f"({moment} - {_offset(words('offset'))})"
    return f"CASE WHEN {text} RLIKE {quoted} AND {sound} AND {second} < 60 THEN {moment} END"


_Number = Callable[[str, int], str]
_Words = Callable[[str], str]


def _year(groups: dict[str, int], number: _Number) -> str:
    if "short_year" not in groups:
        return number("year", 1900)
    short = number("short_year", 0)
    return f"({short} + CASE WHEN {short} < 69 THEN 2000 ELSE 1900 END)"


def _month(groups: dict[str, int], number: _Number, words: _Words) -> str:
    if "month_name" not in groups:
        return number("month", 1)
    names = ", ".join(f"'{name}'" for name in _MONTHS)
    return f"CAST(ARRAY_POSITION(ARRAY({names}), LEFT({words('month_name')}, 3)) AS INT)"


def _hour(groups: dict[str, int], number: _Number, words: _Words) -> tuple[str, str]:
    """Return the hour, and whether it is one."""
    if "half_hour" not in groups:
        return number("hour", 0), "TRUE"
    half = number("half_hour", 0)
    late = f" + CASE WHEN {words('half')} = 'pm' THEN 12 ELSE 0 END" if "half" in groups else ""
    return f"({half} % 12{late})", f"{half} BETWEEN 1 AND 12"


def _offset(text: str) -> str:
    digits = f"REPLACE({text}, ':', '')"
    minutes = f"COALESCE(TRY_CAST(NULLIF(SUBSTRING({digits}, 4, 2), '') AS INT), 0)"
    length = f"(60 * TRY_CAST(SUBSTRING({digits}, 2, 2) AS INT) + {minutes})"
    sign = f"CASE WHEN STARTSWITH({text}, '-') THEN -1 ELSE 1 END"
    return f"MAKE_DT_INTERVAL(0, 0, {sign} * {length})"
