"""Generated requests against the document: no error inside, and no answer that it does not name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tenure.service.api.endpoints import ENDPOINTS

if TYPE_CHECKING:
    from starlette.testclient import TestClient

FEW, MANY = 4, 1_200
CHECKS = [content_type_conformance, response_schema_conformance, status_code_conformance]


@pytest.mark.parametrize(
    "many", [False, pytest.param(True, marks=pytest.mark.acceptance)], ids=["few", "many"]
)
def test_no_request_breaks_the_service(client: TestClient, many: bool) -> None:
    document = client.get("/v1/openapi.json").json()
    schema = schemathesis.openapi.from_dict(document)
    sent = 0
    for item in ENDPOINTS:
        operation = schema[item.path][item.method]

        @given(case=operation.as_strategy())
        @settings(
            max_examples=MANY if many else FEW,
            database=None,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def answers(case: Any) -> None:
            nonlocal sent
            kwargs = case.as_transport_kwargs(base_url="http://127.0.0.1")
            cookies = kwargs.pop("cookies", None)
            assert not cookies
            response = client.request(**kwargs)
            sent += 1
            # Where tables are missing a 503 says so; nothing else may fail inside.
            assert response.status_code < 500 or response.status_code in (503, 504), response.text
            wrapped = schemathesis.Response.from_any(response)
            case.validate_response(wrapped, checks=CHECKS)

        answers()
    least = 20_000 if many else 2 * len(ENDPOINTS)
    assert sent >= least
