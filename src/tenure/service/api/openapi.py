"""The OpenAPI document: requests as they are checked, answers as they are rendered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tenure import __version__
from tenure.core.config import Config
from tenure.explain.drivers import FIELDS, driver_columns
from tenure.score.score import COLUMNS
from tenure.service.api.problems import JSON
from tenure.service.api.requests import (
    ExplainRequest,
    HistoryRequest,
    JsonRequest,
    ModelRequest,
    RowsRequest,
    ScoreRequest,
)

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
INTEGER: Schema = {"type": "integer"}
TIME: Schema = {"type": "string", "format": "date-time"}
CHANCE: Schema = {"type": "number", "minimum": 0, "maximum": 1}
INTEGERS = ("horizon_days", "churn_rank")
TIMES = ("as_of", "scored_at", "renews_at")
NUMBERS = ("mrr", "health_score", "churn_percentile", "mrr_at_risk", "base_rate", "data_coverage")
ALWAYS = ("account_id", "as_of", "scored_at", "horizon_days", "mrr")
PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="UTF-8"><title>Tenure</title>
<link rel="stylesheet" href="./static_content/swagger-ui.css"></head>
<body><div id="swagger-ui"></div>
<script src="./static_content/swagger-ui-bundle.js"></script>
<script src="./static_content/swagger-ui-standalone-preset.js"></script>
<script src="./static_content/swagger-initializer.js"></script></body>
</html>
"""


