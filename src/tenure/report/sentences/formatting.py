"""Numbers, times and names as reports show them: one way everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from tenure.core.records.base import Figure

T = TypeVar("T")

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


def signed(value: float, digits: int = 0) -> str:
    """Return a difference with its sign.

    >>> signed(-3.2), signed(0.2), signed(0.0412, 3)
    ('−3', '0', '+0.041')
    """
    return ("+" if round(value, digits) > 0 else "") + number(value, digits)


def count(value: float | None) -> str:
    """Return a whole number with separators."""
    return NONE if value is None else f"{value:z,.0f}".replace("-", "−")


def counted(value: float, one: str, many: str | None = None) -> str:
    """Return a count with its noun.

    >>> counted(1, "row"), counted(2, "row"), counted(3, "churn", "churns")
    ('1 row', '2 rows', '3 churns')
    """
    return f"{count(value)} {one if value == 1 else many or one + 's'}"


def spread(figure: Figure, form: int | Callable[[float | None], str] = 2) -> str:
    """Return a figure and its interval, with so many digits or in another form.

    >>> figure = Figure(value=0.712, lo=0.69, hi=0.73)
    >>> spread(figure), spread(figure, percent), spread(Figure())
    ('0.71 [0.69, 0.73]', '71% [69%, 73%]', '–')
    """
    show = form if callable(form) else partial(number, digits=form)
    return f"{show(figure.value)} {bracket(figure, show)}".rstrip()


def bracket(figure: Figure, form: Callable[[float | None], str]) -> str:
    """Return the interval of a figure in brackets; empty without one."""
    if figure.lo is None or figure.hi is None:
        return ""
    return f"[{form(figure.lo)}, {form(figure.hi)}]"


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


def first_of(names: Sequence[str], most: int) -> str:
    """Return the first of some names, and how many there are besides.

    >>> first_of(["a", "b", "c"], 2), first_of(["a"], 2)
    ('a, b and 1 more', 'a')
    """
    more = f" and {count(len(names) - most)} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def joined(values: Mapping[str, Any], show: Callable[[Any], str] = str) -> str:
    """Return names and values in one line."""
    return ", ".join(f"{name} {show(value)}" for name, value in values.items())


def ratio(part: float, whole: float) -> float | None:
    """Return a share, None of nothing."""
    return part / whole if whole else None


def in_order(values: Mapping[str, T], names: Iterable[str]) -> dict[str, T]:
    """Return named things in the order of `names`, and what these lack after them.

    >>> in_order({"a": 1, "b": 2, "c": 3}, ["c", "x", "b"])
    {'c': 3, 'b': 2, 'a': 1}
    """
    first = [name for name in names if name in values]
    return {name: values[name] for name in dict.fromkeys([*first, *values])}
