"""JSON texts: what they hold, or what is wrong with them."""

from __future__ import annotations

import json
from typing import Any

from pydantic_core import from_json

from tenure.core.errors import Problem
from tenure.service.api.problems import Refusal, shown


def read_json(body: bytes) -> Any:
    """Return the values of a JSON text.

    Raises:
        Refusal: If it is no JSON in UTF-8, or has a name twice in one object.
    """
    try:
        values = from_json(body)
        json.loads(body, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        rule = f"must be JSON: {str(error)[:120]}"
        fix = "post a JSON object, Content-Type: application/json"
        raise Refusal(Problem("body", rule, fix=fix)) from None
    return values


def _once(pairs: list[tuple[str, Any]]) -> None:
    if len(pairs) != len({name for name, _ in pairs}):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"`{shown(twice)}` stands twice in one object")
