"""Times that are written plainly, read at once: most of what is posted is.

What is not plain is left as text, and read value by value when its table is staged.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain
from typing import Any, TypeAlias

import numpy as np

_DAY = r"(?:19|20|21)\d\d-\d\d-\d\d"
_CLOCK = r"[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?"
_NAIVE = re.compile(rf"(?:{_DAY}(?:{_CLOCK})?\n)*", re.ASCII)
_FORM = "0000-00-00T00:00:00\n"
_LETTERS = np.frombuffer(_FORM.encode(), dtype=np.uint8)
_DIGITS = np.flatnonzero(ord("0") == _LETTERS)
_MARKS = np.flatnonzero(ord("0") != _LETTERS)
_MARK = _LETTERS[_MARKS]
Moments: TypeAlias = np.ndarray[Any, np.dtype[np.datetime64]]
_UTC = re.compile(rf"(?:{_DAY}(?:{_CLOCK}Z?)?\n)*", re.ASCII)


def plain_columns(columns: Sequence[Sequence[str | None]], zone: str) -> list[Moments | None]:
    """Return columns of texts as `plain_times` returns each; those that look alike, at once.

    Args:
        columns: Columns, each with a text in it.
        zone: Zone of times that name none.
    """
    found: list[Moments | None] = [None] * len(columns)
    alike: dict[int, list[int]] = {}
    for place, values in enumerate(columns):
        length = len(next(value for value in values if value is not None))
        alike.setdefault(length, []).append(place)
    for places in alike.values():
        together = plain_times(list(chain.from_iterable(columns[place] for place in places)), zone)
        start = 0
        for place in places:
            stop = start + len(columns[place])
            # One that is not plain says nothing of the others.
            alone = together is None and len(places) > 1
            whole = plain_times(columns[place], zone) if alone else together
            found[place] = whole if alone or whole is None else whole[start:stop]
            start = stop
    return found


def plain_times(values: Sequence[str | None], zone: str) -> Moments | None:
    """Return texts as times to the microsecond, None where any of them is not written plainly.

    Plain is ISO 8601, to the microsecond and without an offset, or with `Z` where the zone is UTC.

    >>> plain_times(["2024-03-01T10:00:00", None], "UTC").tolist()
    [datetime.datetime(2024, 3, 1, 10, 0), None]
    >>> plain_times(["1 March 2024"], "UTC")

    Args:
        values: Texts; None is no time.
        zone: Zone of times that name none.
    """
    given = [value for value in values if value is not None]
    joined = "\n".join([*given, ""])
    try:
        moments = _alike(joined, len(given))
        if moments is None:
            moments = _unlike(joined, given, zone)
    except ValueError:
        return None
    if moments is None or len(given) == len(values):
        return moments
    there = np.asarray([value is not None for value in values])
    found = np.full(len(values), np.datetime64("NaT"), dtype="datetime64[us]")
    found[there] = moments
    return found


def _alike(joined: str, rows: int) -> Moments | None:
    """Return times to the second, without a zone, from the lines of one text; None for others."""
    if not joined.isascii() or len(joined) != len(_FORM) * rows:
        return None
    letters = np.frombuffer(joined.encode(), dtype=np.uint8).reshape(rows, len(_FORM))
    form = (letters[:, _MARKS] == _MARK).all() and (letters[:, _DIGITS] - ord("0") < 10).all()
    century = letters[:, :2].astype(np.int64) @ [10, 1] - 11 * ord("0")
    if not form or not ((century >= 19) & (century <= 21)).all():
        return None
    texts = np.ascontiguousarray(letters[:, :-1]).view(f"S{len(_FORM) - 1}").ravel()
    return texts.astype("datetime64[us]")


def _unlike(joined: str, given: Sequence[str], zone: str) -> Moments | None:
    """Return times of any plain form."""
    pattern = _UTC if zone == "UTC" else _NAIVE
    if joined.count("\n") != len(given) or not pattern.fullmatch(joined):
        return None
    return np.array([value.removesuffix("Z") for value in given], dtype="datetime64[us]")
