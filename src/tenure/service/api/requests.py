"""Requests: what may be posted, and how a wrong one is described.

To add an endpoint, add its request here, its answer in `tenure.service.api.answers`, one method in
`tenure.service.api.app` and one entry in `tenure.service.api.openapi`.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import bentoml
from pydantic import BeforeValidator, ConfigDict, Field, ValidationError

from tenure.core.errors import Problem, suggestion
from tenure.core.times import as_utc
from tenure.service.api.problems import MOST_PROBLEMS, Refusal, shown

if TYPE_CHECKING:
    from starlette.requests import Request

A_DATE = "2025-07-01"


def _moment(value: Any) -> Any:
    if isinstance(value, datetime):  # BentoML applies validators twice
        return value
    if not isinstance(value, str):
        raise ValueError("must be a date or time as a string")
    try:
        return as_utc(value)
    except (ValueError, OverflowError):
        raise ValueError("is not an ISO 8601 date or time") from None


Moment = Annotated[
    datetime,
    BeforeValidator(_moment, json_schema_input_type=str),
    Field(examples=[A_DATE], description="ISO 8601 date or time; UTC where it has no zone."),
]


class JsonRequest(bentoml.IODescriptor):  # type: ignore[misc] # it has no types
    """A posted JSON object; unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    __root_input__: ClassVar[bool] = True  # BentoML then hands it over whole

    @classmethod
    async def from_http_request(cls, request: Request, serde: Any) -> Self | Refusal:
        """Read the body; what is wrong with it is returned, not raised, so BentoML logs nothing."""
        del serde
        return cls.read(await request.body())

    @classmethod
    def read(cls, body: bytes) -> Self | Refusal:
        """Return the request in a JSON body, or why there is none."""
        try:
            found: Self = cls.model_validate_json(body or b"{}")
        except ValidationError as error:
            found_wrong = error.errors(include_url=False)[:MOST_PROBLEMS]
            return Refusal(*(_problem(cls, item) for item in found_wrong))
        return found


class ScoreRequest(JsonRequest):
    """Score accounts by id."""

    account_ids: list[str] = Field(
        min_length=1, examples=[["acc-00004"]], description="Accounts to score."
    )
    as_of: Moment | None = Field(
        None, description="Prediction time; by default where observation stopped."
    )
    targets: list[str] | None = Field(
        None, min_length=1, examples=[["churn"]], description="Only these targets' columns."
    )
    horizon_days: int | Literal["all"] | None = Field(
        None,
        examples=[90],
        description="Rows of this horizon of the models, or of `all`; by default of the main one.",
    )


class HistoryRequest(JsonRequest):
    """Score posted history."""

    tables: dict[str, list[dict[str, Any]]] = Field(
        examples=[
            {
                "accounts": [{"account_id": "a1", "created_at": "2024-01-15", "segment": "smb"}],
                "subscriptions": [
                    {
                        "subscription_id": "s1",
                        "account_id": "a1",
                        "started_at": "2024-02-01",
                        "mrr": 490.0,
                        "seats": 10,
                        "plan": "team",
                        "billing_period": "monthly",
                    }
                ],
                "usage_events": [
                    {
                        "account_id": "a1",
                        "user_id": "u1",
                        "event": "login",
                        "occurred_at": "2025-06-20T09:12:00Z",
                    }
                ],
            }
        ],
        description="Contract table → rows (column → value); a table left out has no rows.",
    )
    as_of: Moment = Field(description="Prediction time.")


class RowsRequest(JsonRequest):
    """Score feature rows."""

    target: str = Field(examples=["churn"], description="What to predict.")
    rows: list[dict[str, Any]] = Field(
        min_length=1, description="Feature → number, text or null; every feature of the model."
    )


class ExplainRequest(JsonRequest):
    """Explain one account's score."""

    account_id: str = Field(examples=["acc-00004"], description="The account.")
    as_of: Moment | None = Field(
        None, description="Prediction time; by default where observation stopped."
    )


class ModelRequest(JsonRequest):
    """Describe the models; the body may be empty."""


RULES = {
    "missing": ("is required", "give it"),
    "list_type": ("must be a list", "write it as […]"),
    "string_type": ("must be a string", 'write it as "…"'),
    "dict_type": ("must be an object", "write it as {…}"),
    "model_type": ("must be an object", "write it as {…}"),
    "model_attributes_type": ("must be an object", "write it as {…}"),
    "too_short": ("must not be empty", "give at least one"),
}


def _problem(ask: type[JsonRequest], item: Any) -> Problem:
    kind, where = item["type"], _where(item["loc"])
    value = "" if kind in ("missing", "json_invalid") else shown(item["input"])
    if kind == "json_invalid":
        rule = f"must be JSON: {item['ctx']['error'][:120]}"
        return Problem("body", rule, fix="post a JSON object, Content-Type: application/json")
    if kind == "extra_forbidden":
        fix = suggestion(str(item["loc"][-1])[:100], ask.model_fields)
        return Problem(where, "is not a field of this request", value, fix)
    if kind == "value_error":
        rule = item["msg"].removeprefix("Value error, ")
        return Problem(where, rule, value, f"write it like {A_DATE} or {A_DATE}T12:00:00Z")
    rule, fix = RULES.get(kind, (item["msg"], "see /docs.json"))
    return Problem(where, rule, value, fix)


def _where(location: tuple[int | str, ...]) -> str:
    """Return a field's place in the body.

    >>> _where(("account_ids", 3)), _where(())
    ('account_ids[3]', 'body')
    """
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path or "body"
