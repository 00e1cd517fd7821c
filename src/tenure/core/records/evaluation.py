"""How well a model did on predictions whose outcome is known, and what may be said of it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from tenure.core.records.base import UNMEASURED, Figure, Record, SparseRecord, Time
from tenure.core.records.over_time import OverTime

Status = Literal["usable", "usable_before", "no_usable_signal", "no_claim", "refused"]


def _promotable(values: dict[str, Any]) -> bool:
    return values.get("status") == "usable" and values.get("adds_over") is not False


class Verdict(Record):
    """What may be said of a model."""

    status: Status
    """``usable``; ``usable_before`` (over all prediction times, but not lately);
    ``no_usable_signal`` (no better than the base rate); ``no_claim`` (too little past to test on);
    ``refused`` (no model was fitted)."""
    sentences: tuple[str, ...] = Field(min_length=1)
    """Why, for people; the first is the verdict itself."""
    best_column: str | None = None
    """The best single column, where it was compared."""
    adds_over: bool | None = None
    """Whether the model's AUC beats that column's; None where not compared."""
    loses_to: tuple[str, ...] = ()
    """Baselines that do better beyond chance, in AUC or in log loss."""
    promotable: bool = Field(default_factory=_promotable)
    """Whether the model may become champion without being forced."""

    @property
    def over_base_rate(self) -> bool:
        """Whether it says that the model does better than the base rate over all times."""
        return self.status in {"usable", "usable_before"}


class Metrics(SparseRecord):
    """Metrics of one set of predictions; without predictions all are missing.

    Lists hold the 5, 10 and 20 % of accounts that are scored highest at a prediction time, or as
    many as a team can look after (`capacity`).
    """

    n: int | None = None
    """Predictions."""
    positives: int | None = None
    """Predictions followed by the outcome."""
    events: int | None = None
    """Distinct outcomes behind these."""
    others: int | None = None
    """Distinct accounts without the outcome."""
    observed_rate: float | None = None
    """Share of predictions followed by the outcome."""
    mean_probability: float | None = None
    auc: Figure = UNMEASURED
    """Area under the ROC curve."""
    average_precision: Figure = UNMEASURED
    """Area under the precision-recall curve."""
    log_loss: Figure = UNMEASURED
    brier: Figure = UNMEASURED
    """Mean squared error of the probabilities."""
    brier_skill: Figure = UNMEASURED
    """Share of the base rate's squared error that the model removes."""
    calibration_error: Figure = UNMEASURED
    """Mean gap of predicted and observed rates over ten bins."""
    calibration_slope: Figure = UNMEASURED
    """Slope of the outcome on the predicted log-odds; 1 is perfect."""
    calibration_intercept: Figure = UNMEASURED
    """Its intercept; 0 is perfect."""
    lift_at_5: Figure = UNMEASURED
    lift_at_10: Figure = UNMEASURED
    lift_at_20: Figure = UNMEASURED
    """Outcome rate on the list, as a multiple of the average."""
    detection_at_5: Figure = UNMEASURED
    detection_at_10: Figure = UNMEASURED
    detection_at_20: Figure = UNMEASURED
    detection_at_capacity: Figure = UNMEASURED
    """Share of the distinct outcomes whose account stood, before it, on at least one list."""
    mrr_detection_at_5: Figure = UNMEASURED
    mrr_detection_at_10: Figure = UNMEASURED
    mrr_detection_at_20: Figure = UNMEASURED
    mrr_detection_at_capacity: Figure = UNMEASURED
    """Share of the MRR behind the outcomes that these stood for."""
    chance_at_5: Figure = UNMEASURED
    chance_at_10: Figure = UNMEASURED
    chance_at_20: Figure = UNMEASURED
    chance_at_capacity: Figure = UNMEASURED
    """Detection by lists as long, in random order."""
    best_profit: Figure = UNMEASURED
    """Profit per account of contacting the best number from the top of the list; its interval is
    that of a number chosen on other accounts."""
    profit: Figure = UNMEASURED
    """Profit per account of contacting where the model expects a gain."""
    warned: Figure = UNMEASURED
    """Share of the outcomes whose account stood on the list when last asked."""
    lead_time_days: Figure = UNMEASURED
    """Median days that it did so before them."""

    def figure(self, name: str) -> Figure:
        """Return a metric by its name; one without an interval as a figure of its value alone."""
        value: Figure | float | None = getattr(self, name)
        return value if isinstance(value, Figure) else Figure(value=value)


class FoldMetrics(Metrics):
    """Metrics at one past prediction time, numbered `fold`, with the training's `base_rate`."""

    as_of: Time
    fold: int
    base_rate: float


class Gains(SparseRecord):
    """How much better the model is than a baseline, above 0 where it is; on the same resamples."""

    auc: Figure = UNMEASURED
    log_loss: Figure = UNMEASURED
    best_profit: Figure = UNMEASURED


class ReliabilityBin(Record):
    """One of ten bins of equally many predictions, sorted by probability."""

    n: int
    mean_probability: float
    observed_rate: float
    lowest: float
    highest: float


class LeadStep(Record):
    """Share of the `n` outcomes watched for so many `days` that the list pointed at as early."""

    days: int
    n: int
    share: float


class LeadTime(Record):
    """How long before an outcome the list held the account: of a team's capacity, or a tenth."""

    outcomes: int
    """Distinct outcomes that were looked back from."""
    watched_days: float | None
    """Median days from an account's first prediction to its outcome."""
    warned: Figure
    """Share of the outcomes whose account stood on the list when last asked."""
    by_chance: float | None = None
    """Share that lists in random order would have held."""
    days: Figure
    """Median days that it had done so, among these."""
    curve: tuple[LeadStep, ...]
    """Share pointed at by the days before."""


