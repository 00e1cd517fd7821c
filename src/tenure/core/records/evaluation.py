"""How well a model did on predictions whose outcome is known, and what may be said of it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from tenure.core.records.base import UNMEASURED, Figure, Record, SparseRecord, Time
from tenure.core.records.bounds import BoundsCheck
from tenure.core.records.over_time import OverTime

Status = Literal["usable", "usable_before", "no_usable_signal", "no_claim", "refused"]


def _promotable(values: dict[str, Any]) -> bool:
    return values.get("status") == "usable" and values.get("adds_over") is not False


class Verdict(Record):
    """What may be said of a model.

    Attributes:
        status: ``usable``; ``usable_before`` (over all prediction times, but not lately);
            ``no_usable_signal`` (no better than the base rate); ``no_claim`` (too little past to
            test on); ``refused`` (no model was fitted).
        sentences: Why, for people; the first is the verdict itself.
        best_column: The best single column, where it was compared.
        adds_over: Whether the model's AUC beats that column's; None where not compared.
        loses_to: Baselines that do better beyond chance, in AUC or in log loss.
        promotable: Whether the model may become champion without being forced.
    """

    status: Status
    sentences: tuple[str, ...] = Field(min_length=1)
    best_column: str | None = None
    adds_over: bool | None = None
    loses_to: tuple[str, ...] = ()
    promotable: bool = Field(default_factory=_promotable)

    @property
    def over_base_rate(self) -> bool:
        """Whether it says that the model does better than the base rate over all times."""
        return self.status in {"usable", "usable_before"}


class Metrics(SparseRecord):
    """Metrics of one set of predictions; without predictions all are missing.

    Attributes:
        n: Predictions.
        positives: Predictions followed by the outcome.
        events: Distinct outcomes behind these.
        others: Distinct accounts without the outcome.
        observed_rate: Share of predictions followed by the outcome.
        mean_probability: Mean predicted probability.
        auc: Area under the ROC curve.
        average_precision: Area under the precision-recall curve.
        log_loss: Mean log loss.
        brier: Mean squared error of the probabilities.
        brier_skill: Share of the base rate's squared error that the model removes.
        calibration_error: Mean gap of predicted and observed rates over ten bins.
        calibration_slope: Slope of the outcome on the predicted log-odds; 1 is perfect.
        calibration_intercept: Its intercept; 0 is perfect.
        lift_at_5, lift_at_10, lift_at_20: Outcome rate among the 5, 10 and 20 % of predictions
            scored highest, as a multiple of the average.
        detection_at_5, detection_at_10, detection_at_20, detection_at_capacity: Share of the
            distinct outcomes whose account stood, before it, on at least one list: of the 5, 10 and
            20 % scored highest at a prediction time, and of as many as a team can look after.
        mrr_detection_at_5, mrr_detection_at_10, mrr_detection_at_20, mrr_detection_at_capacity:
            Share of the MRR behind the outcomes that these stood for.
        chance_at_5, chance_at_10, chance_at_20, chance_at_capacity: Detection by lists as long, in
            random order.
        best_profit: Profit per account of contacting the best number from the top of the list; its
            interval is that of a number chosen on other accounts.
        profit: Profit per account of contacting where the model expects a gain.
        warned: Share of the outcomes whose account stood on the list when last asked.
        lead_time_days: Median days that it did so before them.
    """

    n: int | None = None
    positives: int | None = None
    events: int | None = None
    others: int | None = None
    observed_rate: float | None = None
    mean_probability: float | None = None
    auc: Figure = UNMEASURED
    average_precision: Figure = UNMEASURED
    log_loss: Figure = UNMEASURED
    brier: Figure = UNMEASURED
    brier_skill: Figure = UNMEASURED
    calibration_error: Figure = UNMEASURED
    calibration_slope: Figure = UNMEASURED
    calibration_intercept: Figure = UNMEASURED
    lift_at_5: Figure = UNMEASURED
    lift_at_10: Figure = UNMEASURED
    lift_at_20: Figure = UNMEASURED
    detection_at_5: Figure = UNMEASURED
    detection_at_10: Figure = UNMEASURED
    detection_at_20: Figure = UNMEASURED
    detection_at_capacity: Figure = UNMEASURED
    mrr_detection_at_5: Figure = UNMEASURED
    mrr_detection_at_10: Figure = UNMEASURED
    mrr_detection_at_20: Figure = UNMEASURED
    mrr_detection_at_capacity: Figure = UNMEASURED
    chance_at_5: Figure = UNMEASURED
    chance_at_10: Figure = UNMEASURED
    chance_at_20: Figure = UNMEASURED
    chance_at_capacity: Figure = UNMEASURED
    best_profit: Figure = UNMEASURED
    profit: Figure = UNMEASURED
    warned: Figure = UNMEASURED
    lead_time_days: Figure = UNMEASURED

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
    """How long before an outcome the list held the account: of a team's capacity, or a tenth.

    Attributes:
        outcomes: Distinct outcomes that were looked back from.
        watched_days: Median days from an account's first prediction to its outcome.
        warned: Share of the outcomes whose account stood on the list when last asked.
        by_chance: Share that lists in random order would have held.
        days: Median days that it had done so, among these.
        curve: Share pointed at by the days before.
    """

    outcomes: int
    watched_days: float | None
    warned: Figure
    by_chance: float | None = None
    days: Figure
    curve: tuple[LeadStep, ...]


class Campaign(Record):
    """What a contact is supposed to cost and to save: the settings ``evaluation.profit_*``."""

    months: float
    margin: float
    contact_cost: float
    offer: float
    accepted: float


class Money(SparseRecord):
    """What figures in money are about.

    Attributes:
        currency: The most frequent currency; other rows are left out.
        rows: Predictions in it.
        at_stake: MRR behind the distinct outcomes, as of the last prediction before each.
        campaign: What a contact costs and may save, where profit was measured.
        contacted: Share of the accounts that the best profit contacts.
    """

    currency: str | None = None
    rows: int
    at_stake: float | None = None
    campaign: Campaign | None = None
    contacted: float | None = None


class LowestMetrics(Metrics):
    """Metrics of the low end of the list: of rows without the outcome among those scored lowest."""

    money: Money | None = None


class GroupMetrics(SparseRecord):
    """Metrics of one group of accounts.

    Attributes:
        by: What makes the group, e.g. ``segment``.
        group: Its name.
        n: Predictions.
        positives: Predictions followed by the outcome.
        events: Distinct outcomes behind these; below 30 nothing further is measured.
        observed_rate: Share of predictions followed by the outcome.
        mean_probability: Mean predicted probability.
        auc: Area under the ROC curve.
        log_loss_gain: Gain in log loss over the base rate.
        calibration_gap: Mean probability minus observed rate.
    """

    by: str
    group: str
    n: int
    positives: int
    events: int
    observed_rate: float | None
    mean_probability: float | None
    auc: Figure = UNMEASURED
    log_loss_gain: Figure = UNMEASURED
    calibration_gap: Figure = UNMEASURED


class SplitFigures(SparseRecord):
    """The figures that ways of testing are compared by."""

    auc: Figure = UNMEASURED
    lift_at_10: Figure = UNMEASURED
    log_loss: Figure = UNMEASURED
    mean_probability: Figure = UNMEASURED


class OtherSplit(SplitFigures):
    """Another way of testing the same recipe.

    Attributes:
        n: Predictions.
        positives: Predictions followed by the outcome.
        observed_rate: Their share.
        walk: The figures of the forward test on the same rows.
        gap: This way minus the forward test.
    """

    n: int
    positives: int
    observed_rate: float
    walk: SplitFigures
    gap: SplitFigures


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
    """Expected amounts beside what came of them.

    Attributes:
        total: Observed amounts over the sum of probability times expected amount.
        at_event: Observed over expected amounts of the rows where it happened (JSON: ``given``).
        level: Of the intervals.
        rows: Predictions.
        events: Distinct outcomes.
        by_currency: The sums.
    """

    total: Figure
    at_event: Figure = Field(alias="given")
    level: float
    rows: int
    events: int
    by_currency: dict[str, AmountSums]


class Horizon(Record):
    """What became of a further horizon: its backtest, its gain over the base rate, its verdict."""

    distinct_events: int
    folds: int
    pooled: Metrics = Metrics()
    gain: Gains = Gains()
    verdict: Verdict


class Evaluation(SparseRecord):
    """A backtest, measured; without predictions every part is empty.

    Attributes:
        pooled: Metrics over all prediction times.
        folds: Metrics of each prediction time.
        baselines: Metrics of each baseline.
        differences: Gains over each baseline.
        reliability: Predicted and observed rates by bin.
        error_by_chance: Calibration error of a perfect model: mean, 5th and 95th percentile.
        bounds: Whether bounds hold, on groups and on months.
        over_time: Gain and calibration over all prediction times, lately, and their trend.
        lead_time: How early the list pointed at the accounts.
        money: What figures in money are about.
        groups: Metrics within groups of accounts.
        lowest: Metrics of the low end of the list, for targets that most accounts meet.
        resamples: Resamples of accounts behind each interval.
        level: Coverage of the intervals.
        capacity: Accounts that a team can look after at each prediction time.
        contrast: Other ways of testing.
        horizons: Further horizons, by name.
        amount: Expected amounts, checked.
    """

    pooled: Metrics = Metrics()
    folds: tuple[FoldMetrics, ...] = ()
    baselines: dict[str, Metrics] = Field(default_factory=dict)
    differences: dict[str, Gains] = Field(default_factory=dict)
    reliability: tuple[ReliabilityBin, ...] = ()
    error_by_chance: Figure = UNMEASURED
    bounds: BoundsCheck | None = None
    over_time: OverTime | None = None
    lead_time: LeadTime | None = None
    money: Money | None = None
    groups: tuple[GroupMetrics, ...] = ()
    lowest: LowestMetrics | None = None
    resamples: int | None = None
    level: float | None = None
    capacity: int | None = None
    contrast: Contrast | None = None
    horizons: dict[str, Horizon] = Field(default_factory=dict)
    amount: AmountCheck | None = None
