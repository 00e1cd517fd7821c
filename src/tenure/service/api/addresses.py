"""The paths that the service answers, and what is said of any other path or method."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from tenure.core.errors import Problem, suggestion
from tenure.service.api.problems import JSON, Refusal

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

PATHS = (
    *("/score", "/score_history", "/score_rows", "/explain", "/model"),
    *("/livez", "/readyz", "/healthz", "/docs.json", "/metrics"),
)


def with_json_errors(scope: Scope, send: Send) -> Send:
    """Return a `send` that gives the router's plain-text 404 and 405 a JSON body."""
    replaced = False

    async def explained(message: Message) -> None:
        nonlocal replaced
        if message["type"] == "http.response.start" and message["status"] in (404, 405):
            headers = dict(message["headers"])
            if not headers.get(b"content-type", b"").startswith(JSON.encode()):
                replaced = True
                await respond(send, _no_route(scope, message["status"]))
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


async def respond(send: Send, refusal: Refusal, *, more: bool = False) -> None:
    """Send a refusal as the response; with `more`, its body is not closed yet."""
    await send_json(send, refusal.status, refusal.body(), refusal.headers, more=more)


async def send_json(
    send: Send, status: int, body: bytes, headers: dict[str, str] | None = None, more: bool = False
) -> None:
    """Send a JSON body as the response."""
    every = {"content-type": JSON, "content-length": str(len(body)), **(headers or {})}
    raw = [(name.encode(), value.encode()) for name, value in every.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body, "more_body": more})
