"""The client without a service: what it loads, when it sends again, what it says of failures."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx
import numpy as np
import pytest

from tenure.client import Client, ServiceError
from tenure.client.retries import LONGEST, Retries

READINGS: dict[str, Any] = {
    "name": "x",
    "observed_until": None,
    "last_run": None,
    "targets": {},
    "warnings": [],
}
HEAVY = {"alembic", "bentoml", "duckdb", "lightgbm", "mlflow", "numpy", "pandas", "pyarrow", "shap"}
HEAVY |= {"sklearn", "sqlalchemy", "sqlglot", "starlette"}


def test_importing_the_client_loads_no_heavy_library() -> None:
    code = "import sys, tenure.client; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    modules = set(run.stdout.split())
    assert {"httpx", "tenure.client.client"} <= modules
    assert modules & HEAVY == set()


class Line:
    """A service that answers a request with the next of some answers."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers, self.requests = list(answers), list[httpx.Request]()
        self.pauses: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self, **more: Any) -> Client:
        client = Client("http://tenure.test/base", transport=httpx.MockTransport(self), **more)
        sender = client._http._transport
        assert isinstance(sender, Retries)
        sender._sleep = self.pauses.append
        return client


def busy(wait: str = "", status: int = 503) -> httpx.Response:
    return httpx.Response(status, headers={"Retry-After": wait} if wait else {})


def fine() -> httpx.Response:
    return httpx.Response(200, json=READINGS)


def test_a_busy_service_is_asked_again_after_the_pause_that_it_wants() -> None:
    line = Line(busy("3"), httpx.ConnectError("no"), busy("", 429), fine())
    with line.client(key="secret") as client:
        assert client.models().name == "x"
    assert [str(one.url) for one in line.requests] == ["http://tenure.test/base/v1/models"] * 4
    assert {one.headers["Authorization"] for one in line.requests} == {"Bearer secret"}
    first, second, third = line.pauses
    assert 3.25 <= first <= 3.5
    assert 0.5 <= second <= 1.0
    assert 1.0 <= third <= 2.0


def test_pauses_differ_between_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    shares: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        shares.append((low, high))
        return high

    monkeypatch.setattr("tenure.client.retries.random.uniform", uniform)
    line = Line(*(busy() for _ in range(4)), fine())
    line.client().models()
    assert line.pauses == [0.5, 1.0, 2.0, 4.0]
    assert set(shares) == {(0.5, 1.0)}


@pytest.mark.parametrize(
    ("answers", "requests", "text"),
    [
        ([busy(), busy()], 2, "503"),
        ([httpx.ConnectError("refused"), httpx.ConnectError("refused")], 2, "no answer .*refused"),
        ([busy(str(int(LONGEST) + 1))], 1, "503"),
        ([httpx.Response(502, text="<html>")], 1, "502 Bad Gateway, which is not an answer of"),
        ([httpx.ReadTimeout("too slow")], 1, "no answer from http://tenure.test.*too slow"),
        ([httpx.Response(200, json={"name": 1})], 1, "the answer is none that version"),
        ([httpx.Response(307, headers={"Location": "http://evil.test"})], 1, "307"),
    ],
)
def test_what_does_not_pass_is_raised(
    answers: list[httpx.Response | Exception], requests: int, text: str
) -> None:
    line = Line(*answers)
    with pytest.raises(ServiceError, match=text) as error:
        line.client(tries=2).models()
    assert len(line.requests) == requests
    assert error.value.problem is None


ENTRY = {
    "account_id": "a",
    "target": "churn",
    "run_id": "r",
    "driver": None,
    "verdict": "note",
    "note": "x",
    "author": "me",
    "at": "2025-07-01T00:00:00Z",
    "of_a_later_version": 1,
}


def test_what_writes_is_sent_again_under_one_key() -> None:
    def written() -> httpx.Response:
        return httpx.Response(201, json=ENTRY)

    line = Line(httpx.ReadError("cut"), written(), written(), written(), written())
    client = line.client()
    for each in (client, client, client.with_options(idempotency_key="job-7"), client):
        assert each.feedback(account_id="a", verdict="note", note="x").author == "me"
    first, again, second, named, last = (one.headers["Idempotency-Key"] for one in line.requests)
    assert first == again
    assert len({first, second, named, last}) == 4
    assert named == "job-7"


def test_a_request_is_checked_before_it_is_sent() -> None:
    client = Line().client()
    wrong: list[tuple[Callable[..., object], dict[str, Any], str]] = [
        (client.accounts, {"ownr": "x"}, "ownr `x` is not a field of this request; did you mean"),
        (client.lookup, {"account_ids": []}, "account_ids `a list of 0` must not be empty"),
        (client.explain, {"account_id": "a", "as_of": "1 May"}, "as_of `1 May` is not an ISO 8601"),
        (client.metrics, {"from": "2025-01-01"}, "from `2025-01-01` is not a field"),
    ]
    for call, fields, text in wrong:
        with pytest.raises(ServiceError, match=text):
            call(**fields)


def test_values_are_sent_as_the_service_reads_them() -> None:
    line = Line(fine(), fine())
    client = line.client()
    for call in (
        lambda: client.metrics(start=datetime(2025, 1, 1), end="2025-07-01", by="segment"),
        lambda: client.score_rows(
            target="churn", rows=[{"a": np.int64(3), "b": None, "c": float("nan")}]
        ),
    ):
        with pytest.raises(ServiceError, match="the answer is none"):
            call()
    got, posted = line.requests
    assert dict(got.url.params) == {
        "from": "2025-01-01T00:00:00",
        "to": "2025-07-01T00:00:00",
        "by": "segment",
    }
    assert posted.content == b'{"target":"churn","rows":[{"a":3,"b":null,"c":NaN}]}'
    assert posted.headers["Content-Type"] == "application/json"
    with pytest.raises(ServiceError, match=r"cannot be sent as JSON.*object is no JSON value"):
        client.score_rows(target="churn", rows=[{"a": object()}])


def test_a_timeout_is_that_of_the_client_or_of_a_request() -> None:
    line = Line(fine(), fine())
    client = line.client(timeout=3.0)
    client.models()
    client.with_options(timeout=50.0).models()
    timeouts = [one.extensions["timeout"] for one in line.requests]
    assert [(one["connect"], one["read"]) for one in timeouts] == [(3.0, 3.0), (5.0, 50.0)]
