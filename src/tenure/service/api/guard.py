"""What stands before every answer: who is there, how often, how large, how long, and JSON errors.

The guard turns away whoever it does not know, whatever the path, so that an endpoint or a page
that is added later is closed from its first day.  A handler answers one endpoint.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Match

from tenure.core.errors import Problem, first_line, suggestion
from tenure.core.times import clock
from tenure.score.store.audit import AuditEntry
from tenure.score.store.database import UNREACHABLE
from tenure.service.access import (
    CSRF_FIELD,
    CSRF_HEADER,
    OPEN,
    OPEN_FOLDER,
    SIGN_IN,
    Caller,
)
from tenure.service.api.bodies import cancelled_when_gone, read_body, replay, silence
from tenure.service.api.calls import Call
from tenure.service.api.endpoints import DATED, PATHS, POSTED, Endpoint
from tenure.service.api.live_responses import LiveScores, RowScores
from tenure.service.api.metrics import CLIENT_GONE, OTHER, Metrics
from tenure.service.api.problems import JSON, Refusal, busy
from tenure.service.api.state import State, unreachable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable

    from pydantic import BaseModel
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger("tenure.service")
SLOW_SECONDS = 2.0
MOST_HEADERS, LONGEST_HEAD = 100, 65_536
"""Headers of a request, and their bytes."""
REQUEST_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
FORMS = (b"application/x-www-form-urlencoded", b"multipart/form-data", b"text/plain", b"")
"""Content types that a page of another site can send without asking."""
API = "/v1/"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
]


class Guard:
    """ASGI middleware around everything that is answered."""

    def __init__(self, app: ASGIApp, state: State, metrics: Metrics) -> None:
        self.app, self.state, self.metrics = app, state, metrics
        self._limit = RateLimitItemPerMinute(state.config.service.requests_per_minute)
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that must not go further; pass on every other with its body read."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        named = Headers(scope=scope).get("x-request-id", "")
        request_id = named if REQUEST_ID.fullmatch(named) else secrets.token_hex(8)
        scope["tenure.request_id"] = request_id
        status, started = 0, time.perf_counter()

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = list(message["headers"])
                present = {name for name, _ in headers}
                headers += [header for header in HEADERS if header[0] not in present]
                headers += [(b"x-request-id", request_id.encode()), *DATED.get(scope["path"], [])]
                message = {**message, "headers": headers}
            await send(message)

        self.metrics.begin()
        try:
            await self._answer(scope, receive, watched)
        except Exception as error:
            if status:
                logger.exception("an answer broke off", extra={"request_id": request_id})
                raise
            response = _explained(scope, error)
            await response(scope, receive, watched)
        finally:
            self._note(scope, status, time.perf_counter() - started)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        access, path = self.state.access, scope["path"]
        scope["app"] = self.app  # then a path that no route has is an exception
        if len(scope["headers"]) > MOST_HEADERS or _size(scope) > LONGEST_HEAD:
            problem = Problem("headers", "are too many or too long", fix="send fewer")
            raise Refusal(problem, status=431)
        scope["tenure.access"] = access
        known = scope["tenure.caller"] = await access.caller(scope)
        if known is None and path not in OPEN and not path.startswith(OPEN_FOLDER):
            await _unknown(scope)(scope, receive, send)
            return
        if known is not None and known.by != "local":
            self._count(known)
        if scope["method"] in SAFE:
            await self.app(scope, receive, send)
            return
        kind = Headers(scope=scope).get("content-type", "").split(";")[0].strip().lower()
        empty = Headers(scope=scope).get("content-length", "") == "0" and not kind
        if path in POSTED and kind != JSON and not empty:
            rule = "must be application/json"
            raise Refusal(Problem("Content-Type", rule, kind, "post JSON"), status=415)
        if encoding := Headers(scope=scope).get("content-encoding", ""):
            rule = "is not read"
            fix = "send the body as it is"
            raise Refusal(Problem("Content-Encoding", rule, encoding, fix), status=415)
        limit = self.state.config.service.max_body_bytes
        body = await read_body(scope, receive, send, limit)
        if body is not None:
            if path in POSTED or not (path in PATHS or path.startswith(API)):
                self._check_origin(scope, known, kind.encode(), body)
            await self.app(scope, replay(body, receive), send)

    def _count(self, known: Caller) -> None:
        """Refuse a key that makes too many requests."""
        if not self._limiter.hit(self._limit, known.name):
            window = self._limiter.get_window_stats(self._limit, known.name)
            wait = max(1, round(window.reset_time - time.time()))
            rule = f"may make {self._limit.amount} requests a minute"
            problem = Problem("key", rule, fix=f"come back in {wait} seconds")
            raise Refusal(problem, status=429, headers={"Retry-After": str(wait)})

    def _check_origin(self, scope: Scope, known: Caller | None, kind: bytes, body: bytes) -> None:
        """Refuse a post that another site may have made a browser send.

        A key in a header is none that a browser adds by itself; everything else is.
        """
        headers = dict(scope["headers"])
        if known is not None and known.by == "key":
            return
        foreign = headers.get(b"sec-fetch-site", b"none") in (b"cross-site", b"same-site")
        posted = scope["path"] in POSTED  # then it is JSON, for which a browser asks first
        token_due = known and (known.by != "local" or (kind in FORMS and not posted))
        token = headers.get(CSRF_HEADER, b"").decode("latin-1")
        if token_due and not token and kind == FORMS[0]:
            token = parse_qs(body.decode("latin-1"), max_num_fields=1_000).get(CSRF_FIELD, [""])[0]
        carries = self.state.access.carries_token
        if foreign or (known and token_due and not carries(known, token)):
            fix = f"send the page's own token as `{CSRF_FIELD}`"
            rule = "does not come from a page of this service"
            raise Refusal(Problem("request", rule, fix=fix), status=403)

    def _route(self, scope: Scope) -> object:
        """Return the route that a request was refused before, None where there is none."""
        routes: Iterable[BaseRoute] = getattr(self.app, "routes", ())
        return next((item for item in routes if item.matches(scope)[0] is Match.FULL), None)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        """Count a request, log it where it failed or was slow, and put it into the audit log."""
        path = getattr(scope.get("route") or self._route(scope), "path", OTHER)
        self.metrics.end(path, status, seconds)
        known, request_id = scope.get("tenure.caller"), scope["tenure.request_id"]
        about = {
            "request_id": request_id,
            "caller": known.name if known else "nobody",
            "method": scope["method"] if path != OTHER else OTHER,
            "path": path,
            "status": status or CLIENT_GONE,
        }
        if status >= 500 or seconds > SLOW_SECONDS:
            logger.warning("request", extra={**about, "seconds": round(seconds, 3)})
        if path not in OPEN and not path.startswith(OPEN_FOLDER):
            accounts = scope.get("tenure.accounts", [])
            self.state.audit.add(AuditEntry(clock(), account_ids=accounts, **about))


def _size(scope: Scope) -> int:
    return sum(len(name) + len(value) for name, value in scope["headers"])


class Handler:
    """ASGI application that answers one endpoint."""

    def __init__(self, endpoint: Endpoint, state: State, metrics: Metrics) -> None:
        self.endpoint, self.state, self.metrics = endpoint, state, metrics
        self._name = f"{endpoint.method} {endpoint.path}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, within a time, if there is room for it."""
        endpoint = self.endpoint
        known = scope["tenure.caller"]
        _check_scope(known, endpoint)
        if endpoint.method == "GET":
            ask = endpoint.request.of_query(Request(scope).query_params.multi_items())
        else:
            ask = endpoint.request.of_body((await receive())["body"])
        call = Call(
            self.state,
            known,
            self._name,
            scope.get("path_params", {}),
            Headers(scope=scope),
            scope["tenure.request_id"],
        )
        scope["tenure.accounts"] = call.accounts
        under_way = self.state.under_way
        if under_way[endpoint.answer] >= endpoint.room:
            raise busy()
        under_way[endpoint.answer] += 1
        try:
            work: Awaitable[Response] = self._answered(call, ask)
            if endpoint.method == "POST":
                work = asyncio.ensure_future(work)
                if await cancelled_when_gone(work, receive):
                    # Nobody reads it, but whoever waits for an answer then knows that it is over.
                    await Response("{}", CLIENT_GONE, media_type=JSON)(scope, receive, send)
                    return
            response = await work
            await response(scope, receive if endpoint.model is None else silence, send)
        finally:
            under_way[endpoint.answer] -= 1
            scope["tenure.accounts"] = call.accounts

    async def _answered(self, call: Call, ask: BaseModel) -> Response:
        seconds = self.state.config.service.deadline_seconds
        try:
            async with asyncio.timeout(seconds):
                answer = await self.endpoint.answer(call, ask)
        except TimeoutError:
            if self.state.under_way.total() > 1:
                # It may have waited for the others: the same can be answered later.
                raise busy(f"had no answer in {seconds:g} seconds beside other requests") from None
            rule = f"was not answered within {seconds:g} seconds"
            fix = "ask for fewer accounts at a time, or raise service.deadline_seconds"
            raise Refusal(Problem("request", rule, fix=fix), status=504) from None
        if isinstance(answer, Response):
            return answer
        self._count(answer)
        sparse = answer.sparse
        content = answer.__pydantic_serializer__.to_json(answer, exclude_unset=sparse)
        return Response(content, self.endpoint.status, media_type=JSON)

    def _count(self, answer: BaseModel) -> None:
        """Count the probabilities that were computed."""
        if isinstance(answer, RowScores):
            for row in filter(None, answer.rows):
                self.metrics.scored(answer.target, row.probability)
        if isinstance(answer, LiveScores):
            for target in answer.models:
                for flat in answer.rows:
                    if (chance := getattr(flat, f"{target}_probability", None)) is not None:
                        self.metrics.scored(target, chance)


