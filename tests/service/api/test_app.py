"""The application around the answers: documents, pages and metrics."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tenure.score.score import COLUMNS, load_models
from tenure.service.api.problems import Refusal
from tenure.service.api.requests import (
    ExplainRequest,
    HistoryRequest,
    ModelRequest,
    RowsRequest,
    ScoreRequest,
)

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from service.conftest import Tiny

ASKS = {
    "/score": ScoreRequest,
    "/score_history": HistoryRequest,
    "/score_rows": RowsRequest,
    "/explain": ExplainRequest,
    "/model": ModelRequest,
}


@pytest.fixture(scope="module")
def docs(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/docs.json").json()
    return found


def holds(schema: dict[str, Any], value: Any, docs: dict[str, Any], at: str = "") -> list[str]:
    """Return where a value does not fit a schema, for the keywords that the document uses."""
    if "$ref" in schema:
        schema = docs["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    types = {
        "string": str,
        "number": (int, float),
        "integer": int,
        "boolean": bool,
        "null": type(None),
    }
    types |= {"array": list, "object": dict}  # type: ignore[dict-item]
    if kinds and not any(isinstance(value, types[kind]) for kind in kinds):  # type: ignore[arg-type]
        return [f"{at}: {value!r} is no {kinds}"]
    wrong = [f"{at}.{name} is missing" for name in schema.get("required", []) if name not in value]
    if isinstance(value, dict):
        for name, part in value.items():
            known = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
            if known is None and "properties" in schema:
                wrong.append(f"{at}.{name} is not described")
            elif isinstance(known, dict):
                wrong += holds(known, part, docs, f"{at}.{name}")
    if isinstance(value, list) and "items" in schema:
        for item in value:
            wrong += holds(schema["items"], item, docs, f"{at}[]")
    return wrong


def test_every_example_of_the_document_is_a_valid_request(docs: dict[str, Any]) -> None:
    for path, ask in ASKS.items():
        content = docs["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        found = ask.read(json.dumps(content["example"]).encode())
        assert not isinstance(found, Refusal), f"{path}: {found}"
        assert content["schema"] == {"$ref": f"#/components/schemas/{ask.__name__}"}
        assert ask.__name__ in docs["components"]["schemas"]


def test_every_answer_is_as_documented(
    client: TestClient, docs: dict[str, Any], tiny: Tiny
) -> None:
    account = tiny.asked["account_id"].iloc[0]
    columns = load_models(tiny.config)["churn"].bundle.columns
    bodies: dict[str, Any] = {
        "/score": {"account_ids": [account]},
        "/score_history": {"tables": tiny.posted(account), "as_of": "2023-10-01"},
        "/score_rows": {"target": "churn", "rows": [dict.fromkeys(columns)]},
        "/explain": {"account_id": account},
        "/model": {},
    }
    for path, body in bodies.items():
        answered = client.post(path, json=body)
        assert answered.status_code == 200
        answers = docs["paths"][path]["post"]["responses"]
        schema = answers["200"]["content"]["application/json"]["schema"]
        assert holds(schema, answered.json(), docs) == []
        refused = client.post(path, json={"x": 1})
        schema = answers[str(refused.status_code)]["content"]["application/json"]["schema"]
        assert holds(schema, refused.json(), docs) == []


def test_the_document_names_every_route_and_column(
    client: TestClient, docs: dict[str, Any]
) -> None:
    assert docs["openapi"].startswith("3.")
    assert set(docs["paths"]) == {*ASKS, "/livez", "/readyz", "/healthz", "/metrics", "/docs.json"}
    assert set(docs["components"]["schemas"]["Row"]["properties"]) == set(COLUMNS)
    for path, methods in docs["paths"].items():
        if "get" in methods:
            assert client.get(path).status_code == 200
    text = json.dumps(docs)
    names = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= set(docs["components"]["schemas"])


def test_the_start_page_loads_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/").text
    assert "http" not in page
    sources = [part.split('"')[0] for part in page.replace("href=", "src=").split('src="')[1:]]
    assert len(sources) == 4
    for source in sources:
        assert client.get(source.removeprefix(".")).status_code == 200


def test_requests_are_counted(client: TestClient) -> None:
    client.get("/model")
    assert 'tenure_requests_total{path="/model",status="200"}' in client.get("/metrics").text


def test_an_error_inside_is_not_shown(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("tenure.service.api.answers.dump", broken)
    response = client.get("/model")
    assert response.status_code == 500
    assert response.json()["error"]["rule"] == "failed inside the service"
    assert "secret detail" not in response.text
    assert "secret detail" in caplog.text


def test_every_request_in_the_guide_is_valid() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "service.md").read_text(encoding="utf-8")
    found = re.findall(r"curl http://127\.0\.0\.1:3000(/\w+) .*?-d '(.*?)'", guide, re.DOTALL)
    assert {path for path, _ in found} == set(ASKS) - {"/model"}
    for path, body in found:
        asked = ASKS[path].read(body.encode())
        assert not isinstance(asked, Refusal), f"{path}: {asked}"
