"""The endpoints: method, path, request, answer, and what a caller needs for each.

To add one: its request in `requests`, its answer in `responses`, its function in `reads` or `live`,
and a line here.  Routes, the OpenAPI document, access and metrics follow from the line.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tenure.score.store.keys import Scope
from tenure.service.api import changes, export, live, reads, worklist
from tenure.service.api import live_responses as live_answers
from tenure.service.api import requests as asks
from tenure.service.api import responses as answers
from tenure.service.api.calls import Call

DEPRECATED_AT = 1_796_083_200
"""2026-12-01, as the header ``Deprecation`` gives it (RFC 9745)."""


@dataclass(frozen=True)
class Endpoint:
    """One endpoint."""

    method: str
    path: str
    answer: Callable[[Call, Any], Awaitable[Any]]
    """Function of a `Call` and the request."""
    request: type[asks.Request]
    """What is posted, or the parameters of a GET."""
    model: type[answers.Answer] | None
    """What is answered; None for a stream."""
    scope: Scope = "read"
    """What a key needs."""
    room: int = 256
    """Requests that may be answered or wait for it at once."""
    status: int = 200
    """HTTP status of an answer."""
    whole: bool = False
    """Whether it speaks of all accounts, so that a key limited to some may not use it."""
    successor: str = ""
    """Path of the endpoint that replaces it; empty where it is current."""

    @property
    def summary(self) -> str:
        """Return what it does, in a line."""
        return (self.answer.__doc__ or "").strip().splitlines()[0].removesuffix(".")

    @property
    def name(self) -> str:
        """Return its name in the OpenAPI document."""
        words = self.path.strip("/").replace("{account_id}", "account").replace(":", "_")
        return f"{self.method.lower()}_{words.replace('/', '_').replace('-', '_')}"


def _posted(path: str, **more: Any) -> Endpoint:
    """Return the endpoint that scores posted history: large requests that take longest."""
    ask, model = asks.HistoryRequest, live_answers.HistoryScores
    return Endpoint("POST", path, live.score_history, ask, model, scope="score", room=16, **more)


def _rows(path: str, **more: Any) -> Endpoint:
    ask, model = asks.RowsRequest, live_answers.RowScores
    return Endpoint("POST", path, live.score_rows, ask, model, scope="score", room=64, **more)


def _explained(path: str, **more: Any) -> Endpoint:
    ask, model = asks.ExplainRequest, live_answers.Explanation
    return Endpoint("POST", path, live.explain, ask, model, scope="score", room=64, **more)


ACCOUNT = "/v1/accounts/{account_id}"
ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "/v1/accounts", reads.list_accounts, asks.AccountsQuery, answers.AccountPage),
    Endpoint("GET", ACCOUNT, reads.one_account, asks.AccountQuery, answers.Account),
    Endpoint(
        "GET", f"{ACCOUNT}/history", reads.account_history, asks.HistoryQuery, answers.History
    ),
    Endpoint(
        "GET",
        f"{ACCOUNT}/changes",
        changes.account_changes,
        asks.ChangesQuery,
        answers.Changes,
        room=64,
    ),
    Endpoint("POST", "/v1/scores:lookup", reads.lookup, asks.LookupRequest, answers.Lookup),
    _posted("/v1/score"),
    _rows("/v1/score-rows"),
    _explained("/v1/explain"),
    Endpoint("GET", "/v1/models", live.describe, asks.NothingRequest, live_answers.Models, room=64),
    Endpoint(
        "GET",
        "/v1/metrics",
        live.success_metrics,
        asks.MetricsQuery,
        live_answers.Metrics,
        room=8,
        whole=True,
    ),
    Endpoint(
        "GET", "/v1/worklist", worklist.worklist, asks.WorkListQuery, answers.WorkLists, room=8
    ),
    Endpoint(
        "POST",
        "/v1/feedback",
        reads.give_feedback,
        asks.FeedbackRequest,
        answers.FeedbackEntry,
        scope="feedback",
        status=201,
    ),
    Endpoint("GET", "/v1/export", export.export, asks.ExportQuery, None, room=8),
    Endpoint(
        "POST",
        "/score",
        live.score_accounts,
        asks.ScoreRequest,
        live_answers.LiveScores,
        scope="score",
        room=128,
        successor="/v1/scores:lookup",
    ),
    _posted("/score_history", successor="/v1/score"),
    _rows("/score_rows", successor="/v1/score-rows"),
    _explained("/explain", successor="/v1/explain"),
    *(
        Endpoint(
            method,
            "/model",
            live.describe,
            asks.NothingRequest,
            live_answers.Models,
            room=64,
            successor="/v1/models",
        )
        for method in ("GET", "POST")
    ),
)
POSTED = frozenset(item.path for item in ENDPOINTS if item.method == "POST")
DATED = {
    item.path: [
        (b"deprecation", f"@{DEPRECATED_AT}".encode()),
        (b"link", f'<{item.successor}>; rel="successor-version"'.encode()),
    ]
    for item in ENDPOINTS
    if item.successor
}
"""Path that has a successor → headers of every answer of it."""
HEALTH = {
    "/livez": "Whether the process lives",
    "/healthz": "The same under its old name",
    "/readyz": "Whether requests can be answered, and what to look at",
    "/metrics": "Prometheus metrics",
    "/v1/openapi.json": "This document",
    "/docs.json": "The same under its old name",
}
PATHS = frozenset({*(item.path for item in ENDPOINTS), *HEALTH})
"""Every path that is answered, but those of pages."""
