"""Requests: what may be posted or put into a query, and how a wrong one is described."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema
from pydantic_core import PydanticCustomError

from tenure.core.errors import Problem
from tenure.core.times import as_utc
from tenure.service.api.json_text import read_json
from tenure.service.api.problems import MOST_PROBLEMS, Refusal
from tenure.service.api.wrong_fields import A_DATE, field_problem, unknown_field

MOST_TABLES = 100
ISO_8601 = re.compile(
    r"\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)?)?", re.ASCII
)
"""The dates and times that are read; Python reads more, weeks and any letter before the time."""


Sort = Literal[
    "account",
    "account_id",
    "owner",
    "segment",
    "plan",
    "mrr",
    "probability",
    "change",
    "move",
    "band",
    "amount_at_risk",
    "reason",
    "renews_at",
    "notice_by",
    "expansion_probability",
    "expected_amount",
]


def _moment(value: Any) -> Any:
    if isinstance(value, datetime):
        return as_utc(value)
    if not isinstance(value, str):
        raise ValueError("must be a date or time as a string")
    try:
        if not ISO_8601.fullmatch(value):
            raise ValueError(value)
        return as_utc(value.upper())
    except (ValueError, OverflowError):
        raise ValueError("is not an ISO 8601 date or time") from None


Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "format": name} for name in ("date-time", "date")]},
        mode="validation",
    ),
    Field(examples=[A_DATE], description="ISO 8601 date or time; UTC where it has no zone."),
]


def _whole(value: Any) -> Any:
    if isinstance(value, str) and "\0" in value:
        raise ValueError("must not hold the character NUL")
    return value


LONGEST_ID = 1_000
Name = Annotated[str, Field(max_length=LONGEST_ID), BeforeValidator(_whole)]


def _few(value: Any) -> Any:
    if isinstance(value, dict) and len(value) > MOST_TABLES:
        raise PydanticCustomError("too_long", "too many tables")
    return value


# The first wrong item is enough: an error for each of a million would hold up everybody else.
Names = Annotated[list[Name], Field(fail_fast=True)]
Rows = Annotated[list[dict[str, Any]], Field(fail_fast=True)]


class Request(BaseModel):
    """What a client sends; unknown fields are errors."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        validate_by_name=True,
        ser_json_inf_nan="constants",
    )

    @classmethod
    def checked(cls, values: Any, *, strict: bool, by_name: bool = False) -> Self:
        """Return the request that values are.

        `values` go by field.  Where it is `strict` a number must be one, and not a text that reads
        as one; `by_name` fields stand under their Python names, and not as they are sent.

        Raises:
            Refusal: Naming the fields that are wrong.
        """
        fields = cls.model_fields.items()
        known = [name if by_name else field.alias or name for name, field in fields]
        unknown = [name for name in values if name not in known] if isinstance(values, dict) else []
        if len(unknown) > MOST_PROBLEMS:  # the model would describe each of them
            raise Refusal(
                *(unknown_field(name, known, values[name]) for name in unknown[:MOST_PROBLEMS])
            )
        try:
            return cls.model_validate(values, strict=strict, by_alias=not by_name, by_name=by_name)
        except ValidationError as error:
            errors = error.errors(include_url=False)[:MOST_PROBLEMS]
            problems: dict[str, Problem] = {}
            for item in errors:
                problem = field_problem(item, known)
                problems.setdefault(problem.thing, problem)
            raise Refusal(*problems.values()) from None

    @classmethod
    def of_body(cls, body: bytes) -> Self:
        """Return the request in a JSON body; see `checked`."""
        return cls.checked(read_json(body or b"{}"), strict=True)

    @classmethod
    def of_query(cls, items: Iterable[tuple[str, str]]) -> Self:
        """Return the request in the parameters of a query; see `checked`."""
        values: dict[str, str] = {}
        for name, value in items:
            if name in values:
                raise Refusal(Problem(name, "is in the query twice", fix="give it once"))
            values[name] = value
        return cls.checked(values, strict=False)


def whole_id(text: str) -> str:
    """Return an account_id of a path that a database can hold.

    Raises:
        Refusal: 404 if no id can be that text.
    """
    if "\0" in text or len(text) > LONGEST_ID:
        raise Refusal(Problem("account_id", "is no id", fix="check it"), status=404)
    return text


class ScoreRequest(Request):
    """Score accounts by id."""

    account_ids: Names = Field(min_length=1, examples=[["acc-00004"]])
    """Accounts to score."""
    as_of: Moment | None = None
    """Prediction time; by default where observation stopped."""
    targets: Names | None = Field(None, min_length=1, max_length=100, examples=[["churn"]])
    """Only these targets' columns."""
    horizon_days: int | Literal["all"] | None = Field(None, examples=[90])
    """Rows of this horizon of the models, or of `all`; by default of the main one."""


