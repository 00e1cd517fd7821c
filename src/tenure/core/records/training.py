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
    """Counts of snapshots, labels and outcomes.

    Attributes:
        snapshots: Account and prediction time, all.
        labelled: Those with a known outcome.
        positives: Those followed by the outcome.
        distinct_events: Distinct outcomes behind these.
        base_rate: Share of positives; None without labels.
        dropped: Snapshots without a label, by reason.
        by_cutoff: The same by prediction time.
    """

    snapshots: int
    labelled: int
    positives: int
    distinct_events: int
    base_rate: float | None
    dropped: dict[str, int]
    by_cutoff: tuple[CutoffLabels, ...]


class FoldRow(Record):
    """What one fold of the backtest learnt from and was tested on.

    Attributes:
        fold: Its number.
        as_of: Its prediction time.
        fitted_at: The prediction time that its booster was fitted at.
        train_rows: Rows it was trained on.
        train_positives: Those followed by the outcome.
        train_cutoffs: Their prediction times.
        train_known_until: When the last of their outcomes was known.
        base_rate: Their share of positives.
        calibrated_on: Rows that its calibrator was fitted on.
        calibrated_by: Which calibrator.
        level: Log-odds by which it moved all accounts, following their rate.
        test_rows: Rows it was tested on.
        test_positives: Those followed by the outcome.
    """

    fold: int
    as_of: Time
    fitted_at: Time
    train_rows: int
    train_positives: int
    train_cutoffs: int
    train_known_until: Time
    base_rate: float
    calibrated_on: int
    calibrated_by: str
    level: float
    test_rows: int
    test_positives: int


class SearchRecord(Record):
    """A search for the booster's parameters.

    Attributes:
        as_of: It used the past of this prediction time; None for that of the final model.
        trials: Trials made.
        pruned: Those that were given up early.
        loss: Log loss of the best; None where the default stays.
        default_loss: Log loss of the default.
        gain: Log loss that the best saves.
        error: Standard error of that gain.
        rows: Rows that judged.
        positives: Those followed by the outcome.
        parameters: The best.
    """

    as_of: Time | None
    trials: int
    pruned: int = 0
    loss: float | None = None
    default_loss: float | None = None
    gain: float
    error: float | None = None
    rows: int = 0
    positives: int
    parameters: dict[str, Any] = Field(default_factory=dict)


class DriverSummary(Record):
    """A group of features that moves the scores.

    Attributes:
        group: What the features are about.
        label: The same for people.
        mean_abs: Mean absolute contribution, in log-odds.
        share: Its share of that of all groups.
        lever: Whether a team can act on it.
        association: Rank correlation of the leading feature with its contribution.
        features: Columns, the names joined by commas.
    """

    group: str
    label: str
    mean_abs: float
    share: float
    lever: bool
    association: float | None
    features: str


class TrackedModel(SparseRecord):
    """Where MLflow recorded a model, or why it could not.

    Attributes:
        store: Tracking URI.
        run_id: MLflow run.
        name: Registered model.
        version: Its version in the registry.
        alias: Alias that was set.
        uri: URI that loads the model.
        error: Why it was not recorded.
    """

    store: str
    run_id: str | None = None
    name: str | None = None
    version: str | None = None
    alias: str | None = None
    uri: str | None = None
    error: str | None = None


class ModelFacts(SparseRecord):
    """The exported model of a target.

    Attributes:
        name: Project and target.
        version: Of the bundle.
        path: Its folder.
        rows: Snapshots it was fitted on.
        positives: Those followed by the outcome.
        trained_until: When the last of their outcomes was known.
        parameters: Of the booster.
        calibrator: Kind and state of the calibrator.
        features: Columns that the booster reads.
        mlflow: Where MLflow recorded it.
    """

    name: str
    version: str
    path: str
    rows: int
    positives: int
    trained_until: Time
    parameters: dict[str, Any]
    calibrator: dict[str, Any]
    features: int
    mlflow: TrackedModel | None = None


class TargetRecord(Record):
    """What became of one target.

    Attributes:
        event: One outcome in words.
        events: Several.
        bad: Whether the outcome is unwelcome.
        horizon_days: Length of the label window.
        gap_days: Days between prediction time and label window.
        status: What the model is now: ``champion``, ``challenger``, ``not_promoted``, or
            ``refused`` where there is none.
        withdrawn: Version of the champion that was withdrawn without a successor.
        verdict: What may be said of the model.
        labels: Counts of labels.
        evaluation: The backtest.
        folds: What each fold learnt from.
        tuning: Searches for parameters, oldest first.
        drivers: What moves the scores, strongest first.
        shape: What the shape of the backtest says of leaks; None where refused.
        model: The exported model; None where refused.
        used: How often the outcomes of the backtest have been used to choose a model.
    """

    event: str
    events: str
    bad: bool
    horizon_days: int
    gap_days: int
    status: TargetStatus
    withdrawn: str | None = None
    verdict: Verdict
    labels: LabelSummary
    evaluation: Evaluation = Evaluation()
    folds: tuple[FoldRow, ...] = ()
    tuning: tuple[SearchRecord, ...] = ()
    drivers: tuple[DriverSummary, ...] = ()
    shape: ShapeRecord | None = None
    model: ModelFacts | None = None
    used: PastUses | None = None


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
    """A training run.

    Attributes:
        name: Project: the config's name.
        created_at: When.
        tenure_version: Version of this package.
        versions: Libraries that decide what a model is.
        config: All settings.
        fingerprint: Hash of the data.
        data: The data report.
        calendar: Prediction times.
        features: Features in use.
        targets: What became of each target.
        forecast: What retention is forecast with; None where no past period is settled.
        health: The weighted health score of the config beside the model of churn; None without one.
        took_seconds: Duration.
    """

    name: str
    created_at: Time
    tenure_version: str
    versions: dict[str, str]
    config: Config
    fingerprint: str
    data: DataRecord
    calendar: CalendarFacts
    features: FeatureFacts
    targets: dict[str, TargetRecord]
    forecast: ForecastFit | None = None
    health: HealthComparison | None = None
    took_seconds: float
