"""Declared formats of times (strptime) as Spark SQL of regular expressions.

DuckDB's reading is the rule: numbers may lack their leading zeros, names of months ignore case,
white space around the text does not count, and a text that does not fit is no time at all.  Spark's
own patterns, into which sqlglot translates, put two-digit years of the last century into this one,
accept three-digit days, and have neither names of days nor a plain `T`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from tenure.core.errors import DataError, Problem

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONG = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_TWO = "[0-9]{1,2}+"

DIRECTIVES: dict[str, tuple[str, str]] = {
    "Y": ("year", "[0-9]{1,4}+"),
    "y": ("short_year", _TWO),
    "m": ("month", _TWO),
    "b": ("month_name", "|".join(_MONTHS)),
    "B": ("month_name", "|".join(_LONG)),
    "d": ("day", _TWO),
    "H": ("hour", _TWO),
    "I": ("half_hour", _TWO),
    "p": ("half", "am|pm"),
    "M": ("minute", _TWO),
    "S": ("second", _TWO),
    "f": ("fraction", "[0-9]{1,6}+"),
    "z": ("offset", "[+-][0-9]{2}(?::?[0-9]{2})?"),
    "a": ("", "|".join(day[:3] for day in _DAYS)),
    "A": ("", "|".join(_DAYS)),
}
"""The directives that every engine reads alike → the part of a time that each gives, and what it
matches; the others are refused."""


def pattern(form: str) -> tuple[str, dict[str, int]]:
    """Return the regular expression of a strptime format, and part of a time → number of its group.

    The expression matches the whole text, in any case.

    >>> pattern("%d/%m/%Y")[1]
    {'day': 1, 'month': 2, 'year': 3}

    Raises:
        DataError: If it holds a directive that not every engine reads alike.
    """
    pieces: list[str] = []
    groups: dict[str, int] = {}
    for directive, space, other in re.findall(r"%-?(.)|(\s+)|(.)", form):
        if directive and directive != "%":
            name, regex = DIRECTIVES.get(directive, ("", ""))
            if not regex or name in groups:
                raise _refused(form, directive)
            if name:
                groups[name] = len(groups) + 1
            pieces.append(f"({regex})" if name else f"(?:{regex})")
        else:
            pieces.append("[ \\t\\r\\n]+" if space else _literal(directive or other))
    return f"(?i)^\\s*{''.join(pieces)}\\s*$", groups


def _literal(letter: str) -> str:
    return letter if letter.isalnum() else f"[{letter}]" if letter not in "[]^\\" else f"\\{letter}"


def _refused(form: str, directive: str) -> DataError:
    known = " ".join(f"%{name}" for name in DIRECTIVES)
    fix = f"use each of {known} at most once, or map an expression"
    return DataError(
        Problem(f"format `{form}`", f"%{directive} cannot be read on Spark", form, fix)
    )


def timestamp_sql(text: str, form: str) -> str:
    """Return Spark SQL of the time that a text gives by a format, null where it does not fit.

    The text is Spark SQL, too.
    """
    regex, groups = pattern(form)
    quoted = "'" + regex.replace("\\", "\\\\").replace("'", "\\'") + "'"

    def words(name: str) -> str:
        return f"LOWER(REGEXP_EXTRACT({text}, {quoted}, {groups[name]}))"

    def number(name: str, default: int) -> str:
        if name not in groups:
            return str(default)
        return f"TRY_CAST({words(name)} AS INT)"

    second = number("second", 0)
    if "fraction" in groups:
        second = f"({second} + TRY_CAST(CONCAT('0.', {words('fraction')}) AS DECIMAL(8, 6)))"
    hour, sound = _hour(groups, number, words)
    moment = (
        f"TRY_MAKE_TIMESTAMP_NTZ({_year(groups, number)}, "
        f"{_month(groups, number, words)}, {number('day', 1)}, {hour}, "
        f"{number('minute', 0)}, {second})"
    )
    if "offset" in groups:
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
