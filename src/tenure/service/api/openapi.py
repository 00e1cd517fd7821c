"""The endpoints, and the OpenAPI document that describes them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple, get_type_hints

from tenure import __version__
from tenure.core.config import Config
from tenure.explain.drivers import FIELDS
from tenure.score.score import COLUMNS
from tenure.service.api import answers
from tenure.service.api.problems import JSON
from tenure.service.api.requests import JsonRequest
from tenure.service.api.state import Served, State

Schema = dict[str, Any]


class Endpoint(NamedTuple):
    """One endpoint: who answers it, and the schema of the answer."""

    answer: Callable[[State, Served, Any], Awaitable[bytes]]
    schema: str

    @property
    def request(self) -> type[JsonRequest]:
        """Return what is posted."""
        request: type[JsonRequest] = get_type_hints(self.answer)["ask"]
        return request

    @property
    def summary(self) -> str:
        """Return what it does."""
        return str(self.answer.__doc__).removesuffix(".")


ENDPOINTS: Mapping[str, Endpoint] = {
    "score": Endpoint(answers.score_accounts, "Scores"),
    "score_history": Endpoint(answers.score_history, "HistoryScores"),
    "score_rows": Endpoint(answers.score_rows, "RowScores"),
    "explain": Endpoint(answers.explain, "Explanation"),
    "model": Endpoint(answers.describe, "Models"),
}


def document(config: Config) -> Schema:
    """Return the OpenAPI 3.1 document of a config's service."""
    limits = f"At most {config.service.max_accounts} accounts or rows a request."
    paths = {f"/{name}": _posted(name, endpoint, limits) for name, endpoint in ENDPOINTS.items()}
    posted = paths["/model"]["post"]
    read = {name: part for name, part in posted.items() if name != "requestBody"}
    paths["/model"]["get"] = {**read, "operationId": "get_model"}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"Tenure: {config.name}",
            "version": __version__,
            "description": "Calibrated churn and expansion scores with their reasons.",
        },
        "servers": [{"url": "."}],
        "paths": {**paths, **HEALTH},
        "components": {"schemas": {**_requests(), **SCHEMAS, "Row": _row()}},
        "tags": [{"name": "scores"}, {"name": "health"}],
    }


def _posted(name: str, endpoint: Endpoint, limits: str) -> Schema:
    fields = endpoint.request.model_fields.items()
    example = {key: (field.examples or [None])[0] for key, field in fields if field.is_required()}
    content = {"schema": _ref(endpoint.request.__name__), "example": example}
    return {
        "post": {
            "summary": endpoint.summary,
            "description": limits,
            "operationId": name,
            "tags": ["scores"],
            "requestBody": {"required": name != "model", "content": {JSON: content}},
            "responses": {
                "200": _content("The answer", endpoint.schema),
                **{status: _content(text, "Refusal") for status, text in REFUSALS.items()},
            },
        }
    }


def _requests() -> dict[str, Schema]:
    """Return the schemas of requests, as they are checked."""
    schemas = {}
    for request in (endpoint.request for endpoint in ENDPOINTS.values()):
        schemas[request.__name__] = request.model_json_schema(ref_template=REFERENCE)
        schemas[request.__name__].pop("root_input", None)
    return schemas


def _row() -> Schema:
    """Return the schema of a flat row."""
    typed = dict.fromkeys(COLUMNS, TEXT)
    typed |= {name: NUMBER for name in COLUMNS if name.endswith(("_num", "_contribution", "_mrr"))}
    typed |= {name: CHANCE for name in COLUMNS if "probability" in name or "base_rate" in name}
    typed |= dict.fromkeys(NUMBERS, NUMBER) | dict.fromkeys(TIMES, TIME)
    typed |= dict.fromkeys(INTEGERS, INTEGER)
    return {
        "type": "object",
        "description": "One account at one time; further targets add `<target>_probability`.",
        "properties": {n: s if n in ALWAYS else _or_null(s) for n, s in typed.items()},
        "required": list(ALWAYS),
    }


