"""What a training run came to: ``<runs>/training.json``."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from tenure.core.config import Config
from tenure.core.records.base import Record, SparseRecord, Time
from tenure.core.records.data import DataRecord
from tenure.core.records.evaluation import Evaluation, Verdict
from tenure.core.records.forecast import ForecastFit
from tenure.core.records.promotion import PastUses
from tenure.core.records.scorecards import HealthComparison
from tenure.core.records.shape import ShapeRecord

TargetStatus = Literal["champion", "challenger", "not_promoted", "refused"]


class CutoffLabels(Record):
    """Snapshots, known labels and positive ones at one prediction time."""

    as_of: Time
    snapshots: int
    labelled: int
    positives: int


class LabelSummary(Record):
    """Counts of snapshots, labels and outcomes."""

    snapshots: int
    """Account and prediction time, all."""
    labelled: int
    """Those with a known outcome."""
    positives: int
    """Those followed by the outcome."""
    distinct_events: int
    """Distinct outcomes behind these."""
    base_rate: float | None
    """Share of positives; None without labels."""
    dropped: dict[str, int]
    """Snapshots without a label, by reason."""
    by_cutoff: tuple[CutoffLabels, ...]
    """The same by prediction time."""


class FoldRow(Record):
    """What one fold of the backtest learnt from and was tested on."""

    fold: int
    """Its number."""
    as_of: Time
    """Its prediction time."""
    fitted_at: Time
    """The prediction time that its booster was fitted at."""
    train_rows: int
    """Rows it was trained on."""
    train_positives: int
    """Those followed by the outcome."""
    train_cutoffs: int
    """Their prediction times."""
    train_known_until: Time
    """When the last of their outcomes was known."""
    base_rate: float
    """Their share of positives."""
    calibrated_on: int
    """Rows that its calibrator was fitted on."""
    calibrated_by: str
    """Which calibrator."""
    level: float
    """Log-odds by which it moved all accounts, following their rate."""
    test_rows: int
    """Rows it was tested on."""
    test_positives: int
    """Those followed by the outcome."""


class SearchRecord(Record):
    """A search for the booster's parameters."""

    as_of: Time | None
    """It used the past of this prediction time; None for that of the final model."""
    trials: int
    """Trials made."""
    pruned: int = 0
    """Those that were given up early."""
    loss: float | None = None
    """Log loss of the best; None where the default stays."""
    default_loss: float | None = None
    """Log loss of the default."""
    gain: float
    """Log loss that the best saves."""
    error: float | None = None
    """Standard error of that gain."""
    rows: int = 0
    """Rows that judged."""
    positives: int
    """Those followed by the outcome."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    """The best."""


class DriverSummary(Record):
    """A group of features that moves the scores."""

    group: str
    """What the features are about."""
    label: str
    """The same for people."""
    mean_abs: float
    """Mean absolute contribution, in log-odds."""
    share: float
    """Its share of that of all groups."""
    lever: bool
    """Whether a team can act on it."""
    association: float | None
    """Rank correlation of the leading feature with its contribution."""
    features: str
    """Columns, the names joined by commas."""


class TrackedModel(SparseRecord):
    """Where MLflow recorded a model, or why it could not."""

    store: str
    """Tracking URI."""
    run_id: str | None = None
    """MLflow run."""
    name: str | None = None
    """Registered model."""
    version: str | None = None
    """Its version in the registry."""
    alias: str | None = None
    """Alias that was set."""
    uri: str | None = None
    """URI that loads the model."""
    error: str | None = None
    """Why it was not recorded."""


class ModelFacts(SparseRecord):
    """The exported model of a target."""

    name: str
    """Project and target."""
    version: str
    """Of the bundle."""
    path: str
    """Its folder."""
    rows: int
    """Snapshots it was fitted on."""
    positives: int
    """Those followed by the outcome."""
    trained_until: Time
    """When the last of their outcomes was known."""
    parameters: dict[str, Any]
    """Of the booster."""
    calibrator: dict[str, Any]
    """Kind and state of the calibrator."""
    features: int
    """Columns that the booster reads."""
    mlflow: TrackedModel | None = None
    """Where MLflow recorded it."""


class TargetRecord(Record):
    """What became of one target."""

    event: str
    """One outcome in words."""
    events: str
    """Several."""
    bad: bool
    """Whether the outcome is unwelcome."""
    horizon_days: int
    """Length of the label window."""
    gap_days: int
    """Days between prediction time and label window."""
    status: TargetStatus
    """What the model is now: ``champion``, ``challenger``, ``not_promoted``, or ``refused`` where
    there is none."""
    withdrawn: str | None = None
    """Version of the champion that was withdrawn without a successor."""
    verdict: Verdict
    """What may be said of the model."""
    labels: LabelSummary
    evaluation: Evaluation = Evaluation()
    """The backtest."""
    folds: tuple[FoldRow, ...] = ()
    """What each fold learnt from."""
    tuning: tuple[SearchRecord, ...] = ()
    """Searches for parameters, oldest first."""
    drivers: tuple[DriverSummary, ...] = ()
    """What moves the scores, strongest first."""
    shape: ShapeRecord | None = None
    """What the shape of the backtest says of leaks; None where refused."""
    model: ModelFacts | None = None
    """The exported model; None where refused."""
    used: PastUses | None = None
    """How often the outcomes of the backtest have been used to choose a model."""


class CalendarFacts(Record):
    """Prediction times: first, last, how many and how often."""

    first: Time | None
    last: Time | None
    count: int
    cadence: str


class AbsentFeature(Record):
    """A declared feature that the data cannot give, and why."""

    name: str
    reason: str


class FeatureFacts(Record):
    """Features in use, by family, and those that are absent."""

    count: int
    families: dict[str, int]
    absent: tuple[AbsentFeature, ...]


class TrainingRecord(Record):
    """A training run."""

    name: str
    """Project: the config's name."""
    created_at: Time
    tenure_version: str
    """Version of this package."""
    versions: dict[str, str]
    """Libraries that decide what a model is."""
    config: Config
    fingerprint: str
    data: DataRecord
    calendar: CalendarFacts
    features: FeatureFacts
    targets: dict[str, TargetRecord]
    """What became of each target."""
    forecast: ForecastFit | None = None
    """What retention is forecast with; None where no past period is settled."""
    health: HealthComparison | None = None
    """The weighted health score of the config beside the model of churn; None without one."""
    took_seconds: float
