"""The client: each endpoint of ``/v1`` is a line that names its request and its answer."""

from __future__ import annotations

import copy
import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, cast, overload
from urllib.parse import quote

import httpx

from tenure import __version__
from tenure.client.errors import ServiceError, sentence
from tenure.client.retries import Retries
from tenure.service.api import live_responses as live
from tenure.service.api import requests, responses
from tenure.service.api.problems import JSON, Refusal

P = ParamSpec("P")
A = TypeVar("A", bound=responses.Answer)
SECONDS = 30.0
"""How long an answer, or the next piece of a stream, may take."""
CONNECT_SECONDS = 5.0
TRIES = 5
EXPORT = "GET /v1/export"


class Endpoint(Generic[P, A]):
    """An endpoint; as an attribute of a client it is a method that takes the request's fields.

    Args:
        route: HTTP method and path; ids in the path are the method's positional arguments.
        request: Model of the request.
        answer: Model of the answer.
        writes: Whether it writes, so that a request that is sent again must not count twice.
    """

    def __init__(
        self, route: str, request: Callable[P, Any], answer: type[A], *, writes: bool = False
    ) -> None:
        self.method, self.path = route.split()
        self.request = cast("type[requests.Request]", request)
        self.answer, self.writes = answer, writes
        self.__doc__ = f"{route}: {self.request.__doc__} Returns: {answer.__doc__}"

    @overload
    def __get__(self, client: None, owner: type[Client]) -> Self: ...

    @overload
    def __get__(self, client: Client, owner: type[Client]) -> Callable[P, A]: ...

    def __get__(self, client: Client | None, owner: type[Client]) -> Self | Callable[P, A]:
        """Return the endpoint of the class, or the method of a client."""
        return self if client is None else partial(self._call, client)

    def _call(self, client: Client, *ids: str, **fields: Any) -> A:
        path = self.path
        for one in ids:
            path = path.replace("{account_id}", quote(one, safe=""), 1)
        headers = {}
        if self.writes:
            headers["Idempotency-Key"] = client.idempotency_key or uuid.uuid4().hex
        route, request = f"{self.method} {path}", checked(self.request, fields)
        with client.answered(route, request, headers) as response:
            return read(self.answer, response.read(), route)


def checked(model: type[requests.Request], fields: dict[str, Any]) -> requests.Request:
    """Return the request that fields are.

    Raises:
        ServiceError: Naming those that are wrong.
    """
    try:
        return model.checked(fields, strict=False, by_name=True)
    except Refusal as error:
        raise ServiceError(" ".join(map(sentence, error.problems))) from None


def read(model: type[A], content: bytes | str, route: str) -> A:
    """Return the answer that a JSON text is; what a newer service adds does not matter.

    Raises:
        ServiceError: If it is not one.
    """
    try:
        return model.model_validate_json(content, extra="allow")
    except ValueError as error:
        text = (
            f"{route}: the answer is none that version {__version__} of the client reads: {error}"
        )
        raise ServiceError(text, 200) from None


def _of_account(
    rest: str, request: Callable[P, Any], answer: type[A]
) -> Endpoint[Concatenate[str, P], A]:
    """Return the endpoint of one account, whose id is the method's first argument."""
    endpoint = Endpoint(f"GET /v1/accounts/{{account_id}}{rest}", request, answer)
    return cast("Endpoint[Concatenate[str, P], A]", endpoint)


def _each(
    request: Callable[P, requests.AccountsQuery],
) -> Callable[Concatenate[Client, P], Iterator[responses.AccountRow]]:
    """Return the method that yields the accounts of every page."""
    del request

    def each_account(
        self: Client, /, *nothing: P.args, **query: P.kwargs
    ) -> Iterator[responses.AccountRow]:
        """Yield the accounts of the last run that a query selects, page after page."""
        fields: dict[str, Any] = {"limit": 1_000, **query}
        while True:
            page = self.accounts(*nothing, **fields)
            yield from page.items
            if page.next_cursor is None:
                return
            fields["cursor"] = page.next_cursor

    return each_account


