"""What stands before BentoML: readiness, bodies, admission, and JSON for every error."""

from __future__ import annotations

import asyncio
import json

from tenure.service.api.addresses import (
    App,
    Message,
    Receive,
    Scope,
    Send,
    respond,
    send_json,
    with_json_errors,
)
from tenure.service.api.admission import MOST_OPEN, Admission
from tenure.service.api.bodies import read_body, replay
from tenure.service.api.metrics import CLIENT_GONE, Metrics
from tenure.service.api.problems import Refusal
from tenure.service.api.state import State


class Guard:
    """ASGI middleware.

    Args:
        app: What is guarded.
        limit: Most bytes of a request body.
        state: Knows whether the service is ready.
        metrics: Where requests are counted.
    """

    def __init__(self, app: App, limit: int, state: State, metrics: Metrics) -> None:
        self.app = app
        self.limit = limit
        self.state = state
        self.metrics = metrics
        self.admission = Admission()

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
            await self._answer(scope, receive, watched)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/readyz":
            await self._readiness(send)
            return
        body = await read_body(scope, receive, send, self.limit)
        if body is None:
            return
        send = with_json_errors(scope, send)
        if scope["path"] not in MOST_OPEN:
            await self.app(scope, replay(body, receive), send)
            return
        try:
            with self.admission.admitted(scope["path"]):
                await self._while_connected(scope, body, receive, send)
        except Refusal as refusal:
            await respond(send, refusal)

    async def _while_connected(
        self, scope: Scope, body: bytes, receive: Receive, send: Send
    ) -> None:
        """Pass a request on, and cancel its answer if its client leaves."""
        answer = asyncio.ensure_future(self.app(scope, replay(body, _silence), send))
        gone = asyncio.ensure_future(_disconnected(receive))
        try:
            await asyncio.wait((answer, gone), return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            left = answer.cancel()
        if not left:
            await answer
            return
        # Nobody reads it, but whoever waits for an answer to begin then knows that it is over.
        await send_json(send, CLIENT_GONE, b"{}")

    async def _readiness(self, send: Send) -> None:
        failure = self.state.failure
        content = {
            "ready": self.state.ready,
            "warnings": [*self.state.warnings, *([str(failure)] if failure else [])],
        }
        await send_json(send, 200 if self.state.ready else 503, json.dumps(content).encode())


async def _disconnected(receive: Receive) -> None:
    """Return when the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _silence() -> Message:
    """Wait for ever: the body was read, and the client's leaving is watched elsewhere."""
    await asyncio.Event().wait()
    raise AssertionError
