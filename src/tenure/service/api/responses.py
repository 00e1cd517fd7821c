"""Answers: what is sent, as the OpenAPI document describes it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema, create_model

from tenure.core.records.base import Record
from tenure.core.records.worklist import WorkListRecord
from tenure.explain.drivers import FIELDS
from tenure.explain.row_words import NUMBERS
from tenure.labels.targets import TARGETS
from tenure.score.model import Model


def moment(value: Any) -> Any:
    """Return a time as answers show it; anything else as it is."""
    return f"{value.isoformat()}Z" if isinstance(value, datetime) else value


Moment = Annotated[
    str, BeforeValidator(moment), WithJsonSchema({"type": "string", "format": "date-time"})
]
Chance = Annotated[float, Field(ge=0, le=1)]
Direction = Literal["high_is_bad", "high_is_good"]
Scale = Literal["probability"]


def direction(target: str) -> Direction:
    """Return whether a high probability of a target is bad news."""
    return "high_is_bad" if TARGETS[target].bad else "high_is_good"


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


_driver: dict[str, Any] = dict.fromkeys(FIELDS, (str | None, None))
_driver |= dict.fromkeys(NUMBERS, (float | None, None))
_driver |= {"lever": (bool | None, None), "feature": (str | None, None)}
Driver = create_model(
    "Driver",
    __base__=Answer,
    __doc__="A signal that moves a score; associated with the outcome, not its cause.",
    **_driver,
)


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


class SignalChange(Answer):
    """What a signal added to the change of a score, in log-odds before calibration."""

    code: str
    label: str | None
    before: float
    after: float
    change: float


class ScoreChange(Answer):
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
    signals: tuple[SignalChange, ...] | None
    """Strongest first; null where the model is another one: its signals cannot be compared."""


class Changes(Answer):
    """How the scores of an account changed."""

    account_id: str
    run: Run
    since: Run | None
    """The earlier run; null where there is none."""
    changes: tuple[ScoreChange, ...]


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


def meaning(target: str, model: Model) -> TargetMeaning:
    """Return how the probabilities of a model are to be read."""
    spec = model.bundle.spec
    return TargetMeaning(
        model_name=spec.model_name,
        model_version=model.bundle.version,
        horizon_days=spec.labels.horizon_days,
        base_rate=model.main.base_rate,
        direction=direction(target),
        scale="probability",
    )


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
