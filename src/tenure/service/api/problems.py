"""What a client is told when a request cannot be answered: RFC 9457, with field, rule and fix."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from tenure.core.errors import Problem, TenureError
from tenure.engine import ENGINES
from tenure.service.api.responses import FieldProblem, ProblemDocument

if TYPE_CHECKING:
    from starlette.responses import Response

JSON = "application/json"
PROBLEM = "application/problem+json"
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

    def document(self, request_id: str = "") -> ProblemDocument:
        """Return what the client is told."""
        errors = tuple(map(described, self.problems[:MOST_PROBLEMS]))
        first = errors[0]
        return ProblemDocument(
            title=HTTPStatus(self.status).phrase,
            status=self.status,
            detail=f"{first.field}: {first.rule}",
            field=first.field,
            fix=first.fix,
            errors=errors,
            error_count=len(self.problems),
            request_id=request_id,
        )

    def response(self, request_id: str = "", *, dated: bool = False) -> Response:
        """Return the HTTP response; `dated` adds the fields that the first paths answered with."""
        from starlette.responses import Response

        body = self.document(request_id).to_json()
        if dated:
            errors = body["errors"]
            body |= {"error": errors[0], "problems": errors, "problem_count": body["error_count"]}
        content = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        return Response(content, self.status, self.headers, media_type=PROBLEM)


def busy(rule: str = "has as many requests as it can answer in time") -> Refusal:
    """Return the refusal of a request for which there is no room."""
    problem = Problem("service", rule, fix=f"ask again in {RETRY_SECONDS} seconds")
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
    return replace(item, thing=item.thing.removeprefix("--"))


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


def described(problem: Problem) -> FieldProblem:
    """Return a problem as a client is told it."""
    field, rule, value, fix = (
        text.encode("utf-8", "replace").decode()
        for text in (shown(problem.thing), problem.rule, shown(problem.value), problem.fix)
    )
    return FieldProblem(field=field, rule=rule, value=value, fix=fix)
