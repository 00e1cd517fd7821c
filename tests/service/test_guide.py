"""The guide to the service: each endpoint has its examples, and those in Python are run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from service.guide import ACCOUNT, ADDRESS, DOCUMENT, ROUTES, blocks, curls, routes

if TYPE_CHECKING:
    import httpx
    import pytest

    from service.conftest import Tiny


def test_every_endpoint_has_a_command() -> None:
    calls = [
        ("POST" if " -d " in command else "GET", url)
        for command in curls()
        for url in re.findall(rf"{ADDRESS}[^ \n']*", command)
    ]
    assert len(calls) == len(curls())
    assert routes(calls) == {*ROUTES, DOCUMENT}


def test_every_endpoint_has_an_example_in_python_that_runs(
    transport: httpx.MockTransport,
    tiny: Tiny,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    calls: list[tuple[str, str]] = []

    class Recorded(type(transport)):  # type: ignore[misc]
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            calls.append((request.method, str(request.url)))
            return transport.handle_request(request)

    def recorded() -> Recorded:
        return Recorded(transport.handler)

    monkeypatch.setattr("tenure.client.client.httpx.HTTPTransport", recorded)
    account = tiny.asked["account_id"].iloc[0]
    names: dict[str, Any] = {}
    for block in blocks("python"):
        exec(compile(block.replace(ACCOUNT, account), "docs/service.md", "exec"), names)
    assert routes(calls) == {*ROUTES, DOCUMENT}
    first, *_ = capsys.readouterr().out.splitlines()
    assert first.startswith(
        "GET /v1/accounts/nobody: 404 Not Found: account_id `nobody` has no score"
    )
    assert names["why"].evidence["churn"]
    assert names["scored"].probability is not None
    assert len(names["probabilities"]) > len(names["page"].items)
