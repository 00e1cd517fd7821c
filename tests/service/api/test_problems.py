"""Every bad request is answered with a 4xx and a body that names the field."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from tenure.score.score import load_models
from tenure.service.api.endpoints import POSTED
from tenure.service.api.problems import MOST_PROBLEMS
from tenure.service.api.responses import ProblemDocument

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from service.conftest import Tiny

OF_OLD_PATHS = {"error", "problems", "problem_count"}
ACCOUNT = {"account_id": "a1", "created_at": "2023-01-15"}
PAID = {"subscription_id": "s1", "account_id": "a1", "started_at": "2023-02-01", "mrr": 490.0}


def history(as_of: str = "2023-10-01", **tables: Any) -> dict[str, Any]:
    return {"tables": {"accounts": [ACCOUNT], "subscriptions": [PAID], **tables}, "as_of": as_of}


def refused(client: TestClient, path: str, body: Any, status: int = 400) -> dict[str, str]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = client.post(path, content=content, headers={"Content-Type": "application/json"})
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = ProblemDocument.from_json(
        {name: value for name, value in response.json().items() if name not in OF_OLD_PATHS}
    )
    assert problem.status == status
    error: dict[str, str] = problem.errors[0].to_json()
    assert set(error) == {"field", "rule", "value", "fix"}
    assert error["fix"]
    assert "Traceback" not in response.text
    return error


@pytest.mark.parametrize(
    ("path", "body", "field", "rule"),
    [
        ("/score", b"{", "body", "must be JSON"),
        ("/score", b"\xff\xfe", "body", "must be JSON"),
        ("/score", b'{"a":' * 5_000, "body", "must be JSON"),
        ("/score", b"", "account_ids", "is required"),
        ("/score", [], "body", "must be an object"),
        ("/score", {}, "account_ids", "is required"),
        ("/score", {"account_ids": "acc-00004"}, "account_ids", "must be a list"),
        ("/score", {"account_ids": [4]}, "account_ids[0]", "must be a string"),
        ("/score", {"account_ids": []}, "account_ids", "must not be empty"),
        ("/score", {"account_ids": ["x"] * 61}, "account_ids", "more than 60"),
        ("/score", {"account_ids": ["x"], "as_off": "x"}, "as_off", "is not a field"),
        ("/score", {"account_ids": ["x"], "as_of": "1 May"}, "as_of", "is not an ISO 8601"),
        ("/score", {"account_ids": ["x"], "as_of": 20230501}, "as_of", "as a string"),
        ("/score", {"account_ids": ["x"], "as_of": "2043-01-01"}, "as_of", "not after 2024-01-01"),
        ("/score", {"account_ids": ["x"], "as_of": "1999-01-01"}, "as_of", "must be after"),
        ("/score", {"account_ids": ["x"], "targets": []}, "targets", "must not be empty"),
        ("/score", {"account_ids": ["x"], "as_of": "2023-W05"}, "as_of", "is not an ISO 8601"),
        ("/score", {"account_ids": ["x"], "as_of": "2023-05-01x00:00"}, "as_of", "ISO 8601"),
        ("/score", {"account_ids": ["x"], "horizon_days": "90"}, "horizon_days", "or `all`"),
        ("/score", {"account_ids": ["x"], "horizon_days": 90.0}, "horizon_days", "whole number"),
        ("/explain", {}, "account_id", "is required"),
        ("/explain", {"account_id": ["acc-00004"]}, "account_id", "must be a string"),
        ("/score_rows", {"target": "churn", "rows": []}, "rows", "must not be empty"),
        ("/score_rows", {"target": "churn", "rows": [3]}, "rows[0]", "must be an object"),
        ("/score_rows", {"rows": [{}]}, "target", "is required"),
        ("/score_history", {"tables": {}}, "as_of", "is required"),
        ("/score_history", {"tables": [], "as_of": "2023-10-01"}, "tables", "must be an object"),
        ("/score_history", history(as_of="0001-01-01"), "as_of", "must be between"),
        ("/score_history", history(ticket=[]), "tables.ticket", "is not a table"),
        ("/score_history", history(accounts=[]), "tables.accounts", "is required"),
        (
            "/v1/score",
            history(accounts=[ACCOUNT, {**ACCOUNT, "account_id": "a1 "}]),
            "tables.accounts.account_id",
            "differs from `a1` by spaces alone",
        ),
        (
            "/v1/score",
            history(usage_events=[{"account_id": "a1\0", "event": "x"}]),
            "tables.usage_events[0].account_id",
            "NUL",
        ),
        (
            "/score_history",
            history(accounts=[{**ACCOUNT, "segmnt": "smb"}]),
            "tables.accounts.segmnt",
            "is not a column",
        ),
        (
            "/score_history",
            history(tickets=[{"ticket": "t"}]),
            "tables.tickets.ticket",
            "is not a column",
        ),
        (
            "/score_history",
            history(subscriptions=[{"account_id": "a1", "started_at": "2023-02-01"}]),
            "tables.subscriptions.mrr",
            "is missing",
        ),
        (
            "/score_history",
            history(subscriptions=[{**PAID, "started_at": "01/02/2023"}]),
            "tables.subscriptions.started_at",
            "",
        ),
        (
            "/score_history",
            history(subscriptions=[{**PAID, "mrr": [490]}]),
            "tables.subscriptions[0].mrr",
            "must be a string, a number",
        ),
        (
            "/score_history",
            history(subscriptions=[{**PAID, "mrr": 1e300}]),
            "tables.subscriptions[0].mrr",
            "must be a number between",
        ),
        (
            "/score_history",
            json.dumps(history(subscriptions=[{**PAID, "mrr": float("nan")}])).encode(),
            "tables.subscriptions[0].mrr",
            "must be a number between",
        ),
    ],
)
def test_a_wrong_request_is_told_its_field(
    client: TestClient, path: str, body: Any, field: str, rule: str
) -> None:
    error = refused(client, path, body)
    assert error["field"] == field
    assert rule in error["rule"]


def test_a_misspelt_name_gets_a_suggestion(client: TestClient) -> None:
    assert "`as_of`" in refused(client, "/score", {"account_ids": ["x"], "as_off": "x"})["fix"]
    assert "`tickets`" in refused(client, "/score_history", history(ticket=[]))["fix"]
    body = history(accounts=[{**ACCOUNT, "segmnt": "smb"}])
    assert "`segment`" in refused(client, "/score_history", body)["fix"]
    assert "`/score`" in refused(client, "/scor", {}, 404)["fix"]


def test_an_unknown_account_is_not_found(client: TestClient, tiny: Tiny) -> None:
    known = tiny.book["account_id"].iloc[0]
    error = refused(client, "/score", {"account_ids": [known, "nobody"]}, 404)
    assert error["field"] == "account_ids[1]"
    assert error["value"] == "nobody"
    error = refused(client, "/explain", {"account_id": "nobody"}, 404)
    assert (error["field"], error["value"]) == ("account_id", "nobody")


def test_every_unknown_account_is_named(client: TestClient) -> None:
    response = client.post("/score", json={"account_ids": ["nobody", "no one"]})
    assert [item["value"] for item in response.json()["problems"]] == ["nobody", "no one"]


def test_an_unknown_target_is_not_found(client: TestClient) -> None:
    error = refused(client, "/score_rows", {"target": "chrn", "rows": [{}]}, 404)
    assert error["field"] == "target"
    assert "`churn`" in error["fix"]


def test_an_account_that_does_not_pay_has_no_explanation(client: TestClient, tiny: Tiny) -> None:
    account = tiny.asked["account_id"].iloc[0]
    body = {"account_id": account, "as_of": "2018-01-01"}
    assert refused(client, "/explain", body)["field"] == "as_of"


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        ({"tenure_days": ...}, "rows[0].tenure_days", "features are missing"),
        ({"tenur_days": 3.0}, "rows[0].tenur_days", "is not a feature"),
        ({"tenure_days": "3"}, "rows[0].tenure_days", "must be a number or null"),
        ({"tenure_days": True}, "rows[0].tenure_days", "must be a number or null"),
        ({"tenure_days": 1e39}, "rows[0].tenure_days", "no finite 32-bit number"),
        ({"tenure_days": {}}, "rows[0].tenure_days", "must be a number or null"),
    ],
)
def test_a_wrong_feature_is_named(
    client: TestClient, tiny: Tiny, change: dict[str, Any], field: str, rule: str
) -> None:
    model = load_models(tiny.config)["churn"]
    row: dict[str, Any] = dict.fromkeys(model.bundle.columns) | change
    row = {name: value for name, value in row.items() if value is not ...}
    error = refused(client, "/score_rows", {"target": "churn", "rows": [row]})
    assert error["field"] == field
    assert rule in error["rule"]


def test_rows_that_can_be_read_are_scored_beside_others(client: TestClient, tiny: Tiny) -> None:
    model = load_models(tiny.config)["churn"]
    good: dict[str, Any] = dict.fromkeys(model.bundle.columns)
    short = {name: value for name, value in good.items() if name != "tenure_days"}
    rows = [good, good | {"tenure_days": "abc"}, good | {"tenure_days": 400.0}, short]
    answer = client.post("/v1/score-rows", json={"target": "churn", "rows": rows}).json()
    assert [row is None for row in answer["rows"]] == [False, True, False, True]
    assert [(item["field"], item["value"]) for item in answer["refused"]] == [
        ("rows[1].tenure_days", "abc"),
        ("rows[3].tenure_days", "tenure_days"),
    ]
    alone = client.post("/v1/score-rows", json={"target": "churn", "rows": [rows[2]]}).json()
    assert alone["refused"] == []
    assert answer["rows"][2] == alone["rows"][0]


def test_rows_most_of_which_cannot_be_read_are_refused(client: TestClient, tiny: Tiny) -> None:
    model = load_models(tiny.config)["churn"]
    good: dict[str, Any] = dict.fromkeys(model.bundle.columns)
    rows = [good, *[good | {"tenure_days": "abc"}] * (MOST_PROBLEMS + 1)]
    assert refused(client, "/v1/score-rows", {"target": "churn", "rows": rows})
    unlike = [good | {"tenure_days": "abc"}, good | {"no_such": 1.0}]
    body = client.post("/v1/score-rows", json={"target": "churn", "rows": unlike}).json()
    assert [item["field"] for item in body["errors"]] == ["rows[0].tenure_days", "rows[1].no_such"]


def test_bad_rows_of_posted_history_come_back(client: TestClient) -> None:
    stranger = {**PAID, "subscription_id": "s2", "account_id": "a2"}
    tickets = [{"ticket_id": "t1", "account_id": "a1", "opened_at": None}]
    tickets.append({"ticket_id": "t2", "account_id": "a1", "opened_at": "2023-09-01"})
    tickets += [{**tickets[0], "ticket_id": name, "opened_at": "soon"} for name in ("t3", "t4")]
    body = history(subscriptions=[PAID, stranger], tickets=tickets)
    answer = client.post("/score_history", json=body).json()
    assert [row["account_id"] for row in answer["rows"]] == ["a1"]
    assert [(item["table"], item["reason"]) for item in answer["rejects"]] == [
        ("subscriptions", "unknown_account"),
        ("tickets", "unread_opened_at"),
        ("tickets", "unread_opened_at"),
        ("tickets", "missing_opened_at"),
    ]
    assert json.loads(answer["rejects"][0]["row"])["account_id"] == "a2"


def test_a_table_that_was_not_posted_has_no_rows(client: TestClient) -> None:
    empty: dict[str, Any] = {name: [] for name in ("usage_events", "tickets", "invoices")}
    rows = [
        client.post("/score_history", json=body).json()["rows"][0]
        for body in (history(), history(**empty))
    ]
    for row in rows:
        del row["scored_at"]
    assert rows[0] == rows[1]
    assert rows[0]["data_coverage"] == 0
    assert rows[0]["abstain_reason"] == "too_little_data"
    assert rows[0]["churn_probability"] is None


def test_attributes_that_no_model_reads_are_listed(client: TestClient) -> None:
    body = history(accounts=[{**ACCOUNT, "crm_link": "x"}])
    answer = client.post("/score_history", json=body).json()
    assert answer["ignored"] == ["accounts.crm_link"]


@pytest.mark.parametrize(
    ("method", "path", "status", "field"),
    [
        ("GET", "/score", 405, "method"),
        ("PUT", "/model", 405, "method"),
        ("GET", "/x", 404, "path"),
    ],
)
def test_a_wrong_address_is_explained(
    client: TestClient, method: str, path: str, status: int, field: str
) -> None:
    response = client.request(method, path)
    assert response.status_code == status
    assert response.json()["field"] == field


@pytest.mark.parametrize(
    "kind",
    [
        "application/vnd.bentoml+pickle",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "text/plain",
        "text/csv",
    ],
)
@pytest.mark.parametrize("path", sorted(POSTED))
def test_what_is_not_json_is_refused(client: TestClient, path: str, kind: str) -> None:
    response = client.post(path, content=b"{}", headers={"Content-Type": kind})
    assert response.status_code == 415
    assert response.json()["field"] == "Content-Type"


def test_an_encoded_body_is_refused(client: TestClient) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    response = client.post("/v1/score", content=b"{}", headers=headers)
    assert (response.status_code, response.json()["field"]) == (415, "Content-Encoding")


def test_a_name_that_stands_twice_is_refused(client: TestClient) -> None:
    body = b'{"account_ids": ["zzz"], "account_ids": ["acc-00004"]}'
    assert "twice" in refused(client, "/v1/scores:lookup", body)["rule"]
    nested = (
        b'{"as_of": "2023-10-01", "tables": {"accounts": [{"account_id": "a", "account_id": 1}]}}'
    )
    assert "twice" in refused(client, "/v1/score", nested)["rule"]
    response = client.get("/v1/accounts?limit=2&limit=3")
    assert (response.status_code, response.json()["field"]) == (400, "limit")


def test_a_body_of_50_mb_is_refused(client: TestClient) -> None:
    headers = {"Content-Type": "application/json"}
    response = client.post("/score", content=b"x" * 50_000_000, headers=headers)
    assert response.status_code == 413
    assert "400,000 bytes" in response.json()["error"]["rule"]


def test_no_input_is_echoed_into_the_log(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "s3cret" * 40
    with caplog.at_level(logging.DEBUG):
        refused(client, "/score", {"account_ids": secret})
        refused(client, "/score", {"account_ids": [secret], secret: secret})
        refused(client, "/score", b'{"account_ids": "s3crets3cret')
        refused(client, "/score_history", history(tickets=[{"ticket_id": secret, secret: 1}]))
    assert "s3crets3cret" not in caplog.text


def test_what_is_echoed_to_the_client_is_short(client: TestClient) -> None:
    for value in ("x" * 100_000, ["x"] * 10_000, {"x": "y" * 100_000}):
        response = client.post("/score", json={"account_ids": ["a"], "as_of": value})
        assert response.status_code == 400
        assert len(response.content) < 1_200
