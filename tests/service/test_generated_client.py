"""A client generated from the document calls every endpoint and reads every answer."""

from __future__ import annotations

import importlib
import inspect
import json
import subprocess
import sys
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tenure.service.api.endpoints import ENDPOINTS, Endpoint
from tenure.service.api.responses import ProblemDocument

if TYPE_CHECKING:
    import httpx
    from starlette.testclient import TestClient

    from service.conftest import Tiny

pytestmark = pytest.mark.acceptance
PACKAGE = "generated_tenure_client"
VOLATILE = {"scored_at", "at"}
ONLY_STREAMS = "Cannot parse response for status code"
"""What the generator says of `/v1/export`, whose streams it hands on as bytes."""


@pytest.fixture(scope="module")
def generated(client: TestClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("generated")
    (folder / "openapi.json").write_text(client.get("/v1/openapi.json").text)
    arguments = ["--path", "openapi.json", "--output-path", PACKAGE, "--meta", "none"]
    program = str(Path(sys.executable).with_name("openapi-python-client"))
    run = subprocess.run(
        [program, "generate", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert (run.stdout + run.stderr).count("Cannot parse") == 1
    assert ONLY_STREAMS in run.stdout + run.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield
    for name in [name for name in sys.modules if name.startswith(PACKAGE)]:
        del sys.modules[name]


def test_every_endpoint_is_called_and_its_answer_read(
    generated: None, client: TestClient, transport: httpx.MockTransport, tiny: Tiny
) -> None:
    library = importlib.import_module(f"{PACKAGE}.client").Client(
        base_url="http://127.0.0.1", httpx_args={"transport": transport}
    )
    account = str(tiny.asked["account_id"].iloc[0])
    bodies = posts(client, account, tiny)
    for item in ENDPOINTS:
        answer = call(item, library, account, bodies.get(item.path))
        assert answer.status_code == item.status, answer.content
        path, body = item.path.replace("{account_id}", account), bodies.get(item.path)
        more: dict[str, Any] = {"json": body} if item.method == "POST" else {}
        if item.model is None:
            assert answer.content == client.request(item.method, path).content
            continue
        assert type(answer.parsed).__name__ == item.model.__name__
        expected = client.request(item.method, path, **more).json()
        assert plain(answer.parsed.to_dict()) == plain(expected), item.name


def test_a_refusal_is_read_as_a_problem(generated: None, transport: httpx.MockTransport) -> None:
    library = importlib.import_module(f"{PACKAGE}.client").Client(
        base_url="http://127.0.0.1", httpx_args={"transport": transport}
    )
    item = next(one for one in ENDPOINTS if one.name == "get_v1_accounts_account")
    answer = call(item, library, "nobody", None)
    assert answer.status_code == 404
    assert type(answer.parsed).__name__ == ProblemDocument.__name__
    assert answer.parsed.errors[0].value == "nobody"


def posts(client: TestClient, account: str, tiny: Tiny) -> dict[str, Any]:
    """Return path → what is posted there."""
    features = client.get("/v1/models").json()["targets"]["churn"]["features"]
    history = {"tables": tiny.posted(account), "as_of": "2023-10-01", "evidence": True}
    rows = {"target": "churn", "rows": [{one["name"]: None for one in features}]}
    why = {"account_id": account, "evidence": True}
    return {
        "/score": {"account_ids": [account], "horizon_days": "all"},
        "/v1/scores:lookup": {"account_ids": [account, "nobody"], "as_of": "2024-01-01"},
        **dict.fromkeys(("/v1/score", "/score_history"), history),
        **dict.fromkeys(("/v1/score-rows", "/score_rows"), rows),
        **dict.fromkeys(("/v1/explain", "/explain"), why),
        "/v1/feedback": {"account_id": account, "verdict": "note", "note": "x"},
        "/model": {},
    }


def call(item: Endpoint, library: Any, account: str, body: Any) -> Any:
    """Return what the generated function of an endpoint returns."""
    module = importlib.import_module(f"{PACKAGE}.api.scores.{item.name}")
    function = module.sync_detailed
    parameters = inspect.signature(function).parameters
    ids = [account] if "account_id" in parameters else []
    more: dict[str, Any] = {}
    if "body" in parameters:
        kinds = typing.get_args(parameters["body"].annotation) or (parameters["body"].annotation,)
        kind = next(one for one in kinds if hasattr(one, "from_dict"))
        more["body"] = kind.from_dict(body)
    return function(*ids, client=library, **more)


def plain(values: Any) -> Any:
    """Return JSON values with times written alike, without those that differ by request."""
    if isinstance(values, dict):
        return {key: plain(one) for key, one in values.items() if key not in VOLATILE}
    if isinstance(values, list | tuple):
        return [plain(one) for one in values]
    if isinstance(values, str):
        return values.replace("+00:00", "Z")
    return json.loads(json.dumps(values))
