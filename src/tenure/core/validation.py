"""What is wrong with a config, in words and at the place where the user wrote it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from tenure.core.errors import Problem, suggestion
from tenure.core.secrets import masked

Error = Mapping[str, Any]
Location = tuple[Any, ...]
UNKNOWN = "unknown key"
_DEFAULT = "change it, or leave the key out for its default"
_STEPS = {
    "int": "write a whole number in digits",
    "float": "write a number in digits",
    "bool": "write true or false",
    "missing": "add it",
    "greater": _DEFAULT,
    "less": _DEFAULT,
}
"""What to do about a kind of error, by the first word of its type."""


def validation_problems(
    origin: str, authored: Any, errors: Iterable[Error], keys: Callable[[Location], Iterable[str]]
) -> list[Problem]:
    """Return a problem per place in what the user wrote: the kinds that fit it are alternatives.

    Args:
        origin: What to call the config.
        authored: What the user wrote.
        errors: From pydantic.
        keys: Returns the keys that are known beside a location.
    """
    places: dict[str, list[Error]] = {}
    for error in errors:
        place = ".".join(str(part) for part in _written(error, authored))
        places.setdefault(place, []).append(error)
    problems = {
        place: _problem(f"{origin}: {place}", listed, keys) for place, listed in places.items()
    }
    meant = {
        f"{place.rpartition('.')[0]}.{name}".strip(".")
        for place, problem in problems.items()
        if problem.rule == UNKNOWN
        for name in re.findall(r"did you mean `(.+)`", problem.fix)
    }
    return [
        problem
        for place, problem in problems.items()
        if place not in meant or places[place][0]["type"] != "missing"
    ]


def _written(error: Error, authored: Any) -> Iterable[str | int]:
    """Yield the parts of an error's location as far as the user wrote them."""
    for part in error["loc"]:
        try:
            authored = authored[part]
        except (KeyError, IndexError, TypeError):
            if error["type"] == "missing":
                yield part
            return
        yield part


def _problem(thing: str, errors: list[Error], keys: Callable[[Location], Iterable[str]]) -> Problem:
    first = errors[0]
    if first["type"] == "extra_forbidden":
        key = str(first["loc"][-1])
        return Problem(thing, UNKNOWN, fix=suggestion(key, keys(first["loc"])))
    rules = [
        re.sub(r"^Value error, |, unable to .*", "", item["msg"]).replace(
            "Input should be", "must be"
        )
        for item in errors
    ]
    value = first.get("input")
    shown = "" if first["type"] == "missing" else masked(repr(value))[:80]
    words = [word for item in errors if item["type"] == "literal_error" for word in _words(item)]
    fix = suggestion(value, words) if words and isinstance(value, str) else ""
    if first["type"] == "string_type" and isinstance(value, bool | int | float | date):
        fix = "write it in quotes"
        if isinstance(value, bool):
            fix += ": without them YAML reads on, off, yes, no and the like as true or false"
    fix = fix or _STEPS.get(first["type"].split("_")[0], "")
    return Problem(thing, "; or ".join(dict.fromkeys(rules)), shown, fix)


def _words(error: Error) -> list[str]:
    """Return the words that would have been right."""
    return re.findall(r"'([^']+)'", str(error["ctx"]["expected"]))