class HistoryRequest(Request):
    """Score posted history."""

    tables: Annotated[dict[str, Rows], BeforeValidator(_few)] = Field(
        examples=[
            {
                "accounts": [{"account_id": "a1", "created_at": "2024-01-15", "segment": "smb"}],
                "subscriptions": [
                    {"subscription_id": "s1", "account_id": "a1", "started_at": "2024-02-01"}
                    | {"mrr": 490.0, "seats": 10, "plan": "team", "billing_period": "monthly"}
                ],
                "usage_events": [
                    {"account_id": "a1", "user_id": "u1", "event": "login"}
                    | {"occurred_at": "2025-06-20T09:12:00Z"}
                ],
            }
        ]
    )
    """Contract table → rows (column → value); a table left out has no rows."""
    as_of: Moment = Field(description="Prediction time.")
    evidence: bool = False
    """Whether to give the rows behind each driver, of a few accounts."""


class RowsRequest(Request):
    """Score feature rows."""

    target: Name = Field(examples=["churn"])
    """What to predict."""
    rows: Rows = Field(min_length=1, examples=[[{"tenure_days": 412, "plan": "Team"}]])
    """Feature → number, text or null; every feature of the model."""


class ExplainRequest(Request):
    """Explain one account's score."""

    account_id: Name = Field(examples=["acc-00004"])
    """The account."""
    as_of: Moment | None = None
    """Prediction time; by default where observation stopped."""
    evidence: bool = False
    """Whether to give the source rows behind each driver."""


class LookupRequest(Request):
    """Look up scores that are in the store."""

    account_ids: Names = Field(min_length=1, examples=[["acc-00004"]])
    """Accounts."""
    as_of: Moment | None = None
    """The last run at or before this time; by default the last one."""
    targets: Names | None = Field(None, min_length=1, max_length=100, examples=[["churn"]])
    """Only scores of these targets."""


class FeedbackRequest(Request):
    """Say what is right or wrong with a score."""

    account_id: Name = Field(examples=["acc-00004"])
    """The account."""
    target: Name = Field("churn", examples=["churn"])
    """Whose score."""
    run_id: Name | None = None
    """The run whose score it is about; by default the last one."""
    driver: Name | None = Field(None, examples=["logins"])
    """Code of one of the score's drivers; null for the account as a whole."""
    verdict: Literal["useful", "wrong", "known", "note"] = Field(examples=["note"])
    """`note` is a remark without a verdict."""
    note: Annotated[str, BeforeValidator(_whole)] | None = Field(None, max_length=4_000)
    """What others should know."""


class NothingRequest(Request):
    """Nothing; the body may be empty."""


class AccountsQuery(Request):
    """Which accounts of the last run, in which order."""

    owner: Name = ""
    """Only accounts of this owner."""
    segment: Name = ""
    """Only accounts of this segment."""
    plan: Name = ""
    """Only accounts on this plan."""
    band: Literal["", "high", "medium", "low"] = ""
    """Only accounts in this risk band."""
    search: Annotated[str, BeforeValidator(_whole)] = Field("", max_length=200)
    """Part of an id or a name."""
    changed_since: Moment | None = None
    """Give the change since the last run at or before this time."""
    min_change: float = Field(0, ge=0, le=1)
    """Only accounts whose probability changed by at least so much."""
    sort: Sort = "probability"
    """What they are sorted by; accounts without a value come last."""
    order: Literal["asc", "desc"] = "desc"
    """Rising or falling."""
    limit: int = Field(50, ge=1, le=1_000)
    """Accounts of a page."""
    cursor: str = Field("", max_length=2_000)
    """`next_cursor` of the page before; the other parameters must be the same."""


class AccountQuery(Request):
    """Which scores of an account."""

    target: Name = ""
    """Only scores of this target."""

    @property
    def targets(self) -> list[str]:
        """The targets wanted; none means all."""
        return [self.target] if self.target else []


class HistoryQuery(AccountQuery):
    """Which scores of an account, of how many runs."""

    limit: int = Field(100, ge=1, le=1_000)
    """The last so many runs."""


class ChangesQuery(AccountQuery):
    """Since when."""

    since: Moment | None = None
    """The last run before this time; by default the one before the last."""


class MetricsQuery(Request):
    """Which metrics, of which period."""

    start: Moment | None = Field(None, alias="from")
    """Start of the period; by default twelve months before its end."""
    end: Moment | None = Field(None, alias="to")
    """Its end, exclusive; by default the last first of a month that was observed."""
    by: Name = ""
    """What splits it, with commas: month, quarter, segment, plan, owner, currency, cohort."""
    only: Name = ""
    """Names of metrics, with commas; by default all."""


class WorkListQuery(Request):
    """How long the lists are."""

    capacity: int | None = Field(None, ge=1, le=10_000)
    """Accounts per owner and list; by default that of the config."""


class ExportQuery(Request):
    """How the scores of the last run are written."""

    format: Literal["ndjson", "arrow"] = "ndjson"
    """NDJSON (an object a line) or a stream of Arrow IPC."""
    as_of: Moment | None = None
    """The last run at or before this time; by default the last one."""
