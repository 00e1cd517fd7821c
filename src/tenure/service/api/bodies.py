"""Request bodies: read whole within a limit of bytes and seconds, or refused."""

from __future__ import annotations

import asyncio

from tenure.core.errors import Problem
from tenure.service.api.addresses import Message, Receive, Scope, Send, respond
from tenure.service.api.problems import Refusal

LINGER_SECONDS = 2.0
READ_SECONDS = 10.0
# What curl sends unless told otherwise is read as JSON too.
READABLE = (b"", b"application/json", b"application/x-www-form-urlencoded", b"text/plain")


async def read_body(scope: Scope, receive: Receive, send: Send, limit: int) -> bytes | None:
    """Return a request's body; None where the request was refused, and answered, instead.

    Args:
        scope: The request's head.
        receive: Gives the parts of the body.
        send: Takes the answer of a refused request.
        limit: Most bytes.
    """
    headers = dict(scope["headers"])
    kind = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
    if scope["method"] == "POST" and kind not in READABLE:
        await respond(send, _media_type(kind))
        return None
    length = headers.get(b"content-length", b"")
    body = None
    if not (length.isdigit() and int(length) > limit):
        try:
            async with asyncio.timeout(READ_SECONDS):
                body = await _read(receive, limit)
        except TimeoutError:
            await respond(send, _slow())
            return None
    if body is None:
        await _refuse_length(receive, send, limit)
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


async def _refuse_length(receive: Receive, send: Send, limit: int) -> None:
    """Answer at once; then let the client finish for a moment, or it never sees the answer.

    A connection closed on unread bytes is reset, and a client that still writes reports the
    reset, not the answer.  What arrives meanwhile is dropped.
    """
    fix = "ask in parts, or raise service.max_body_bytes in the config"
    problem = Problem("body", f"must not be longer than {limit:,} bytes", fix=fix)
    refusal = Refusal(problem, status=413, headers={"connection": "close"})
    await respond(send, refusal, more=True)
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


def _media_type(kind: bytes) -> Refusal:
    return Refusal(
        Problem("Content-Type", "must be application/json", kind.decode("latin-1"), "post JSON"),
        status=415,
    )


def _slow() -> Refusal:
    rule = f"must arrive within {READ_SECONDS:.0f} seconds"
    return Refusal(Problem("body", rule, fix="send it faster, or in parts"), status=408)
