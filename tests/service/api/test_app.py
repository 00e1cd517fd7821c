"""The application around the answers: the document, and what is told of errors."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from tenure.core.flat_row import COLUMNS
from tenure.score.score import load_models
from tenure.service.api.endpoints import ENDPOINTS, HEALTH
from tenure.service.api.problems import JSON, PROBLEM

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from service.conftest import Tiny


@pytest.fixture(scope="module")
def docs(client: TestClient) -> dict[str, Any]:
    document: dict[str, Any] = client.get("/v1/openapi.json").json()
    return document


def check(docs: dict[str, Any], response: Any, path: str, method: str) -> None:
    """Make sure that an answer is as the document describes it."""
    operation = docs["paths"][path][method.lower()]
    described = operation["responses"][str(response.status_code)]["content"]
    kind = response.headers["content-type"].partition(";")[0]
    schema = described[kind]["schema"] | {"components": docs["components"]}
    if kind in (JSON, PROBLEM):
        Draft202012Validator(schema).validate(response.json())


def test_every_answer_is_as_documented(
    client: TestClient, docs: dict[str, Any], tiny: Tiny
) -> None:
    account = tiny.asked["account_id"].iloc[0]
    columns = load_models(tiny.config)["churn"].bundle.columns
    history = {"tables": tiny.posted(account), "as_of": "2023-10-01"}
    rows = {"target": "churn", "rows": [dict.fromkeys(columns)]}
    bodies: dict[str, Any] = {
        "/score": {"account_ids": [account]},
        "/v1/scores:lookup": {"account_ids": [account, "nobody"]},
        "/v1/score": history,
        "/score_history": history,
        "/v1/score-rows": rows,
        "/score_rows": rows,
        "/v1/explain": {"account_id": account},
        "/explain": {"account_id": account},
        "/v1/feedback": {"account_id": account, "verdict": "note", "note": "x"},
        "/model": {},
    }
    for item in ENDPOINTS:
        path = item.path.replace("{account_id}", account)
        posted = item.method == "POST"
        more = {"json": bodies[path]} if posted else {}
        answered = client.request(item.method, path, **more)
        assert answered.status_code == item.status, answered.text
        check(docs, answered, item.path, item.method)
        assert ("deprecation" in answered.headers) == bool(item.successor)
        more = {"json": {"x": 1}} if posted else {"params": {"x": 1}}
        refused = client.request(item.method, path, **more)
        assert refused.status_code == 400
        assert "x" in {error["field"] for error in refused.json()["errors"]}
        check(docs, refused, item.path, item.method)
        assert ("deprecation" in refused.headers) == bool(item.successor)


def test_every_example_of_the_document_is_a_valid_request(docs: dict[str, Any]) -> None:
    for item in ENDPOINTS:
        if item.method == "POST":
            body = docs["paths"][item.path]["post"]["requestBody"]["content"]["application/json"]
            item.request.of_body(json.dumps(body.get("example", {})).encode())


def test_the_document_names_every_route_and_column(
    client: TestClient, docs: dict[str, Any]
) -> None:
    assert docs["openapi"].startswith("3.1")
    assert set(docs["paths"]) == {*(item.path for item in ENDPOINTS), *HEALTH}
    assert set(docs["components"]["schemas"]["Row"]["properties"]) == set(COLUMNS)
    for path in HEALTH:
        assert client.get(path).status_code == 200
    names = set(re.findall(r"#/components/schemas/([^\"]+)", json.dumps(docs)))
    assert names <= set(docs["components"]["schemas"])
    operations = [one["operationId"] for path in docs["paths"].values() for one in path.values()]
    assert len(operations) == len(set(operations))


def test_requests_are_counted(client: TestClient) -> None:
    client.get("/model")
    text = client.get("/metrics").text
    assert 'tenure_requests_total{path="/model",status="200"}' in text
    assert "tenure_scores_age_seconds" in text
    assert 'tenure_model_info{target="churn",version=' in text


def test_a_request_id_comes_back(client: TestClient) -> None:
    answer = client.get("/v1/accounts/nobody", headers={"X-Request-ID": "from-me-1"})
    assert answer.headers["x-request-id"] == answer.json()["request_id"] == "from-me-1"
    other = client.get("/v1/accounts/nobody", headers={"X-Request-ID": "not one\t"})
    assert other.headers["x-request-id"] != "not one"


def test_an_error_inside_is_not_shown(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("tenure.service.api.live.meaning", broken)
    response = client.get("/v1/models")
    assert response.status_code == 500
    assert response.json()["errors"][0]["rule"] == "failed inside the service"
    assert "secret detail" not in response.text
    assert "secret detail" in caplog.text
