"""What a client is told when a request cannot be answered: field, rule, value and fix."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from starlette.responses import Response

from tenure.core.errors import Problem, TenureError
from tenure.engine import ENGINES

JSON = "application/json"
LONGEST_VALUE = 80
MOST_PROBLEMS = 20
RETRY_SECONDS = 2


class Refusal(Exception):  # noqa: N818 - it is an answer as much as an error
    """A request that is not answered, and why.

    Args:
        problems: What is wrong; a problem's `thing` is the request's field.
        status: HTTP status, 4xx or 5xx.
        headers: Further HTTP headers.
    """

    def __init__(
        self, *problems: Problem, status: int = 400, headers: dict[str, str] | None = None
    ) -> None:
        self.problems = problems
        self.status = status
        self.headers = headers or {}
        super().__init__(str(problems[0]))

    def body(self) -> bytes:
        """Return the JSON body: ``error`` is the first problem, ``problems`` all where several."""
        listed = [_plain(problem) for problem in self.problems[:MOST_PROBLEMS]]
        body: dict[str, Any] = {"error": listed[0]}
        if len(listed) > 1:
            body |= {"problems": listed, "problem_count": len(self.problems)}
        return json.dumps(body, ensure_ascii=False).encode()

    def response(self) -> Response:
        """Return the HTTP response."""
        return Response(self.body(), self.status, self.headers, media_type=JSON)


def busy() -> Refusal:
    """Return the refusal of a request for which there is no room."""
    fix = f"ask again in {RETRY_SECONDS} seconds, or for more accounts in one request"
    problem = Problem("service", "has as many requests as it can answer in time", fix=fix)
    return Refusal(problem, status=503, headers={"Retry-After": str(RETRY_SECONDS)})


def refused(error: TenureError) -> Refusal:
    """Return an error of the package as a refusal of the request that caused it."""
    return Refusal(*(_of_request(item) for item in error.problems))


def _of_request(item: Problem | str) -> Problem:
    if isinstance(item, str):
        return Problem("request", item)
    if item.thing in ENGINES:
        # The statement is of no use to a client.
        return Problem("request", item.rule.splitlines()[0][:200], fix="correct the values")
    return item


def shown(value: object) -> str:
    """Return a value as it may be echoed: short, however large it is.

    >>> shown("x" * 1000)[-5:], shown([1, 2, 3]), shown({"a": 1}), shown(3)
    ('xxxx…', 'a list of 3', 'an object of 1', '3')
    """
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return f"an object of {len(value)}"
    if isinstance(value, str):
        return value if len(value) <= LONGEST_VALUE else f"{value[:LONGEST_VALUE]}…"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return repr(value)[:LONGEST_VALUE]


def listed(names: Iterable[str], most: int = 5) -> str:
    """Return names for a message, the first few of many.

    >>> listed(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    every = list(names)
    first = ", ".join(shown(name) for name in every[:most])
    return first if len(every) <= most else f"{first} and {len(every) - most} more"


def _plain(problem: Problem) -> dict[str, str]:
    return {
        "field": shown(problem.thing),
        "rule": problem.rule,
        "value": shown(problem.value),
        "fix": problem.fix,
    }
