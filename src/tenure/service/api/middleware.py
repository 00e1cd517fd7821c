"""What stands before BentoML: readiness, bodies, admission, and JSON for every error."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import TYPE_CHECKING

from starlette.responses import Response

from tenure.core.errors import Problem, suggestion
from tenure.service.api.bodies import read_body, replay
from tenure.service.api.metrics import CLIENT_GONE, Metrics
from tenure.service.api.openapi import PATHS
from tenure.service.api.problems import JSON, Refusal, busy
from tenure.service.api.state import State

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_OPEN = {"/score": 128, "/explain": 128, "/score_rows": 64, "/score_history": 16}
"""Requests by path that are answered or wait for it; posted history is large and takes longest."""


class Guard:
    """ASGI middleware; `limit` is the most bytes that a request body may have."""

    def __init__(self, app: ASGIApp, limit: int, state: State, metrics: Metrics) -> None:
        self.app = app
        self.limit = limit
        self.state = state
        self.metrics = metrics
        self.under_way: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that must not go further; pass on every other with its body read."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        with self.metrics.counted(scope["path"], lambda: status):
            try:
                await self._answer(scope, receive, watched)
            except Refusal as refusal:
                await refusal.response()(scope, receive, watched)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path == "/readyz":
            await self._readiness()(scope, receive, send)
            return
        body = await read_body(scope, receive, send, self.limit)
        if body is None:
            return
        explained = with_json_errors(scope, receive, send)
        if path not in MOST_OPEN:
            await self.app(scope, replay(body, receive), explained)
            return
        if self.under_way[path] >= MOST_OPEN[path]:
            raise busy()
        self.under_way[path] += 1
        try:
            answer = asyncio.ensure_future(self.app(scope, replay(body, _silence), explained))
            if await _cancelled_when_gone(answer, receive):
                # Nobody reads it, but whoever waits for an answer then knows that it is over.
                await Response("{}", CLIENT_GONE, media_type=JSON)(scope, receive, explained)
        finally:
            self.under_way[path] -= 1

    def _readiness(self) -> Response:
        failure = self.state.failure
        warnings = [*self.state.warnings, *([str(failure)] if failure else [])]
        content = json.dumps({"ready": self.state.ready, "warnings": warnings})
        return Response(content, 200 if self.state.ready else 503, media_type=JSON)


async def _cancelled_when_gone(answer: asyncio.Future[None], receive: Receive) -> bool:
    """Wait for an answer; return whether its client left, so that it was cancelled."""
    gone = asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait((answer, gone), return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
        left = answer.cancel()
    if not left:
        await answer
    return left


async def _disconnected(receive: Receive) -> None:
    """Return when the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _silence() -> Message:
    """Wait for ever: the body was read, and the client's leaving is watched elsewhere."""
    await asyncio.Event().wait()
    raise AssertionError


def with_json_errors(scope: Scope, receive: Receive, send: Send) -> Send:
    """Return a `send` that gives the router's plain-text 404 and 405 a JSON body."""
    replaced = False

    async def explained(message: Message) -> None:
        nonlocal replaced
        if message["type"] == "http.response.start" and message["status"] in (404, 405):
            headers = dict(message["headers"])
            if not headers.get(b"content-type", b"").startswith(JSON.encode()):
                replaced = True
                await _no_route(scope, message["status"]).response()(scope, receive, send)
                return
        if not replaced:
            await send(message)

    return explained


def _no_route(scope: Scope, status: int) -> Refusal:
    path, method = str(scope["path"])[:100], scope["method"]
    if status == 404:
        return Refusal(Problem("path", "does not exist", path, suggestion(path, PATHS)), status=404)
    fix = "use POST" if method != "POST" else "use GET"
    return Refusal(Problem("method", f"is not allowed on {path}", method, fix), status=405)