def document(config: Config) -> Schema:
    """Return the OpenAPI 3.1 document of a config's service."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"Tenure: {config.name}",
            "version": __version__,
            "description": "Calibrated churn and expansion scores with their reasons.",
        },
        "servers": [{"url": "."}],
        "paths": {**{path: _posted(path, config) for path in ENDPOINTS}, **_health()},
        "components": {"schemas": {**_requests(), **SCHEMAS, "Row": _row()}},
    } | {"tags": [{"name": "scores"}, {"name": "health"}]}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": sorted(properties)}


def _list(item: Schema) -> Schema:
    return {"type": "array", "items": item}


def _map(item: Schema) -> Schema:
    return {"type": "object", "additionalProperties": item}


def _or_null(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


ENDPOINTS: Mapping[str, tuple[type[JsonRequest], str, str]] = {
    "/score": (ScoreRequest, "Scores", "Score accounts by id from the loaded tables"),
    "/score_history": (HistoryRequest, "HistoryScores", "Score accounts from posted history"),
    "/score_rows": (RowsRequest, "RowScores", "Score feature rows"),
    "/explain": (ExplainRequest, "Explanation", "Explain one account's score in full"),
    "/model": (ModelRequest, "Models", "Describe the models that are served"),
}
ANSWERED: Schema = {"as_of": TIME, "models": _map(TEXT), "rows": _list(_ref("Row"))}
NAMED: Schema = {
    "model_name": TEXT,
    "model_version": TEXT,
    "horizon_days": {"type": "integer"},
    "base_rate": CHANCE,
}
NOT_ASKED = _list(_object(account_id=TEXT, reason=TEXT, detail=TEXT))
DRIVER_TYPES = {"value_num": NUMBER, "peer_value_num": NUMBER, "contribution": NUMBER}
PROBLEM = _object(field=TEXT, rule=TEXT, value=TEXT, fix=TEXT)
SCHEMAS: dict[str, Schema] = {
    "Problem": {
        **PROBLEM,
        "description": "The field, the rule it breaks, its value (shortened) and the next step.",
    },
    "Refusal": {
        "type": "object",
        "properties": {
            "error": _ref("Problem"),
            "problems": _list(_ref("Problem")),
            "problem_count": {"type": "integer"},
        },
        "required": ["error"],
        "example": {
            "error": {
                "field": "account_ids[0]",
                "rule": "is not an account of the loaded tables",
                "value": "acc-99999",
                "fix": "check the id",
            }
        },
    },
    "Scores": _object(**ANSWERED, not_asked=NOT_ASKED),
    "HistoryScores": _object(
        **ANSWERED,
        not_asked=NOT_ASKED,
        rejects=_list(_object(table=TEXT, reason=TEXT, rule=TEXT, row=TEXT)),
        ignored=_list(TEXT),
    ),
    "Driver": _object(**{name: _or_null(DRIVER_TYPES.get(name, TEXT)) for name in FIELDS}),
    "RowScores": _object(
        target=TEXT,
        **NAMED,
        rows=_list(_object(probability=CHANCE, log_odds=NUMBER, drivers=_list(_ref("Driver")))),
    ),
    "Explanation": _object(
        as_of=TIME,
        row=_ref("Row"),
        sentences=_list(TEXT),
        targets=_map(
            _object(
                **NAMED,
                probability=CHANCE,
                base_value=NUMBER,
                log_odds=NUMBER,
                calibrator={"type": "object"},
                contributions=_list(
                    _object(
                        feature=TEXT,
                        label=TEXT,
                        value=TEXT,
                        value_num=_or_null(NUMBER),
                        contribution=NUMBER,
                    )
                ),
            )
        ),
    ),
    "Models": _object(
        name=TEXT, observed_until=TIME, targets=_map({"type": "object"}), warnings=_list(TEXT)
    ),
    "Readiness": _object(ready={"type": "boolean"}, warnings=_list(TEXT)),
}
REFUSALS = {
    "400": "The request is malformed; the body names the field",
    "404": "The account or target does not exist",
    "413": "The body is longer than `service.max_body_bytes`",
    "415": "The body is not JSON",
    "503": "The tables are still being loaded",
}


def _row() -> Schema:
    """Return the schema of a flat row."""
    typed = dict.fromkeys(COLUMNS, TEXT)
    typed |= {name: NUMBER for name in COLUMNS if name.endswith(("_num", "_contribution", "_mrr"))}
    typed |= {name: CHANCE for name in COLUMNS if "probability" in name or "base_rate" in name}
    typed |= dict.fromkeys(NUMBERS, NUMBER) | dict.fromkeys(TIMES, TIME)
    typed |= dict.fromkeys(INTEGERS, INTEGER) | {"probability_change": NUMBER}
    assert set(driver_columns()) <= set(typed)
    return {
        "type": "object",
        "description": "One account at one time; further targets add `<target>_probability`.",
        "properties": {n: s if n in ALWAYS else _or_null(s) for n, s in typed.items()},
        "required": list(ALWAYS),
    }


def _requests() -> dict[str, Schema]:
    schemas = {}
    for ask, _, _ in ENDPOINTS.values():
        schema = ask.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas[ask.__name__] = {
            name: part for name, part in schema.items() if name != "root_input"
        }
    return schemas


def _posted(path: str, config: Config) -> Schema:
    ask, answer, summary = ENDPOINTS[path]
    limits = f"At most {config.service.max_accounts} accounts or rows a request."
    operation: Schema = {
        "summary": summary,
        "description": limits,
        "operationId": path.strip("/"),
        "tags": ["scores"],
        "requestBody": {
            "required": path != "/model",
            "content": {JSON: {"schema": _ref(ask.__name__), "example": _example(ask)}},
        },
        "responses": {
            "200": _content("The answer", answer),
            **{status: _content(text, "Refusal") for status, text in REFUSALS.items()},
        },
    }
    if path != "/model":
        return {"post": operation}
    read = {name: part for name, part in operation.items() if name != "requestBody"}
    return {"post": operation, "get": {**read, "operationId": "get_model"}}


def _content(text: str, schema: str) -> Schema:
    return {"description": text, "content": {JSON: {"schema": _ref(schema)}}}


def _example(ask: type[JsonRequest]) -> Schema:
    examples: dict[type[JsonRequest], Schema] = {
        ScoreRequest: {"account_ids": ["acc-00004"]},
        ExplainRequest: {"account_id": "acc-00004"},
        RowsRequest: {"target": "churn", "rows": [{"tenure_days": 412, "plan": "Team"}]},
    }
    if ask in examples:
        return examples[ask]
    if ask is HistoryRequest:
        tables = HistoryRequest.model_fields["tables"].examples or [{}]
        return {"tables": tables[0], "as_of": "2025-07-01"}
    return {}


def _health() -> dict[str, Schema]:
    def get(summary: str, responses: Schema) -> Schema:
        return {"get": {"summary": summary, "tags": ["health"], "responses": responses}}

    fine = {"200": {"description": "Alive"}, "503": {"description": "Loading failed"}}
    return {
        "/livez": get("Whether the process lives", fine),
        "/healthz": get("The same under its old name", fine),
        "/readyz": get(
            "Whether models and tables are loaded, and what to look at",
            {"200": _content("Ready", "Readiness"), "503": _content("Not ready", "Readiness")},
        ),
        "/metrics": get("Prometheus metrics", {"200": {"description": "Metrics as text"}}),
        "/docs.json": get("This document", {"200": {"description": "OpenAPI 3.1"}}),
    }
