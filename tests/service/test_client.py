"""The client against the service: every endpoint has its method, and says what the service says."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, get_args

import pyarrow as pa
import pytest

from tenure.client import Client, ServiceError
from tenure.client.client import Endpoint
from tenure.score.store.book import SORTS
from tenure.service.api.endpoints import ENDPOINTS
from tenure.service.api.requests import Sort

if TYPE_CHECKING:
    import httpx
    from starlette.testclient import TestClient

    from service.conftest import Tiny

OTHERS = {("GET", "/v1/export"): "export", ("GET", "/v1/openapi.json"): "openapi"}
"""Methods that are no line of the table, because what they return is no model."""


@pytest.fixture(scope="module")
def library(transport: httpx.MockTransport) -> Iterator[Client]:
    with Client("http://127.0.0.1", transport=transport) as library:
        yield library


def methods() -> dict[tuple[str, str], str]:
    """Return HTTP method and path → the method of the client."""
    table = {name: item for name, item in vars(Client).items() if isinstance(item, Endpoint)}
    return {(item.method, item.path): name for name, item in table.items()} | OTHERS


def test_every_endpoint_of_the_document_has_one_method(library: Client) -> None:
    documented = {
        (method.upper(), path)
        for path, operations in library.openapi()["paths"].items()
        for method in operations
        if path.startswith("/v1/")
    }
    assert set(methods()) == documented
    for item in ENDPOINTS:
        if not item.successor and item.model is not None:
            line = vars(Client)[methods()[item.method, item.path]]
            assert (line.request, line.answer) == (item.request, item.model)
            assert line.writes == (item.scope == "feedback")


def test_every_method_gives_what_the_service_answers(
    library: Client, client: TestClient, tiny: Tiny
) -> None:
    account = str(tiny.asked["account_id"].iloc[0])
    history = {"tables": tiny.posted(account), "as_of": "2023-10-01"}
    features = library.models().targets["churn"].features
    rows = [{one.name: None for one in features}]
    calls: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
        "accounts": ((), {"band": "high", "sort": "mrr", "limit": 2}),
        "account": ((account,), {"target": "churn"}),
        "history": ((account,), {"limit": 1}),
        "changes": ((account,), {}),
        "lookup": ((), {"account_ids": [account, "nobody"]}),
        "score": ((), history),
        "score_rows": ((), {"target": "churn", "rows": rows}),
        "explain": ((), {"account_id": account}),
        "models": ((), {}),
        "metrics": ((), {"only": "mrr,nps", "by": "segment"}),
        "worklist": ((), {"capacity": 3}),
        "feedback": ((), {"account_id": account, "verdict": "note", "note": "x"}),
    }
    assert set(calls) | set(OTHERS.values()) == set(methods().values())
    volatile = {"scored_at", "at"}
    for (method, path), name in methods().items():
        if name in OTHERS.values():
            continue
        ids, fields = calls[name]
        answer = getattr(library, name)(*ids, **fields)
        body: dict[str, Any] = {"params" if method == "GET" else "json": fields}
        plain = client.request(method, path.replace("{account_id}", account), **body).json()
        sent = answer.model_dump(mode="json", by_alias=True, exclude_unset=True, warnings=False)
        assert _without(sent, volatile) == _without(plain, volatile), name


def _without(values: Any, names: set[str]) -> Any:
    if isinstance(values, dict):
        return {key: _without(one, names) for key, one in values.items() if key not in names}
    return [_without(one, names) for one in values] if isinstance(values, list) else values


def test_pages_are_walked_to_the_end(library: Client, tiny: Tiny) -> None:
    walked = [one.account_id for one in library.each_account(limit=7, sort="account_id")]
    assert walked == sorted(tiny.book["account_id"], reverse=True)
    high = tiny.book[tiny.book["risk_band"] == "high"]
    assert {one.account_id for one in library.each_account(band="high")} == set(high["account_id"])


def test_an_export_is_read_as_rows_or_as_arrow(library: Client, tiny: Tiny) -> None:
    rows = list(library.export())
    assert {row.account_id for row in rows} == set(tiny.book["account_id"])
    churn = {row.account_id: row.probability for row in rows if row.target == "churn"}
    expected = dict(zip(tiny.asked["account_id"], tiny.asked["churn_probability"], strict=True))
    assert {name: value for name, value in churn.items() if value is not None} == expected
    stream = b"".join(library.export_arrow(as_of=rows[0].as_of))
    table = pa.ipc.open_stream(io.BytesIO(stream)).read_all()
    assert table.column("account_id").to_pylist() == [row.account_id for row in rows]
    with pytest.raises(ServiceError, match="404 Not Found: as_of is before the first run"):
        next(library.export(as_of="1999-01-01"))


def test_a_refusal_reads_as_a_sentence(library: Client) -> None:
    with pytest.raises(ServiceError) as error:
        library.account("no/body")
    assert error.value.status == 404
    with pytest.raises(ServiceError) as error:
        library.explain(account_id="nobody")
    problem = error.value.problem
    assert problem is not None
    assert problem.errors[0].field == "account_id"
    assert str(error.value) == (
        "POST /v1/explain: 404 Not Found: account_id `nobody` is not an account of the loaded "
        f"tables; check the id. [request {error.value.request_id}]"
    )
    calls: list[Callable[[], object]] = [
        lambda: library.score(tables={"accounts": [{"x": 1}]}, as_of="2023-10-01"),
        lambda: library.metrics(only="npss"),
    ]
    for call in calls:
        with pytest.raises(ServiceError) as error:
            call()
        assert error.value.status == 400


def test_what_accounts_are_sorted_by_is_what_the_store_sorts_by() -> None:
    assert get_args(Sort) == SORTS
