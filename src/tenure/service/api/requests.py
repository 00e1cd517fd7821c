"""Requests: what may be posted, and how a wrong one is described.

To add an endpoint, add its request here, its answer in `tenure.service.api.answers` and one entry
in `tenure.service.api.openapi`.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import bentoml
from pydantic import BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError, from_json

from tenure.core.errors import Problem, suggestion
from tenure.core.times import as_utc
from tenure.service.api.problems import MOST_PROBLEMS, Refusal, shown

if TYPE_CHECKING:
    from starlette.requests import Request

A_DATE = "2025-07-01"
MOST_TABLES = 100


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


def _few(value: Any) -> Any:
    if isinstance(value, dict) and len(value) > MOST_TABLES:
        raise PydanticCustomError("too_long", "too many tables")
    return value


# The first wrong item is enough: an error for each of a million would hold up everybody else.
Names = Annotated[list[str], Field(fail_fast=True)]
Rows = Annotated[list[dict[str, Any]], Field(fail_fast=True)]


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
            values = from_json(body or b"{}")
        except ValueError as error:
            rule = f"must be JSON: {str(error)[:120]}"
            fix = "post a JSON object, Content-Type: application/json"
            return Refusal(Problem("body", rule, fix=fix))
        unknown = (
            [name for name in values if name not in cls.model_fields]
            if isinstance(values, dict)
            else []
        )
        if len(unknown) > MOST_PROBLEMS:  # the model would describe each of them
            return Refusal(*(_unknown(cls, name, values[name]) for name in unknown[:MOST_PROBLEMS]))
        try:
            request: Self = cls.model_validate(values)
        except ValidationError as error:
            errors = error.errors(include_url=False)[:MOST_PROBLEMS]
            return Refusal(*(_problem(cls, item) for item in errors))
        return request


class ScoreRequest(JsonRequest):
    """Score accounts by id."""

    account_ids: Names = Field(
        min_length=1, examples=[["acc-00004"]], description="Accounts to score."
    )
    as_of: Moment | None = Field(
        None, description="Prediction time; by default where observation stopped."
    )
    targets: Names | None = Field(
        None,
        min_length=1,
        max_length=100,
        examples=[["churn"]],
        description="Only these targets' columns.",
    )
    horizon_days: int | Literal["all"] | None = Field(
        None,
        examples=[90],
        description="Rows of this horizon of the models, or of `all`; by default of the main one.",
    )


class HistoryRequest(JsonRequest):
    """Score posted history."""

    tables: Annotated[dict[str, Rows], BeforeValidator(_few)] = Field(
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
    rows: Rows = Field(
        min_length=1,
        examples=[[{"tenure_days": 412, "plan": "Team"}]],
        description="Feature → number, text or null; every feature of the model.",
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
    "too_long": ("holds too many items", "give no more than there are"),
}


def _problem(ask: type[JsonRequest], item: Any) -> Problem:
    kind, where = item["type"], _where(item["loc"])
    value = "" if kind == "missing" else shown(item["input"])
    if kind == "extra_forbidden":
        return _unknown(ask, where, item["input"])
    if kind == "value_error":
        rule = item["msg"].removeprefix("Value error, ")
        return Problem(where, rule, value, f"write it like {A_DATE} or {A_DATE}T12:00:00Z")
    rule, fix = RULES.get(kind, (item["msg"], "see /docs.json"))
    return Problem(where, rule, value, fix)


def _unknown(ask: type[JsonRequest], name: str, value: Any) -> Problem:
    fix = suggestion(name[:100], ask.model_fields)
    return Problem(name, "is not a field of this request", shown(value), fix)


def _where(location: tuple[int | str, ...]) -> str:
    """Return a field's place in the body.

    >>> _where(("account_ids", 3)), _where(())
    ('account_ids[3]', 'body')
    """
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path or "body"