def _ref(name: str) -> Schema:
    return {"$ref": REFERENCE.format(model=name)}


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": sorted(properties)}


def _list(item: Schema) -> Schema:
    return {"type": "array", "items": item}


def _map(item: Schema) -> Schema:
    return {"type": "object", "additionalProperties": item}


def _or_null(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


def _content(text: str, schema: str) -> Schema:
    return {"description": text, "content": {JSON: {"schema": _ref(schema)}}}


def _get(summary: str, responses: Schema) -> Schema:
    """Return a path that is read, with its responses by status."""
    return {"get": {"summary": summary, "tags": ["health"], "responses": responses}}


def _text(text: str) -> Schema:
    return {"description": text}


REFERENCE = "#/components/schemas/{model}"
TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
INTEGER: Schema = {"type": "integer"}
TIME: Schema = {"type": "string", "format": "date-time"}
CHANCE: Schema = {"type": "number", "minimum": 0, "maximum": 1}
INTEGERS = ("horizon_days", "churn_rank")
TIMES = ("as_of", "scored_at", "renews_at")
NUMBERS = (
    *("mrr", "health_score", "churn_percentile", "mrr_at_risk", "base_rate", "data_coverage"),
    "probability_change",
)
ALWAYS = ("account_id", "as_of", "scored_at", "horizon_days", "mrr")
ANSWERED: Schema = {
    "as_of": TIME,
    "models": _map(TEXT),
    "rows": _list(_ref("Row")),
    "not_asked": _list(_object(account_id=TEXT, reason=TEXT, detail=TEXT)),
}
NAMED: Schema = {
    "model_name": TEXT,
    "model_version": TEXT,
    "horizon_days": INTEGER,
    "base_rate": CHANCE,
}
REJECT = _object(table=TEXT, reason=TEXT, rule=TEXT, row=TEXT)
CONTRIBUTION = {"feature": TEXT, "label": TEXT, "value": TEXT, "value_num": _or_null(NUMBER)}
EXPLAINED = {
    "probability": CHANCE,
    "base_value": NUMBER,
    "log_odds": NUMBER,
    "calibrator": {"type": "object"},
    "contributions": _list(_object(**CONTRIBUTION, contribution=NUMBER)),
}
DRIVER_TYPES = {
    **dict.fromkeys(("value_num", "peer_value_num", "contribution"), NUMBER),
    "lever": {"type": "boolean"},
    "since": {"type": "string", "format": "date"},
}
SCHEMAS: dict[str, Schema] = {
    "Problem": {
        **_object(field=TEXT, rule=TEXT, value=TEXT, fix=TEXT),
        "description": "The field, the rule it breaks, its value (shortened) and the next step.",
    },
    "Refusal": {
        **_object(error=_ref("Problem"), problems=_list(_ref("Problem")), problem_count=INTEGER),
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
    "Scores": _object(**ANSWERED),
    "HistoryScores": _object(**ANSWERED, rejects=_list(REJECT), ignored=_list(TEXT)),
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
        targets=_map(_object(**NAMED, **EXPLAINED)),
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
ALIVE = {"200": _text("Alive"), "503": _text("Loading failed")}
READY = {"200": _content("Ready", "Readiness"), "503": _content("Not ready", "Readiness")}
HEALTH = {
    "/livez": _get("Whether the process lives", ALIVE),
    "/healthz": _get("The same under its old name", ALIVE),
    "/readyz": _get("Whether models and tables are loaded, and what to look at", READY),
    "/metrics": _get("Prometheus metrics", {"200": _text("Metrics as text")}),
    "/docs.json": _get("This document", {"200": _text("OpenAPI 3.1")}),
}
PATHS = (*(f"/{name}" for name in ENDPOINTS), *HEALTH)
"""Every path that is answered, but the start page."""
