"""The OpenAPI document, from the endpoints and the models of their requests and answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic.json_schema import models_json_schema

from tenure import __version__
from tenure.core.config import Config
from tenure.service.api.endpoints import ENDPOINTS, HEALTH, Endpoint
from tenure.service.api.export import ARROW, NDJSON
from tenure.service.api.problems import JSON, PROBLEM
from tenure.service.api.responses import DatedProblem, ProblemDocument, Readiness

if TYPE_CHECKING:
    from pydantic import BaseModel

Schema = dict[str, Any]
REFERENCE = "#/components/schemas/{model}"
REFUSALS = {
    "400": "The request is malformed; the body names the field",
    "401": "There is no valid key",
    "403": "The key may not do this",
    "404": "There is no such thing, or the key may not see it",
    "429": "Too many requests of this key: come back after `Retry-After` seconds",
    "431": "The headers are too many or too long",
    "500": "It failed inside the service; the log says why under the request's id",
    "503": "No room, or no store, at present: come back after `Retry-After` seconds",
    "504": "Not answered in time",
}
OF_POSTS = {
    "408": "The body arrives too slowly",
    "413": "The body is longer than `service.max_body_bytes`",
    "415": "The body is not JSON",
    "422": "The `Idempotency-Key` came with another request",
}


def document(config: Config) -> Schema:
    """Return the OpenAPI 3.1 document of a config's service."""
    modes: list[tuple[type[BaseModel], Any]] = [
        (ProblemDocument, "serialization"),
        (DatedProblem, "serialization"),
        (Readiness, "serialization"),
    ]
    for item in ENDPOINTS:
        modes += [(item.model, "serialization")] if item.model else []
        modes.append((item.request, "validation"))
    schemas, definitions = models_json_schema(list(dict.fromkeys(modes)), ref_template=REFERENCE)
    _limit(definitions["$defs"], config.service.max_accounts)
    paths: dict[str, Schema] = {}
    for item in ENDPOINTS:
        paths.setdefault(item.path, {})[item.method.lower()] = _operation(item, schemas, config)
    for path, summary in HEALTH.items():
        paths[path] = {"get": _health(path, summary, schemas)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"Tenure: {config.name}",
            "version": __version__,
            "description": "Calibrated churn and expansion scores with their reasons.",
        },
        "servers": [{"url": ".."}],  # as seen from where the document stands
        "paths": paths,
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"key": []}],
        "tags": [{"name": "scores"}, {"name": "operation"}],
    }


def _limit(schemas: Schema, most: int) -> None:
    """Write into the schemas of requests how many accounts or rows these may hold."""
    for item in ENDPOINTS:
        for field in schemas.get(item.request.__name__, {}).get("properties", {}).values():
            if field.get("type") == "array":
                field["maxItems"] = most


def _operation(item: Endpoint, schemas: Any, config: Config) -> Schema:
    statuses = REFUSALS | (OF_POSTS if item.method == "POST" else {"410": "The cursor is too old"})
    answer: Schema = {}
    if item.model is not None:
        answer = {JSON: {"schema": schemas[item.model, "serialization"]}}
    else:
        answer = {kind: {"schema": {"type": "string"}} for kind in (NDJSON, ARROW)}
    operation: Schema = {
        "operationId": item.name,
        "summary": item.summary,
        "description": f"Needs the scope `{item.scope}`.",
        "tags": ["scores"],
        "parameters": _path_parameters(item),
        "responses": {
            str(item.status): {"description": "The answer", "content": answer},
            **{
                status: _refusal(text, schemas, dated=bool(item.successor))
                for status, text in statuses.items()
            },
        },
    }
    if item.successor:
        operation |= {"deprecated": True, "description": f"Use {item.successor} instead."}
    if item.method == "GET":
        operation["parameters"] += _query_parameters(item.request)
        return operation
    most = config.service.max_accounts
    operation["description"] += f" At most {most} accounts or rows a request."
    if item.status == 201:
        schema = {"type": "string", "maxLength": 200}
        operation["parameters"].append(
            {"name": "Idempotency-Key", "in": "header", "schema": schema}
        )
    content = {"schema": schemas[item.request, "validation"]}
    if example := _example(item.request):
        content["example"] = example
    required = any(field.is_required() for field in item.request.model_fields.values())
    operation["requestBody"] = {"required": required, "content": {JSON: content}}
    return operation


def _example(request: type[BaseModel]) -> Schema:
    fields = request.model_fields.items()
    return {
        key: field.examples[0] if field.examples else None
        for key, field in fields
        if field.is_required()
    }


def _path_parameters(item: Endpoint) -> list[Schema]:
    if "{account_id}" not in item.path:
        return []
    schema = {"type": "string", "minLength": 1}
    return [{"name": "account_id", "in": "path", "required": True, "schema": schema}]


def _query_parameters(request: type[BaseModel]) -> list[Schema]:
    schema = request.model_json_schema(ref_template=REFERENCE)
    parameters = []
    for name, value in schema.get("properties", {}).items():
        about = value.pop("description", "")
        parameters.append({"name": name, "in": "query", "description": about, "schema": value})
    return parameters


def _refusal(text: str, schemas: Any, *, dated: bool = False) -> Schema:
    model = DatedProblem if dated else ProblemDocument
    content = {PROBLEM: {"schema": schemas[model, "serialization"]}}
    return {"description": text, "content": content}


def _health(path: str, summary: str, schemas: Any) -> Schema:
    responses: Schema = {"200": {"description": summary}}
    if path == "/readyz":
        content = {JSON: {"schema": schemas[Readiness, "serialization"]}}
        responses = {
            status: {"description": text, "content": content}
            for status, text in (("200", "Ready"), ("503", "Not ready"))
        }
    elif path not in ("/livez", "/healthz"):
        responses["401"] = _refusal(REFUSALS["401"], schemas)
    name = path.strip("/").replace("/", "_").replace(".", "_")
    return {"operationId": name, "summary": summary, "tags": ["operation"], "responses": responses}