class Campaign(Record):
    """What a contact is supposed to cost and to save: the settings ``evaluation.profit_*``."""

    months: float
    margin: float
    contact_cost: float
    offer: float
    accepted: float


class Money(SparseRecord):
    """What figures in money are about."""

    currency: str | None = None
    """The most frequent currency; other rows are left out."""
    rows: int
    """Predictions in it."""
    at_stake: float | None = None
    """MRR behind the distinct outcomes, as of the last prediction before each."""
    campaign: Campaign | None = None
    """What a contact costs and may save, where profit was measured."""
    contacted: float | None = None
    """Share of the accounts that the best profit contacts."""


class LowestMetrics(Metrics):
    """Metrics of the low end of the list: of rows without the outcome among those scored lowest."""

    money: Money | None = None


class GroupMetrics(SparseRecord):
    """Metrics of one group of accounts."""

    by: str
    """What makes the group, e.g. ``segment``."""
    group: str
    n: int
    """Predictions."""
    positives: int
    """Predictions followed by the outcome."""
    events: int
    """Distinct outcomes behind these; below 30 nothing further is measured."""
    observed_rate: float | None
    """Share of predictions followed by the outcome."""
    mean_probability: float | None
    auc: Figure = UNMEASURED
    """Area under the ROC curve."""
    log_loss_gain: Figure = UNMEASURED
    """Gain in log loss over the base rate."""
    calibration_gap: Figure = UNMEASURED
    """Mean probability minus observed rate."""


class SplitFigures(SparseRecord):
    """The figures that ways of testing are compared by."""

    auc: Figure = UNMEASURED
    lift_at_10: Figure = UNMEASURED
    log_loss: Figure = UNMEASURED
    mean_probability: Figure = UNMEASURED


class OtherSplit(SplitFigures):
    """Another way of testing the same recipe."""

    n: int
    """Predictions."""
    positives: int
    """Predictions followed by the outcome."""
    observed_rate: float
    """Their share."""
    walk: SplitFigures
    """The figures of the forward test on the same rows."""
    gap: SplitFigures
    """This way minus the forward test."""


class Contrast(SparseRecord):
    """Other ways of testing: rows split at random, and accounts that were never seen."""

    random_split: OtherSplit | None = None
    new_accounts: OtherSplit | None = None


class AmountSums(Record):
    """Sums of one currency: `observed`, `expected`, and `given`, expected where it happened."""

    observed: float
    expected: float
    at_event: float = Field(alias="given")


class AmountCheck(Record):
    """Expected amounts beside what came of them."""

    total: Figure
    """Observed amounts over the sum of probability times expected amount."""
    at_event: Figure = Field(alias="given")
    """Observed over expected amounts of the rows where it happened (JSON: ``given``)."""
    level: float
    """Of the intervals."""
    rows: int
    """Predictions."""
    events: int
    """Distinct outcomes."""
    by_currency: dict[str, AmountSums]
    """The sums."""


class Horizon(Record):
    """What became of a further horizon: its backtest, its gain over the base rate, its verdict."""

    distinct_events: int
    folds: int
    pooled: Metrics = Metrics()
    gain: Gains = Gains()
    verdict: Verdict


class Tally(Record):
    """How many groups of rows there are, and how many of them lie within their bounds."""

    n: int
    inside: int


class BoundsCheck(Record):
    """Whether bounds hold, on groups that were formed without the score."""

    level: float
    """Share of the true probabilities that bounds should hold."""
    groups: Tally
    """Segment × tenure × prediction time, of at least 20 predictions."""
    months: Tally
    """What each prediction time adds up to."""


class Evaluation(SparseRecord):
    """A backtest, measured; without predictions every part is empty."""

    pooled: Metrics = Metrics()
    """Metrics over all prediction times."""
    folds: tuple[FoldMetrics, ...] = ()
    """Metrics of each prediction time."""
    baselines: dict[str, Metrics] = Field(default_factory=dict)
    """Metrics of each baseline."""
    differences: dict[str, Gains] = Field(default_factory=dict)
    """Gains over each baseline."""
    reliability: tuple[ReliabilityBin, ...] = ()
    """Predicted and observed rates by bin."""
    error_by_chance: Figure = UNMEASURED
    """Calibration error of a perfect model: mean, 5th and 95th percentile."""
    bounds: BoundsCheck | None = None
    """Whether bounds hold, on groups and on months."""
    over_time: OverTime | None = None
    """Gain and calibration over all prediction times, lately, and their trend."""
    lead_time: LeadTime | None = None
    """How early the list pointed at the accounts."""
    money: Money | None = None
    """What figures in money are about."""
    groups: tuple[GroupMetrics, ...] = ()
    """Metrics within groups of accounts."""
    lowest: LowestMetrics | None = None
    """Metrics of the low end of the list, for targets that most accounts meet."""
    resamples: int | None = None
    """Resamples of accounts behind each interval."""
    level: float | None = None
    """Coverage of the intervals."""
    capacity: int | None = None
    """Accounts that a team can look after at each prediction time."""
    contrast: Contrast | None = None
    """Other ways of testing."""
    horizons: dict[str, Horizon] = Field(default_factory=dict)
    """Further horizons, by name."""
    amount: AmountCheck | None = None
    """Expected amounts, checked."""
