"""What a client raises where the service did not answer."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from tenure.core.errors import Problem, TenureError
from tenure.service.api.responses import FieldProblem, ProblemDocument

if TYPE_CHECKING:
    import httpx


class ServiceError(TenureError):
    """A request that was not answered, in a sentence.

    Args:
        text: What happened.
        status: HTTP status of the answer; None where none came.
        problem: What the service says of it; None where it is not the service that answered.

    Attributes:
        status: As above.
        problem: As above, with every field that is wrong.
    """

    def __init__(
        self, text: str, status: int | None = None, problem: ProblemDocument | None = None
    ) -> None:
        super().__init__(text)
        self.status, self.problem = status, problem

    @property
    def request_id(self) -> str:
        """Id of the request in the service's log, empty where the service did not answer."""
        return self.problem.request_id if self.problem else ""

    @classmethod
    def of(cls, response: httpx.Response) -> ServiceError:
        """Return the error that an answer is, whose body was read."""
        status = response.status_code
        phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else ""
        title = f"{response.request.method} {response.url.path}: {status} {phrase}".rstrip()
        try:
            problem = ProblemDocument.model_validate_json(response.content, extra="allow")
        except ValueError:
            return cls(
                f"{title}, which is not an answer of Tenure's service; check the URL", status
            )
        more = problem.error_count - 1
        others = f" ({more} further problem{'s' * (more > 1)})" if more else ""
        identified = f" [request {problem.request_id}]" if problem.request_id else ""
        return cls(f"{title}: {sentence(problem.errors[0])}{others}{identified}", status, problem)


def sentence(problem: Problem | FieldProblem) -> str:
    """Return a problem as a sentence.

    >>> sentence(Problem("account_id", "has no score", "acc-9", "check the id"))
    'account_id `acc-9` has no score; check the id.'
    """
    field = problem.thing if isinstance(problem, Problem) else problem.field
    value = f" `{problem.value}`" if problem.value else ""
    fix = f"; {problem.fix}" if problem.fix else ""
    return f"{field}{value} {problem.rule}{fix}".rstrip(".") + "."
