"""The guard on its own: how much it reads, what it answers, and when the service is ready."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tenure.service.api import bodies, middleware
from tenure.service.api.metrics import CLIENT_GONE, Metrics
from tenure.service.api.middleware import Guard
from tenure.service.api.state import in_thread

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

STATE = SimpleNamespace(ready=True, failure=None, warnings=[])


class Client:
    """Sends one request to a guarded application and keeps what came back."""

    def __init__(self, state: Any = STATE, limit: int = 1000) -> None:
        self.received = 0
        self.bodies: list[bytes] = []
        self.sent: list[Message] = []
        self.metrics = Metrics()
        self.guard = Guard(self.application, limit, state, self.metrics)

    async def application(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        self.bodies.append(message["body"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    def request(
        self, chunk: Callable[[int], Message], path: str = "/score", **headers: str
    ) -> tuple[int, Any]:
        async def receive() -> Message:
            self.received += 1
            await asyncio.sleep(0)
            return chunk(self.received)

        async def send(message: Message) -> None:
            self.sent.append(dict(message))

        named = [(key.replace("_", "-").encode(), text.encode()) for key, text in headers.items()]
        scope = {"type": "http", "path": path, "method": "POST", "headers": named}
        asyncio.run(self.guard(scope, receive, send))
        body = b"".join(message.get("body", b"") for message in self.sent)
        return self.sent[0]["status"], json.loads(body)


def endless(_: int) -> Message:
    return {"type": "http.request", "body": b"x" * 100, "more_body": True}


def test_a_body_within_the_limit_arrives_whole() -> None:
    client = Client()

    def parts(count: int) -> Message:
        return {"type": "http.request", "body": b"x" * 100, "more_body": count < 10}

    status, _ = client.request(parts)
    assert status == 200
    assert client.bodies == [b"x" * 1000]


def test_a_chunked_body_is_refused_once_it_passes_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bodies, "LINGER_SECONDS", 0.0)
    client = Client()
    status, body = client.request(endless, transfer_encoding="chunked")
    assert status == 413
    assert body["error"]["field"] == "body"
    assert client.received <= 12  # ten pass, the eleventh is too much
    assert client.bodies == []


def test_a_declared_length_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "LINGER_SECONDS", 0.0)
    client = Client()
    status, _ = client.request(endless, content_length="1001")
    assert status == 413
    assert client.received <= 1


def test_the_answer_stands_before_the_rest_is_dropped() -> None:
    client = Client()
    answered_at: list[int] = []

    def until_closed(count: int) -> Message:
        answered_at.append(len(client.sent))
        return {"type": "http.request", "body": b"x" * 600, "more_body": count < 6}

    status, _ = client.request(until_closed)
    assert status == 413
    assert answered_at == [0, 0, 2, 2, 2, 2]
    assert dict(client.sent[0]["headers"])[b"connection"] == b"close"


def test_a_client_that_sends_too_slowly_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "READ_SECONDS", 0.0)

    client = Client()

    async def never() -> Message:
        await asyncio.sleep(60)
        raise AssertionError

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(dict(message))

    scope = {"type": "http", "path": "/score", "method": "POST", "headers": []}
    asyncio.run(client.guard(scope, never, send))
    assert sent[0]["status"] == 408


@pytest.mark.parametrize(
    ("state", "status", "ready", "warnings"),
    [
        ({"ready": False}, 503, False, []),
        ({"ready": True}, 200, True, []),
        ({"ready": True, "warnings": ["churn: damaged"]}, 200, True, ["churn: damaged"]),
        ({"ready": False, "failure": ValueError("no table")}, 503, False, ["no table"]),
    ],
)
def test_readiness_says_what_to_look_at(
    state: dict[str, Any], status: int, ready: bool, warnings: list[str]
) -> None:
    given = SimpleNamespace(**{"ready": True, "failure": None, "warnings": [], **state})
    found, body = Client(given).request(endless, path="/readyz")
    assert (found, body) == (status, {"ready": ready, "warnings": warnings})


class Leaving(Client):
    """A client that leaves while its request is answered."""

    async def application(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.bodies.append(b"cancelled")
            raise


def test_an_answer_that_nobody_waits_for_is_cancelled() -> None:
    def parts(count: int) -> Message:
        return {"type": "http.request" if count == 1 else "http.disconnect", "body": b"{}"}

    client = Leaving()
    assert client.request(parts)[0] == CLIENT_GONE
    assert client.bodies == [b"cancelled"]
    assert f'tenure_requests_total{{path="/score",status="{CLIENT_GONE}"}} 1.0' in (
        client.metrics.text().decode()
    )
    assert 'tenure_requests_open{path="/score"} 0.0' in client.metrics.text().decode()


def test_no_more_requests_are_admitted_than_can_be_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(middleware.MOST_OPEN, "/score", 0)
    client = Client()
    status, body = client.request(lambda _: {"type": "http.request", "body": b"{}"})
    assert (status, body["error"]["field"]) == (503, "service")
    assert dict(client.sent[0]["headers"])[b"retry-after"]
    assert client.bodies == []


def test_a_worker_is_free_again_when_its_thread_is() -> None:
    """A cancelled call frees its thread when it ends; one that waited for it never starts."""
    free, started = threading.Event(), []

    def call(name: str) -> str:
        started.append(name)
        free.wait(60)
        return name

    async def run() -> str:
        threads = ThreadPoolExecutor(1)
        calls = [asyncio.ensure_future(in_thread(threads, call, name)) for name in "abc"]
        await asyncio.sleep(0.1)
        calls[0].cancel()
        calls[1].cancel()
        await asyncio.sleep(0.1)
        assert started == ["a"]
        free.set()
        last = await calls[2]
        threads.shutdown()
        return last

    assert asyncio.run(run()) == "c"
    assert started == ["a", "c"]