def _check_scope(known: Caller, endpoint: Endpoint) -> None:
    if not known.may(endpoint.scope):
        rule = f"lacks the scope `{endpoint.scope}`"
        fix = f"make one that has it: tenure keys create CONFIG --scope {endpoint.scope}"
        raise Refusal(Problem("key", rule, fix=fix), status=403)
    if endpoint.whole and known.limited:
        rule = "may see the accounts of one owner or segment only, and this is about all"
        raise Refusal(Problem("key", rule, fix="use a key that is not limited"), status=403)


def _unknown(scope: Scope) -> Response:
    """Return the answer to somebody nobody knows: people are sent to where they can sign in."""
    accepted = Headers(scope=scope).get("accept", "")
    if scope["method"] in SAFE and "text/html" in accepted:
        return RedirectResponse(f"{SIGN_IN}?next={quote(scope['path'])}", 303)
    fix = "send `Authorization: Bearer KEY`; keys are made by `tenure keys create CONFIG`"
    rule = "is missing, wrong, revoked or expired"
    headers = {"WWW-Authenticate": "Bearer"}
    return Refusal(Problem("key", rule, fix=fix), status=401, headers=headers).response(
        scope["tenure.request_id"], dated=scope["path"] in DATED
    )


def _explained(scope: Scope, error: Exception) -> Response:
    """Return what a client is told of an error; what is none of its doing is logged."""
    request_id = scope["tenure.request_id"]
    refusal = _no_route(scope, error) if isinstance(error, HTTPException) else refusal_of(error)
    if refusal.status == 500:
        logger.error(
            "a request could not be answered", exc_info=error, extra={"request_id": request_id}
        )
    return refusal.response(request_id, dated=scope["path"] in DATED)


def refusal_of(error: Exception) -> Refusal:
    """Return an error as the refusal of a request."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, UNREACHABLE):
        logger.error("the store: %s", first_line(error))
        return unreachable()
    problem = Problem("request", "failed inside the service", fix="look at the service's log")
    return Refusal(problem, status=500)


def _no_route(scope: Scope, error: HTTPException) -> Refusal:
    path, method = str(scope["path"])[:100], scope["method"]
    if error.status_code == 405:
        headers = dict(error.headers or {})
        fix = f"use {headers.get('Allow', 'another method')}"
        problem = Problem("method", f"is not allowed on {path}", method, fix)
        return Refusal(problem, status=405, headers=headers)
    problem = Problem("path", "does not exist", path, suggestion(path, PATHS))
    return Refusal(problem, status=error.status_code)
