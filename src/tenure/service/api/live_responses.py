"""Answers that are computed for the request, as the OpenAPI document describes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import ConfigDict, Field, create_model

from tenure.core.flat_row import COLUMNS
from tenure.core.records.base import Record
from tenure.core.records.evaluation import Verdict
from tenure.core.records.explain import DriverEvidence
from tenure.core.records.metrics import Metric
from tenure.core.records.promotion import ShadowRecord
from tenure.service.api.responses import (
    Answer,
    Chance,
    Driver,
    FieldProblem,
    Missing,
    Moment,
    Run,
    TargetMeaning,
)


def _flat() -> dict[str, Any]:
    """Return the columns of a flat row, and what each holds."""
    kinds: dict[str, Any] = dict.fromkeys(COLUMNS, str | None)
    numbers = [name for name in COLUMNS if name.endswith(("_num", "_contribution", "_mrr"))]
    kinds |= dict.fromkeys((*numbers, "mrr", "health_score", "churn_percentile"), float | None)
    kinds |= dict.fromkeys(("mrr_at_risk", "data_coverage", "probability_change"), float | None)
    chances = [name for name in COLUMNS if name.endswith(("_probability", "_lo", "_hi", "_rate"))]
    kinds |= dict.fromkeys(chances, Chance | None)
    kinds |= {name: bool | None for name in COLUMNS if name.endswith("_lever")}
    kinds |= {"churn_rank": int | None, "renews_at": Moment | None}
    kinds |= dict.fromkeys([name for name in COLUMNS if name.endswith("_lever")], bool | None)
    if "notice_by" in kinds:
        kinds["notice_by"] = Moment | None
    fields: dict[str, Any] = {name: (kind, None) for name, kind in kinds.items()}
    always = {"account_id": str, "as_of": Moment, "scored_at": Moment, "horizon_days": int}
    return fields | {name: (kind, ...) for name, kind in always.items()}


class _FlatRow(Record):
    model_config = ConfigDict(extra="allow")

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


Row = create_model(
    "Row",
    __base__=_FlatRow,
    __doc__="One account at one time, as `tenure score` writes it; further targets add columns.",
    **_flat(),
)


class Reject(Answer):
    """A row that breaks the contract of its table."""

    table: str
    reason: str
    rule: str
    row: str


class Doubts(Answer):
    """Inputs of a score that are unlike those that the model learnt from."""

    missing: tuple[str, ...]
    """Features without a value that nearly every row of the training past had."""
    out_of_range: tuple[str, ...]
    """Features with a value far outside those of the training past, or a word unknown there."""


class LiveScores(Answer):
    """Scores computed for this request."""

    sparse = True
    as_of: Moment
    models: dict[str, str]
    """Target → version of the model."""
    targets: dict[str, TargetMeaning]
    rows: tuple[Row, ...]
    not_asked: tuple[Missing, ...]
    """Accounts without a paid subscription at that time."""
    inputs: dict[str, dict[str, Doubts]]
    """Account → target → its doubtful inputs, where there are any."""


class HistoryScores(LiveScores):
    """Scores of posted history."""

    rejects: tuple[Reject, ...]
    """The first rows that break the contract; `reject_count` says how many there are."""
    reject_count: int
    ignored: tuple[str, ...]
    """Account attributes that no model reads."""
    evidence: dict[str, dict[str, tuple[DriverEvidence, ...]]] = Field(default_factory=dict)
    """Account → target → the rows behind each driver, where they were asked for."""


class RowScore(Doubts):
    """The score of one feature row."""

    probability: Chance
    lo: Chance | None
    hi: Chance | None
    log_odds: float
    drivers: tuple[Driver, ...]


class RowScores(TargetMeaning):
    """Scores of feature rows: the prediction time is that of the rows, which nothing tells."""

    target: str
    as_of: None = None
    scored_at: Moment
    rows: tuple[RowScore | None, ...]
    """One for each row of the request, null where that cannot be read."""
    refused: tuple[FieldProblem, ...]
    """What is wrong with rows that have no score."""


class FeatureContribution(Answer):
    """What a feature adds to a score, in log-odds before calibration."""

    feature: str
    label: str
    value: str
    value_num: float | str | None
    contribution: float


class TargetExplanation(TargetMeaning):
    """A score as the sum of the contributions of its features."""

    probability: Chance | None
    base_value: float
    log_odds: float
    calibrator: dict[str, Any]
    """How log-odds become a probability."""
    contributions: tuple[FeatureContribution, ...]


class Explanation(Answer):
    """Why an account has its scores."""

    sparse = True
    as_of: Moment
    row: Row
    sentences: tuple[str, ...]
    targets: dict[str, TargetExplanation]
    inputs: dict[str, Doubts]
    """Target → the doubtful inputs of its score, where there are any."""
    evidence: dict[str, tuple[DriverEvidence, ...]] = Field(default_factory=dict)
    """Target → the source rows behind each driver, strongest first, where they were asked for."""


class Feature(Answer):
    """A feature that a model reads."""

    name: str
    label: str
    sentence: str
    unit: str
    type: Literal["string", "number"]
    lever: bool
    source: str


class TargetModel(TargetMeaning):
    """A model that is served."""

    trained_until: str
    rows: int
    positives: int
    verdict: Verdict | None
    metrics: dict[str, Any]
    """How it did out of time."""
    card: str
    """The model card, Markdown."""
    tables: dict[str, tuple[str, ...]]
    features: tuple[Feature, ...]
    shadow: ShadowRecord | None
    """The challenger beside it, on the runs that both scored; null without one."""


class Models(Answer):
    """The models that are served, and how fresh they and the scores are."""

    name: str
    observed_until: Moment | None
    """When observation stopped, as of the last run or the loaded tables."""
    last_run: Run | None
    targets: dict[str, TargetModel]
    warnings: tuple[str, ...]


class Metrics(Answer):
    """Customer-success metrics of a period, as known at `as_of`."""

    as_of: str
    currency: str | None
    metrics: tuple[Metric, ...]
