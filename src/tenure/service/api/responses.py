"""Answers: what is sent, as the OpenAPI document describes it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema

from tenure.core.records.base import Record
from tenure.core.records.explain import ChangePart
from tenure.core.records.worklist import WorkListRecord


def moment(value: Any) -> Any:
    """Return a time as answers show it; anything else as it is."""
    return f"{value.isoformat()}Z" if isinstance(value, datetime) else value


Moment = Annotated[
    str, BeforeValidator(moment), WithJsonSchema({"type": "string", "format": "date-time"})
]
Chance = Annotated[float, Field(ge=0, le=1)]
Direction = Literal["high_is_bad", "high_is_good"]
Scale = Literal["probability"]


class Answer(Record):
    """Base of all answers."""

    model_config = ConfigDict(use_attribute_docstrings=True)
    sparse: ClassVar[bool] = False
    """Whether columns that a flat row lacks are left out."""


class Run(Answer):
    """A scoring run in the store."""

    run_id: str
    as_of: Moment
    """Prediction time: nothing that became known at or after it counts."""
    scored_at: Moment
    observed_until: Moment
    """When observation of the data stopped."""
    accounts: int


class Driver(Answer):
    """A signal that moves a score; associated with the outcome, not its cause."""

    code: str
    label: str
    value: str
    """For people, of the feature that says most."""
    value_num: float | None = None
    peer_value: str
    """The same at comparable accounts that stayed."""
    peer_value_num: float | None = None
    contribution: float
    """In log-odds before calibration."""
    direction: Literal["raises", "lowers"]
    sentence: str
    lever: bool | None = None
    """Whether a team can act on it."""
    since: str | None = None
    """Date from which the value has stood so, where it is known."""
    feature: str | None = None
    """Column whose value is told."""


class Score(Answer):
    """A score of one account, target and horizon."""

    target: str
    horizon: str
    """Days, as text, or `renewal`."""
    horizon_days: int
    probability: Chance | None
    """Calibrated; null where the account was not scored, and `abstain_reason` says why."""
    lo: Chance | None
    hi: Chance | None
    base_rate: Chance
    log_odds: float | None
    rank: int | None
    """Among the accounts of the run, 1 is the highest probability."""
    percentile: float | None
    band: str | None
    amount_at_risk: float | None
    """Probability of churn × MRR."""
    expected_amount: float | None
    abstain_reason: str | None
    data_coverage: float | None
    model_name: str
    model_version: str
    direction: Direction
    scale: Scale = "probability"
    drivers: tuple[Driver, ...]
    """Strongest first."""


class AccountFacts(Answer):
    """What is known of an account besides its scores."""

    account_id: str
    name: str | None
    owner: str | None
    segment: str | None
    plan: str | None
    mrr: float | None
    currency: str | None
    renews_at: Moment | None
    """Renewal date, or end where notice was given."""
    notice_by: Moment | None
    """Until when the contract can be ended."""


class Account(AccountFacts):
    """An account and its scores in one run."""

    run: Run
    scores: tuple[Score, ...]


class AccountRow(AccountFacts):
    """An account of the last run in short: churn under the main horizon, and expansion."""

    probability: Chance | None
    lo: Chance | None
    hi: Chance | None
    change: float | None
    """Of the probability, since the run of `changed_since`."""
    rank: int | None
    band: str | None
    abstain_reason: str | None
    amount_at_risk: float | None
    expansion_probability: Chance | None
    expected_amount: float | None
    driver: Driver | None


class ExportRow(Score, AccountFacts):
    """A score of an export: of one account, target and horizon in a run."""

    run_id: str
    as_of: Moment
    scored_at: Moment


class AccountPage(Answer):
    """A page of the accounts of a run."""

    run: Run
    changed_since: Run | None
    target: str = "churn"
    horizon: str
    model_versions: dict[str, str]
    """Target → version of the model."""
    direction: Direction = "high_is_bad"
    scale: Scale = "probability"
    items: tuple[AccountRow, ...]
    next_cursor: str | None
    """Gives the next page; null on the last."""


class HistoryItem(Answer):
    """The scores of an account in one run."""

    run: Run
    scores: tuple[Score, ...]


class History(Answer):
    """The scores that an account had, the latest run first."""

    account_id: str
    items: tuple[HistoryItem, ...]


class TargetChange(Answer):
    """How a score changed between two runs."""

    target: str
    horizon: str
    horizon_days: int
    before: Chance | None
    after: Chance | None
    change: float | None
    model_version_before: str | None
    model_version: str
    direction: Direction
    scale: Scale = "probability"
    parts: tuple[ChangePart, ...] | None
    """What changed it, strongest first: their points add up to `change`, their log-odds to the
    change before calibration; null where one of the runs has no probability.

    Under another model the data are set apart from the model and its base rate, where the older
    model and the tables are at hand; else there is one part of the kind `all`."""


class Changes(Answer):
    """How the scores of an account changed."""

    account_id: str
    run: Run
    since: Run | None
    """The earlier run; null where there is none."""
    changes: tuple[TargetChange, ...]


class Missing(Answer):
    """An account or row without an answer, and why."""

    account_id: str
    reason: str
    detail: str


class Lookup(Answer):
    """Scores in the store of many accounts, in the order of the request."""

    run: Run
    accounts: tuple[Account, ...]
    missing: tuple[Missing, ...]
    """The ids that have no score in that run."""


class TargetMeaning(Answer):
    """How the probabilities of a target are to be read."""

    model_name: str
    model_version: str
    horizon_days: int
    """The main horizon."""
    base_rate: Chance
    direction: Direction
    scale: Scale = "probability"


class WorkLists(WorkListRecord, Answer):
    """Whom each owner is to call, from the last run."""

    model_versions: dict[str, str]
    """Target → version of the model."""
    scale: Scale = "probability"


class FeedbackEntry(Answer):
    """Feedback as it was written into the store."""

    account_id: str
    target: str
    run_id: str
    driver: str | None
    verdict: str
    note: str | None
    author: str
    at: Moment


class Readiness(Answer):
    """Whether requests can be answered, and what an operator should look at."""

    ready: bool
    warnings: tuple[str, ...]


class FieldProblem(Record):
    """One thing that is wrong."""

    field: str
    """Where: a field of the body, a parameter, a header or ``path``."""
    rule: str
    """The rule that is broken."""
    value: str
    """The value that breaks it, shortened."""
    fix: str
    """The next step."""


class ProblemDocument(Record):
    """Why a request was not answered (RFC 9457)."""

    type: str = "about:blank"
    """What kind of problem it is: its status says all."""
    title: str
    """The status in words."""
    status: int
    """HTTP status."""
    detail: str
    """The first problem in a sentence."""
    field: str
    fix: str
    errors: tuple[FieldProblem, ...]
    """The first problems; `error_count` says how many there are."""
    error_count: int
    request_id: str = ""
    """Of the request, as the log has it."""


class DatedProblem(ProblemDocument):
    """The same, with what the paths without a version answered before: use `errors`."""

    error: FieldProblem
    problems: tuple[FieldProblem, ...]
    problem_count: int
