"""What the functions of the small engine do to single columns of text, numbers and times."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from tenure.engine.small.frames import SCALE, UnsupportedError, Vec

DAY = 86_400_000_000
UNITS = {"SECOND": 1_000_000, "MINUTE": 60_000_000, "HOUR": 3_600_000_000, "DAY": DAY}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d"
    r"([T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?(Z|[+-](0\d|1[0-3]):[0-5]\d)?)?",
    re.ASCII,
)
_MOMENTS = re.compile(r"(\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?\n)+", re.ASCII)
_WRITTEN = re.compile(r"(\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d(\.\d{6})?)?\n)+", re.ASCII)
SEVERAL = 2
"""Times beyond which they are read at once."""
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,15})?", re.ASCII)
_PATTERN = re.compile(r"(\\[d.]|[A-Za-z0-9()|\[\]{}?+,: -])+")
_SPACES = " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
SPACES = f"{_SPACES}\u202f\u205f\u3000"


def each(function: Callable[[Any], Any], data: Any, kind: Any = object) -> Any:
    """Return a function of every value of a column, or of the one that stands for all."""
    if isinstance(data, np.ndarray) and data.ndim:
        found = np.empty(len(data), dtype=kind)
        found[:] = [function(value) for value in data.tolist()]
        return found
    return function(data.item() if isinstance(data, np.ndarray) else data)


def lines(data: Any) -> str | None:
    """Return texts as the lines of one, each ended, which is looked through at once; None if not.

    It is None where a text has lines of its own, or stands for all rows.
    """
    if not (isinstance(data, np.ndarray) and data.ndim and len(data)):
        return None
    values: list[str] = data.tolist()
    joined = "\n".join(values) + "\n"
    return joined if joined.count("\n") == len(values) else None


def rewritten(function: Callable[[str], str], data: Any, idle: Callable[[str], bool]) -> Any:
    """Return texts rewritten; as they are where all their lines say that there is nothing to do."""
    joined = lines(data)
    return data if joined is not None and idle(joined) else each(function, data)


def recased(function: Callable[[str], str], data: Any) -> Any:
    """Return texts in another case of letters."""
    joined = lines(data)
    if joined is None or not joined.isascii():
        return each(function, data)
    changed = function(joined)
    if changed == joined:
        return data
    found = np.empty(len(data), dtype=object)
    found[:] = changed.split("\n")[:-1]
    return found


def told(test: Callable[[str], bool], data: Any, never: Callable[[str], bool]) -> Any:
    """Return whether each text passes a test; `never` says of all lines that none does."""
    joined = lines(data)
    return np.False_ if joined is not None and never(joined) else each(test, data, bool)


def plain_case(text: str) -> str:
    """Return a text if the case of its letters is the same everywhere."""
    if not text.isascii():
        raise UnsupportedError("case of letters beyond ASCII")
    return text


def lower(text: str) -> str:
    """Return a text in lower case."""
    return plain_case(text).lower()


def upper(text: str) -> str:
    """Return a text in upper case."""
    return plain_case(text).upper()


def left(text: str, length: int) -> str:
    """Return the first characters of a text, or all but the last ones."""
    if not text.isascii():
        raise UnsupportedError("characters beyond ASCII")
    return text[:length] if length else ""


def patterns(expression: str) -> tuple[Callable[[str], Any], Callable[[str], Any]]:
    """Return a match of one text, and of all lines, that mean the same in Python as in DuckDB."""
    if not _PATTERN.fullmatch(expression) or "(?" in expression:
        raise UnsupportedError(f"pattern {expression}")
    one = re.compile(expression, re.ASCII)
    return one.fullmatch, re.compile(f"(?:(?:{expression})\n)+", re.ASCII).fullmatch


def moments(vec: Vec) -> Vec:
    """Return the times that texts tell, as `moment` does; at once where all are plain."""
    data, there = vec
    joined = lines(data) if there is None else None
    if joined is None or not _MOMENTS.fullmatch(joined):
        return parsed(moment, vec, np.int64)
    try:
        return np.array(data.tolist(), dtype="datetime64[us]").view(np.int64), None
    except ValueError:
        return parsed(moment, vec, np.int64)


def written(texts: list[str]) -> list[int]:
    """Return the microseconds since 1970 of times that a statement names.

    Raises:
        UnsupportedError: If one of them is none, or in any but the plainest forms.
    """
    if len(texts) > SEVERAL and _WRITTEN.fullmatch("\n".join([*texts, ""])):
        try:
            found: list[int] = np.array(texts, dtype="datetime64[us]").view(np.int64).tolist()
        except ValueError:
            raise UnsupportedError("a time that is none") from None
        return found
    moments = [one for text in texts if (one := moment(text)) is not None]
    if len(moments) < len(texts):
        raise UnsupportedError("a time that is none")
    return moments


def moment(text: str) -> int | None:
    """Return the microseconds since 1970 of an ISO 8601 time, None for a day that is none.

    One without a zone is in UTC.

    Raises:
        UnsupportedError: If it is in any but the plainest forms.
    """
    if not _MOMENT.fullmatch(text):
        raise UnsupportedError("a time in another form")
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    return (found - _EPOCH) // _MICROSECOND


def number(text: str) -> float | None:
    """Return the number that a text spells in plain digits, None where it spells none.

    Raises:
        UnsupportedError: If it is in any other form.
    """
    if _wordy(text) and not any(word in text.lower() for word in ("inf", "nan")):
        return None
    if not _NUMBER.fullmatch(text):
        raise UnsupportedError("a number in another form")
    return float(text)


def _wordy(text: str) -> bool:
    """Return whether a text holds no digit."""
    return text.isascii() and not any(letter.isdigit() for letter in text)


def whole(text: str) -> int | None:
    """Return the whole number that a text spells in plain digits, None where it spells none.

    Raises:
        UnsupportedError: If it is in any other form.
    """
    if _wordy(text):
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise UnsupportedError("a whole number in another form")
    return int(text)


def parsed(function: Callable[[str], Any], vec: Vec, kind: Any) -> Vec:
    """Return what the texts of a column spell, where there are any."""
    data, there = vec
    if not (isinstance(data, np.ndarray) and data.ndim):
        if there is not None and not np.any(there):
            return 0, np.False_
        value = function(data.item() if isinstance(data, np.ndarray) else data)
        return (0, np.False_) if value is None else (value, there)
    found, valid = np.zeros(len(data), dtype=kind), np.zeros(len(data), dtype=bool)
    given = list(range(len(data)))
    if there is not None:
        given = np.flatnonzero(np.broadcast_to(there, data.shape)).tolist()
    known: dict[str, Any] = {}
    for place in given:
        text = data[place]
        if text not in known:
            known[text] = function(text)
        if known[text] is not None:
            found[place], valid[place] = known[text], True
    return found, (None if valid.all() else valid)


def rounded(data: Any) -> Any:
    """Return numbers rounded to whole ones, halves away from zero."""
    whole_part = np.trunc(data)
    return whole_part + np.where(np.abs(data - whole_part) >= 0.5, np.sign(data), 0.0)


def to_integer(data: Any, low: int, high: int) -> Any:
    """Return numbers as whole ones, halves to even.

    Raises:
        UnsupportedError: If one is out of range.
    """
    found = np.rint(data)
    if not np.all((found >= low) & (found < float(high) + 1) & (np.abs(found) < 2**62)):
        raise UnsupportedError("a number out of range")
    return np.asarray(found).astype(np.int64)


def to_sum(data: Any) -> Any:
    """Return numbers as whole ones of the scale in which sums are exact."""
    scaled = np.asarray(data, dtype=np.float64) * float(SCALE)
    if not np.all(np.abs(scaled) < 1e36):
        raise UnsupportedError("a large number")
    return each(int, np.rint(scaled))


def exact(data: Any) -> Any:
    """Return whole numbers of the scale in which sums are exact."""
    return each(lambda value: int(value) * SCALE, data)


def from_sum(value: int) -> float:
    """Return an exact sum as a number."""
    if abs(value) <= 2**53:
        return value / float(SCALE)
    sign = -1 if value < 0 else 1
    upper_part, rest = divmod(abs(value), SCALE)
    return sign * (float(upper_part) + rest / float(SCALE))


def truncated(data: Any, unit: str) -> Any:
    """Return the start of the day, week, month or other unit that times lie in."""
    if unit in UNITS:
        return data - np.mod(data, UNITS[unit])
    if unit == "WEEK":
        days = np.floor_divide(data, DAY)
        return (days - np.mod(days + 3, 7)) * DAY
    if unit == "MONTH":
        months = np.asarray(data).astype("datetime64[us]").astype("datetime64[M]")
        return months.astype("datetime64[us]").astype(np.int64)
    raise UnsupportedError(f"date_trunc {unit}")


def distance(unit: str, earlier: Any, later: Any) -> Any:
    """Return how many starts of a unit lie between times."""
    if unit in UNITS:
        return np.floor_divide(later, UNITS[unit]) - np.floor_divide(earlier, UNITS[unit])
    if unit == "MONTH":
        months = [
            np.asarray(side).astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)
            for side in (later, earlier)
        ]
        return months[0] - months[1]
    raise UnsupportedError(f"date_diff {unit}")


def add_months(moments: Any, months: Any) -> Any:
    """Return times some months later, at the end of a month that is too short."""
    times = np.asarray(moments).astype("datetime64[us]")
    first = times.astype("datetime64[M]")
    into = times - first.astype("datetime64[us]")
    target = first + np.asarray(months).astype("timedelta64[M]")
    last = (target + np.timedelta64(1, "M")).astype("datetime64[D]") - np.timedelta64(1, "D")
    days = into.astype("timedelta64[D]")
    clock = into - days.astype("timedelta64[us]")
    day = np.minimum(target.astype("datetime64[D]") + days, last)
    return (day.astype("datetime64[us]") + clock).astype(np.int64)
