"""The guard on its own: how much it reads, whom it lets in, and what it answers."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tenure.core.sections import ServiceConfig
from tenure.service.access import Access
from tenure.service.api import bodies
from tenure.service.api.endpoints import ENDPOINTS, Endpoint
from tenure.service.api.guard import Guard, Handler
from tenure.service.api.metrics import CLIENT_GONE, Metrics
from tenure.service.api.problems import busy
from tenure.service.api.requests import NothingRequest
from tenure.service.api.threads import in_thread

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

    from tenure.service.api.calls import Call

JSON = {"content-type": "application/json", "host": "127.0.0.1"}


class Client:
    """Sends one request to a guarded application and keeps what came back."""

    def __init__(self, limit: int = 1000) -> None:
        self.received = 0
        self.bodies: list[bytes] = []
        self.sent: list[Message] = []
        self.metrics = Metrics()
        settings = ServiceConfig(max_body_bytes=limit)
        access = Access(settings, lambda: pytest.fail("no key was sent"), b"secret")
        state: Any = SimpleNamespace(
            access=access,
            audit=SimpleNamespace(add=lambda _: None),
            config=SimpleNamespace(service=settings),
            under_way=Counter(),
        )
        self.state = state
        self.guard = Guard(self.application, self.state, self.metrics)

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

        named = {**JSON, **{key.replace("_", "-"): text for key, text in headers.items()}}
        raw = [(key.encode(), text.encode()) for key, text in named.items()]
        scope: Scope = {"type": "http", "path": path, "method": "POST", "headers": raw}
        scope["query_string"], scope["client"] = b"", ("127.0.0.1", 5)
        asyncio.run(self.guard(scope, receive, send))
        self.state.access.close()
        body = b"".join(message.get("body", b"") for message in self.sent)
        return self.sent[0]["status"], json.loads(body)


def endless(_: int) -> Message:
    return {"type": "http.request", "body": b"x" * 100, "more_body": True}


def whole(_: int) -> Message:
    return {"type": "http.request", "body": b"{}"}


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
    assert body["field"] == "body"
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
    monkeypatch.setattr(bodies, "READ_SECONDS", 0.05)

    async def never() -> Message:
        await asyncio.sleep(60)
        raise AssertionError

    def slowly(_: int) -> Message:
        raise AssertionError

    client = Client()
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(dict(message))

    headers = [(key.encode(), text.encode()) for key, text in JSON.items()]
    scope: Scope = {"type": "http", "path": "/score", "method": "POST", "headers": headers}
    scope["client"] = ("127.0.0.1", 5)
    asyncio.run(client.guard(scope, never, send))
    assert sent[0]["status"] == 408


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"x_forwarded_for": "10.0.0.1"},
        {"forwarded": "for=10.0.0.1"},
        {"authorization": "Basic eDp5"},
        {"authorization": "Bearer hello"},
    ],
)
def test_only_this_machine_needs_no_key(headers: dict[str, str]) -> None:
    status, body = Client().request(whole, **headers)
    assert (status, body["field"]) == (401, "key")


def test_a_page_of_another_site_gets_nothing_done() -> None:
    assert Client().request(whole, sec_fetch_site="cross-site")[0] == 403
    assert Client().request(whole, path="/page", content_type="text/plain")[0] == 403
    assert Client().request(whole, path="/page", content_type="multipart/form-data")[0] == 403
    assert Client().request(whole, sec_fetch_site="same-origin")[0] == 200


def test_a_path_of_before_says_so_whoever_refuses_it() -> None:
    for path, successor in (("/score", b"</v1/scores:lookup>"), ("/v1/score", None)):
        client = Client()
        status, _ = client.request(whole, path, content_type="text/plain")
        headers = dict(client.sent[0]["headers"])
        assert status == 415
        assert (b"deprecation" in headers) == (b"link" in headers) == (successor is not None)
        assert headers.get(b"link", b"").startswith(successor or b"")


def test_too_many_headers_are_refused() -> None:
    many = {f"x_{place}": "y" for place in range(200)}
    assert Client().request(whole, **many)[0] == 431
    assert Client().request(whole, x="y" * 70_000)[0] == 431


class Endpoints(Client):
    """A client of one endpoint."""

    def __init__(self, answer: Callable[[Call, Any], Any], room: int = 1) -> None:
        super().__init__()
        self.endpoint = Endpoint("POST", "/score", answer, NothingRequest, None, room=room)
        self.handler = Handler(self.endpoint, self.state, self.metrics)

    async def application(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"] = self.endpoint
        await self.handler(scope, receive, send)


def test_an_answer_that_nobody_waits_for_is_cancelled() -> None:
    events = []

    async def answer(call: Call, ask: NothingRequest) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            events.append("cancelled")
            raise

    def parts(count: int) -> Message:
        return {"type": "http.request" if count == 1 else "http.disconnect", "body": b"{}"}

    client = Endpoints(answer)
    assert client.request(parts)[0] == CLIENT_GONE
    assert events == ["cancelled"]
    text = client.metrics.text().decode()
    assert f'tenure_requests_total{{path="/score",status="{CLIENT_GONE}"}} 1.0' in text
    assert "tenure_requests_open 0.0" in text


def test_no_more_requests_are_admitted_than_can_be_answered() -> None:
    async def answer(call: Call, ask: NothingRequest) -> None:
        raise AssertionError

    client = Endpoints(answer, room=0)
    status, body = client.request(whole)
    assert (status, body["field"]) == (503, "service")
    assert dict(client.sent[0]["headers"])[b"retry-after"]


@pytest.mark.parametrize(("others", "status"), [(0, 504), (3, 503)])
def test_what_is_late_may_be_wanted_again_where_others_were_served(
    others: int, status: int
) -> None:
    async def answer(call: Call, ask: NothingRequest) -> None:
        await asyncio.sleep(60)

    client = Endpoints(answer)
    settings = client.state.config.service
    client.state.config.service = settings.model_copy(update={"deadline_seconds": 0.05})
    client.state.under_way["others"] = others
    answered, body = client.request(whole)
    assert answered == status
    assert "0.05 seconds" in body["detail"]
    assert (b"retry-after" in dict(client.sent[0]["headers"])) == bool(others)


def test_every_endpoint_has_room_and_an_end() -> None:
    assert all(0 < item.room <= 256 for item in ENDPOINTS)
    assert busy().headers["Retry-After"]


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
