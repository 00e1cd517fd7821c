"""What stands before BentoML: body limit, content types, readiness, and JSON for every error."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from tenure.core.errors import Problem, suggestion
from tenure.service.api.problems import JSON, Refusal
from tenure.service.api.state import State

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LINGER_SECONDS = 2.0
READ_SECONDS = 10.0
# What curl sends unless told otherwise is read as JSON too.
READABLE = (b"", b"application/json", b"application/x-www-form-urlencoded", b"text/plain")
PATHS = (
    *("/score", "/score_history", "/score_rows", "/explain", "/model"),
    *("/livez", "/readyz", "/healthz", "/docs.json", "/metrics"),
)


class Guard:
    """ASGI middleware.

    Args:
        app: What is guarded.
        limit: Most bytes of a request body.
        state: Asked whether the service is ready.
    """

    def __init__(self, app: App, limit: int, state: State) -> None:
        self.app = app
        self.limit = limit
        self.state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that must not go further; pass on every other with its body read."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if scope["path"] == "/readyz":
            await self._readiness(send)
            return
        headers = dict(scope["headers"])
        kind = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
        if scope["method"] == "POST" and kind not in READABLE:
            await _answer(send, _media_type(kind))
            return
        length = headers.get(b"content-length", b"")
        body = None
        if not (length.isdigit() and int(length) > self.limit):
            try:
                async with asyncio.timeout(READ_SECONDS):
                    body = await self._read(receive)
            except TimeoutError:
                await _answer(send, _slow())
                return
        if body is None:
            await self._too_large(receive, send)
            return
        await self.app(scope, _replay(body, receive), _explaining(scope, send))

    async def _readiness(self, send: Send) -> None:
        failure = self.state.failure
        found = {
            "ready": self.state.ready,
            "warnings": [*self.state.warnings, *([str(failure)] if failure else [])],
        }
        await _respond(send, 200 if self.state.ready else 503, json.dumps(found).encode())

    async def _read(self, receive: Receive) -> bytes | None:
        """Return the whole body; None as soon as more than the limit was received."""
        parts, size = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return b""
            part = message.get("body", b"")
            size += len(part)
            if size > self.limit:
                return None
            parts.append(part)
            if not message.get("more_body", False):
                return b"".join(parts)

    async def _too_large(self, receive: Receive, send: Send) -> None:
        """Answer at once; then let the client finish for a moment, or it never sees the answer.

        A connection closed on unread bytes is reset, and a client that still writes reports the
        reset, not the answer.  What arrives meanwhile is dropped.
        """
        fix = "ask in parts, or raise service.max_body_bytes in the config"
        refusal = Refusal(
            Problem("body", f"must not be longer than {self.limit:,} bytes", fix=fix), status=413
        )
        await _respond(send, 413, refusal.body(), {"connection": "close"}, more=True)
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                while (await receive()).get("more_body", False):
                    await asyncio.sleep(0)
        except TimeoutError:
            pass
        await send({"type": "http.response.body", "body": b""})


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives a body already read, then whatever follows it."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _explaining(scope: Scope, send: Send) -> Send:
    """Return a `send` that gives the router's plain-text 404 and 405 a JSON body."""
    replaced = False

    async def explained(message: Message) -> None:
        nonlocal replaced
        if message["type"] == "http.response.start" and message["status"] in (404, 405):
            headers = dict(message["headers"])
            if not headers.get(b"content-type", b"").startswith(JSON.encode()):
                replaced = True
                await _answer(send, _no_route(scope, message["status"]))
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


def _media_type(kind: bytes) -> Refusal:
    return Refusal(
        Problem("Content-Type", "must be application/json", kind.decode("latin-1"), "post JSON"),
        status=415,
    )


def _slow() -> Refusal:
    rule = f"must arrive within {READ_SECONDS:.0f} seconds"
    return Refusal(Problem("body", rule, fix="send it faster, or in parts"), status=408)


async def _answer(send: Send, refusal: Refusal) -> None:
    await _respond(send, refusal.status, refusal.body())


async def _respond(
    send: Send, status: int, body: bytes, headers: dict[str, str] | None = None, more: bool = False
) -> None:
    every = {"content-type": JSON, "content-length": str(len(body)), **(headers or {})}
    raw = [(name.encode(), value.encode()) for name, value in every.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body, "more_body": more})
