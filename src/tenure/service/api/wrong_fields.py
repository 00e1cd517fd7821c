"""Fields of a request that are wrong, in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tenure.core.errors import Problem, suggestion
from tenure.service.api.problems import shown

A_DATE = "2025-07-01"
RULES = {
    "missing": ("is required", "give it"),
    "int_type": ("must be a whole number of days, or `all`", 'write it as 90 or "all"'),
    "int_parsing": ("must be a whole number", "write it in digits"),
    "list_type": ("must be a list", "write it as […]"),
    "string_type": ("must be a string", 'write it as "…"'),
    "dict_type": ("must be an object", "write it as {…}"),
    "model_type": ("must be an object", "write it as {…}"),
    "model_attributes_type": ("must be an object", "write it as {…}"),
    "literal_error": ("is not one of the choices", "one of {expected}"),
    "greater_than_equal": ("must be {ge} or more", "choose a larger number"),
    "less_than_equal": ("must be {le} or less", "choose a smaller number"),
    "too_short": ("must not be empty", "give at least one"),
    "too_long": ("holds too many items", "give no more than there are"),
    "string_too_long": ("is too long", "shorten it"),
    "string_unicode": ("must be Unicode text, with whole surrogate pairs", "correct the text"),
}


def field_problem(item: Any, known: Iterable[str]) -> Problem:
    """Return what pydantic finds wrong with a field, as a problem.

    `item` is one of its errors, `known` names the request's fields.
    """
    kind, where = item["type"], _where(item["loc"])
    if kind in ("int_type", "literal_error"):
        where = _where(item["loc"][:1])  # the rest names which of several kinds it is not
    value = "" if kind == "missing" else shown(item["input"])
    if kind == "extra_forbidden":
        return unknown_field(where, known, item["input"])
    if kind == "value_error":
        rule = item["msg"].removeprefix("Value error, ")
        fix = "" if "NUL" in rule else f"write it like {A_DATE} or {A_DATE}T12:00:00Z"
        return Problem(where, rule, value, fix or "leave it out")
    rule, fix = RULES.get(kind, (item["msg"], "see /v1/openapi.json"))
    for name, bound in item.get("ctx", {}).items():
        rule, fix = (text.replace(f"{{{name}}}", str(bound)) for text in (rule, fix))
    return Problem(where, rule, value, fix)


def unknown_field(name: str, known: Iterable[str], value: Any) -> Problem:
    """Return the problem of a field that a request does not have."""
    fix = suggestion(name[:100], known)
    return Problem(name, "is not a field of this request", shown(value), fix)


def _where(location: tuple[int | str, ...]) -> str:
    """Return a field's place in the body.

    >>> _where(("account_ids", 3)), _where(())
    ('account_ids[3]', 'body')
    """
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path or "body"
