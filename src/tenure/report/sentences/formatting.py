"""Numbers, times and names as reports show them: one way everywhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tenure.core.records.base import Figure

NONE = "–"


def percent(value: float | None, digits: int | None = None) -> str:
    """Return a share as a percentage.

    >>> percent(0.0487), percent(0.31), percent(None), percent(0.31, 1), percent(0.0001)
    ('4.9%', '31%', '–', '31.0%', 'under 0.1%')
    """
    if value is None:
        return NONE
    if digits is None and 0 < value < 0.0005:
        return "under 0.1%"
    if digits is None:
        digits = 1 if abs(value) < 0.0995 and value else 0
    return number(100 * value, digits) + "%"


def number(value: float | None, digits: int = 3) -> str:
    """Return a number with a fixed count of digits after the point.

    >>> number(-0.5, 1), number(-0.001, 1)
    ('−0.5', '0.0')
    """
    if value is None:
        return NONE
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")


def count(value: float | None) -> str:
    """Return a whole number with separators."""
    return NONE if value is None else f"{value:,.0f}"


def counted(value: float, one: str, many: str | None = None) -> str:
    """Return a count with its noun.

    >>> counted(1, "row"), counted(2, "row"), counted(3, "churn", "churns")
    ('1 row', '2 rows', '3 churns')
    """
    return f"{count(value)} {one if value == 1 else many or one + 's'}"


def spread(figure: Figure, digits: int = 2) -> str:
    """Return a figure and its interval.

    >>> spread(Figure(value=0.712, lo=0.69, hi=0.73)), spread(Figure())
    ('0.71 [0.69, 0.73]', '–')
    """
    return _spread(figure, lambda value: number(value, digits))


def portion(figure: Figure) -> str:
    """Return a share and its interval in percent.

    >>> portion(Figure(value=0.123, lo=0.08, hi=0.16))
    '12% [8.0%, 16%]'
    """
    return _spread(figure, percent)


def of_hundred(figure: Figure) -> str:
    """Return a share and its interval as so many of a hundred.

    >>> of_hundred(Figure(value=0.123, lo=0.08, hi=0.16))
    '12 [8, 16]'
    """
    return spread(figure.times(100), 0)


def bracket(figure: Figure, form: Callable[[float], str]) -> str:
    """Return the interval of a figure in brackets; empty without one."""
    if figure.lo is None or figure.hi is None:
        return ""
    return f"[{form(figure.lo)}, {form(figure.hi)}]"


def _spread(figure: Figure, form: Callable[[float], str]) -> str:
    if figure.value is None:
        return NONE
    return f"{form(figure.value)} {bracket(figure, form)}".rstrip()


def sentence(text: str) -> str:
    """Return a text with a capital first letter."""
    return text[:1].upper() + text[1:]


def plain(code: str) -> str:
    """Return a code as words.

    >>> plain("duplicate_key")
    'duplicate key'
    """
    return code.replace("_", " ")


def day(time: str | None) -> str:
    """Return the date of a time in a record."""
    return time[:10] if time else NONE


def inside(name: str) -> str:
    """Return a name as it stands inside a sentence.

    >>> inside("Logistic regression"), inside("MRR"), inside("NPS answers"), inside("Brier skill")
    ('logistic regression', 'MRR', 'NPS answers', 'Brier skill')
    """
    first = name.partition(" ")[0]
    proper = (first.isupper() and len(first) > 1) or first == "Brier"
    return name if proper else name[:1].lower() + name[1:]


def listed(names: Sequence[str]) -> str:
    """Return names as a list in a sentence.

    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
