"""Request bodies: read whole within a limit of bytes and seconds, or refused."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tenure.core.errors import Problem
from tenure.service.api.endpoints import DATED
from tenure.service.api.problems import Refusal

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

LINGER_SECONDS = 2.0
READ_SECONDS = 10.0


async def read_body(scope: Scope, receive: Receive, send: Send, limit: int) -> bytes | None:
    """Return a request's body; None where it has more bytes than `limit`, and that was answered.

    Raises:
        Refusal: If the body arrives too slowly.
    """
    length = dict(scope["headers"]).get(b"content-length", b"")
    body = None
    if not (length.isdigit() and int(length) > limit):
        try:
            async with asyncio.timeout(READ_SECONDS):
                body = await _read(receive, limit)
        except TimeoutError:
            rule = f"must arrive within {READ_SECONDS:.0f} seconds"
            fix = "send it faster, or in parts"
            raise Refusal(Problem("body", rule, fix=fix), status=408) from None
    if body is None:
        await _refuse_length(scope, receive, send, limit)
    return body


async def _read(receive: Receive, limit: int) -> bytes | None:
    """Return the whole body; None as soon as more than the limit was received."""
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b""
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            return None
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


async def _refuse_length(scope: Scope, receive: Receive, send: Send, limit: int) -> None:
    """Answer at once; then let the client finish for a moment, or it never sees the answer.

    A connection closed on unread bytes is reset, and a client that still writes reports the
    reset, not the answer.  What arrives meanwhile is dropped.
    """
    fix = "ask in parts, or raise service.max_body_bytes in the config"
    problem = Problem("body", f"must not be longer than {limit:,} bytes", fix=fix)
    refusal = Refusal(problem, status=413, headers={"connection": "close"})
    answer = refusal.response(scope.get("tenure.request_id", ""), dated=scope["path"] in DATED)
    head = {"status": answer.status_code, "headers": answer.raw_headers}
    await send({"type": "http.response.start", **head})
    await send({"type": "http.response.body", "body": answer.body, "more_body": True})
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            while (await receive()).get("more_body", False):
                await asyncio.sleep(0)
    except TimeoutError:
        pass
    await send({"type": "http.response.body", "body": b""})


def replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives a body already read, then whatever follows it."""
    replayed = False

    async def again() -> Message:
        nonlocal replayed
        if replayed:
            return await receive()
        replayed = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def cancelled_when_gone(work: asyncio.Future[Any], receive: Receive) -> bool:
    """Wait for some work; return whether its client left, so that it was cancelled."""
    gone = asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
        left = work.cancel()
    return left


async def _disconnected(receive: Receive) -> None:
    """Return when the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def silence() -> Message:
    """Wait for ever: the body was read, and the client's leaving is watched elsewhere."""
    await asyncio.Event().wait()
    raise AssertionError