class Client:
    """A client of one service; a context manager, whose connections threads may share.

    A request is sent again where the service is busy (429, 503, after its ``Retry-After``) or was
    not reached; all of them can be repeated, those that write through an ``Idempotency-Key``.

    Args:
        url: Where the service stands, e.g. ``https://tenure.example``.
        key: Made by `tenure keys create`; empty on this machine's own address.
        timeout: Seconds that an answer may take.
        tries: How often a request is sent.
        transport: What sends a request; HTTP by default.

    Every method raises `ServiceError` where the service does not answer as it should.
    """

    accounts = Endpoint("GET /v1/accounts", requests.AccountsQuery, responses.AccountPage)
    each_account = _each(requests.AccountsQuery)
    account = _of_account("", requests.AccountQuery, responses.Account)
    history = _of_account("/history", requests.HistoryQuery, responses.History)
    changes = _of_account("/changes", requests.ChangesQuery, responses.Changes)
    lookup = Endpoint("POST /v1/scores:lookup", requests.LookupRequest, responses.Lookup)
    score = Endpoint("POST /v1/score", requests.HistoryRequest, live.HistoryScores)
    score_rows = Endpoint("POST /v1/score-rows", requests.RowsRequest, live.RowScores)
    explain = Endpoint("POST /v1/explain", requests.ExplainRequest, live.Explanation)
    models = Endpoint("GET /v1/models", requests.NothingRequest, live.Models)
    metrics = Endpoint("GET /v1/metrics", requests.MetricsQuery, live.Metrics)
    worklist = Endpoint("GET /v1/worklist", requests.WorkListQuery, responses.WorkLists)
    feedback = Endpoint(
        "POST /v1/feedback", requests.FeedbackRequest, responses.FeedbackEntry, writes=True
    )

    def __init__(
        self,
        url: str,
        key: str = "",
        *,
        timeout: float = SECONDS,
        tries: int = TRIES,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        headers = {"User-Agent": f"tenure-client/{__version__}"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        self.idempotency_key = ""
        self._timeout = httpx.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS))
        sender = Retries(transport or httpx.HTTPTransport(), tries)
        self._http = httpx.Client(base_url=url, headers=headers, transport=sender)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def with_options(self, *, idempotency_key: str = "", timeout: float | None = None) -> Self:
        """Return a client with the same connections and other options.

        Args:
            idempotency_key: Names what the next request writes, so that a job that runs again
                writes it once; each request has a key of its own by default.
            timeout: Seconds that an answer may take; as before by default.
        """
        other = copy.copy(self)
        other.idempotency_key = idempotency_key
        if timeout is not None:
            other._timeout = httpx.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS))
        return other

    def export(self, as_of: datetime | str | None = None) -> Iterator[responses.ExportRow]:
        """Yield every score of the last run, or of the last one at or before a time."""
        request = checked(requests.ExportQuery, {"as_of": as_of})
        with self.answered(EXPORT, request) as response:
            for line in response.iter_lines():
                yield read(responses.ExportRow, line, EXPORT)

    def export_arrow(self, as_of: datetime | str | None = None) -> Iterator[bytes]:
        """Yield the same as a stream of Arrow IPC, piece by piece."""
        request = checked(requests.ExportQuery, {"as_of": as_of, "format": "arrow"})
        with self.answered(EXPORT, request) as response:
            yield from response.iter_bytes()

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document of the service."""
        with self.answered("GET /v1/openapi.json", requests.NothingRequest()) as response:
            document: dict[str, Any] = json.loads(response.read())
        return document

    @contextmanager
    def answered(
        self, route: str, request: requests.Request, headers: dict[str, str] | None = None
    ) -> Iterator[httpx.Response]:
        """Yield the answer to a request, which is one of success and whose body is not read yet.

        `route` is an HTTP method and path; `request` is what is posted, or the parameters of a GET.

        Raises:
            ServiceError: If no answer comes, it breaks off, or it is a refusal.
        """
        method, path = route.split(" ", 1)
        parts: dict[str, Any] = {"headers": dict(headers or {}), "timeout": self._timeout}
        if method == "GET":
            parts["params"] = request.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        else:
            parts["headers"]["Content-Type"] = JSON
            parts["content"] = written(request)
        try:
            with self._http.stream(method, path, **parts) as response:
                if not response.is_success:
                    response.read()
                    raise ServiceError.of(response)
                yield response
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise ServiceError(
                f"{route}: no answer from {self._http.base_url}: {reason}."
            ) from None


def written(request: requests.Request) -> str:
    """Return a request as JSON.

    Raises:
        ServiceError: If it holds what is no JSON value.
    """
    try:
        return request.model_dump_json(by_alias=True, exclude_defaults=True, fallback=plain)
    except ValueError as error:
        raise ServiceError(f"the request cannot be sent as JSON: {error}.") from None


def plain(value: Any) -> Any:
    """Return a number of another library, NumPy's above all, as one of Python's."""
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"{type(value).__name__} is no JSON value")
